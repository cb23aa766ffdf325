//! Values as a whole: from the content that an operation brings, and back.
//!
//! Invariant: what [`put_content`] makes of what [`content_of`] wrote shows the same, ids of list elements included.

use crate::db::body::{Body, Form, Large, Shown};
use crate::db::deadlines::Whole;
use crate::db::elements::packed;
use crate::db::live::{Ground, elements, lists, scores, timed};
#[cfg(test)]
use crate::db::made::{MADE_HELD, is_large};
use crate::db::op::content::{LIST_WITH_IDS, Parts, id_of_content};
use crate::db::op::parts;
use crate::db::op::{Content, Kind, Scores};
use crate::db::stamp::Stamp;
use crate::db::stream;
use crate::db::varint;

/// The value that an operation with this stamp brings.
pub fn put_content(ground: &Ground<'_>, stamp: Stamp, content: Content<'_>) -> Body {
    if let Some(body) = ground.made.and_then(|made| made.take(stamp)) {
        return body;
    }
    #[cfg(test)]
    if ground.made.is_some() && is_large(content) {
        MADE_HELD.set(MADE_HELD.get() + 1);
    }
    let kind = content.kind();
    // A list that has ids keeps them, whoever takes it.
    let has_ids = ground.has_ids || matches!(content.parts(), Parts::ListWithIds(_));
    let mut body = Body::empty(kind, has_ids);
    match content.parts() {
        Parts::String(bytes) => body = Body::String(bytes.to_vec()),
        Parts::Hash(pairs) => {
            for (field, value) in pairs.iter() {
                elements::put_whole(&mut body, ground, field, Some(value));
            }
        }
        Parts::Set(names) => {
            for name in names.iter() {
                elements::put_whole(&mut body, ground, name, None);
            }
        }
        Parts::Zset(members) => {
            for (score, member) in members.iter() {
                scores::put(&mut body, ground, member, score);
            }
        }
        Parts::List(names) => {
            for (nth, element) in names.iter().enumerate() {
                let id = id_of_content(stamp, nth as u64);
                lists::put_last(&mut body, ground, id, element);
            }
        }
        Parts::Stream(bytes) => {
            let stream = stream::content::read(bytes, ground.limits.stream);
            body = Body::Large(Large::Stream(Box::new(stream)));
        }
        Parts::Job(bytes) => body = Body::job(bytes),
        Parts::ListWithIds(identified) => {
            for (id, element) in identified.iter() {
                lists::put_last(&mut body, ground, id, element);
            }
        }
    }
    for (member, deadline) in content.deadlines() {
        if timed::contains(&body, ground, member) {
            body.set_deadline(ground.hasher, member, Some(deadline));
        }
    }
    body
}

/// Appends a value as the content of an operation; of list elements the ids too, where `with_ids` is set and they bear any.
pub fn content_of(whole: Whole<'_>, with_ids: bool, out: &mut Vec<u8>) {
    let shown = whole.shown;
    let kind = shown.kind();
    let at = out.len();
    match whole.deadlines {
        None => out.push(kind as u8),
        Some(deadlines) => Content::put_head(out, kind, deadlines.iter()),
    }
    match shown {
        Shown::String(bytes) => out.extend_from_slice(bytes),
        Shown::Small(Form::Hash, bytes) => {
            for (field, value) in packed::iter(bytes) {
                varint::put_bytes(out, field);
                varint::put_bytes(out, value);
            }
        }
        Shown::Large(Large::Hash(elements)) => {
            for (field, value) in whole.living(elements.iter()) {
                varint::put_bytes(out, field);
                varint::put_bytes(out, value);
            }
        }
        Shown::Small(Form::Set | Form::Ints, bytes) => {
            packed::iter(bytes).for_each(|(member, _)| varint::put_bytes(out, member));
        }
        Shown::Large(Large::Set(elements)) => {
            let members = whole.living(elements.iter());
            members.for_each(|(member, _)| varint::put_bytes(out, member));
        }
        Shown::Small(Form::Zset, bytes) => {
            for (member, score) in crate::db::ordered::packed::iter(bytes) {
                Scores::put(out, score, member);
            }
        }
        Shown::Large(Large::Zset(ordered)) => {
            for (member, score) in whole.living(ordered.iter()) {
                Scores::put(out, score, member);
            }
        }
        Shown::Small(Form::List, bytes) => {
            let has_ids = with_ids && crate::db::list::packed::has_ids(bytes);
            list(out, at, has_ids, crate::db::list::packed::iter(bytes));
        }
        Shown::Large(Large::List(elements)) => {
            list(out, at, with_ids && elements.has_ids(), elements.iter());
        }
        Shown::Large(Large::Stream(stream)) => stream::content::write(stream, out),
        Shown::Small(Form::Job, _) => out.extend_from_slice(shown.job().unwrap_or_default()),
    }
    debug_assert!(kind == Kind::String || Content::new(&out[at..]).is_ok());
}

fn list<'e>(
    out: &mut Vec<u8>,
    at: usize,
    has_ids: bool,
    elements: impl Iterator<Item = (Stamp, &'e [u8])>,
) {
    let mut before = Stamp::ZERO;
    if has_ids && let Some(kind) = out.get_mut(at) {
        *kind = LIST_WITH_IDS;
    }
    for (id, element) in elements {
        if has_ids {
            parts::put_id(out, before, id);
            before = id;
        }
        varint::put_bytes(out, element);
    }
}
