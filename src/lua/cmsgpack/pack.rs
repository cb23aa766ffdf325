//! Values to MessagePack.

use mlua::{Table, Value};

/// Tables deeper within each other than this become nil.
const NESTING_MAX: usize = 16;

/// Appends a value.
pub fn pack(value: &Value, depth: usize, out: &mut Vec<u8>) -> mlua::Result<()> {
    match value {
        Value::String(text) => pack_text(&text.as_bytes(), out),
        Value::Boolean(value) => out.push(if *value { 0xc3 } else { 0xc2 }),
        Value::Integer(number) => pack_integer(*number, out),
        Value::Number(number) => pack_number(*number, out),
        Value::Table(table) if depth < NESTING_MAX => pack_table(table, depth + 1, out)?,
        _ => out.push(0xc0),
    }
    Ok(())
}

fn pack_text(text: &[u8], out: &mut Vec<u8>) {
    let len = text.len();
    match len {
        0..32 => out.push(0xa0 | len as u8),
        32..0x100 => out.extend_from_slice(&[0xd9, len as u8]),
        0x100..0x1_0000 => {
            out.push(0xda);
            out.extend_from_slice(&(len as u16).to_be_bytes());
        }
        _ => {
            out.push(0xdb);
            out.extend_from_slice(&(len as u32).to_be_bytes());
        }
    }
    out.extend_from_slice(text);
}

fn pack_integer(number: i64, out: &mut Vec<u8>) {
    if let Ok(small) = u8::try_from(number) {
        if small > 0x7f {
            out.push(0xcc);
        }
        out.push(small);
    } else if let Ok(number) = u16::try_from(number) {
        out.push(0xcd);
        out.extend_from_slice(&number.to_be_bytes());
    } else if let Ok(number) = u32::try_from(number) {
        out.push(0xce);
        out.extend_from_slice(&number.to_be_bytes());
    } else if let Ok(number) = u64::try_from(number) {
        out.push(0xcf);
        out.extend_from_slice(&number.to_be_bytes());
    } else if let Ok(small) = i8::try_from(number) {
        if small < -32 {
            out.push(0xd0);
        }
        out.extend_from_slice(&small.to_be_bytes());
    } else if let Ok(number) = i16::try_from(number) {
        out.push(0xd1);
        out.extend_from_slice(&number.to_be_bytes());
    } else if let Ok(number) = i32::try_from(number) {
        out.push(0xd2);
        out.extend_from_slice(&number.to_be_bytes());
    } else {
        out.push(0xd3);
        out.extend_from_slice(&number.to_be_bytes());
    }
}

fn pack_number(number: f64, out: &mut Vec<u8>) {
    let limit = 9_223_372_036_854_775_808.0;
    if number.fract() == 0.0 && (-limit..limit).contains(&number) {
        return pack_integer(number as i64, out);
    }
    let short = number as f32;
    if f64::from(short) == number {
        out.push(0xca);
        out.extend_from_slice(&short.to_be_bytes());
    } else {
        out.push(0xcb);
        out.extend_from_slice(&number.to_be_bytes());
    }
}

fn pack_len(len: usize, short: u8, (middle, long): (u8, u8), out: &mut Vec<u8>) {
    match len {
        0..16 => out.push(short | len as u8),
        16..0x1_0000 => {
            out.push(middle);
            out.extend_from_slice(&(len as u16).to_be_bytes());
        }
        _ => {
            out.push(long);
            out.extend_from_slice(&(len as u32).to_be_bytes());
        }
    }
}

fn pack_table(table: &Table, depth: usize, out: &mut Vec<u8>) -> mlua::Result<()> {
    let (mut count, mut max, mut is_array) = (0_usize, 0_i64, true);
    table.for_each(|key: Value, _: Value| {
        match key {
            Value::Integer(index) if index > 0 => max = max.max(index),
            _ => is_array = false,
        }
        count += 1;
        Ok(())
    })?;
    if is_array && usize::try_from(max).is_ok_and(|max| max == count) {
        pack_len(count, 0x90, (0xdc, 0xdd), out);
        for index in 1..=count {
            pack(&table.raw_get::<Value>(index)?, depth, out)?;
        }
        return Ok(());
    }
    pack_len(count, 0x80, (0xde, 0xdf), out);
    table.for_each(|key: Value, value: Value| {
        pack(&key, depth, out)?;
        pack(&value, depth, out)
    })
}
