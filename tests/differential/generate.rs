//! Random commands: mostly right, often at the edges, sometimes wrong.

use std::collections::BTreeSet;

use crate::scored::{LEX_BOUNDS, MEMBERS, SCORE_BOUNDS, SCORES, set_payload};
use crate::scripts::{DIGESTS, FUNCTIONS, LIBRARIES, LIBRARY_NAMES, SCRIPTS};
use crate::templates::TEMPLATES;
use crate::words::{
    DRAWS, ELEMENTS, FIELDS, FLOATS, GLOBS, ITEMS, KEYS, KINDS, NUMBERS, PAYLOADS, PLACES, RULES,
    SPOTS, STREAM_IDS, TIMES, VALUES, WORDS,
};

/// How many templates a seed may dwell on.
const FOCUS: usize = 16;

/// See the head of the file.
pub struct Generator {
    state: u64,
    /// The templates that were used.
    pub rows: BTreeSet<&'static str>,
    /// Those that most commands of this seed come from, so that they meet each other; none for all alike.
    focus: Vec<&'static str>,
    /// Where ids of stream entries have come to.
    stream_ms: usize,
}

impl Generator {
    pub fn new(seed: u64) -> Self {
        let mut new = Self {
            state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d,
            rows: BTreeSet::new(),
            focus: Vec::new(),
            stream_ms: 0,
        };
        // In half of the seeds.
        if new.percent(50) {
            new.focus = (0..FOCUS).map(|_| new.any_template()).collect();
        }
        new
    }

    fn next(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11
    }

    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    pub fn percent(&mut self, share: usize) -> bool {
        self.below(100) < share
    }

    fn pick(&mut self, from: &[&[u8]]) -> Vec<u8> {
        from[self.below(from.len())].to_vec()
    }

    fn any_template(&mut self) -> &'static str {
        TEMPLATES[self.below(TEMPLATES.len())]
    }

    /// The next command.
    pub fn command(&mut self) -> Vec<Vec<u8>> {
        let template = if !self.focus.is_empty() && self.percent(80) {
            let at = self.below(self.focus.len());
            self.focus[at]
        } else {
            self.any_template()
        };
        self.rows.insert(template);
        let mut words = Vec::new();
        self.expand(template, &mut words);
        self.spoil(&mut words);
        keep_strings_short(&mut words);
        if self.percent(20) {
            words[0].make_ascii_lowercase();
        }
        words
    }

    /// Makes some commands wrong.
    fn spoil(&mut self, words: &mut Vec<Vec<u8>>) {
        // Wrong in the wrong way, they wait for ever or end the connection.
        let is = |at: usize, name: &[u8]| {
            words
                .get(at)
                .is_some_and(|word| word.eq_ignore_ascii_case(name))
        };
        if is(0, b"wait") || is(0, b"debug") || is(0, b"client") && is(1, b"kill") {
            return;
        }
        // Each name of an unsubscription is answered by itself, and who tracks gets what it did not ask for.
        if is(0, b"unsubscribe") || is(0, b"punsubscribe") || is(0, b"sunsubscribe") {
            return;
        }
        if is(0, b"subscribe") || is(0, b"client") && is(1, b"tracking") {
            return;
        }
        // Redis 7.0 lets in whose AUTH is right though a later word is wrong; since 7.2 nothing is done then.
        if is(0, b"hello") && is(2, b"auth") {
            return;
        }
        // With a count like the least one of 64 bits Redis draws for ever.
        if is(0, b"hrandfield") || is(0, b"srandmember") {
            return;
        }
        // What is popped is not the same on two servers.
        if is(0, b"spop") {
            return;
        }
        // What is given a moment to live would be gone for one server and not yet for another.
        if is(0, b"restore") {
            return;
        }
        // It may wait, and for ever.
        if is(1, b"block") || is(4, b"block") || is(5, b"block") {
            return;
        }
        // What a range of members is where scores are not equal, nobody says; and another one at a key of them makes them so.
        if words
            .iter()
            .any(|word| matches!(word.as_slice(), b"l0" | b"l1"))
        {
            return;
        }
        // Of a destination alone Redis finds no key: it lets everybody do it, whatever keys a user may use.
        if is(0, b"pfmerge") {
            return;
        }
        // Redis adds elements to a corrupt one until it notices.
        if words.iter().any(|word| word == b"pbad") {
            return;
        }
        // Redis dies of billions of clients: it makes room for them at once.
        if is(2, b"maxclients") {
            return;
        }
        if self.percent(4) && words.len() > 1 {
            words.pop();
        }
        if self.percent(4) {
            let word = self.pick(WORDS);
            words.push(word);
        }
        // A key that dies within the run would die a moment earlier for one server than for another.
        let is_timed = words.iter().any(|word| {
            let word = word.to_ascii_lowercase();
            word.windows(2).any(|pair| pair == b"ex" || pair == b"px")
        });
        if self.percent(3) && words.len() > 1 && !is_timed {
            let at = 1 + self.below(words.len() - 1);
            words[at] = self.pick(NUMBERS);
        }
        if self.percent(2) && words.len() > 2 {
            let (one, other) = (
                1 + self.below(words.len() - 1),
                1 + self.below(words.len() - 1),
            );
            words.swap(one, other);
        }
        if self.percent(2) {
            let at = self.below(words.len());
            words.push(words[at].clone());
        }
    }

    fn expand(&mut self, template: &'static str, words: &mut Vec<Vec<u8>>) {
        let mut rest = template;
        while !rest.is_empty() {
            if let Some(group) = rest.strip_prefix('[') {
                let (group, after) = group.split_once(']').unwrap();
                if self.percent(45) {
                    let choices: Vec<&str> = group.split('|').collect();
                    let choice = choices[self.below(choices.len())];
                    choice.split(' ').for_each(|word| self.word(word, words));
                }
                rest = after.trim_start();
                continue;
            }
            let (word, after) = rest.split_once(' ').unwrap_or((rest, ""));
            self.word(word, words);
            rest = after;
        }
    }

    fn word(&mut self, word: &str, words: &mut Vec<Vec<u8>>) {
        if let Some(word) = word.strip_suffix('*') {
            for _ in 0..=self.below(4) {
                self.word(word, words);
            }
            return;
        }
        let made = match word {
            "key" if self.percent(90) => self.pick(&KEYS[..4]),
            "script" => self.pick(SCRIPTS),
            "sha" => self.pick(DIGESTS),
            "library" => self.pick(LIBRARIES),
            "libname" => self.pick(LIBRARY_NAMES),
            "func" => self.pick(FUNCTIONS),
            "key" => self.pick(KEYS),
            "value" if self.percent(30) => self.pick(NUMBERS),
            "value" if self.percent(30) => self.pick(FLOATS),
            "value" => self.pick(VALUES),
            "element" if self.percent(95) => self.pick(&ELEMENTS[..6]),
            "element" => self.pick(ELEMENTS),
            "index" if self.percent(90) => (self.below(9) as i64 - 4).to_string().into_bytes(),
            "index" => self.pick(NUMBERS),
            "int" | "count" => self.pick(NUMBERS),
            "float" if self.percent(20) => self.pick(NUMBERS),
            "float" => self.pick(FLOATS),
            "sec" if self.percent(70) => (100 + self.below(900)).to_string().into_bytes(),
            "ms" if self.percent(70) => (100_000 + self.below(900_000)).to_string().into_bytes(),
            "at" if self.percent(60) => (4_102_444_800 + self.below(99)).to_string().into_bytes(),
            "msat" if self.percent(60) => (4_102_444_800_000 + self.below(99))
                .to_string()
                .into_bytes(),
            "sec" | "ms" => self.pick(TIMES),
            "at" | "msat" => self.pick(NUMBERS),
            "db" if self.percent(80) => self.below(3).to_string().into_bytes(),
            "db" => self.pick(NUMBERS),
            "offset" if self.percent(80) => (self.below(24) as i64 - 8).to_string().into_bytes(),
            "offset" => self.pick(&[
                b"536870911",
                b"536870912",
                b"-9223372036854775808",
                b"9223372036854775807",
                b"x",
                b"1.0",
                b"",
            ]),
            "bit" if self.percent(90) => self.below(2).to_string().into_bytes(),
            "bit" => self.pick(NUMBERS),
            "place" if self.percent(80) => self.below(90).to_string().into_bytes(),
            "place" => self.pick(PLACES),
            "kind" if self.percent(90) => self.pick(&KINDS[..10]),
            "kind" => self.pick(KINDS),
            "payload" if self.percent(70) => {
                let from = if self.percent(50) { NUMBERS } else { VALUES };
                let value = self.pick(from);
                keymesh::commands::payload::dump(&value)
            }
            "payload" => self.pick(PAYLOADS),
            "gkey" if self.percent(90) => self.pick(&[b"g0", b"g1"]),
            "gkey" => self.pick(&[b"k0", b"z0", b"g2"]),
            "dkey" => b"d0".to_vec(),
            "town" => format!("p{}", self.below(24)).into_bytes(),
            // Each place is somewhere else, so that no two are equally far from anywhere.
            "spot" => {
                let place = self.below(24);
                let moved = self.below(3) as f64 / 1000.0;
                let (east, north) = SPOTS[place % SPOTS.len()];
                let ring = (place / SPOTS.len()) as f64;
                words.push(format!("{:.6}", east + ring * 0.173 + moved).into_bytes());
                words.push(format!("{:.6}", north - ring * 0.211 - moved).into_bytes());
                format!("p{place}").into_bytes()
            }
            "near" => {
                let (east, north) = SPOTS[self.below(SPOTS.len())];
                let by = self.below(100) as f64 / 137.0;
                words.push(format!("{:.4}", east - by).into_bytes());
                format!("{:.4}", north + by / 3.0).into_bytes()
            }
            "degrees" => self.pick(&[
                b"0",
                b"13.361389",
                b"-122.4",
                b"180",
                b"-180",
                b"85.05112878",
                b"-85.05112878",
                b"85.06",
                b"181",
                b"1e3",
                b"x",
                b"nan",
                b"inf",
                b"-0",
            ]),
            "metres" if self.percent(85) => self.pick(&[
                b"0", b"1", b"30", b"250.5", b"1000", b"20000", b"90000", b"1e6", b"4e6", b"3e7",
            ]),
            "metres" => self.pick(FLOATS),
            "unit" if self.percent(95) => self.pick(&[b"m", b"km", b"ft", b"mi", b"M", b"Km"]),
            "unit" => self.pick(WORDS),
            "pkey" if self.percent(90) => self.pick(&[b"p0", b"p1", b"p2"]),
            "pkey" => self.pick(&KEYS[..4]),
            "crowd" => {
                let from = self.below(1_000);
                let upto = from + 1 + self.below(300);
                words.extend((from..upto).map(|number| number.to_string().into_bytes()));
                upto.to_string().into_bytes()
            }
            "sketch" => {
                let form = self.below(3) as u8;
                let mut bytes = [b"HYLL".as_slice(), &[form], &[0; 11]].concat();
                bytes[15] = self.pick(&[b"\x80", b"\x00"])[0];
                let runs: &[&[u8]] = &[
                    b"",
                    b"\x7f\xff",
                    b"\x50\x00",
                    b"\x85",
                    b"\x00",
                    b"\x7f",
                    b"\xff",
                    b"\x60\xf3\x80P\xb1\x84K\xfb\x80BZ",
                ];
                for _ in 0..self.below(4) {
                    bytes.extend(self.pick(runs));
                }
                bytes
            }
            "xkey" if self.percent(90) => self.pick(&[b"x0", b"x1", b"x2"]),
            "xkey" => self.pick(&KEYS[..4]),
            "xid" if self.percent(92) => {
                let id = [self.below(60), self.below(3)].map(|part| part.to_string());
                id.join("-").into_bytes()
            }
            "xid" => self.pick(STREAM_IDS),
            // Ids that ascend as a stream grows.
            "xopen" => {
                self.stream_ms += self.below(2);
                match self.below(3) {
                    0 => format!("{}-*", self.stream_ms / 3),
                    _ => format!("{}-{}", self.stream_ms / 3, self.below(40)),
                }
                .into_bytes()
            }
            "xgroup" => self.pick(&[b"g0", b"g1"]),
            "xname" => self.pick(&[b"c0", b"c1", b"c2"]),
            "xend" => match self.below(4) {
                0 => self.pick(STREAM_IDS),
                1 => format!("({}", self.below(60)).into_bytes(),
                _ => format!("{}-{}", self.below(60), self.below(3)).into_bytes(),
            },
            "zkey" if self.percent(80) => self.pick(&[b"z0", b"z1", b"z2"]),
            "zkey" => self.pick(&KEYS[..4]),
            "lkey" => self.pick(&[b"l0", b"l1"]),
            "member" if self.percent(70) => self.pick(&MEMBERS[..6]),
            "member" => self.pick(MEMBERS),
            "score" if self.percent(90) => self.pick(&SCORES[..14]),
            "score" => self.pick(SCORES),
            "from" | "to" if self.percent(90) => self.pick(&SCORE_BOUNDS[..12]),
            "from" | "to" => self.pick(SCORE_BOUNDS),
            "lex" if self.percent(90) => self.pick(&LEX_BOUNDS[..12]),
            "lex" => self.pick(LEX_BOUNDS),
            "few" if self.percent(90) => (self.below(9) as i64 - 3).to_string().into_bytes(),
            "few" => self.pick(NUMBERS),
            "skey" => self.pick(&[b"s0", b"s1", b"s2"]),
            "item" if self.percent(90) => self.pick(&ITEMS[..9]),
            "item" => self.pick(ITEMS),
            "weight" => [b"w".to_vec(), self.pick(ITEMS)].concat(),
            "hash" => [b"h".to_vec(), self.pick(&ITEMS[..9])].concat(),
            "by" => {
                words.push(b"BY".to_vec());
                self.pick(&[
                    b"w*", b"w*", b"h*->f", b"h*->f", b"h*->g", b"nosort", b"#", b"s*", b"x*y",
                    b"h*->", b"w*\0->f",
                ])
            }
            "gets" => self.pick(&[
                b"#", b"w*", b"h*->f", b"h*->g", b"h*", b"w*->f", b"h*->", b"w1", b"*", b"",
                b"#\0", b"w\0*",
            ]),
            "setload" => {
                let members: Vec<Vec<u8>> =
                    (0..=self.below(4)).map(|_| self.pick(MEMBERS)).collect();
                set_payload(&members)
            }
            "glob" => self.pick(GLOBS),
            "type" => self.pick(&[b"string", b"list", b"STRING", b"nothing", b"hash", b"set"]),
            "cursor" if self.percent(80) => b"0".to_vec(),
            "cursor" => self.pick(NUMBERS),
            "field" if self.percent(60) => self.pick(&FIELDS[..7]),
            "field" => self.pick(FIELDS),
            "draws" => self.pick(DRAWS),
            "rule" => self.pick(RULES),
            "user" => self.pick(&[b"ua", b"ua", b"ub"]),
            "any" => self.pick(WORDS),
            said if self.percent(80) => said.as_bytes().to_vec(),
            said => said.to_ascii_lowercase().into_bytes(),
        };
        words.push(made);
    }
}

/// No string is longer than 512 MB here; where Redis is told to take longer ones, what follows would differ.
fn keep_strings_short(words: &mut [Vec<u8>]) {
    const LONGEST: &[u8] = b"536870912";
    if !words[0].eq_ignore_ascii_case(b"config") {
        return;
    }
    for index in 2..words.len().saturating_sub(1) {
        let number = std::str::from_utf8(&words[index + 1]).ok();
        let number = number.and_then(|text| text.trim().parse::<u64>().ok());
        if words[index].eq_ignore_ascii_case(b"proto-max-bulk-len")
            && number.is_some_and(|number| number > 512 * 1024 * 1024)
        {
            words[index + 1] = LONGEST.to_vec();
        }
    }
}
