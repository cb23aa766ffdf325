//! One record on its own, for tests.

use crate::db::record::{Fresh, Meta, Place, Record, RecordMut, Records};

/// A record among no others.
#[derive(Debug)]
pub(in crate::db) struct Alone(Records, Place);

impl Alone {
    pub fn new(key: &[u8], value: &[u8], meta: &Meta) -> Self {
        let mut records = Records::default();
        let place = records.add(key, Fresh::string(value), meta);
        Self(records, place)
    }

    pub fn get(&self) -> Record<'_> {
        self.0.get(self.1)
    }

    pub fn change(&mut self) -> RecordMut<'_> {
        RecordMut {
            records: &mut self.0,
            place: &mut self.1,
        }
    }
}
