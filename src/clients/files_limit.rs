//! The system's limit on open files, raised to what `maxclients` needs, as Redis does.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files that are no clients: logs, listening sockets, links.
pub const RESERVED: u32 = 32;

/// Raises the limit so that so many clients can be served, as far as the system lets it. Says how many can be.
pub fn raise(maxclients: u32) -> u32 {
    let needed = u64::from(maxclients) + u64::from(RESERVED);
    let before = getrlimit(Resource::Nofile);
    let Some(current) = before.current.filter(|current| *current < needed) else {
        return maxclients;
    };
    let most = before.maximum.unwrap_or(u64::MAX);
    let tried = [(needed, most.max(needed)), (most.min(needed), most)];
    let raised = tried.into_iter().find(|(current, maximum)| {
        let limit = Rlimit {
            current: Some(*current),
            maximum: (*maximum != u64::MAX).then_some(*maximum),
        };
        setrlimit(Resource::Nofile, limit).is_ok()
    });
    let now = raised.map_or(current, |(now, _)| now.max(current));
    let served = now.saturating_sub(u64::from(RESERVED));
    let served = u32::try_from(served).unwrap_or(u32::MAX).min(maxclients);
    if served < maxclients {
        tracing::warn!(
            "You requested maxclients of {maxclients} requiring at least {needed} max file descriptors."
        );
        tracing::warn!("Server can't set maximum open files to {needed}.");
        tracing::warn!(
            "Current maximum open files is {now}. maxclients has been reduced to {served} to compensate for low ulimit. If you need higher maxclients increase 'ulimit -n'."
        );
    } else {
        tracing::info!(
            "Increased maximum number of open files to {now} (it was originally set to {current})."
        );
    }
    served
}
