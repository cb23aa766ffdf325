//! CLIENT TRACKING, CACHING, TRACKINGINFO, GETREDIR: what a connection wants to hear of the keys that it caches.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;

use crate::clients::conversation::Conversation;
use crate::clients::errors;
use crate::clients::registry::{ClientId, ShownTracking};
use crate::keyspace::Keyspace;
use crate::pubsub::TrackingMode;
use crate::resp::{Args, Reply, parse_i64};

/// What a connection tracks. Dropping it ends that.
#[derive(Debug)]
pub struct OwnTracking {
    keyspace: Arc<Keyspace>,
    id: u64,
    mode: TrackingMode,
    is_broken: Arc<AtomicBool>,
}

impl OwnTracking {
    /// Whether what is read now is remembered; `caching` is whether CLIENT CACHING was said.
    pub fn remembers(&self, caching: bool) -> bool {
        let mode = &self.mode;
        let is_wanted = if caching { !mode.opt_out } else { !mode.opt_in };
        !mode.broadcast && is_wanted
    }
}

impl Drop for OwnTracking {
    fn drop(&mut self) {
        self.keyspace.pubsub.tracking.disable(self.id);
        self.keyspace.refresh_attention();
    }
}

/// Whether one begins with the other.
fn overlap(one: &[u8], other: &[u8]) -> bool {
    one.starts_with(other) || other.starts_with(one)
}

fn refuse_overlap(prefix: &[u8], kind: &str, other: &[u8], reply: &mut Reply) {
    let text = [
        b"ERR Prefix '",
        errors::until_nul(prefix),
        b"' overlaps with ",
        kind.as_bytes(),
        b" prefix '",
        errors::until_nul(other),
        b"'. Prefixes for a single client must not overlap.",
    ];
    reply.error_bytes(&text.concat());
}

impl Conversation {
    pub(super) fn client_tracking(&mut self, args: Args<'_>, reply: &mut Reply) {
        let Some(mode) = self.parse_tracking(args, reply) else {
            return;
        };
        let word = args.get(2);
        if word.eq_ignore_ascii_case(b"on") {
            self.begin_tracking(mode, reply);
        } else if word.eq_ignore_ascii_case(b"off") {
            self.end_tracking();
            reply.ok();
        } else {
            reply.error(errors::SYNTAX);
        }
    }

    /// Reads the options; where they are wrong, writes the error.
    fn parse_tracking(&self, args: Args<'_>, reply: &mut Reply) -> Option<TrackingMode> {
        let mut mode = TrackingMode::default();
        let mut index = 3;
        while let Some(word) = args.try_get(index) {
            let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
            let value = args.try_get(index + 1);
            match value {
                Some(value) if is(b"redirect") => {
                    index += 1;
                    if mode.redirect.is_some() {
                        reply.error("ERR A client can only redirect to a single other client");
                        return None;
                    }
                    let Some(id) = parse_i64(value) else {
                        reply.error(errors::NOT_AN_INTEGER);
                        return None;
                    };
                    let target = u64::try_from(id).ok().map(ClientId);
                    let target = target.and_then(|id| self.context.clients.get(id));
                    let Some(target) = target else {
                        reply.error("ERR The client ID you want redirect to does not exist");
                        return None;
                    };
                    mode.redirect = Some(Arc::clone(&target.mailbox));
                }
                Some(value) if is(b"prefix") => {
                    index += 1;
                    mode.prefixes.push(Bytes::copy_from_slice(value));
                }
                _ if is(b"bcast") => mode.broadcast = true,
                _ if is(b"optin") => mode.opt_in = true,
                _ if is(b"optout") => mode.opt_out = true,
                _ if is(b"noloop") => mode.no_loop = true,
                _ => {
                    reply.error(errors::SYNTAX);
                    return None;
                }
            }
            index += 1;
        }
        Some(mode)
    }

    fn begin_tracking(&mut self, mut mode: TrackingMode, reply: &mut Reply) {
        if !mode.broadcast && !mode.prefixes.is_empty() {
            return reply.error("ERR PREFIX option requires BCAST mode to be enabled");
        }
        let before = self.tracking.as_ref().map(|tracking| &tracking.mode);
        if before.is_some_and(|before| before.broadcast != mode.broadcast) {
            return reply.error("ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling it with a different mode.");
        }
        if mode.broadcast && (mode.opt_in || mode.opt_out) {
            return reply.error("ERR OPTIN and OPTOUT are not compatible with BCAST");
        }
        if mode.opt_in && mode.opt_out {
            return reply.error("ERR You can't specify both OPTIN mode and OPTOUT mode");
        }
        if before
            .is_some_and(|before| mode.opt_in && before.opt_out || mode.opt_out && before.opt_in)
        {
            return reply.error("ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then re-enabling it with a different mode.");
        }
        // In the order in which Redis looks through them.
        let mut known = before.map_or_else(Vec::new, |before| before.prefixes.clone());
        known.sort();
        for (nth, prefix) in mode.prefixes.iter().enumerate() {
            if let Some(other) = known.iter().find(|other| overlap(other, prefix)) {
                return refuse_overlap(prefix, "an existing", other, reply);
            }
            let mut others = mode.prefixes[nth + 1..].iter();
            if let Some(other) = others.find(|other| overlap(other, prefix)) {
                return refuse_overlap(prefix, "another provided", other, reply);
            }
        }
        if mode.broadcast {
            if mode.prefixes.is_empty() && !known.iter().any(Bytes::is_empty) {
                mode.prefixes.push(Bytes::new());
            }
            mode.prefixes.splice(0..0, known);
        }
        let keyspace = &self.context.keyspace;
        let is_broken = Arc::<AtomicBool>::default();
        let tracking = &keyspace.pubsub.tracking;
        tracking.enable(&self.client.mailbox, &mode, &is_broken);
        self.client.shown.lock().tracking = Some(ShownTracking {
            broadcast: mode.broadcast,
            redirect: mode.redirect.as_ref().map_or(0, |target| target.id),
            is_broken: Arc::clone(&is_broken),
        });
        match &mut self.tracking {
            Some(own) => (own.mode, own.is_broken) = (mode, is_broken),
            None => {
                self.tracking = Some(Box::new(OwnTracking {
                    keyspace: Arc::clone(keyspace),
                    id: self.client.id.0,
                    mode,
                    is_broken,
                }));
            }
        }
        keyspace.refresh_attention();
        reply.ok();
    }

    /// Ends tracking, if there was any.
    pub(super) fn end_tracking(&mut self) {
        self.tracking = None;
        self.scratch.tracks = false;
        self.caching = false;
        self.client.shown.lock().tracking = None;
    }

    pub(super) fn client_caching(&mut self, word: &[u8], reply: &mut Reply) {
        let Some(tracking) = &self.tracking else {
            return reply.error("ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled");
        };
        let (is_on, name) = match word.to_ascii_lowercase().as_slice() {
            b"yes" => (tracking.mode.opt_in, ("YES", "OPTIN")),
            b"no" => (tracking.mode.opt_out, ("NO", "OPTOUT")),
            _ => return reply.error(errors::SYNTAX),
        };
        if !is_on {
            return reply.error_format(format_args!(
                "ERR CLIENT CACHING {} is only valid when tracking is enabled in {} mode.",
                name.0, name.1
            ));
        }
        self.caching = true;
        reply.ok();
    }

    pub(super) fn client_getredir(&self, reply: &mut Reply) {
        reply.integer(self.tracking.as_ref().map_or(-1, |tracking| {
            let target = tracking.mode.redirect.as_ref();
            target.map_or(0, |target| target.id as i64)
        }));
    }

    pub(super) fn client_trackinginfo(&self, reply: &mut Reply) {
        reply.map(3);
        reply.bulk(b"flags");
        let flags = self.tracking_flags();
        reply.set(flags.len());
        for flag in flags {
            reply.bulk(flag.as_bytes());
        }
        reply.bulk(b"redirect");
        self.client_getredir(reply);
        reply.bulk(b"prefixes");
        let prefixes = self.tracking.as_ref().map(|tracking| {
            let mut prefixes = tracking.mode.prefixes.clone();
            prefixes.sort();
            prefixes
        });
        let prefixes = prefixes.unwrap_or_default();
        reply.array(prefixes.len());
        for prefix in &prefixes {
            reply.bulk(prefix);
        }
    }

    fn tracking_flags(&self) -> Vec<&'static str> {
        let Some(tracking) = &self.tracking else {
            return vec!["off"];
        };
        let mode = &tracking.mode;
        let flags = [
            (true, "on"),
            (mode.broadcast, "bcast"),
            (mode.opt_in, "optin"),
            (mode.opt_in && self.caching, "caching-yes"),
            (mode.opt_out, "optout"),
            (mode.opt_out && self.caching, "caching-no"),
            (mode.no_loop, "noloop"),
            (
                tracking.is_broken.load(Ordering::Relaxed),
                "broken_redirect",
            ),
        ];
        flags
            .into_iter()
            .filter_map(|(is_set, name)| is_set.then_some(name))
            .collect()
    }
}
