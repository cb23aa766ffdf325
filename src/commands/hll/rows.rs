//! Rows of the HyperLogLog family.

use crate::commands::docs::{Argument, Categories, Docs, Group, KeySpec};
use crate::commands::hll::{add, count, debug};
use crate::commands::table::{Flags, Handler, Keys, Row, Stamps};

/// The rows.
pub static ROWS: &[Row] = &[
    Row {
        name: "pfadd",
        arity: -2,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(add::pfadd),
        docs: &Docs {
            summary: "Adds elements to a HyperLogLog",
            since: "2.8.9",
            complexity: "O(1) for each element",
            group: Group::HyperLogLog,
            categories: Categories::HYPERLOGLOG,
            access: &["RW", "insert"],
            arguments: &[
                Argument::KEY,
                Argument::string("element").optional().multiple(),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "pfcount",
        arity: -2,
        flags: Flags::READONLY.and(Flags::MAY_REPLICATE),
        keys: Keys::Range {
            first: 1,
            last: -1,
            step: 1,
        },
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(count::pfcount),
        docs: &Docs {
            summary: "Estimates how many different elements were added to HyperLogLogs",
            since: "2.8.9",
            complexity: "O(1) for one key whose estimate is written down; O(N) for N keys, each of 16,384 registers",
            group: Group::HyperLogLog,
            categories: Categories::HYPERLOGLOG,
            access: &["RW", "access"],
            access_note: "writes its estimate down, and tells replicas",
            arguments: &[Argument::KEY.multiple()],
            ..Docs::NONE
        },
    },
    Row {
        name: "pfmerge",
        arity: -2,
        flags: Flags::WRITE.and(Flags::DENYOOM),
        keys: Keys::Range {
            first: 1,
            last: -1,
            step: 1,
        },
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(add::pfmerge),
        docs: &Docs {
            summary: "Merges HyperLogLogs into one",
            since: "2.8.9",
            complexity: "O(N) for N keys, each of 16,384 registers",
            group: Group::HyperLogLog,
            categories: Categories::HYPERLOGLOG,
            key_specs: &[
                KeySpec::one(1, &["RW", "access", "insert"]),
                KeySpec {
                    first: 2,
                    last: -1,
                    access: &["RO", "access"],
                },
            ],
            arguments: &[
                Argument::key("destkey", 0),
                Argument::key("sourcekey", 1).multiple(),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "pfdebug",
        arity: 3,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::ADMIN),
        keys: Keys::Range {
            first: 2,
            last: 2,
            step: 1,
        },
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(debug::pfdebug),
        docs: &Docs {
            summary: "Shows how a HyperLogLog is laid out (GETREG, DECODE, ENCODING), or makes it dense (TODENSE)",
            since: "2.8.9",
            complexity: "N/A",
            group: Group::HyperLogLog,
            categories: Categories::HYPERLOGLOG,
            access: &["RW", "access"],
            system: true,
            arguments: &[Argument::string("subcommand"), Argument::KEY],
            ..Docs::NONE
        },
    },
    Row {
        name: "pfselftest",
        arity: 1,
        flags: Flags::ADMIN,
        keys: Keys::None,
        stamps: Stamps::None,
        handler: Handler::Data(debug::pfselftest),
        docs: &Docs {
            summary: "Checks that HyperLogLogs estimate as they should",
            since: "2.8.9",
            complexity: "N/A",
            group: Group::HyperLogLog,
            categories: Categories::HYPERLOGLOG,
            system: true,
            ..Docs::NONE
        },
    },
];
