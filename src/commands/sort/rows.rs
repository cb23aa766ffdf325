//! Rows of the sort family.

use crate::commands::docs::{Argument, Categories, Docs};
use crate::commands::table::{Flags, Handler, Keys, Row, Stamps};

const CATEGORIES: Categories = Categories::SET
    .and(Categories::SORTEDSET)
    .and(Categories::LIST)
    .and(Categories::DANGEROUS);
const BY: Argument = Argument::pattern("pattern")
    .of_spec(1)
    .after("BY")
    .optional();
const LIMIT: Argument = Argument::block(
    "offset_count",
    &[Argument::integer("offset"), Argument::integer("count")],
)
.after("LIMIT")
.optional();
const GET: Argument = Argument::pattern("pattern")
    .of_spec(1)
    .after("GET")
    .optional()
    .multiple_token();
const ORDER: Argument = Argument::one_of(
    "order",
    &[Argument::word("asc", "ASC"), Argument::word("desc", "DESC")],
)
.optional();
const ALPHA: Argument = Argument::word("sorting", "ALPHA").optional();

/// The rows.
pub static ROWS: &[Row] = &[
    Row {
        name: "sort",
        arity: -2,
        flags: Flags::WRITE
            .and(Flags::DENYOOM)
            .and(Flags::MOVABLE_KEYS)
            .and(Flags::WHOLE)
            .and(Flags::AHEAD),
        keys: Keys::Sort,
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(super::sort),
        docs: &Docs {
            summary: "Sorts the elements of a list, a set or a sorted set, and may store them as a list",
            since: "1.0.0",
            complexity: "O(N+M*log(N)) for N elements of which M are shown",
            categories: CATEGORIES,
            access: &["RO", "access"],
            unknown_specs: &[
                (
                    "For BY and GET: which keys they are, the elements say",
                    &["RO", "access"],
                ),
                ("For STORE, which may stand anywhere", &["OW", "update"]),
            ],
            arguments: &[
                Argument::KEY,
                BY,
                LIMIT,
                GET,
                ORDER,
                ALPHA,
                Argument::key("destination", 2).after("STORE").optional(),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "sort_ro",
        arity: -2,
        flags: Flags::READONLY.and(Flags::MOVABLE_KEYS).and(Flags::WHOLE),
        keys: Keys::Sort,
        stamps: Stamps::None,
        handler: Handler::Data(super::sort_ro),
        docs: &Docs {
            summary: "Sorts the elements of a list, a set or a sorted set",
            since: "7.0.0",
            complexity: "O(N+M*log(N)) for N elements of which M are shown",
            categories: CATEGORIES,
            access: &["RO", "access"],
            unknown_specs: &[(
                "For BY and GET: which keys they are, the elements say",
                &["RO", "access"],
            )],
            arguments: &[Argument::KEY, BY, LIMIT, GET, ORDER, ALPHA],
            ..Docs::NONE
        },
    },
];
