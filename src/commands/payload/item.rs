//! An element within a listpack, a ziplist or a zipmap, and the shapes that collections have in their elements.
//!
//! Invariant: the elements come from a walk that checks as it goes; the first error of it is the outcome.

use std::borrow::Cow;

use super::PayloadError;
use crate::resp::parse_f64;

/// An element: bytes, or a number that stands for its decimal text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Item<'a> {
    Text(&'a [u8]),
    Number(i64),
}

pub(super) type Walked<'a> = Result<Item<'a>, PayloadError>;
/// Keys and what belongs to them.
pub(super) type Pairs<T> = Vec<(Vec<u8>, T)>;

impl<'a> Item<'a> {
    pub fn text(self) -> Cow<'a, [u8]> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::Number(number) => {
                let text = itoa::Buffer::new().format(number).as_bytes().to_vec();
                Cow::Owned(text)
            }
        }
    }

    /// The number that all of it spells; NaN is none. Redis takes the number that a text begins with, and no server writes more.
    pub fn score(self) -> Result<f64, PayloadError> {
        match self {
            Self::Text(text) => parse_f64(text).ok_or(PayloadError::Format),
            Self::Number(number) => Ok(number as f64),
        }
    }
}

/// Adds the elements to `out`.
pub(super) fn singles<'a>(
    out: &mut Vec<Vec<u8>>,
    items: impl Iterator<Item = Walked<'a>>,
) -> Result<(), PayloadError> {
    for item in items {
        out.push(item?.text().into_owned());
    }
    Ok(())
}

/// Elements that are alternately a key and what `value` makes of the next one.
pub(super) fn pairs<'a, T>(
    mut items: impl Iterator<Item = Walked<'a>>,
    value: impl Fn(Item<'a>) -> Result<T, PayloadError>,
) -> Result<Pairs<T>, PayloadError> {
    let mut out = Vec::new();
    while let Some(key) = items.next() {
        let second = items.next().ok_or(PayloadError::Format)?;
        out.push((key?.text().into_owned(), value(second?)?));
    }
    Ok(out)
}
