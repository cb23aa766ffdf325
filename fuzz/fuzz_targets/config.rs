//! The grammar of redis.conf: any bytes are survived, and what was read is read again from its quoted form.
#![no_main]

use keymesh::config::Place;
use keymesh::config::grammar::{parse, quote, split_words};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    let Ok(lines) = parse(text, |line| Place::StandardInput { line }) else {
        return;
    };
    for line in lines {
        let quoted: Vec<String> = line.words.iter().map(|word| quote(word)).collect();
        assert_eq!(split_words(quoted.join(" ").as_bytes()), Ok(line.words));
    }
});
