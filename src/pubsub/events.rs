//! The letters of `notify-keyspace-events`, and the channels that an event is published in.
//!
//! Invariant: an event is told in Redis's channels, `__keyspace@<db>__:<key>` before `__keyevent@<db>__:<event>`.

use crate::db::news::Attention;

/// Which events are told, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Events {
    /// Their classes.
    pub classes: Attention,
    /// `K`: in a channel for each key.
    pub by_key: bool,
    /// `E`: in a channel for each event.
    pub by_event: bool,
}

/// What `A` stands for: neither missed nor new keys.
const ALL: &[(char, Attention)] = &[
    ('g', Attention::GENERIC),
    ('$', Attention::STRING),
    ('l', Attention::LIST),
    ('s', Attention::SET),
    ('h', Attention::HASH),
    ('z', Attention::ZSET),
    ('x', Attention::EXPIRED),
    ('e', Attention::EVICTED),
    ('t', Attention::STREAM),
    ('d', Attention::MODULE),
];
const APART: &[(char, Attention)] = &[('m', Attention::KEY_MISS), ('n', Attention::NEW)];

impl Events {
    /// Reads the letters; what is no letter of an event is passed over, for the table of directives has checked them.
    pub fn parse(letters: &str) -> Self {
        let mut events = Self {
            by_key: letters.contains('K'),
            by_event: letters.contains('E'),
            ..Self::default()
        };
        let all = letters.contains('A');
        for (letter, class) in ALL {
            if all || letters.contains(*letter) {
                events.classes = events.classes.and(*class);
            }
        }
        for (letter, class) in APART {
            if letters.contains(*letter) {
                events.classes = events.classes.and(*class);
            }
        }
        events
    }

    /// What partitions have to listen for: nothing where no channel is told.
    pub fn attention(self) -> Attention {
        if self.by_key || self.by_event {
            self.classes
        } else {
            Attention::NONE
        }
    }
}

/// The channel of a key's events.
pub fn key_channel(db: u32, key: &[u8]) -> Vec<u8> {
    [format!("__keyspace@{db}__:").as_bytes(), key].concat()
}

/// The channel of an event.
pub fn event_channel(db: u32, name: &str) -> Vec<u8> {
    format!("__keyevent@{db}__:{name}").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_say_what_is_told() {
        assert_eq!(Events::parse("").attention(), Attention::NONE);
        assert_eq!(Events::parse("A").attention(), Attention::NONE);
        let events = Events::parse("Kg$");
        assert!(events.by_key && !events.by_event);
        assert_eq!(
            events.attention(),
            Attention::GENERIC.and(Attention::STRING)
        );
        let all = Events::parse("KEA");
        assert!(
            all.attention()
                .has(Attention::EXPIRED.and(Attention::MODULE))
        );
        assert!(!all.attention().has(Attention::NEW) && !all.attention().has(Attention::KEY_MISS));
        assert!(
            Events::parse("EAmn")
                .attention()
                .has(Attention::NEW.and(Attention::KEY_MISS))
        );
    }
}
