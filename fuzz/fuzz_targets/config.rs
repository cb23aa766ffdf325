//! From the bytes of a redis.conf to settings, as at a start: any bytes are survived, words are read again from their quoted form, and
//! what was accepted is accepted again and means the same. The same lines are also tried as environment, as options and as one CONFIG SET.
//!
//! No file is opened: a text with an `include` ends behind the grammar. `dir` asks whether its directory exists, no more.
#![no_main]

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use keymesh::config::cli::{self, Arguments, Invocation};
use keymesh::config::grammar::{Line, parse, quote, split_words};
use keymesh::config::{Client, Place, Settings, load};
use libfuzzer_sys::fuzz_target;

/// What a start makes of this text on its standard input.
fn start(text: &[u8]) -> Option<Settings> {
    let arguments = Arguments {
        read_standard_input: true,
        ..Arguments::default()
    };
    load(&arguments, [], text).ok()
}

fn shown(settings: &Settings) -> Vec<(String, String)> {
    settings.get(&["*"])
}

fn is_include(line: &Line) -> bool {
    line.words[0].eq_ignore_ascii_case(b"include")
}

/// The lines as environment variables.
fn as_environment(lines: &[Line]) {
    let variables = lines.iter().map(|line| {
        let mut variable = b"KEYMESH_".to_vec();
        variable.extend(line.words[0].to_ascii_uppercase());
        let value = OsString::from_vec(line.words[1..].join(&b' '));
        (OsString::from_vec(variable), value)
    });
    if let Ok(settings) = load(&Arguments::default(), variables, &b""[..]) {
        let _ = settings.warnings();
    }
}

/// All lines as options behind each other.
fn as_options(lines: &[Line]) {
    let words = lines.iter().flat_map(|line| {
        let name = [b"--", line.words[0].as_slice()].concat();
        std::iter::once(name).chain(line.words[1..].iter().cloned())
    });
    let Ok(Invocation::Run(arguments)) = cli::parse(words.map(OsString::from_vec)) else {
        return;
    };
    // A value that begins with two dashes may be an option of its own.
    if arguments.config_file.is_none() && !arguments.lines.iter().any(is_include) {
        let _ = load(&arguments, [], &b""[..]);
    }
}

/// All lines in one CONFIG SET.
fn as_config_set(lines: &[Line], settings: &Settings) {
    let mut changed = settings.clone();
    let pairs = lines
        .iter()
        .map(|line| (&line.words[0], line.words[1..].join(&b' ')));
    let pairs: Vec<_> = pairs.collect();
    if changed.set_by(Client::Local, &pairs).is_err() {
        assert_eq!(shown(&changed), shown(settings), "all or nothing");
    }
}

fuzz_target!(|text: &[u8]| {
    let Ok(lines) = parse(text, |line| Place::StandardInput { line }) else {
        return;
    };
    let mut again = String::new();
    for line in &lines {
        let quoted: Vec<String> = line.words.iter().map(|word| quote(word)).collect();
        let quoted = quoted.join(" ");
        assert_eq!(split_words(quoted.as_bytes()).as_ref(), Ok(&line.words));
        again.push_str(&quoted);
        again.push('\n');
    }
    if lines.iter().any(is_include) {
        return;
    }
    as_options(&lines);
    as_environment(&lines);
    if let Some(settings) = start(text) {
        let _ = (settings.warnings(), format!("{settings:?}"));
        let second = start(again.as_bytes()).expect("it was accepted before");
        assert_eq!(shown(&settings), shown(&second));
        assert_eq!(settings.options(), second.options());
        as_config_set(&lines, &settings);
    }
});
