//! Rows of the bitmaps family.

use crate::commands::bitmaps::{bit, bitfield, bitop, search};
use crate::commands::docs::{Argument, Categories, Docs, Group, KeySpec};
use crate::commands::table::{Flags, Handler, Keys, Row, Stamps};

/// The rows.
pub static ROWS: &[Row] = &[
    Row {
        name: "setbit",
        arity: 4,
        flags: Flags::WRITE.and(Flags::DENYOOM),
        keys: Keys::One,
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(bit::setbit),
        docs: &Docs {
            summary: "Sets or clears one bit of a string",
            since: "2.2.0",
            group: Group::Bitmap,
            categories: Categories::BITMAP,
            access: &["RW", "access", "update"],
            arguments: &[
                Argument::KEY,
                Argument::integer("offset"),
                Argument::integer("value"),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "getbit",
        arity: 3,
        flags: Flags::READONLY.and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::None,
        handler: Handler::Data(bit::getbit),
        docs: &Docs {
            summary: "Returns one bit of a string",
            since: "2.2.0",
            group: Group::Bitmap,
            categories: Categories::BITMAP,
            access: &["RO", "access"],
            arguments: &[Argument::KEY, Argument::integer("offset")],
            ..Docs::NONE
        },
    },
    Row {
        name: "bitcount",
        arity: -2,
        flags: Flags::READONLY,
        keys: Keys::One,
        stamps: Stamps::None,
        handler: Handler::Data(search::bitcount),
        docs: &Docs {
            summary: "Counts the bits of a string that are 1",
            since: "2.6.0",
            complexity: "O(N) for N bytes looked at",
            group: Group::Bitmap,
            categories: Categories::BITMAP,
            access: &["RO", "access"],
            arguments: &[
                Argument::KEY,
                Argument::block(
                    "index",
                    &[
                        Argument::integer("start"),
                        Argument::integer("end"),
                        Argument::one_of(
                            "index_unit",
                            &[Argument::word("byte", "BYTE"), Argument::word("bit", "BIT")],
                        )
                        .since("7.0.0")
                        .optional(),
                    ],
                )
                .optional(),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "bitpos",
        arity: -3,
        flags: Flags::READONLY,
        keys: Keys::One,
        stamps: Stamps::None,
        handler: Handler::Data(search::bitpos),
        docs: &Docs {
            summary: "Finds the first bit of a string that is 0 or 1",
            since: "2.8.7",
            complexity: "O(N) for N bytes looked at",
            group: Group::Bitmap,
            categories: Categories::BITMAP,
            access: &["RO", "access"],
            arguments: &[
                Argument::KEY,
                Argument::integer("bit"),
                Argument::block(
                    "index",
                    &[
                        Argument::integer("start"),
                        Argument::block(
                            "end_index",
                            &[
                                Argument::integer("end"),
                                Argument::one_of(
                                    "index_unit",
                                    &[Argument::word("byte", "BYTE"), Argument::word("bit", "BIT")],
                                )
                                .since("7.0.0")
                                .optional(),
                            ],
                        )
                        .optional(),
                    ],
                )
                .optional(),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "bitop",
        arity: -4,
        flags: Flags::WRITE.and(Flags::DENYOOM),
        keys: Keys::Range {
            first: 2,
            last: -1,
            step: 1,
        },
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(bitop::bitop),
        docs: &Docs {
            summary: "Combines strings bit by bit and stores the result",
            since: "2.6.0",
            complexity: "O(N) for N bytes of the longest string",
            group: Group::Bitmap,
            categories: Categories::BITMAP,
            key_specs: &[
                KeySpec::one(2, &["OW", "update"]),
                KeySpec {
                    first: 3,
                    last: -1,
                    access: &["RO", "access"],
                },
            ],
            arguments: &[
                Argument::string("operation"),
                Argument::key("destkey", 0),
                Argument::key("key", 1).multiple(),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "bitfield",
        arity: -2,
        flags: Flags::WRITE.and(Flags::DENYOOM),
        keys: Keys::One,
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(bitfield::bitfield),
        docs: &Docs {
            summary: "Reads and changes integers of any width within a string",
            since: "3.2.0",
            complexity: "O(1) for each subcommand",
            group: Group::Bitmap,
            categories: Categories::BITMAP,
            access: &["RW", "access", "update", "variable_flags"],
            access_note: "only reads where there is nothing but GET",
            arguments: &[
                Argument::KEY,
                Argument::one_of(
                    "operation",
                    &[
                        Argument::block(
                            "encoding_offset",
                            &[Argument::string("encoding"), Argument::integer("offset")],
                        )
                        .after("GET"),
                        Argument::block(
                            "write",
                            &[
                                Argument::one_of(
                                    "wrap_sat_fail",
                                    &[
                                        Argument::word("wrap", "WRAP"),
                                        Argument::word("sat", "SAT"),
                                        Argument::word("fail", "FAIL"),
                                    ],
                                )
                                .after("OVERFLOW")
                                .optional(),
                                Argument::one_of(
                                    "write_operation",
                                    &[
                                        Argument::block(
                                            "encoding_offset_value",
                                            &[
                                                Argument::string("encoding"),
                                                Argument::integer("offset"),
                                                Argument::integer("value"),
                                            ],
                                        )
                                        .after("SET"),
                                        Argument::block(
                                            "encoding_offset_increment",
                                            &[
                                                Argument::string("encoding"),
                                                Argument::integer("offset"),
                                                Argument::integer("increment"),
                                            ],
                                        )
                                        .after("INCRBY"),
                                    ],
                                ),
                            ],
                        ),
                    ],
                )
                .optional()
                .multiple(),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "bitfield_ro",
        arity: -2,
        flags: Flags::READONLY.and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::None,
        handler: Handler::Data(bitfield::bitfield_ro),
        docs: &Docs {
            summary: "Reads integers of any width within a string",
            since: "6.0.0",
            complexity: "O(1) for each subcommand",
            group: Group::Bitmap,
            categories: Categories::BITMAP,
            access: &["RO", "access"],
            arguments: &[
                Argument::KEY,
                Argument::block(
                    "encoding_offset",
                    &[Argument::string("encoding"), Argument::integer("offset")],
                )
                .after("GET")
                .optional()
                .multiple_token(),
            ],
            ..Docs::NONE
        },
    },
];
