//! ZSCAN: a walk over members with their scores, which are bulk strings in either dialect.

use crate::commands::call::DataCall;
use crate::commands::element_scan::ElementScan;
use crate::db::views::ZsetView;
use crate::resp::write_double;

/// Whole scores up to here are integers in Redis's compact form, and are shown as it holds them.
const WHOLE_MAX: f64 = (i64::MAX / 2) as f64;

pub(super) fn zscan(call: &mut DataCall<'_, '_>) {
    let Some(scan) = ElementScan::begin(call) else {
        return;
    };
    let key = call.key(1);
    call.read_zset(key, |zset, reply| {
        let is_small = matches!(zset, Some(ZsetView::Small(_)));
        if let Some(found) = scan.walk(zset, false, reply) {
            found.reply(reply, 2, |(member, score), reply| {
                reply.bulk(member);
                if is_small && score.abs() < WHOLE_MAX && score.trunc() == score {
                    reply.bulk_integer(score as i64);
                } else {
                    reply.bulk_with(1, |out| write_double(out, score));
                }
            });
        }
    });
}
