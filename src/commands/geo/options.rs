//! What a search asks for. Its words are read in Redis's order, with the key at hand: whether a member is there is one of the
//! questions.

use crate::commands::errors;
use crate::commands::geo::cell::{Position, position_of};
use crate::commands::geo::shape::{Extent, Shape};
use crate::commands::geo::{Fault, parse_position, parse_unit, said};
use crate::db::views::ZsetView;
use crate::resp::{Args, parse_f64, parse_i64};

/// What a command leaves to its options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grammar {
    /// Longitude, latitude and radius come first; whether it may store.
    Coordinates(bool),
    /// A member and a radius come first; whether it may store.
    Member(bool),
    /// All of it; whether it stores.
    Search(bool),
}

/// The order of what is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// As it is found.
    Found,
    /// The nearest first.
    Nearest,
    /// The farthest first.
    Farthest,
}

/// See the head of the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Options {
    /// None where the key is not there, and nothing can be found.
    pub shape: Option<Shape>,
    pub order: Order,
    /// 0 for all.
    pub count: usize,
    /// Any so many will do.
    pub any: bool,
    pub with_distance: bool,
    pub with_hash: bool,
    pub with_position: bool,
    /// The argument that is the key to store at.
    pub store: Option<usize>,
    /// What is stored are distances.
    pub stores_distance: bool,
}

/// A number of the shape, which must not be negative.
fn length(text: &[u8], what: &'static str) -> Result<f64, Fault> {
    parse_f64(text).ok_or(Fault::Borrowed(what))
}

/// Radius and unit.
fn circle(radius: &[u8], unit: &[u8]) -> Result<(Extent, f64), Fault> {
    let radius = length(radius, "ERR need numeric radius")?;
    if radius < 0.0 {
        return Err("ERR radius cannot be negative".into());
    }
    Ok((Extent::Circle(radius), parse_unit(unit)?))
}

/// Width, height and unit.
fn rectangle(width: &[u8], height: &[u8], unit: &[u8]) -> Result<(Extent, f64), Fault> {
    let width = length(width, "ERR need numeric width")?;
    let height = length(height, "ERR need numeric height")?;
    if height < 0.0 || width < 0.0 {
        return Err("ERR height or width cannot be negative".into());
    }
    Ok((Extent::Box(width, height), parse_unit(unit)?))
}

/// The position of a member; nothing where there is no key, which comes out later.
fn member_position(zset: Option<ZsetView<'_>>, member: &[u8]) -> Result<Option<Position>, Fault> {
    let Some(zset) = zset else { return Ok(None) };
    match zset.score(member) {
        Some(score) => Ok(Some(position_of(score))),
        None => Err("ERR could not decode requested zset member".into()),
    }
}

impl Options {
    /// Reads them.
    pub fn parse(
        grammar: Grammar,
        args: Args<'_>,
        zset: Option<ZsetView<'_>>,
    ) -> Result<Self, Fault> {
        let mut options = Self {
            shape: None,
            order: Order::Found,
            count: 0,
            any: false,
            with_distance: false,
            with_hash: false,
            with_position: false,
            store: None,
            stores_distance: false,
        };
        let (mut center, mut extent) = (None, None);
        let mut at;
        let (mut has_member, mut has_position) = (false, false);
        let (mut may_store, mut searches, mut stores) = (false, false, false);
        match grammar {
            Grammar::Coordinates(stores) => {
                center = Some(parse_position(args.get(2), args.get(3))?);
                extent = Some(circle(args.get(4), args.get(5))?);
                (at, may_store) = (6, stores);
            }
            Grammar::Member(stores) => {
                center = member_position(zset, args.get(2))?;
                if zset.is_some() {
                    extent = Some(circle(args.get(3), args.get(4))?);
                }
                (at, may_store) = (5, stores);
            }
            Grammar::Search(is_store) => {
                (searches, stores) = (true, is_store);
                at = if is_store { 3 } else { 2 };
                options.store = is_store.then_some(1);
            }
        }
        while let Some(word) = args.try_get(at) {
            let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
            let next = |nth: usize| args.try_get(at + nth);
            let is_box = matches!(extent, Some((Extent::Box(..), _)));
            let is_circle = matches!(extent, Some((Extent::Circle(_), _)));
            at += match (next(1), next(2), next(3)) {
                _ if is(b"withdist") => options.with(|options| &mut options.with_distance),
                _ if is(b"withhash") => options.with(|options| &mut options.with_hash),
                _ if is(b"withcoord") => options.with(|options| &mut options.with_position),
                _ if is(b"any") => options.with(|options| &mut options.any),
                _ if is(b"asc") => options.ordered(Order::Nearest),
                _ if is(b"desc") => options.ordered(Order::Farthest),
                (Some(count), ..) if is(b"count") => {
                    let count = parse_i64(count).ok_or(Fault::Borrowed(errors::NOT_AN_INTEGER))?;
                    let count = usize::try_from(count).ok().filter(|count| *count > 0);
                    options.count = count.ok_or(Fault::Borrowed("ERR COUNT must be > 0"))?;
                    2
                }
                (Some(_), ..) if may_store && (is(b"store") || is(b"storedist")) => {
                    options.store = Some(at + 1);
                    options.stores_distance = is(b"storedist");
                    2
                }
                (Some(member), ..) if searches && is(b"frommember") && !has_position => {
                    center = member_position(zset, member)?;
                    has_member = true;
                    2
                }
                (Some(longitude), Some(latitude), _)
                    if searches && is(b"fromlonlat") && !has_member =>
                {
                    center = Some(parse_position(longitude, latitude)?);
                    has_position = true;
                    3
                }
                (Some(radius), Some(unit), _) if searches && is(b"byradius") && !is_box => {
                    extent = Some(circle(radius, unit)?);
                    3
                }
                (Some(width), Some(height), Some(unit))
                    if searches && is(b"bybox") && !is_circle =>
                {
                    extent = Some(rectangle(width, height, unit)?);
                    4
                }
                _ if stores && is(b"storedist") => {
                    options.with(|options| &mut options.stores_distance)
                }
                _ => return Err(errors::SYNTAX.into()),
            };
        }
        let shows_more = options.with_distance || options.with_hash || options.with_position;
        if options.store.is_some() && shows_more {
            let what = if stores {
                "GEOSEARCHSTORE"
            } else {
                "STORE option in GEORADIUS"
            };
            return Err(Fault::Owned(format!(
                "ERR {what} is not compatible with WITHDIST, WITHHASH and WITHCOORD options"
            )));
        }
        if searches && !has_member && !has_position {
            return Err(Fault::Owned(format!(
                "ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for {}",
                said(args)
            )));
        }
        if searches && extent.is_none() {
            return Err(Fault::Owned(format!(
                "ERR exactly one of BYRADIUS and BYBOX can be specified for {}",
                said(args)
            )));
        }
        if options.any && options.count == 0 {
            return Err("ERR the ANY argument requires COUNT argument".into());
        }
        if options.count > 0 && options.order == Order::Found && !options.any {
            options.order = Order::Nearest;
        }
        options.shape = center.zip(extent).map(|(center, (extent, unit))| Shape {
            center,
            extent,
            unit,
        });
        Ok(options)
    }

    fn with(&mut self, flag: impl FnOnce(&mut Self) -> &mut bool) -> usize {
        *flag(self) = true;
        1
    }

    fn ordered(&mut self, order: Order) -> usize {
        self.order = order;
        1
    }
}

/// The arguments that are keys of STORE and STOREDIST, from an argument on, found without a look at what else is wrong with the call:
/// the first of each, which COMMAND tells of, and the last of all, which counts.
pub fn destinations(args: Args<'_>, from: usize) -> [Option<usize>; 3] {
    let [mut store, mut storedist, mut last] = [None; 3];
    let mut at = from;
    while let Some(word) = args.try_get(at) {
        let first = match () {
            () if word.eq_ignore_ascii_case(b"store") => &mut store,
            () if word.eq_ignore_ascii_case(b"storedist") => &mut storedist,
            () => {
                at += 1;
                continue;
            }
        };
        if at + 1 < args.len() {
            first.get_or_insert(at + 1);
            last = Some(at + 1);
        }
        at += 2;
    }
    let last = last.filter(|last| store != Some(*last) && storedist != Some(*last));
    [store, storedist, last]
}
