//! ZSCAN: a walk over members with their scores, which are bulk strings in either dialect.

use crate::commands::call::DataCall;
use crate::commands::element_scan::ElementScan;
use crate::resp::write_double;

pub(super) fn zscan(call: &mut DataCall<'_, '_>) {
    let Some(scan) = ElementScan::begin(call) else {
        return;
    };
    let key = call.key(1);
    call.read_zset(key, |zset, reply| {
        if let Some(found) = scan.walk(zset, false, reply) {
            found.reply(reply, 2, |(member, score), reply| {
                reply.bulk(member);
                reply.bulk_with(1, |out| write_double(out, score));
            });
        }
    });
}
