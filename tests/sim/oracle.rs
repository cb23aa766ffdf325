//! One server that executes every operation in stamp order: what all masters must equal. Written without a look at the
//! server's own code for operations.

use std::collections::{BTreeMap, BTreeSet};

use keymesh::db::op::content::{Parts, id_of_content};
use keymesh::db::op::{self, ElementName, End, Kind};
use keymesh::db::varint::{self, Reader};
use keymesh::db::{
    Expiry, Hlc, Incarnation, NodeId, Op, Origin, OriginIndex, Origins, Stamp, UnixMillis,
};

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

mod sketch;
mod stream;

pub use sketch::canonical;

/// Key to value, as [`Content::shown`] writes it, and deadline.
pub type Data = BTreeMap<(u32, Vec<u8>), (Vec<u8>, Option<i64>)>;

/// What a key holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    String(Vec<u8>),
    Hash(BTreeMap<Vec<u8>, Vec<u8>>),
    Set(BTreeSet<Vec<u8>>),
    Zset(BTreeMap<Vec<u8>, f64>),
    /// Elements with their ids.
    List(Vec<(u64, Vec<u8>)>),
    Stream(stream::Stream),
    /// As it was made.
    Job(Vec<u8>),
}

impl Content {
    /// A string as it is; of anything else a text that is the same for the same value. Ids are no part of it.
    pub fn shown(&self) -> Vec<u8> {
        match self {
            Self::String(bytes) => bytes.clone(),
            Self::Hash(fields) => format!("hash {fields:?}").into_bytes(),
            Self::Set(members) => format!("set {members:?}").into_bytes(),
            Self::Zset(members) => format!("zset {members:?}").into_bytes(),
            Self::List(elements) => {
                let elements = elements.iter().map(|(_, element)| element);
                format!("list {:?}", elements.collect::<Vec<_>>()).into_bytes()
            }
            Self::Stream(stream) => format!("{stream:?}").into_bytes(),
            Self::Job(bytes) => format!("job {bytes:?}").into_bytes(),
        }
    }

    /// From the bytes in which values travel as a whole, under a stamp.
    pub fn of(content: op::Content<'_>, time: u64) -> Self {
        match content.parts() {
            Parts::String(bytes) => Self::String(bytes.to_vec()),
            Parts::Hash(pairs) => {
                let pairs = pairs
                    .iter()
                    .map(|(field, value)| (field.to_vec(), value.to_vec()));
                Self::Hash(pairs.collect())
            }
            Parts::Set(names) => Self::Set(names.iter().map(<[u8]>::to_vec).collect()),
            Parts::Zset(members) => {
                let members = members
                    .iter()
                    .map(|(score, member)| (member.to_vec(), score));
                Self::Zset(members.collect())
            }
            Parts::List(names) => {
                let stamp = Stamp::new(Hlc::from_raw(time), OriginIndex(0));
                let named = names.iter().enumerate().map(|(nth, element)| {
                    let id = id_of_content(stamp, nth as u64);
                    (id.raw(), element.to_vec())
                });
                Self::List(named.collect())
            }
            Parts::Stream(bytes) => Self::Stream(stream::Stream::of(bytes)),
            Parts::Job(bytes) => Self::Job(bytes.to_vec()),
            Parts::ListWithIds(elements) => {
                let elements = elements
                    .iter()
                    .map(|(id, element)| (id.raw(), element.to_vec()));
                Self::List(elements.collect())
            }
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Self::String(_) => Kind::String,
            Self::Hash(_) => Kind::Hash,
            Self::Set(_) => Kind::Set,
            Self::Zset(_) => Kind::Zset,
            Self::List(_) => Kind::List,
            Self::Stream(_) => Kind::Stream,
            Self::Job(_) => Kind::Job,
        }
    }

    fn has(&self, member: &[u8]) -> bool {
        match self {
            Self::Hash(fields) => fields.contains_key(member),
            Self::Set(members) => members.contains(member),
            Self::Zset(members) => members.contains_key(member),
            Self::String(_) | Self::List(_) | Self::Stream(_) | Self::Job(_) => false,
        }
    }

    fn remove(&mut self, member: &[u8]) {
        match self {
            Self::Hash(fields) => drop(fields.remove(member)),
            Self::Set(members) => drop(members.remove(member)),
            Self::Zset(members) => drop(members.remove(member)),
            Self::String(_) | Self::List(_) | Self::Stream(_) | Self::Job(_) => {}
        }
    }

    fn is_empty(&self) -> bool {
        match self {
            Self::String(_) | Self::Stream(_) | Self::Job(_) => false,
            Self::Hash(fields) => fields.is_empty(),
            Self::Set(members) => members.is_empty(),
            Self::Zset(members) => members.is_empty(),
            Self::List(elements) => elements.is_empty(),
        }
    }
}

/// What a key holds, and until when.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    content: Content,
    /// Members that go by themselves.
    members: BTreeMap<Vec<u8>, i64>,
    deadline: Option<i64>,
    /// The time of the last write.
    written: u64,
}

impl Held {
    /// From the bytes in which values travel as a whole, under a stamp.
    pub fn of(content: op::Content<'_>, deadline: Option<UnixMillis>, time: u64) -> Self {
        let members = content.deadlines();
        let members = members.map(|(member, deadline)| (member.to_vec(), deadline.0));
        Self {
            members: members.collect(),
            content: Content::of(content, time),
            deadline: deadline.map(|deadline| deadline.0),
            written: time,
        }
    }

    /// What of it is there at a moment.
    pub fn at(mut self, at: i64) -> Option<Self> {
        let (content, members) = (&mut self.content, &mut self.members);
        members.retain(|member, deadline| {
            if *deadline <= at {
                content.remove(member);
            }
            *deadline > at
        });
        let is_there = self.deadline.is_none_or(|deadline| deadline > at);
        (is_there && !self.content.is_empty()).then_some(self)
    }

    /// As [`Content::shown`], with the members' deadlines.
    pub fn shown(&self) -> Vec<u8> {
        let mut shown = self.content.shown();
        if !self.members.is_empty() {
            shown.extend_from_slice(format!(" until {:?}", self.members).as_bytes());
        }
        shown
    }
}

/// Replays everything; `now` hides what has expired by then.
pub fn replay(operations: &[Published], now: UnixMillis) -> Data {
    let mut sorted: Vec<&Published> = operations.iter().collect();
    sorted.sort_by_key(|operation| operation.order);
    let mut data: BTreeMap<(u32, Vec<u8>), Held> = BTreeMap::new();
    for operation in sorted {
        let time = operation.order.0;
        let at = (time >> 12) as i64 + 1_704_067_200_000;
        let Some(key) = &operation.key else {
            data.retain(|(db, _), _| *db != operation.db);
            continue;
        };
        let place = (operation.db, key.clone());
        let old = data.remove(&place).and_then(|old| old.at(at));
        let op = Op::decode(&operation.op).expect("only whole operations are published");
        let new = match op {
            Op::Del => None,
            Op::Set(value, expiry) => Some(Held {
                content: Content::String(value.to_vec()),
                members: BTreeMap::new(),
                deadline: match expiry {
                    Expiry::Clear => None,
                    Expiry::Keep => old.and_then(|old| old.deadline),
                    Expiry::At(deadline) => Some(deadline.0),
                },
                written: time,
            }),
            Op::Put(content, deadline) => Some(Held::of(content, deadline, time)),
            Op::Expire(deadline) => old.map(|old| Held {
                deadline: deadline.map(|deadline| deadline.0),
                written: time,
                ..old
            }),
            Op::Import(..) | Op::ImportContent(..) | Op::ImportDel(_) => import(old, op, time),
            _ => change(old, op, operation),
        };
        if let Some(new) = new.filter(|new| !new.content.is_empty()) {
            data.insert(place, new);
        }
    }
    let shown = |(place, held): ((u32, Vec<u8>), Held)| {
        let held = held.at(now.0)?;
        Some((place, (held.shown(), held.deadline)))
    };
    data.into_iter().filter_map(shown).collect()
}

fn import(old: Option<Held>, op: Op<'_>, time: u64) -> Option<Held> {
    let (original, new) = match op {
        Op::Import(original, deadline, value) => {
            let new = Held {
                content: Content::String(value.to_vec()),
                members: BTreeMap::new(),
                deadline: deadline.map(|deadline| deadline.0),
                written: time,
            };
            (original, Some(new))
        }
        Op::ImportContent(original, deadline, content) => {
            (original, Some(Held::of(content, deadline, time)))
        }
        Op::ImportDel(original) => (original, None),
        _ => panic!("no import"),
    };
    let is_older = |old: &Held| old.written < original.raw();
    if old.as_ref().is_none_or(is_older) {
        new.map(|new| Held {
            written: original.raw(),
            ..new
        })
    } else {
        old
    }
}

/// What an operation that adds something, or takes something away, makes of a key.
fn change(old: Option<Held>, op: Op<'_>, operation: &Published) -> Option<Held> {
    let time = operation.order.0;
    // An addition of another type begins anew.
    let is_of_type = |old: &Held| op.adds_to().is_none_or(|added| added == old.content.kind());
    let old = old.filter(is_of_type);
    let was = old.is_some();
    let deadline = old.as_ref().and_then(|old| old.deadline);
    let (content, mut members) = match old {
        Some(old) => (Some(old.content), old.members),
        None => (None, BTreeMap::new()),
    };
    let content = match content {
        Some(Content::String(value)) => string(Some(value), op).map(Content::String),
        Some(other) => Some(other),
        None => match op.adds_to() {
            Some(Kind::String) => string(None, op).map(Content::String),
            Some(Kind::Hash) => Some(Content::Hash(BTreeMap::new())),
            Some(Kind::Set) => Some(Content::Set(BTreeSet::new())),
            Some(Kind::Zset) => Some(Content::Zset(BTreeMap::new())),
            Some(Kind::List) => Some(Content::List(Vec::new())),
            Some(Kind::Stream) => Some(Content::Stream(stream::Stream::default())),
            // Nothing adds to a job.
            Some(Kind::Job) | None => None,
        },
    };
    let mut content = content?;
    match &mut content {
        Content::String(_) | Content::Job(_) => {}
        Content::Hash(fields) => hash(fields, op),
        Content::Set(members) => set(members, op),
        Content::Zset(members) => zset(members, op),
        Content::List(elements) => list(elements, op, operation),
        Content::Stream(stream) => stream.apply(op),
    }
    // A field that is written anew has no deadline; a member that is added again, or whose score changes, keeps its own.
    if let Op::HSet(pairs) = op {
        for (field, _) in pairs.iter() {
            members.remove(field);
        }
    }
    members.retain(|member, _| content.has(member));
    if let Op::ExpireMembers(kind, deadline, names) = op
        && kind == content.kind()
    {
        for name in names.iter().filter(|name| content.has(name)) {
            match deadline {
                Some(deadline) => drop(members.insert(name.to_vec(), deadline.0)),
                None => drop(members.remove(name)),
            }
        }
    }
    (was || !content.is_empty()).then_some(Held {
        content,
        members,
        deadline,
        written: time,
    })
}

fn number(bytes: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(bytes).ok()?;
    // "08" is a string to Redis, not a number.
    text.parse::<i64>().ok().filter(|n| n.to_string() == text)
}

fn hash(fields: &mut BTreeMap<Vec<u8>, Vec<u8>>, op: Op<'_>) {
    match op {
        Op::HSet(pairs) => {
            let pairs = pairs
                .iter()
                .map(|(field, value)| (field.to_vec(), value.to_vec()));
            fields.extend(pairs);
        }
        Op::HIncr(delta, field) => {
            let old = fields.get(field).map_or(Some(0), |value| number(value));
            if let Some(sum) = old.and_then(|old| old.checked_add(delta)) {
                fields.insert(field.to_vec(), sum.to_string().into_bytes());
            }
        }
        Op::HIncrByFloat(delta, field) => {
            let old = fields.get(field).map_or(Some(0), |value| quarters(value));
            if let Some((old, delta)) = old.zip(quarters(delta)) {
                fields.insert(field.to_vec(), text_of_quarters(old + delta));
            }
        }
        Op::Remove(Kind::Hash, names) => names.iter().for_each(|field| drop(fields.remove(field))),
        _ => {}
    }
}

fn set(members: &mut BTreeSet<Vec<u8>>, op: Op<'_>) {
    match op {
        Op::SAdd(names) => members.extend(names.iter().map(<[u8]>::to_vec)),
        Op::Remove(Kind::Set, names) => {
            for member in names.iter() {
                members.remove(member);
            }
        }
        _ => {}
    }
}

fn zset(members: &mut BTreeMap<Vec<u8>, f64>, op: Op<'_>) {
    match op {
        Op::ZAdd(scores) => {
            members.extend(
                scores
                    .iter()
                    .map(|(score, member)| (member.to_vec(), score)),
            );
        }
        Op::ZIncr(delta, member) => {
            let sum = members.get(member).copied().unwrap_or(0.0) + delta;
            if !sum.is_nan() {
                members.insert(member.to_vec(), sum);
            }
        }
        Op::Remove(Kind::Zset, names) => {
            for member in names.iter() {
                members.remove(member);
            }
        }
        _ => {}
    }
}

fn list(elements: &mut Vec<(u64, Vec<u8>)>, op: Op<'_>, operation: &Published) {
    let (time, node, life) = operation.order;
    let origins = Origins::default();
    let origin = Origin {
        node,
        incarnation: Incarnation(life),
    };
    let index = origins.intern(origin).expect("the first fits");
    let id = |time: u64| time << 10 | u64::from(origins.tag(index).0);
    let find = |elements: &[(u64, Vec<u8>)], name: ElementName| {
        let is_it = |(id, element): &(u64, Vec<u8>)| {
            *id == name.id.raw() && ElementName::check_of(element) == name.check
        };
        elements.iter().position(is_it)
    };
    match op {
        Op::Push(end, names) => {
            let count = names.len() as u64;
            for (nth, element) in names.iter().enumerate() {
                let new = (id(time + 1 + nth as u64 - count), element.to_vec());
                match end {
                    End::Head => elements.insert(0, new),
                    End::Tail => elements.push(new),
                }
            }
        }
        Op::ListRemove(names) => {
            for name in names.iter() {
                if let Some(at) = find(elements, name) {
                    elements.remove(at);
                }
            }
        }
        Op::ListSet(name, element) => {
            if let Some(at) = find(elements, name) {
                elements[at].1 = element.to_vec();
            }
        }
        Op::ListInsert(beside, element) => {
            let at = match find(elements, beside.anchor) {
                Some(at) => at + usize::from(!beside.is_before),
                None => elements.len().min(beside.position as usize),
            };
            elements.insert(at, (id(time), element.to_vec()));
        }
        _ => {}
    }
}

/// What becomes of a string.
fn string(old: Option<Vec<u8>>, op: Op<'_>) -> Option<Vec<u8>> {
    let is_new = old.is_none();
    let mut value = old.unwrap_or_default();
    match op {
        Op::Incr(delta) if is_new => value = delta.to_string().into_bytes(),
        Op::Incr(delta) => {
            if let Some(sum) = number(&value).and_then(|n| n.checked_add(delta)) {
                value = sum.to_string().into_bytes();
            }
        }
        Op::Append(tail) => value.extend_from_slice(tail),
        Op::SetRange(offset, bytes) => {
            let end = offset as usize + bytes.len();
            value.resize(value.len().max(end), 0);
            value[offset as usize..end].copy_from_slice(bytes);
        }
        Op::SetBit(offset, bit) => write_bits(&mut value, offset as usize, 1, i128::from(bit)),
        Op::BitField(program) => run_bitfield(&mut value, program.as_bytes()),
        Op::PfAdd(adds) => {
            let added = sketch::added(adds.as_bytes());
            value = sketch::raised((!is_new).then_some(value), &added);
        }
        Op::PfMerge(merge) => {
            let merged = sketch::merged(merge.as_bytes());
            value = sketch::raised((!is_new).then_some(value), &merged);
        }
        Op::IncrByFloat(delta) => {
            if is_new {
                value = b"0".to_vec();
            }
            if let Some((old, delta)) = quarters(&value).zip(quarters(delta)) {
                value = text_of_quarters(old + delta);
            }
        }
        _ if is_new => return None,
        _ => {}
    }
    Some(value)
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
