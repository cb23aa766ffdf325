//! The elements that are sorted, copied one behind the other, and what they are sorted by.
//!
//! Invariant: there are as many weights as elements, and equal ones keep their order.

use std::cmp::Ordering;
use std::ops::Range;

use crate::resp::parse_f64;

/// Texts in one piece of memory.
#[derive(Debug, Default)]
pub(super) struct Elements {
    bytes: Vec<u8>,
    places: Vec<Range<usize>>,
}

impl Elements {
    pub fn of<'e>(elements: impl Iterator<Item = &'e [u8]>) -> Self {
        let mut all = Self::default();
        elements.for_each(|element| all.push(element));
        all
    }

    fn push(&mut self, element: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(element);
        self.places.push(start..self.bytes.len());
    }

    pub const fn len(&self) -> usize {
        self.places.len()
    }

    pub fn get(&self, at: usize) -> &[u8] {
        let place = self.places.get(at).cloned();
        place
            .and_then(|place| self.bytes.get(place))
            .unwrap_or_default()
    }

    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).map(|at| self.get(at))
    }
}

/// What elements are sorted by, in their order.
#[derive(Debug)]
pub(super) enum Weights {
    /// Numbers.
    Numbers(Vec<f64>),
    /// The elements as texts.
    Themselves,
    /// Other texts, before all of which stands none at all.
    Texts(Elements, Vec<bool>),
}

impl Weights {
    pub fn new(are_texts: bool, are_elsewhere: bool) -> Self {
        match (are_texts, are_elsewhere) {
            (false, _) => Self::Numbers(Vec::new()),
            (true, false) => Self::Themselves,
            (true, true) => Self::Texts(Elements::default(), Vec::new()),
        }
    }

    /// Adds that of the next element; false where it is no number but must be one. None at all is 0.
    pub fn push(&mut self, weight: Option<&[u8]>) -> bool {
        match self {
            Self::Themselves => true,
            Self::Numbers(numbers) => {
                let number = weight.map_or(Some(0.0), number);
                numbers.push(number.unwrap_or_default());
                number.is_some()
            }
            Self::Texts(texts, are_there) => {
                texts.push(weight.unwrap_or_default());
                are_there.push(weight.is_some());
                true
            }
        }
    }

    /// The places of the elements when they are sorted. What is shown is sorted as C's `strcmp` sees texts, what is stored by all
    /// of their bytes.
    pub fn order(&self, elements: &Elements, is_descending: bool, is_stored: bool) -> Vec<usize> {
        let seen = |text: &[u8], other: &[u8]| {
            if is_stored {
                text.cmp(other)
            } else {
                until_nul(text).cmp(until_nul(other))
            }
        };
        let number = |numbers: &[f64], at: usize| numbers.get(at).copied().unwrap_or_default();
        let compare = |one: usize, other: usize| match self {
            Self::Themselves => seen(elements.get(one), elements.get(other)),
            Self::Numbers(numbers) => number(numbers, one)
                .partial_cmp(&number(numbers, other))
                .unwrap_or(Ordering::Equal)
                .then_with(|| elements.get(one).cmp(elements.get(other))),
            Self::Texts(texts, are_there) => are_there
                .get(one)
                .cmp(&are_there.get(other))
                .then_with(|| seen(texts.get(one), texts.get(other))),
        };
        let mut order: Vec<usize> = (0..elements.len()).collect();
        if is_descending {
            order.sort_by(|one, other| compare(*other, *one));
        } else {
            order.sort_by(|one, other| compare(*one, *other));
        }
        order
    }
}

fn until_nul(text: &[u8]) -> &[u8] {
    text.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// The number that C's `strtod` makes of a text up to its first NUL, if it takes all of that and does not find it out of range: too
/// large or too small for a double of full precision. Nothing is 0.
fn number(text: &[u8]) -> Option<f64> {
    let text = until_nul(text);
    if text.is_empty() {
        return Some(0.0);
    }
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t'..=b'\r');
    let first = text.iter().position(|byte| !is_blank(byte))?;
    let number = parse_f64(text.get(first..)?)?;
    (!number.is_subnormal()).then_some(number)
}
