//! One server that executes every operation in stamp order: what all masters must equal. Written without a look at the
//! server's own code for operations.

use std::collections::BTreeMap;

use keymesh::db::varint::{self, Reader};
use keymesh::db::{Expiry, Hlc, NodeId, Op, UnixMillis};

/// An operation as it was published: its place in the total order, where it works, what it does.
#[derive(Debug, Clone)]
pub struct Published {
    /// Time, node, life: the total order.
    pub order: (u64, NodeId, u32),
    /// Where the writer's life began, which tells it from another one of that name; none where that is certain.
    pub floor: Option<Hlc>,
    /// The database.
    pub db: u32,
    /// The key; none for a flush of the database.
    pub key: Option<Vec<u8>>,
    /// The operation's bytes.
    pub op: Vec<u8>,
}

/// Key to value and deadline.
pub type Data = BTreeMap<(u32, Vec<u8>), (Vec<u8>, Option<i64>)>;

/// The same with the time of the last write.
type Timed = BTreeMap<(u32, Vec<u8>), (Vec<u8>, Option<i64>, u64)>;

/// Replays everything; `now` hides what has expired by then.
pub fn replay(operations: &[Published], now: UnixMillis) -> Data {
    let mut sorted: Vec<&Published> = operations.iter().collect();
    sorted.sort_by_key(|operation| operation.order);
    let mut data = Timed::new();
    for operation in sorted {
        let time = operation.order.0;
        let at = (time >> 12) as i64 + 1_704_067_200_000;
        let Some(key) = &operation.key else {
            data.retain(|(db, _), _| *db != operation.db);
            continue;
        };
        let place = (operation.db, key.clone());
        let old = data
            .remove(&place)
            .filter(|(_, deadline, _)| deadline.is_none_or(|deadline| deadline > at));
        let number = |bytes: &[u8]| {
            let text = std::str::from_utf8(bytes).ok()?;
            // "08" is a string to Redis, not a number.
            text.parse::<i64>().ok().filter(|n| n.to_string() == text)
        };
        let new = match Op::decode(&operation.op).expect("only whole operations are published") {
            Op::Del => None,
            Op::Set(value, expiry) => {
                let deadline = match expiry {
                    Expiry::Clear => None,
                    Expiry::Keep => old.as_ref().and_then(|(_, deadline, _)| *deadline),
                    Expiry::At(deadline) => Some(deadline.0),
                };
                Some((value.to_vec(), deadline, time))
            }
            Op::Incr(delta) => match old {
                None => Some((delta.to_string().into_bytes(), None, time)),
                Some((value, deadline, _)) => {
                    let sum = number(&value).and_then(|n| n.checked_add(delta));
                    Some((
                        sum.map_or(value, |sum| sum.to_string().into_bytes()),
                        deadline,
                        time,
                    ))
                }
            },
            Op::Append(tail) => {
                let (mut value, deadline, _) = old.unwrap_or_default();
                value.extend_from_slice(tail);
                Some((value, deadline, time))
            }
            Op::SetRange(offset, bytes) => {
                let (mut value, deadline, _) = old.unwrap_or_default();
                let end = offset as usize + bytes.len();
                value.resize(value.len().max(end), 0);
                value[offset as usize..end].copy_from_slice(bytes);
                Some((value, deadline, time))
            }
            Op::SetBit(offset, bit) => {
                let (mut value, deadline, _) = old.unwrap_or_default();
                write_bits(&mut value, offset as usize, 1, i128::from(bit));
                Some((value, deadline, time))
            }
            Op::BitField(program) => {
                let (mut value, deadline, _) = old.unwrap_or_default();
                run_bitfield(&mut value, program.as_bytes());
                Some((value, deadline, time))
            }
            Op::Expire(deadline) => {
                old.map(|(value, _, _)| (value, deadline.map(|deadline| deadline.0), time))
            }
            Op::Import(original, deadline, value) => match old {
                Some(old) if old.2 >= original.raw() => Some(old),
                _ => Some((
                    value.to_vec(),
                    deadline.map(|deadline| deadline.0),
                    original.raw(),
                )),
            },
            Op::ImportDel(original) => old.filter(|old| old.2 >= original.raw()),
            Op::IncrByFloat(delta) => {
                let (value, deadline) = match old {
                    None => (b"0".to_vec(), None),
                    Some((value, deadline, _)) => (value, deadline),
                };
                let sum = quarters(&value).zip(quarters(delta));
                let sum = sum.map(|(value, delta)| text_of_quarters(value + delta));
                Some((sum.unwrap_or(value), deadline, time))
            }
        };
        if let Some(new) = new {
            data.insert(place, new);
        }
    }
    data.into_iter()
        .filter(|(_, (_, deadline, _))| deadline.is_none_or(|deadline| deadline > now.0))
        .map(|(place, (value, deadline, _))| (place, (value, deadline)))
        .collect()
}

/// The bits from `from` on as a number, the highest first; there are zeros behind the end.
fn read_bits(value: &[u8], from: usize, width: usize) -> i128 {
    let bit = |at: usize| value.get(at / 8).map_or(0, |byte| byte >> (7 - at % 8) & 1);
    (from..from + width).fold(0, |number, at| number * 2 + i128::from(bit(at)))
}

fn write_bits(value: &mut Vec<u8>, from: usize, width: usize, number: i128) {
    let end = (from + width).div_ceil(8);
    value.resize(value.len().max(end), 0);
    for at in from..from + width {
        let mask = 1 << (7 - at % 8);
        value[at / 8] &= !mask;
        if number >> (from + width - 1 - at) & 1 == 1 {
            value[at / 8] |= mask;
        }
    }
}

const CHECKED: &str = "a program was checked";

/// The writes of one BITFIELD in exact arithmetic.
fn run_bitfield(value: &mut Vec<u8>, program: &[u8]) {
    let mut reader = Reader::new(program);
    let len = reader.varint().expect(CHECKED) as usize;
    value.resize(value.len().max(len), 0);
    while !reader.is_empty() {
        let (flags, width) = (
            reader.u8().expect(CHECKED),
            usize::from(reader.u8().expect(CHECKED)),
        );
        let place = reader.varint().expect(CHECKED) as usize;
        let operand = i128::from(varint::unzigzag(reader.varint().expect(CHECKED)));
        let (overflow, is_signed, is_increment) = (flags & 3, flags & 4 != 0, flags & 8 != 0);
        let range = 1_i128 << width;
        let min = if is_signed { -range / 2 } else { 0 };
        let max = min + range - 1;
        let within = |number: i128| (number - min).rem_euclid(range) + min;
        let old = within(read_bits(value, place, width));
        let exact = if is_increment { old + operand } else { operand };
        let new = match overflow {
            _ if (min..=max).contains(&exact) => exact,
            0 => within(exact),
            // A negative number that an unsigned field is set to counts as a large one.
            1 if exact > max || (!is_signed && !is_increment) => max,
            1 => min,
            _ => continue,
        };
        write_bits(value, place, width, new);
    }
}

/// How many quarters a decimal number comes to: all that clients add here are.
fn quarters(text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?;
    let whole = text.parse::<f64>().ok()? * 4.0;
    assert!(whole.fract() == 0.0 && whole.abs() < 1e15, "{text}");
    Some(whole as i64)
}

fn text_of_quarters(quarters: i64) -> Vec<u8> {
    (quarters as f64 / 4.0).to_string().into_bytes()
}
