//! What HRANDFIELD, SRANDMEMBER, SPOP and ZRANDMEMBER share: how many to draw, and drawing.
//!
//! Invariant: each element is as likely as any other. Of a large collection few elements are drawn without looking at all of
//! them. No draw makes a reply longer than [`REPLY_LEN_MAX`].

use std::collections::HashSet;

use crate::commands::call::Setting;
use crate::commands::element_view::ElementView;
use crate::commands::errors;
use crate::resp::{Reply, parse_i64};

/// With a count below zero a client may ask for any length; Redis would go on until its memory ends.
const REPLY_LEN_MAX: usize = 1 << 30;
/// No element takes less of a reply than this, an empty one.
const ELEMENT_LEN_MIN: usize = 6;
/// Of so many draws one hits what was drawn before: from here on it is cheaper to look at all elements.
const SHARE_TO_DRAW: usize = 3;

/// What HRANDFIELD and its kin say of a number that is no count.
pub const OUT_OF_RANGE: &str = "ERR value is out of range";

/// How many elements a client wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Draw {
    /// So many different ones, or all that there are.
    Distinct(usize),
    /// So many, any of them perhaps several times.
    Repeated(usize),
}

impl Draw {
    /// Reads the count: negative for repeated draws.
    pub fn parse(text: &[u8]) -> Result<Self, &'static str> {
        let count = parse_i64(text).ok_or(errors::NOT_AN_INTEGER)?;
        let amount = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
        match count {
            i64::MIN => Err(
                "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
            ),
            0.. => Ok(Self::Distinct(amount)),
            _ => Ok(Self::Repeated(amount)),
        }
    }

    /// How many are asked for.
    pub fn amount(self) -> usize {
        match self {
            Self::Distinct(amount) | Self::Repeated(amount) => amount,
        }
    }

    /// Draws and replies: `head` writes the length of the list, `write` an element.
    pub fn reply<'e, V: ElementView<'e>>(
        self,
        view: V,
        dice: Dice,
        reply: &mut Reply,
        head: impl FnOnce(usize, &mut Reply),
        mut write: impl FnMut(V::Element, &mut Reply),
    ) {
        match self {
            Self::Distinct(amount) => {
                let drawn = distinct(view, amount, dice);
                head(drawn.len(), reply);
                for element in drawn {
                    write(element, reply);
                }
            }
            Self::Repeated(amount) if amount > REPLY_LEN_MAX / ELEMENT_LEN_MIN => {
                reply.error(OUT_OF_RANGE);
            }
            Self::Repeated(amount) => {
                let mark = reply.mark();
                head(amount, reply);
                let is_whole = repeated(view, amount, dice, |element| {
                    write(element, reply);
                    reply.since(mark).len() <= REPLY_LEN_MAX
                });
                if !is_whole {
                    reply.truncate(mark);
                    reply.error(OUT_OF_RANGE);
                }
            }
        }
    }
}

/// Random numbers of one call, which costs the shared ones one.
#[derive(Debug)]
pub struct Dice(u64);

impl Dice {
    /// As random as the server's next number.
    pub fn new(setting: &Setting<'_>) -> Self {
        Self(setting.random())
    }

    /// The next number.
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let number = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        number ^ number >> 31
    }

    /// A number below `end`.
    fn below(&mut self, end: usize) -> usize {
        ((u128::from(self.roll()) * end as u128) >> 64) as usize
    }
}

/// So many different elements, or all that there are.
pub fn distinct<'e, V: ElementView<'e>>(view: V, amount: usize, mut dice: Dice) -> Vec<V::Element> {
    let len = view.count();
    if amount >= len {
        return view.all().collect();
    }
    if amount <= 1 {
        let one = (amount == 1).then(|| view.draw(|| dice.roll()));
        return one.flatten().into_iter().collect();
    }
    if view.is_small() || amount > len / SHARE_TO_DRAW {
        let mut all: Vec<V::Element> = view.all().collect();
        for at in 0..amount {
            all.swap(at, at + dice.below(len - at));
        }
        all.truncate(amount);
        return all;
    }
    let (mut drawn, mut names) = (Vec::with_capacity(amount), HashSet::with_capacity(amount));
    while drawn.len() < amount {
        let Some(element) = view.draw(|| dice.roll()) else {
            break;
        };
        if names.insert(V::name(element)) {
            drawn.push(element);
        }
    }
    drawn
}

/// Draws so many times, as long as `go_on` says so; says whether it did to the end.
fn repeated<'e, V: ElementView<'e>>(
    view: V,
    amount: usize,
    mut dice: Dice,
    mut go_on: impl FnMut(V::Element) -> bool,
) -> bool {
    if view.is_small() && amount > 1 {
        let all: Vec<V::Element> = view.all().collect();
        return (0..amount).all(|_| {
            let drawn = all.get(dice.below(all.len()));
            drawn.is_none_or(|element| go_on(*element))
        });
    }
    (0..amount).all(|_| view.draw(|| dice.roll()).is_none_or(&mut go_on))
}
