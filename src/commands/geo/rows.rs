//! Rows of the geo family: adding, and searches.

use crate::commands::docs::{Argument, ArgumentKind, Categories, Deprecated, Docs, Group, KeySpec};
use crate::commands::geo::{add, search};
use crate::commands::table::{Flags, Handler, Keys, Row, Stamps};

pub(super) const UNIT: Argument = Argument::one_of(
    "unit",
    &[
        Argument::word("m", "M"),
        Argument::word("km", "KM"),
        Argument::word("ft", "FT"),
        Argument::word("mi", "MI"),
    ],
);
pub(super) const LONGITUDE: Argument = Argument::new("longitude", ArgumentKind::Double);
pub(super) const LATITUDE: Argument = Argument::new("latitude", ArgumentKind::Double);
const RADIUS: Argument = Argument::new("radius", ArgumentKind::Double);
const FROM: Argument = Argument::one_of(
    "from",
    &[
        Argument::string("member").after("FROMMEMBER"),
        Argument::block("longitude_latitude", &[LONGITUDE, LATITUDE]).after("FROMLONLAT"),
    ],
);
const BY: Argument = Argument::one_of(
    "by",
    &[
        Argument::block("circle", &[RADIUS.after("BYRADIUS"), UNIT]),
        Argument::block(
            "box",
            &[
                Argument::new("width", ArgumentKind::Double).after("BYBOX"),
                Argument::new("height", ArgumentKind::Double),
                UNIT,
            ],
        ),
    ],
);
const ORDER: Argument = Argument::one_of(
    "order",
    &[Argument::word("asc", "ASC"), Argument::word("desc", "DESC")],
)
.optional();
const ANY: Argument = Argument::word("any", "ANY").optional();
const COUNT: Argument =
    Argument::block("count", &[Argument::integer("count").after("COUNT"), ANY]).optional();
const COUNT_SINCE: Argument = Argument::block(
    "count",
    &[
        Argument::integer("count").after("COUNT"),
        ANY.since("6.2.0"),
    ],
)
.optional();
const WITHCOORD: Argument = Argument::word("withcoord", "WITHCOORD").optional();
const WITHDIST: Argument = Argument::word("withdist", "WITHDIST").optional();
const WITHHASH: Argument = Argument::word("withhash", "WITHHASH").optional();
const STORE: Argument = Argument::key("key", 1).after("STORE").optional();
const STOREDIST: Argument = Argument::key("key", 2).after("STOREDIST").optional();
const COMPLEXITY: &str =
    "O(N+log(M)) for M members of which N are in the cells around, sorted in O(N*log(N))";

const fn keywords(from: u16) -> [(&'static str, u16); 2] {
    [("STORE", from), ("STOREDIST", from)]
}

/// The rows.
pub static ROWS: &[Row] = &[
    Row {
        name: "geoadd",
        arity: -5,
        flags: Flags::WRITE.and(Flags::DENYOOM),
        keys: Keys::One,
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(add::geoadd),
        docs: &Docs {
            summary: "Adds members by their positions",
            since: "3.2.0",
            complexity: "O(log(N)) for each member, of N",
            group: Group::Geo,
            categories: Categories::GEO,
            access: &["RW", "update"],
            arguments: &[
                Argument::KEY,
                Argument::one_of(
                    "condition",
                    &[Argument::word("nx", "NX"), Argument::word("xx", "XX")],
                )
                .since("6.2.0")
                .optional(),
                Argument::word("change", "CH").since("6.2.0").optional(),
                Argument::block(
                    "longitude_latitude_member",
                    &[LONGITUDE, LATITUDE, Argument::string("member")],
                )
                .multiple(),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "geosearch",
        arity: -7,
        flags: Flags::READONLY,
        keys: Keys::One,
        stamps: Stamps::None,
        handler: Handler::Data(search::geosearch),
        docs: &Docs {
            summary: "Returns members within a circle or a box",
            since: "6.2.0",
            complexity: COMPLEXITY,
            group: Group::Geo,
            categories: Categories::GEO,
            access: &["RO", "access"],
            arguments: &[
                Argument::KEY,
                FROM,
                BY,
                ORDER,
                COUNT,
                WITHCOORD,
                WITHDIST,
                WITHHASH,
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "geosearchstore",
        arity: -8,
        flags: Flags::WRITE.and(Flags::DENYOOM),
        keys: Keys::Range {
            first: 1,
            last: 2,
            step: 1,
        },
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(search::geosearchstore),
        docs: &Docs {
            summary: "Stores members within a circle or a box, or how far they are from its middle",
            since: "6.2.0",
            complexity: COMPLEXITY,
            group: Group::Geo,
            categories: Categories::GEO,
            key_specs: &[
                KeySpec::one(1, &["OW", "update"]),
                KeySpec::one(2, &["RO", "access"]),
            ],
            arguments: &[
                Argument::key("destination", 0),
                Argument::key("source", 1),
                FROM,
                BY,
                ORDER,
                COUNT,
                Argument::word("storedist", "STOREDIST").optional(),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "georadius",
        arity: -6,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::MOVABLE_KEYS),
        keys: Keys::Stored { from: 6 },
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(search::georadius),
        docs: &Docs {
            summary: "Returns members around a position, or stores them",
            since: "3.2.0",
            complexity: COMPLEXITY,
            group: Group::Geo,
            categories: Categories::GEO,
            access: &["RO", "access"],
            keyword_specs: &keywords(6),
            deprecated: Some(Deprecated {
                since: "6.2.0",
                replaced_by: "`GEOSEARCH` and `GEOSEARCHSTORE` with `BYRADIUS`",
            }),
            arguments: &[
                Argument::KEY,
                LONGITUDE,
                LATITUDE,
                RADIUS,
                UNIT,
                WITHCOORD,
                WITHDIST,
                WITHHASH,
                COUNT_SINCE,
                ORDER,
                STORE,
                STOREDIST,
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "georadius_ro",
        arity: -6,
        flags: Flags::READONLY,
        keys: Keys::One,
        stamps: Stamps::None,
        handler: Handler::Data(search::georadius_ro),
        docs: &Docs {
            summary: "Returns members around a position",
            since: "3.2.10",
            complexity: COMPLEXITY,
            group: Group::Geo,
            categories: Categories::GEO,
            access: &["RO", "access"],
            deprecated: Some(Deprecated {
                since: "6.2.0",
                replaced_by: "`GEOSEARCH` with `BYRADIUS`",
            }),
            arguments: &[
                Argument::KEY,
                LONGITUDE,
                LATITUDE,
                RADIUS,
                UNIT,
                WITHCOORD,
                WITHDIST,
                WITHHASH,
                COUNT_SINCE,
                ORDER,
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "georadiusbymember",
        arity: -5,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::MOVABLE_KEYS),
        keys: Keys::Stored { from: 5 },
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(search::georadiusbymember),
        docs: &Docs {
            summary: "Returns members around another one, or stores them",
            since: "3.2.0",
            complexity: COMPLEXITY,
            group: Group::Geo,
            categories: Categories::GEO,
            access: &["RO", "access"],
            keyword_specs: &keywords(5),
            deprecated: Some(Deprecated {
                since: "6.2.0",
                replaced_by: "`GEOSEARCH` and `GEOSEARCHSTORE` with `BYRADIUS` and `FROMMEMBER`",
            }),
            arguments: &[
                Argument::KEY,
                Argument::string("member"),
                RADIUS,
                UNIT,
                WITHCOORD,
                WITHDIST,
                WITHHASH,
                COUNT,
                ORDER,
                STORE,
                STOREDIST,
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "georadiusbymember_ro",
        arity: -5,
        flags: Flags::READONLY,
        keys: Keys::One,
        stamps: Stamps::None,
        handler: Handler::Data(search::georadiusbymember_ro),
        docs: &Docs {
            summary: "Returns members around another one",
            since: "3.2.10",
            complexity: COMPLEXITY,
            group: Group::Geo,
            categories: Categories::GEO,
            access: &["RO", "access"],
            deprecated: Some(Deprecated {
                since: "6.2.0",
                replaced_by: "`GEOSEARCH` with `BYRADIUS` and `FROMMEMBER`",
            }),
            arguments: &[
                Argument::KEY,
                Argument::string("member"),
                RADIUS,
                UNIT,
                WITHCOORD,
                WITHDIST,
                WITHHASH,
                COUNT,
                ORDER,
            ],
            ..Docs::NONE
        },
    },
];
