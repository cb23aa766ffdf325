//! ZRANDMEMBER.

use hashbrown::HashSet;

use crate::commands::call::DataCall;
use crate::commands::errors;
use crate::commands::zsets::write_elements;
use crate::db::ordered::Element;
use crate::db::views::ZsetView;
use crate::resp::parse_i64;

const OUT_OF_RANGE: &str = "ERR value is out of range";
/// Draws with repetition in one call: a reply of more would not fit into memory, and Redis dies of it.
const DRAWS_MAX: u64 = 1 << 31;

pub(super) fn zrandmember(call: &mut DataCall<'_, '_>) {
    let (key, setting) = (call.key(1), call.setting);
    let Some(text) = call.args.try_get(2) else {
        call.read_zset(key, |zset, reply| {
            match zset.and_then(|zset| zset.random(|| setting.random())) {
                Some((member, _)) => reply.bulk(member),
                None => reply.null(),
            }
        });
        return;
    };
    let Some(count) = parse_i64(text) else {
        return call.reply.error(errors::NOT_AN_INTEGER);
    };
    if count == i64::MIN {
        return call.reply.error_format(format_args!(
            "{OUT_OF_RANGE}, value must between {} and {}",
            -i64::MAX,
            i64::MAX
        ));
    }
    let with_scores = match call.args.try_get(3) {
        None => false,
        Some(word) if call.args.len() == 4 && word.eq_ignore_ascii_case(b"withscores") => true,
        Some(_) => return call.reply.error(errors::SYNTAX),
    };
    if with_scores && count.unsigned_abs() > i64::MAX as u64 / 2 {
        return call.reply.error(OUT_OF_RANGE);
    }
    let mut random = || setting.random();
    call.read_zset(key, |zset, reply| {
        let Some(zset) = zset else {
            return reply.array(0);
        };
        if let Ok(count) = usize::try_from(count) {
            let chosen = distinct(zset, count, &mut random);
            return write_elements(reply, chosen.len(), with_scores, chosen.into_iter());
        }
        let draws = count.unsigned_abs();
        if draws > DRAWS_MAX {
            return reply.error(OUT_OF_RANGE);
        }
        let drawn = (0..draws).filter_map(|_| zset.random(&mut random));
        write_elements(reply, draws as usize, with_scores, drawn);
    });
}

/// So many different elements, or all, each choice as likely as any other.
fn distinct<'z>(
    zset: ZsetView<'z>,
    count: usize,
    random: &mut impl FnMut() -> u64,
) -> Vec<Element<'z>> {
    let len = zset.len();
    if count >= len {
        return zset.iter().collect();
    }
    // Floyd: for each end the one drawn up to it, or, if that was drawn before, the end itself.
    let mut drawn = HashSet::with_capacity(count);
    let mut ranks = Vec::with_capacity(count);
    for end in len - count..len {
        let below = end as u128 + 1;
        let rank = ((u128::from(random()) * below) >> 64) as usize;
        let rank = if drawn.insert(rank) { rank } else { end };
        drawn.insert(rank);
        ranks.push(rank);
    }
    if matches!(zset, ZsetView::Large(..)) && count < len / 8 {
        return ranks
            .iter()
            .filter_map(|rank| zset.at_rank(*rank))
            .collect();
    }
    let is_drawn = |(rank, element): (usize, Element<'z>)| drawn.contains(&rank).then_some(element);
    zset.iter().enumerate().filter_map(is_drawn).collect()
}
