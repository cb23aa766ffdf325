//! The 80 bit float: known values, and (below) sums as redis-server answered them.

use crate::resp::LongDouble;

fn text(value: &str) -> Option<String> {
    LongDouble::parse(value.as_bytes()).map(LongDouble::to_human_string)
}
