//! What SORT is asked for, read from its arguments; and whether a user with some keys only may ask for it.

use std::ops::Range;

use super::pattern::Pattern;
use crate::commands::errors;
use crate::commands::table::{Flags, Row};
use crate::resp::{Args, parse_i64};

const BY_DENIED: &str = "ERR BY option of SORT denied due to insufficient ACL permissions.";
const GET_DENIED: &str = "ERR GET option of SORT denied due to insufficient ACL permissions.";

/// See the head of the file.
#[derive(Debug, Default)]
pub(super) struct Options<'a> {
    pub by: Option<Pattern<'a>>,
    pub gets: Vec<Pattern<'a>>,
    pub store: Option<&'a [u8]>,
    /// A BY of a constant was among them, whatever came after it.
    pub keeps_order: bool,
    pub is_descending: bool,
    pub is_alpha: bool,
    limit: Option<(i64, i64)>,
}

impl<'a> Options<'a> {
    /// Reads them up to the first error, as Redis does; `reads_all` says whether who asks may read all keys.
    pub fn parse(args: Args<'a>, may_store: bool, reads_all: bool) -> Result<Self, &'static str> {
        let mut options = Self::default();
        let mut at = 2;
        while let Some(word) = args.try_get(at) {
            let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
            let (first, second) = (args.try_get(at + 1), args.try_get(at + 2));
            at += match (first, second) {
                _ if is(b"asc") => {
                    options.is_descending = false;
                    1
                }
                _ if is(b"desc") => {
                    options.is_descending = true;
                    1
                }
                _ if is(b"alpha") => {
                    options.is_alpha = true;
                    1
                }
                (Some(start), Some(count)) if is(b"limit") => {
                    let number = |text| parse_i64(text).ok_or(errors::NOT_AN_INTEGER);
                    options.limit = Some((number(start)?, number(count)?));
                    3
                }
                (Some(destination), _) if may_store && is(b"store") => {
                    options.store = Some(destination);
                    2
                }
                (Some(pattern), _) if is(b"by") => {
                    let by = Pattern::new(pattern);
                    if !by.is_constant() && !reads_all {
                        return Err(BY_DENIED);
                    }
                    options.keeps_order |= by.is_constant();
                    options.by = Some(by);
                    2
                }
                (Some(pattern), _) if is(b"get") => {
                    if !reads_all {
                        return Err(GET_DENIED);
                    }
                    options.gets.push(Pattern::new(pattern));
                    2
                }
                _ => return Err(errors::SYNTAX),
            };
        }
        Ok(options)
    }

    /// Which places of so many elements LIMIT leaves.
    pub fn shown(&self, len: usize) -> Range<usize> {
        let Some((start, count)) = self.limit else {
            return 0..len;
        };
        let start = usize::try_from(start.max(0)).unwrap_or(usize::MAX).min(len);
        // A negative count is none.
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        start..start.saturating_add(count).min(len)
    }
}

/// The argument that is the key of STORE, the last one counting. Found without a look at what else is wrong with the call.
pub fn destination(args: Args<'_>) -> Option<usize> {
    let (mut destination, mut at) = (None, 2);
    while let Some(word) = args.try_get(at) {
        let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
        at += match () {
            () if is(b"limit") => 3,
            () if is(b"by") || is(b"get") => 2,
            () if is(b"store") && at + 1 < args.len() => {
                destination = Some(at + 1);
                2
            }
            () => 1,
        };
    }
    destination
}

/// What SORT says to a user who may not read all keys, if that matters to this call: BY and GET may lead to any key.
pub fn refusal(row: &Row, args: Args<'_>) -> Option<&'static str> {
    let error = Options::parse(args, row.flags.has(Flags::WRITE), false).err()?;
    [BY_DENIED, GET_DENIED].contains(&error).then_some(error)
}
