//! `struct`: values as bytes of fixed layouts.

use mlua::{Lua, MultiValue, Table, Value};

use crate::lua::arguments::{Taken, to_unsigned};
use crate::lua::errors::{raise, until_nul};

/// The widest integer.
const INTEGER_MAX: usize = 32;
/// `!` alone aligns to this.
const ALIGNMENT: usize = 8;

/// How a format goes on.
struct Format<'f> {
    text: &'f [u8],
    at: usize,
    is_little: bool,
    align: usize,
}

/// One thing that a format asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Item {
    Integer {
        size: usize,
        is_signed: bool,
    },
    Float,
    Double,
    Padding,
    Characters(usize),
    Text,
    /// None that is known.
    Unknown(u8),
}

impl<'f> Format<'f> {
    fn new(text: &'f [u8]) -> Self {
        Self {
            text: until_nul(text),
            at: 0,
            is_little: cfg!(target_endian = "little"),
            align: 1,
        }
    }

    fn digits(&mut self, default: usize, lua: &Lua) -> mlua::Result<usize> {
        let mut number: Option<usize> = None;
        while let Some(digit) = self.text.get(self.at).filter(|byte| byte.is_ascii_digit()) {
            let value = number.unwrap_or(0);
            let next = value
                .checked_mul(10)
                .and_then(|value| value.checked_add(usize::from(digit - b'0')))
                .filter(|value| *value <= i32::MAX as usize);
            let Some(next) = next else {
                return Err(raise(lua, "integral size overflow"));
            };
            number = Some(next);
            self.at += 1;
        }
        Ok(number.unwrap_or(default))
    }

    /// The next item and how many bytes it takes, options carried out.
    fn next(&mut self, lua: &Lua) -> mlua::Result<Option<(Item, usize)>> {
        while let Some(&option) = self.text.get(self.at) {
            self.at += 1;
            let integer = |size, is_signed| {
                let item = Item::Integer { size, is_signed };
                Ok(Some((item, size)))
            };
            match option {
                b'b' => return integer(1, true),
                b'B' => return integer(1, false),
                b'h' => return integer(2, true),
                b'H' => return integer(2, false),
                b'l' => return integer(8, true),
                b'L' | b'T' => return integer(8, false),
                b'f' => return Ok(Some((Item::Float, 4))),
                b'd' => return Ok(Some((Item::Double, 8))),
                b'x' => return Ok(Some((Item::Padding, 1))),
                b's' => return Ok(Some((Item::Text, 0))),
                b'c' => {
                    let count = self.digits(1, lua)?;
                    return Ok(Some((Item::Characters(count), count)));
                }
                b'i' | b'I' => {
                    let size = self.digits(4, lua)?;
                    if size > INTEGER_MAX {
                        return Err(raise(
                            lua,
                            format!("integral size {size} is larger than limit of {INTEGER_MAX}"),
                        ));
                    }
                    return integer(size, option == b'i');
                }
                b' ' => {}
                b'<' => self.is_little = true,
                b'>' => self.is_little = false,
                b'!' => {
                    let align = self.digits(ALIGNMENT, lua)?;
                    if !align.is_power_of_two() {
                        return Err(raise(lua, format!("alignment {align} is not a power of 2")));
                    }
                    self.align = align;
                }
                other => return Ok(Some((Item::Unknown(other), 0))),
            }
        }
        Ok(None)
    }

    /// How many bytes stand before an item at `place`.
    fn padding(&self, item: Item, size: usize, place: usize) -> usize {
        let aligns = matches!(item, Item::Integer { .. } | Item::Float | Item::Double);
        let align = size.min(self.align);
        if !aligns || align <= 1 {
            return 0;
        }
        align.wrapping_sub(place & (align - 1)) & (align - 1)
    }
}

fn pack(lua: &Lua, values: MultiValue) -> mlua::Result<Value> {
    if values.is_empty() {
        Taken::new(lua, values.clone()).text(0)?;
    }
    let taken = Taken::with_nil(lua, values);
    let text = taken.text(0)?;
    let mut format = Format::new(&text);
    let (mut out, mut next) = (Vec::new(), 1);
    while let Some((item, size)) = format.next(lua)? {
        let padding = format.padding(item, size, out.len());
        out.resize(out.len() + padding, 0);
        match item {
            Item::Unknown(option) => return Err(unknown(&taken, option)),
            Item::Padding => out.push(0),
            Item::Integer { size, .. } => {
                let bits = to_unsigned(taken.number(next)?);
                put(bits, size, format.is_little, &mut out);
                next += 1;
            }
            Item::Float => {
                let bytes = (taken.number(next)? as f32).to_bits();
                put(u64::from(bytes), 4, format.is_little, &mut out);
                next += 1;
            }
            Item::Double => {
                put(taken.number(next)?.to_bits(), 8, format.is_little, &mut out);
                next += 1;
            }
            Item::Characters(count) => {
                let bytes = taken.text(next)?;
                let count = if count == 0 { bytes.len() } else { count };
                let Some(bytes) = bytes.get(..count) else {
                    // The one behind it, as Redis's library counts.
                    return Err(taken.refuse(next + 1, "string too short"));
                };
                out.extend_from_slice(bytes);
                next += 1;
            }
            Item::Text => {
                out.extend_from_slice(&taken.text(next)?);
                out.push(0);
                next += 1;
            }
        }
    }
    Ok(Value::String(lua.create_string(out)?))
}

fn unknown(taken: &Taken<'_>, option: u8) -> mlua::Error {
    taken.refuse(
        0,
        [b"invalid format option '", &[option][..], b"'"].concat(),
    )
}

fn put(bits: u64, size: usize, is_little: bool, out: &mut Vec<u8>) {
    let start = out.len();
    let bytes = bits.to_le_bytes();
    out.extend((0..size).map(|nth| bytes.get(nth).copied().unwrap_or(0)));
    if !is_little {
        out[start..].reverse();
    }
}

fn get(bytes: &[u8], is_little: bool) -> u64 {
    let mut value = 0_u64;
    let mut add = |byte: &u8| value = value << 8 | u64::from(*byte);
    if is_little {
        bytes.iter().rev().for_each(&mut add);
    } else {
        bytes.iter().for_each(&mut add);
    }
    value
}

fn unpack(lua: &Lua, values: MultiValue) -> mlua::Result<MultiValue> {
    let taken = Taken::new(lua, values);
    let (text, data) = (taken.text(0)?, taken.text(1)?);
    let position = taken.integer_or(2, 1)?;
    if position == 0 {
        return Err(taken.refuse(2, "offset must be 1 or greater"));
    }
    // It has no sign: what is less lies beyond all data.
    let mut at = (position as usize).wrapping_sub(1);
    let mut format = Format::new(&text);
    let mut found = MultiValue::new();
    while let Some((item, size)) = format.next(lua)? {
        at = at.saturating_add(format.padding(item, size, at));
        let short = || taken.refuse(1, "data string too short");
        let bytes = at.checked_add(size).and_then(|end| data.get(at..end));
        let bytes = bytes.ok_or_else(short)?;
        let mut took = size;
        match item {
            Item::Unknown(option) => return Err(unknown(&taken, option)),
            Item::Padding => {}
            Item::Integer { size, is_signed } => {
                let number = get(bytes, format.is_little);
                found.push_back(Value::Number(if is_signed {
                    // As this machine shifts: by the rest of a division by 64.
                    let sign = u64::MAX.wrapping_shl((size as u32 * 8).wrapping_sub(1));
                    let extended = if number & sign == 0 {
                        number
                    } else {
                        number | sign
                    };
                    extended as i64 as f64
                } else {
                    number as f64
                }));
            }
            Item::Float => {
                let bits = get(bytes, format.is_little) as u32;
                found.push_back(Value::Number(f64::from(f32::from_bits(bits))));
            }
            Item::Double => {
                let bits = get(bytes, format.is_little);
                found.push_back(Value::Number(f64::from_bits(bits)));
            }
            Item::Characters(count) => {
                let mut count = count;
                if count == 0 {
                    let Some(Value::Number(last)) = found.pop_back() else {
                        return Err(raise(lua, "format 'c0' needs a previous size"));
                    };
                    count = usize::try_from(to_unsigned(last)).unwrap_or(usize::MAX);
                }
                let end = at.checked_add(count);
                let bytes = end.and_then(|end| data.get(at..end)).ok_or_else(short)?;
                found.push_back(Value::String(lua.create_string(bytes)?));
                took = count;
            }
            Item::Text => {
                let rest = data.get(at..).unwrap_or_default();
                let Some(end) = memchr::memchr(0, rest) else {
                    return Err(raise(lua, "unfinished string in data"));
                };
                found.push_back(Value::String(lua.create_string(&rest[..end])?));
                took = end + 1;
            }
        }
        at += took;
    }
    found.push_back(Value::Integer(at.wrapping_add(1) as i64));
    Ok(found)
}

fn size(lua: &Lua, values: MultiValue) -> mlua::Result<Value> {
    let taken = Taken::new(lua, values);
    let text = taken.text(0)?;
    let mut format = Format::new(&text);
    let mut place = 0_usize;
    while let Some((item, size)) = format.next(lua)? {
        place = place.saturating_add(format.padding(item, size, place));
        match item {
            Item::Unknown(option) if !option.is_ascii_alphanumeric() => {
                return Err(unknown(&taken, option));
            }
            Item::Text => return Err(taken.refuse(0, "option 's' has no fixed size")),
            Item::Characters(0) => {
                return Err(taken.refuse(0, "option 'c0' has no fixed size"));
            }
            _ => {}
        }
        place = place.saturating_add(size);
    }
    Ok(Value::Integer(place as i64))
}

/// The library.
pub fn library(lua: &Lua) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    table.raw_set("pack", lua.create_function(pack)?)?;
    table.raw_set("unpack", lua.create_function(unpack)?)?;
    table.raw_set("size", lua.create_function(size)?)?;
    Ok(table)
}
