//! What HSCAN, SSCAN and ZSCAN share: the cursor, MATCH, COUNT, and the walk.
//!
//! A cursor is a position (see [`crate::db::elements`]); 0 begins and ends. A small collection is returned as a whole, whatever the
//! cursor: it may have been large, or have been another one, when the walk began.
//!
//! Invariant: positions only go up, so every walk ends, and an element that is there from its start to its end is returned at
//! least once, whatever comes and goes, grows or splits meanwhile. Any number is a valid cursor.
//!
//! ```text
//! let Some(scan) = ElementScan::begin(call) else { return };
//! call.read_hash(key, |hash, reply| {
//!     if let Some(found) = scan.walk(hash, true, reply) {
//!         found.reply(reply, 2, |(field, value), reply| ...);
//!     }
//! });
//! ```

use crate::commands::call::DataCall;
use crate::commands::element_view::ElementView;
use crate::commands::errors;
use crate::commands::scan::parse_cursor;
use crate::db::glob::glob_match;
use crate::db::table::KeyHasher;
use crate::resp::{Args, Reply, parse_i64};

/// How many elements one call looks at where COUNT does not say.
const COUNT_DEFAULT: usize = 10;

/// What a call asks for.
#[derive(Debug)]
pub struct ElementScan<'a> {
    args: Args<'a>,
    hasher: &'a KeyHasher,
    cursor: u64,
}

/// Its options.
#[derive(Debug, Clone, Copy)]
struct Options<'a> {
    count: usize,
    /// None lets all through, as `*` does.
    pattern: Option<&'a [u8]>,
    without_values: bool,
}

/// What a walk came to.
#[derive(Debug)]
pub struct Found<T> {
    /// The elements that MATCH lets through.
    pub elements: Vec<T>,
    /// Where to go on; 0 at the end.
    pub next: u64,
    /// NOVALUES was said.
    pub without_values: bool,
}

impl<'a> ElementScan<'a> {
    /// Reads the cursor at argument 2. Where that is none, the error is written and nothing returned.
    pub fn begin(call: &mut DataCall<'a, '_>) -> Option<Self> {
        let (args, hasher) = (call.args, call.setting.hasher);
        match parse_cursor(args.get(2)) {
            Some(cursor) => Some(Self {
                args,
                hasher,
                cursor,
            }),
            None => {
                call.reply.error("ERR invalid cursor");
                None
            }
        }
    }

    /// Reads the options from argument 3 on, NOVALUES only `with_values`, and walks on from the cursor. Of an absent collection
    /// and of wrong options the reply is written, and nothing returned: as in Redis nobody judges options where there is no key.
    pub fn walk<'e, V: ElementView<'e>>(
        &self,
        view: Option<V>,
        with_values: bool,
        reply: &mut Reply,
    ) -> Option<Found<V::Element>> {
        let Some(view) = view else {
            reply.array(2);
            reply.bulk(b"0");
            reply.array(0);
            return None;
        };
        match self.options(with_values) {
            Ok(options) => Some(self.collect(view, options)),
            Err(error) => {
                reply.error(error);
                None
            }
        }
    }

    fn options(&self, with_values: bool) -> Result<Options<'a>, &'static str> {
        let mut options = Options {
            count: COUNT_DEFAULT,
            pattern: None,
            without_values: false,
        };
        let mut rest = self.args.skip(3).iter();
        while let Some(word) = rest.next() {
            if with_values && word.eq_ignore_ascii_case(b"novalues") {
                options.without_values = true;
                continue;
            }
            let value = rest.next().ok_or(errors::SYNTAX)?;
            if word.eq_ignore_ascii_case(b"count") {
                let count = parse_i64(value).ok_or(errors::NOT_AN_INTEGER)?;
                let count = usize::try_from(count).map_err(|_| errors::SYNTAX)?;
                options.count = Some(count)
                    .filter(|count| *count > 0)
                    .ok_or(errors::SYNTAX)?;
            } else if word.eq_ignore_ascii_case(b"match") {
                options.pattern = (value != b"*").then_some(value);
            } else {
                return Err(errors::SYNTAX);
            }
        }
        Ok(options)
    }

    fn collect<'e, V: ElementView<'e>>(&self, view: V, options: Options<'_>) -> Found<V::Element> {
        let (mut elements, next) = if view.is_small() {
            (view.all().collect(), 0)
        } else {
            self.collect_large(view, options.count)
        };
        if let Some(pattern) = options.pattern {
            elements.retain(|element| glob_match(pattern, V::name(*element), false));
        }
        Found {
            elements,
            next,
            without_values: options.without_values,
        }
    }

    /// About `count` elements from the cursor on, and where to go on.
    fn collect_large<'e, V: ElementView<'e>>(
        &self,
        view: V,
        count: usize,
    ) -> (Vec<V::Element>, u64) {
        let (mut found, mut from) = (Vec::new(), self.cursor as u32);
        loop {
            let (step, end) = view.step(from);
            let mut here: Vec<(u32, V::Element)> = step
                .map(|element| (V::position(self.hasher, element), element))
                .filter(|(position, _)| *position >= from)
                .collect();
            let left = count - found.len();
            if here.len() > left {
                // The positions cut the segment: all up to the last one taken, so that none is left out.
                let (_, (last, _), _) = here.select_nth_unstable_by_key(left - 1, |(at, _)| *at);
                let last = *last;
                here.retain(|(position, _)| *position <= last);
                found.extend(here.into_iter().map(|(_, element)| element));
                return (found, last.checked_add(1).map_or(0, u64::from));
            }
            found.extend(here.into_iter().map(|(_, element)| element));
            match end {
                None => return (found, 0),
                Some(end) if found.len() >= count => return (found, u64::from(end)),
                Some(end) => from = end,
            }
        }
    }
}

impl<T> Found<T> {
    /// Writes the reply; `write` writes one element, which takes `width` places of the list.
    pub fn reply(self, reply: &mut Reply, width: usize, mut write: impl FnMut(T, &mut Reply)) {
        reply.array(2);
        reply.bulk(itoa::Buffer::new().format(self.next).as_bytes());
        reply.array(self.elements.len() * width);
        for element in self.elements {
            write(element, reply);
        }
    }
}

#[cfg(test)]
mod tests;
