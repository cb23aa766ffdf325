//! One server that executes every operation in stamp order: what all masters must equal. Written without a look at the
//! server's own code for operations.

use std::collections::BTreeMap;

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
