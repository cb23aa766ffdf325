//! All rows, and the way from a name to its row.

use std::sync::LazyLock;

use hashbrown::HashMap;

use crate::commands::strings;
use crate::commands::table::Row;

/// Every family's rows.
static FAMILIES: &[&[Row]] = &[strings::ROWS];

static BY_NAME: LazyLock<HashMap<&'static [u8], &'static Row>> =
    LazyLock::new(|| all().map(|row| (row.name.as_bytes(), row)).collect());

/// The longest name of a command that is looked up.
const NAME_LEN_MAX: usize = 32;

/// All rows.
pub fn all() -> impl Iterator<Item = &'static Row> {
    FAMILIES.iter().flat_map(|rows| rows.iter())
}

/// The row of a name in any case.
#[inline]
pub fn lookup(name: &[u8]) -> Option<&'static Row> {
    let mut lower = [0u8; NAME_LEN_MAX];
    let lower = lower.get_mut(..name.len())?;
    lower.copy_from_slice(name);
    lower.make_ascii_lowercase();
    BY_NAME.get(&*lower).copied()
}
