//! SORT and SORT_RO: the elements of a list, a set or a sorted set in another order, or what other keys say of them. STORE makes a
//! list of them: a PUT of the whole list, or a DEL where it is empty.
//!
//! Invariant: elements are copied once, before any other key is looked at, and nothing changes before the last look.
//!
//! - `options`: what a call asks for; `pattern`: keys that elements lead to; `elements`: the copy, and its order.

mod elements;
mod options;
mod pattern;
mod rows;

pub use options::{destination, refusal};
pub use rows::ROWS;

use std::ops::Range;

use crate::commands::call::DataCall;
use crate::commands::errors;
use crate::commands::whole::Whole;
use crate::db::news::Attention;
use crate::db::op::Kind;
use crate::db::varint::put_bytes;
use crate::db::{Key, View};
use elements::{Elements, Weights};
use options::Options;
use pattern::Pattern;

fn sort(call: &mut DataCall<'_, '_>) {
    run(call, true);
}

fn sort_ro(call: &mut DataCall<'_, '_>) {
    run(call, false);
}

fn run(call: &mut DataCall<'_, '_>, may_store: bool) {
    let options = match Options::parse(call.args, may_store, true) {
        Ok(options) => options,
        Err(error) => return call.reply.error(error),
    };
    let key = call.key(1);
    let is_sortable = call.read(key, |view, reply| {
        let is_sortable = view.is_none_or(|view| {
            view.list().is_some() || view.zset().is_some() || view.set().is_some()
        });
        if !is_sortable {
            reply.error(errors::WRONG_TYPE);
        }
        is_sortable
    });
    if !is_sortable {
        return;
    }
    let Some(destination) = options.store else {
        return match sorted(call, &options, key) {
            Ok((elements, order)) => reply(call, &options, &elements, &order),
            Err(error) => call.reply.error(error),
        };
    };
    let computed = call.compute(|call| {
        let (elements, order) = sorted(call, &options, key)?;
        Ok(whole_of(call, &options, &elements, &order))
    });
    let destination = Key {
        bytes: destination,
        hash: call.setting.hasher.hash(destination),
    };
    match computed {
        Some(Ok(whole)) => whole.store(call, destination, (Attention::LIST, "sortstore")),
        Some(Err(error)) => call.reply.error(&error),
        None => {}
    }
}

/// The elements of a key that was looked at, and the order in which they are asked for; the error is what to reply.
fn sorted(
    call: &mut DataCall<'_, '_>,
    options: &Options<'_>,
    key: Key<'_>,
) -> Result<(Elements, Vec<usize>), &'static str> {
    let (db, now) = (call.db, call.now);
    let view = call.access.partition(key.hash).seen(db, key, now);
    let loaded = view.and_then(|view| load(view, options));
    let loaded = loaded.unwrap_or_default();
    let order = match loaded.order {
        Order::Kept => loaded.shown.collect(),
        Order::By(by, alpha) => {
            let weights = weigh(call, &loaded.elements, by, alpha)
                .ok_or("ERR One or more scores can't be converted into double")?;
            let is_stored = options.store.is_some();
            let mut order = weights.order(&loaded.elements, options.is_descending, is_stored);
            order.truncate(loaded.shown.end);
            order.drain(..loaded.shown.start.min(order.len()));
            order
        }
    };
    Ok((loaded.elements, order))
}

/// How elements come into their order.
#[derive(Debug, Clone, Copy, Default)]
enum Order<'a> {
    /// They are in it.
    #[default]
    Kept,
    /// By what a pattern leads to, or by themselves; as texts or as numbers.
    By(Option<Pattern<'a>>, bool),
}

/// What is to be sorted.
#[derive(Debug, Default)]
struct Loaded<'a> {
    elements: Elements,
    order: Order<'a>,
    /// The places, when all are in order, that are asked for.
    shown: Range<usize>,
}

/// Copies what a key holds, only what is asked for where that is known; none where it cannot be sorted.
fn load<'a>(view: View<'_>, options: &Options<'a>) -> Option<Loaded<'a>> {
    let order = match options.by {
        _ if options.keeps_order => Order::Kept,
        by => Order::By(by, options.is_alpha),
    };
    let is_kept = matches!(order, Order::Kept);
    let is_back = options.is_descending;
    if let Some(list) = view.list() {
        let shown = options.shown(list.len());
        let elements = match is_kept {
            false => Elements::of(list.iter().map(|(_, element)| element)),
            true if is_back => Elements::of(
                list.iter_back_from(list.len().saturating_sub(shown.start + 1))
                    .take(shown.len())
                    .map(|(_, element)| element),
            ),
            true => Elements::of(
                list.iter_from(shown.start)
                    .take(shown.len())
                    .map(|(_, element)| element),
            ),
        };
        return Some(Loaded::of(elements, order, shown));
    }
    if let Some(zset) = view.zset() {
        let len = zset.len();
        let shown = options.shown(len);
        let elements = match is_kept {
            false => Elements::of(zset.iter().map(|element| element.0)),
            true if is_back => {
                let ranks = len - shown.end..len - shown.start;
                Elements::of(zset.range_rev(ranks).map(|element| element.0))
            }
            true => Elements::of(zset.range(shown.clone()).map(|element| element.0)),
        };
        return Some(Loaded::of(elements, order, shown));
    }
    let set = view.set()?;
    let shown = options.shown(set.len());
    Some(match order {
        // Members have no order that all masters would share.
        Order::Kept if options.store.is_some() => {
            Loaded::of(Elements::of(set.iter()), Order::By(None, true), shown)
        }
        Order::Kept => {
            let members = set.iter().skip(shown.start).take(shown.len());
            Loaded::of(Elements::of(members), order, shown)
        }
        Order::By(..) => Loaded::of(Elements::of(set.iter()), order, shown),
    })
}

impl<'a> Loaded<'a> {
    fn of(elements: Elements, order: Order<'a>, shown: Range<usize>) -> Self {
        // What is in order was copied as far as it is asked for.
        let shown = match order {
            Order::Kept => 0..elements.len(),
            Order::By(..) => shown,
        };
        Self {
            elements,
            order,
            shown,
        }
    }
}

/// What the elements are sorted by; none where one of that is no number but should be.
fn weigh(
    call: &mut DataCall<'_, '_>,
    elements: &Elements,
    by: Option<Pattern<'_>>,
    alpha: bool,
) -> Option<Weights> {
    let mut weights = Weights::new(alpha, by.is_some());
    let mut are_numbers = true;
    for element in elements.iter() {
        match by {
            None => are_numbers &= weights.push(Some(element)),
            Some(by) => by.look_up(call, element, |value, _| {
                are_numbers &= weights.push(value);
            }),
        }
    }
    are_numbers.then_some(weights)
}

fn reply(call: &mut DataCall<'_, '_>, options: &Options<'_>, elements: &Elements, order: &[usize]) {
    call.reply.array(order.len() * options.gets.len().max(1));
    for element in order.iter().map(|&at| elements.get(at)) {
        if options.gets.is_empty() {
            call.reply.bulk(element);
        }
        for pattern in &options.gets {
            pattern.look_up(call, element, |value, reply| match value {
                Some(value) => reply.bulk(value),
                None => reply.null(),
            });
        }
    }
}

/// The list of these elements, or of what is said of them.
fn whole_of(
    call: &mut DataCall<'_, '_>,
    options: &Options<'_>,
    elements: &Elements,
    order: &[usize],
) -> Whole {
    let mut content = vec![Kind::List as u8];
    for element in order.iter().map(|&at| elements.get(at)) {
        if options.gets.is_empty() {
            put_bytes(&mut content, element);
        }
        for pattern in &options.gets {
            pattern.look_up(call, element, |value, _| {
                put_bytes(&mut content, value.unwrap_or_default());
            });
        }
    }
    Whole::of(content, order.len() * options.gets.len().max(1))
}

#[cfg(test)]
mod tests;
