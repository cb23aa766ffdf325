//! Positions on earth: sorted sets whose scores are cells of 52 bits. [`add`](self) them, [`read`](self) them, [`search`](self) what
//! lies around one. Pure are `cell` (positions and scores) and `shape` (distances, and which cells may hold what is looked for).
//!
//! Effects are those of sorted sets: scores, and a whole value where a search stores what it found.
//!
//! Invariant: every handler checks everything before its first change, in Redis's order, so that the first fault decides the
//! error. Results come in Redis's order: cell by cell, unless they are sorted.

use std::borrow::Cow;

use crate::commands::errors;
use crate::resp::{Args, Reply, parse_f64};
use cell::{LATITUDES, LONGITUDES, Position};

mod add;
mod cell;
mod options;
mod read;
mod read_rows;
mod rows;
mod search;
mod shape;

pub use options::destinations;
pub use read_rows::ROWS as READ_ROWS;
pub use rows::ROWS;

/// What is wrong with a call, as it is replied.
type Fault = Cow<'static, str>;

/// Reads longitude and latitude.
fn parse_position(longitude: &[u8], latitude: &[u8]) -> Result<Position, Fault> {
    let number = |text| parse_f64(text).ok_or(Fault::Borrowed(errors::NOT_A_FLOAT));
    let position = Position {
        longitude: number(longitude)?,
        latitude: number(latitude)?,
    };
    if LONGITUDES.holds(position.longitude) && LATITUDES.holds(position.latitude) {
        return Ok(position);
    }
    Err(Fault::Owned(format!(
        "ERR invalid longitude,latitude pair {:.6},{:.6}",
        position.longitude, position.latitude
    )))
}

/// How many metres a unit has.
fn parse_unit(word: &[u8]) -> Result<f64, Fault> {
    let units = [
        (&b"m"[..], 1.0),
        (b"km", 1_000.0),
        (b"ft", 0.3048),
        (b"mi", 1_609.34),
    ];
    let found = units
        .into_iter()
        .find(|(name, _)| word.eq_ignore_ascii_case(name));
    let unit = found.map(|(_, metres)| metres);
    unit.ok_or(Fault::Borrowed(
        "ERR unsupported unit provided. please use M, KM, FT, MI",
    ))
}

/// Writes a distance, with the four digits that Redis shows.
fn write_distance(reply: &mut Reply, distance: f64) {
    reply.bulk(format!("{distance:.4}").as_bytes());
}

/// Writes longitude and latitude.
fn write_position(reply: &mut Reply, position: Position) {
    reply.array(2);
    for degrees in [position.longitude, position.latitude] {
        let text = format!("{degrees:.17}");
        let text = text.trim_end_matches('0').trim_end_matches('.');
        let text = if text == "-0" { "0" } else { text };
        if reply.is_resp3() {
            reply.raw(format!(",{text}\r\n").as_bytes());
        } else {
            reply.bulk(text.as_bytes());
        }
    }
}

/// A command's name as it was said.
fn said(args: Args<'_>) -> Cow<'_, str> {
    String::from_utf8_lossy(args.name())
}

#[cfg(test)]
mod tests;
