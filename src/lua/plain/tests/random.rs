//! Random scripts: mostly Lua, mostly plain, and seldom sensible.

/// Stands for blanks that are chosen in the end.
const BLANK: char = '~';

/// Numbers that are the same each time.
pub struct Random(pub u64);

const NUMBERS: &[&str] = &[
    "0",
    "1",
    "1",
    "2",
    "5",
    "-5",
    "007",
    "0.5",
    "1.",
    "1e3",
    "2.5e-3",
    "1E+2",
    "3",
    "100",
    "123456789012345",
    "9007199254740993",
    "18446744073709551616",
    "1e300",
    "-~1",
    "-0",
];
const TEXTS: &[&str] = &[
    "'get'",
    "\"x\"",
    "''",
    "'5'",
    "\"it's\"",
    "' 0x10 '",
    "'1e3'",
    "'inf'",
    "'nan'",
    "'-0'",
    "'abc'",
    "'10'",
    "'1 2'",
    "'1e'",
    "'0.1'",
    "'-7'",
    "'9'",
    "'Infinity'",
    "'99999999999999999999'",
    "':'",
];
const LOCALS: &[&str] = &["a", "b", "c", "n"];

impl Random {
    pub fn below(&mut self, count: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % count
    }

    fn one_of(&mut self, all: &[&str]) -> String {
        all[self.below(all.len() as u64) as usize].to_owned()
    }

    fn list(&mut self, counts: (u64, u64), depth: u32) -> String {
        let count = counts.0 + self.below(counts.1 - counts.0);
        let all: Vec<String> = (0..count).map(|_| self.expression(depth)).collect();
        all.join(&self.one_of(&[",~", ",~", "~,"]))
    }

    fn call(&mut self, depth: u32) -> String {
        let function = self.one_of(&["call", "call", "call", "pcall"]);
        let words = self.list((0, 4), depth + 2);
        format!("redis.{function}(~{words}~)")
    }

    fn word(&mut self) -> String {
        match self.below(3) {
            0 => self.one_of(&["KEYS[1]", "KEYS[2]", "KEYS[0]", "KEYS[3]"]),
            _ => format!("ARGV[{}]", self.below(11)),
        }
    }

    /// What is mostly a number.
    fn numeric(&mut self, depth: u32) -> String {
        match self.below(if depth > 3 { 7 } else { 15 }) {
            0 | 1 => self.one_of(NUMBERS),
            2 => "n".to_owned(),
            3 => self.one_of(&["#KEYS", "#ARGV", "#KEYS[1]", "#a", "#ARGV[3]", "#~b"]),
            4 => format!("tonumber({})", self.word()),
            5 => self.one_of(&["'5'", "'10'", "'0x1p3'", "ARGV[3]", "ARGV[4]", "ARGV[7]"]),
            6 => format!("({}~or~{})", self.word(), self.one_of(NUMBERS)),
            7 => format!("tonumber({})", self.expression(depth + 1)),
            8 => format!("-{}", self.numeric(depth + 1)),
            9 => {
                let function = self.one_of(&["floor", "ceil", "abs"]);
                format!("math.{function}({})", self.numeric(depth + 1))
            }
            10 => {
                let function = self.one_of(&["min", "max"]);
                let (one, two) = (self.numeric(depth + 1), self.expression(depth + 2));
                format!("math.{function}({one},~{two})")
            }
            _ => {
                let sign = self.one_of(&["+", "-", "*", "/", "%", "..", "+", "-"]);
                let (left, right) = (self.numeric(depth + 1), self.numeric(depth + 1));
                format!("{left}~{sign}~{right}")
            }
        }
    }

    /// What an operand is that errors call by a name, or not.
    fn choice(&mut self, depth: u32) -> String {
        let (one, two) = (self.expression(depth + 2), self.expression(depth + 2));
        match self.below(4) {
            0 => format!("({one}~or~{two})"),
            1 => format!("({one}~and~{two})"),
            2 => format!("({one}~and~{two}~or~{})", self.expression(depth + 2)),
            _ => {
                let sign = self.one_of(&["==", "<", "~=", ">="]);
                let sign = sign.replace("~=", "\u{1}=");
                let (three, four) = (self.expression(depth + 2), self.expression(depth + 2));
                format!("({one}~{sign}~{two}~and~{three}~or~{four})")
            }
        }
    }

    fn expression(&mut self, depth: u32) -> String {
        match self.below(if depth > 3 { 11 } else { 32 }) {
            0 | 1 => self.word(),
            2 => self.one_of(TEXTS),
            3 => self.one_of(NUMBERS),
            4 => self.one_of(&["nil", "true", "false"]),
            5..=7 => self.one_of(LOCALS),
            8 => {
                let place = self.one_of(&["1", "2", "3", "4", "6", "0", "9", "1.5"]);
                format!("{}[{place}]", self.one_of(LOCALS))
            }
            9 => self.one_of(&["a[1]", "a[4][1]", "b[2][1]", "c[4]", "a[4]"]),
            10 => self.numeric(depth + 1),
            11 | 12 => self.call(depth),
            13 => format!("{}[{}]", self.call(depth), self.below(8)),
            14 => format!("not~{}", self.expression(depth + 1)),
            15 => format!("({})", self.expression(depth + 1)),
            16 => format!("tostring({})", self.numeric(3)),
            17 => format!("type({})", self.expression(depth + 1)),
            18 => {
                let function = self.one_of(&["error_reply", "status_reply"]);
                format!("redis.{function}({})", self.expression(depth + 1))
            }
            19 => format!("#{}", self.expression(depth + 1)),
            20 => format!("-{}", self.expression(depth + 1)),
            21 => {
                let sign = self.one_of(&["+", "-", "*", "/", ".."]);
                let (one, two) = (self.choice(depth + 1), self.expression(depth + 1));
                match self.below(2) {
                    0 => format!("{one}~{sign}~{two}"),
                    _ => format!("{two}~{sign}~{one}"),
                }
            }
            22 => format!(
                "tostring({})",
                self.one_of(&["nil", "true", "ARGV[1]", "'x'"])
            ),
            _ => {
                let sign = self.one_of(&[
                    "==", "\u{1}=", "and", "or", "==", "<", "<=", ">", ">=", "..", "..", "+", "-",
                    "*", "/", "%",
                ]);
                let (left, right) = match self.below(3) {
                    0 => (self.expression(depth + 1), self.expression(depth + 1)),
                    1 => (self.numeric(depth + 1), self.numeric(depth + 1)),
                    _ => (self.numeric(depth + 1), self.expression(depth + 1)),
                };
                format!("{left}~{sign}~{right}")
            }
        }
    }

    fn table(&mut self, depth: u32) -> String {
        let mut code = "{".to_owned();
        for _ in 0..self.below(4) {
            code += &match self.below(5) {
                0 if depth < 3 => self.table(depth + 1),
                _ => self.expression(1),
            };
            code += &self.one_of(&[",~", "~,", ";"]);
        }
        code + "}"
    }

    fn block(&mut self, depth: u32) -> String {
        let mut code = String::new();
        for _ in 0..self.below(4) {
            let statement = match self.below(if depth > 2 { 6 } else { 8 }) {
                0 => format!("local {}~=~{}", self.one_of(LOCALS), self.expression(0)),
                1 => format!("local {}", self.one_of(LOCALS)),
                2 => {
                    let (one, two) = (self.one_of(LOCALS), self.one_of(LOCALS));
                    format!("local {one},~{two}~=~{}", self.list((1, 3), 1))
                }
                3 => format!("{}~=~{}", self.one_of(&["a", "b", "n"]), self.expression(0)),
                4 => format!("n~=~{}", self.numeric(0)),
                5 => self.call(0),
                _ => {
                    let condition = self.expression(1);
                    let mut code = format!("if {condition} then {}", self.block(depth + 1));
                    for _ in 0..self.below(2) {
                        let condition = self.expression(1);
                        code += &format!(" elseif {condition}~then~{}", self.block(depth + 1));
                    }
                    if self.below(2) == 0 {
                        code += &format!(" else {}", self.block(depth + 1));
                    }
                    code + " end"
                }
            };
            code += &statement;
            code += &self.one_of(&["\n", "; ", "~"]);
        }
        if self.below(3) == 0 {
            code += &match self.below(6) {
                0 => "return".to_owned(),
                1 | 2 => format!("return {}", self.table(0)),
                3 if self.below(3) == 0 => {
                    let name = self.one_of(&["err", "ok"]);
                    format!("return {{~{name}~=~{}~}}", self.expression(1))
                }
                _ => format!("return {}", self.expression(0)),
            };
            code += &self.one_of(&["", ";", "\n"]);
        }
        code
    }

    pub fn script(&mut self) -> String {
        let start = match self.below(8) {
            0 => "local a, b = 1\nlocal c, n = ARGV[1]\n",
            1 => "local a = 'a' local b = KEYS[1] local c local n = 7\n",
            2 | 3 => {
                "local a, b, c = redis.pcall('a'), redis.pcall('list'), ARGV[1]\nlocal n = 10\n"
            }
            4 => "local c, n, b, a = false, tonumber(ARGV[3]), '5'\n",
            _ => {
                "local a = redis.pcall('get', ARGV[5]) local b, n, c = redis.pcall('all'), 3, nil\n"
            }
        };
        let mut code = format!("{start}{}", self.block(0));
        // Some are cut, or have something in them that is not plain, or not even Lua.
        if self.below(8) == 0 && !code.is_empty() {
            let at = self.below(code.len() as u64) as usize;
            let other = self.one_of(&[
                "#", " .. ", "(", ")", "end", "\n(", "1", "'", "=", " . ", "-", "[", "redis",
                "return", "{", "}", "\n", "<", "+", ".", "e", "[1]", "\n[2]",
            ]);
            code.insert_str(at, &other);
        }
        let blanks: String = code
            .chars()
            .map(|letter| match letter {
                BLANK => match self.below(12) {
                    0 => "\n",
                    1 => "  -- a remark\n",
                    2 => "\t",
                    _ => " ",
                }
                .to_owned(),
                other => other.to_string(),
            })
            .collect();
        blanks.replace('\u{1}', "~")
    }
}
