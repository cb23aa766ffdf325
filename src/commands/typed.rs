//! Looks at keys that must hold one type, or nothing: of another type they write Redis's error.
//!
//! Each comes twice: `read_*` for a reader, which counts hits and misses and hands over the reply, and `look_*` for a writer,
//! which counts nowhere. Both give none where the error was written.

use crate::commands::call::DataCall;
use crate::commands::errors;
use crate::db::Key;
use crate::db::partition::Look;
use crate::db::stream::Stream;
use crate::db::views::{HashView, ListView, SetView, ZsetView};
use crate::resp::Reply;

macro_rules! typed {
    ($read:ident, $look:ident, $of:ident, $view:ty, $what:literal) => {
        #[doc = concat!("Reads ", $what, ".")]
        #[inline]
        pub fn $read<R>(
            &mut self,
            key: Key<'_>,
            f: impl FnOnce(Option<$view>, &mut Reply) -> R,
        ) -> Option<R> {
            self.read(key, |view, reply| match view {
                None => Some(f(None, reply)),
                Some(view) => match view.$of() {
                    Some(value) => Some(f(Some(value), reply)),
                    None => {
                        reply.error(errors::WRONG_TYPE);
                        None
                    }
                },
            })
        }

        #[doc = concat!("Looks at ", $what, " that is about to be written.")]
        #[inline]
        pub fn $look<R>(&mut self, key: Key<'_>, f: impl FnOnce(Option<$view>) -> R) -> Option<R> {
            let result = self.look(key, |view| match view {
                None => Some(f(None)),
                Some(view) => view.$of().map(|value| f(Some(value))),
            });
            if result.is_none() {
                self.reply.error(errors::WRONG_TYPE);
            }
            result
        }
    };
}

impl DataCall<'_, '_> {
    typed!(read_string, look_string, string, &[u8], "a string");
    typed!(read_hash, look_hash, hash, HashView<'_>, "a hash");
    typed!(read_set, look_set, set, SetView<'_>, "a set");
    typed!(read_zset, look_zset, zset, ZsetView<'_>, "a sorted set");
    typed!(read_stream, look_stream, stream, &Stream, "a stream");
    typed!(read_list, look_list, list, ListView<'_>, "a list");

    /// As [`Self::look_list`], with the reply beside it.
    #[inline]
    pub fn take_from_list<R>(
        &mut self,
        key: Key<'_>,
        f: impl FnOnce(Option<ListView<'_>>, &mut Reply) -> R,
    ) -> Option<R> {
        let partition = self.access.partition(key.hash);
        match partition.look(self.db, key, self.now) {
            Look::Live(view) => match view.list() {
                Some(list) => return Some(f(Some(list), self.reply)),
                None => {
                    self.reply.error(errors::WRONG_TYPE);
                    return None;
                }
            },
            Look::Expired => partition.remove_expired(self.db, key),
            Look::Absent => {}
        }
        Some(f(None, self.reply))
    }
}
