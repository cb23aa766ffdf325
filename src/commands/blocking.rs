//! What commands that may wait have in common: their timeout, whether it is their turn at a key, and the lines they wait in.
//!
//! Such a command tries first. Where it finds nothing and its caller can wait, it lines up at its keys under the locks of its
//! try, writes nothing, and says so; called, the caller runs it again, from its place in the lines. Within a transaction it
//! answers as if its time were up.

use std::sync::Arc;
use std::time::Duration;

use crate::commands::call::DataCall;
use crate::commands::errors;
use crate::db::op::Kind;
use crate::db::{Key, Waiter};
use crate::resp::{LongDouble, parse_f64_loosely};

/// What a caller says of waiting, and what he is told.
#[derive(Debug, Default)]
pub struct Blocking {
    /// He can wait.
    pub can_wait: bool,
    /// He stands in the lines of his keys: what runs is not the first try.
    pub waiter: Option<Arc<Waiter>>,
    /// He is to wait; for ever without a time.
    pub waits: Option<Timeout>,
}

/// How long to wait; for ever without a time.
pub type Timeout = Option<Duration>;

/// Reads a timeout in seconds; the error is what to reply.
pub fn parse_timeout(text: &[u8], now_ms: i64) -> Result<Timeout, &'static str> {
    const NO_FLOAT: &str = "ERR timeout is not a float or out of range";
    const OUT_OF_RANGE: &str = "ERR timeout is out of range";
    // Redis reads a long double; a double is as good for what is to be waited.
    LongDouble::parse(text).ok_or(NO_FLOAT)?;
    let seconds = parse_f64_loosely(text).ok_or(NO_FLOAT)?;
    let ms = (seconds * 1000.0).ceil();
    if ms >= i64::MAX as f64 {
        return Err(OUT_OF_RANGE);
    }
    let ms = ms as i64;
    if ms < 0 {
        return Err("ERR timeout is negative");
    }
    if ms > i64::MAX - now_ms {
        return Err(OUT_OF_RANGE);
    }
    Ok((ms > 0).then(|| Duration::from_millis(ms.unsigned_abs())))
}

impl DataCall<'_, '_> {
    /// The timeout at an argument; none where the error was written.
    pub(super) fn timeout(&mut self, at: usize) -> Option<Timeout> {
        match parse_timeout(self.args.get(at), self.wall.0) {
            Ok(timeout) => Some(timeout),
            Err(error) => {
                self.reply.error(error);
                None
            }
        }
    }

    /// Whether a key shows a value of this kind that the caller may take from, because nobody has waited longer. None where it
    /// is of another kind and the error was written: who waits already is not disturbed by that.
    pub(super) fn is_turn(&mut self, key: Key<'_>, kind: Kind) -> Option<bool> {
        match self.look(key, |view| view.map(|view| view.shown.kind())) {
            None => Some(false),
            Some(other) if other != kind => {
                if self.blocking.waiter.is_some() {
                    return Some(false);
                }
                self.reply.error(errors::WRONG_TYPE);
                None
            }
            Some(_) if !self.blocking.can_wait => Some(true),
            Some(_) => {
                let (db, own) = (self.db, self.blocking.waiter.as_ref());
                let partition = self.access.partition(key.hash);
                Some(partition.is_first_in_line(db, key, kind, own))
            }
        }
    }

    /// Nothing was found at these keys: lines the caller up there, where he can wait and does not stand there. False where he
    /// cannot, who is to be answered.
    pub(super) fn wait_at(
        &mut self,
        kind: Kind,
        keys: std::ops::Range<usize>,
        timeout: Timeout,
    ) -> bool {
        if !self.blocking.can_wait {
            return false;
        }
        if self.blocking.waiter.is_none() {
            let waiter = Arc::new(Waiter::new(kind));
            for index in keys {
                let (db, key) = (self.db, self.key(index));
                let partition = self.access.partition(key.hash);
                partition.line_up(db, key, &waiter);
            }
            self.blocking.waiter = Some(waiter);
        }
        self.blocking.waits = Some(timeout);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::world::World;

    #[test]
    fn timeouts_are_seconds_that_a_clock_can_count() {
        let now = 1_750_000_000_000;
        let of = |text: &str| parse_timeout(text.as_bytes(), now);
        let ms = |ms| Ok(Some(Duration::from_millis(ms)));
        assert_eq!(of("0"), Ok(None));
        assert_eq!(of("-0.0001"), Ok(None));
        assert_eq!(of("1"), ms(1000));
        assert_eq!(of("0.0001"), ms(1));
        assert_eq!(of("1e2"), ms(100_000));
        assert_eq!(of("0x10"), ms(16_000));
        let no_float = Err("ERR timeout is not a float or out of range");
        for text in ["", "x", " 1", "1 ", "nan", "1,5"] {
            assert_eq!(of(text), no_float, "{text}");
        }
        assert_eq!(of("-1"), Err("ERR timeout is negative"));
        assert_eq!(of("-inf"), Err("ERR timeout is negative"));
        for text in ["inf", "1e400", "9223372036854775807", "9223372036854775"] {
            assert_eq!(of(text), Err("ERR timeout is out of range"), "{text}");
        }
    }

    #[test]
    fn faults_of_other_arguments_come_before_those_of_a_timeout() {
        for stamped in [false, true] {
            let mut world = World::new(stamped, 4);
            let numkeys = "-ERR numkeys should be greater than 0\r\n";
            assert_eq!(world.run("BLMPOP -1 0 k LEFT"), numkeys);
            assert_eq!(world.run("BZMPOP x 0 k MIN"), numkeys);
            assert_eq!(world.run("BLMOVE a b LEFT MID x"), "-ERR syntax error\r\n");
            assert_eq!(
                world.run("BLMPOP -1 1 k LEFT"),
                "-ERR timeout is negative\r\n"
            );
        }
    }
}
