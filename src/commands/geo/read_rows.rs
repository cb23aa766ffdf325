//! Rows of the geo family: what members say of themselves.

use crate::commands::docs::{Argument, Categories, Docs, Group};
use crate::commands::geo::read;
use crate::commands::geo::rows::UNIT;
use crate::commands::table::{Flags, Handler, Keys, Row, Stamps};

/// The rows.
pub static ROWS: &[Row] = &[
    Row {
        name: "geodist",
        arity: -4,
        flags: Flags::READONLY,
        keys: Keys::One,
        stamps: Stamps::None,
        handler: Handler::Data(read::geodist),
        docs: &Docs {
            summary: "Returns how far two members are from each other",
            since: "3.2.0",
            complexity: "O(log(N)) for N members",
            group: Group::Geo,
            categories: Categories::GEO,
            access: &["RO", "access"],
            arguments: &[
                Argument::KEY,
                Argument::string("member1"),
                Argument::string("member2"),
                UNIT.optional(),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "geohash",
        arity: -2,
        flags: Flags::READONLY,
        keys: Keys::One,
        stamps: Stamps::None,
        handler: Handler::Data(read::geohash),
        docs: &Docs {
            summary: "Returns members' positions as standard geohashes",
            since: "3.2.0",
            complexity: "O(log(N)) for each member, of N",
            group: Group::Geo,
            categories: Categories::GEO,
            access: &["RO", "access"],
            arguments: &[Argument::KEY, Argument::string("member").multiple()],
            ..Docs::NONE
        },
    },
    Row {
        name: "geopos",
        arity: -2,
        flags: Flags::READONLY,
        keys: Keys::One,
        stamps: Stamps::None,
        handler: Handler::Data(read::geopos),
        docs: &Docs {
            summary: "Returns members' longitudes and latitudes",
            since: "3.2.0",
            complexity: "O(log(N)) for each member, of N",
            group: Group::Geo,
            categories: Categories::GEO,
            access: &["RO", "access"],
            arguments: &[Argument::KEY, Argument::string("member").multiple()],
            ..Docs::NONE
        },
    },
];
