//! A pattern of BY or GET: the key, or the field of a hash, that an element leads to.
//!
//! As in Redis the first `*` stands for the element, a `->` behind it with something behind that names a field, and nothing of
//! that is looked for behind a NUL.

use crate::commands::call::DataCall;
use crate::db::Key;
use crate::resp::Reply;

/// See the head of the file.
#[derive(Debug, Clone, Copy)]
pub(super) enum Pattern<'a> {
    /// `#`: the element itself.
    Itself,
    /// No `*`: leads nowhere.
    Constant,
    /// What stands before and behind the element, and the field.
    Around(&'a [u8], &'a [u8], Option<&'a [u8]>),
}

impl<'a> Pattern<'a> {
    pub fn new(text: &'a [u8]) -> Self {
        let until_nul = text.split(|byte| *byte == 0).next().unwrap_or_default();
        if until_nul == b"#" {
            return Self::Itself;
        }
        let Some(star) = until_nul.iter().position(|byte| *byte == b'*') else {
            return Self::Constant;
        };
        let before = text.get(..star).unwrap_or_default();
        let behind = text.get(star + 1..).unwrap_or_default();
        let searched = until_nul.get(star + 1..).unwrap_or_default();
        let arrow = searched.windows(2).position(|pair| pair == b"->");
        match arrow {
            Some(arrow) if arrow + 2 < searched.len() => Self::Around(
                before,
                behind.get(..arrow).unwrap_or_default(),
                behind.get(arrow + 2..),
            ),
            _ => Self::Around(before, behind, None),
        }
    }

    /// Whether it is the same for all elements, so that nothing is sorted by it.
    pub const fn is_constant(&self) -> bool {
        matches!(self, Self::Itself | Self::Constant)
    }

    /// Hands over what the element leads to, if there is something of the right type.
    pub fn look_up(
        &self,
        call: &mut DataCall<'_, '_>,
        element: &[u8],
        f: impl FnOnce(Option<&[u8]>, &mut Reply),
    ) {
        match *self {
            Self::Itself => f(Some(element), call.reply),
            Self::Constant => f(None, call.reply),
            Self::Around(before, behind, field) => {
                let name = [before, element, behind].concat();
                let key = Key {
                    bytes: &name,
                    hash: call.setting.hasher.hash(&name),
                };
                call.read(key, |view, reply| {
                    let value = view.and_then(|view| match field {
                        None => view.string(),
                        Some(field) => view.hash().and_then(|hash| hash.get(field)),
                    });
                    f(value, reply);
                });
            }
        }
    }
}
