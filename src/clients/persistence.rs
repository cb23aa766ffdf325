//! Files that keep data, as clients and the process know them: SAVE, BGSAVE, BGREWRITEAOF, LASTSAVE, save points, and what is loaded
//! at the start.
//!
//! Invariant: no thread that serves waits for a disk.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::clients::context::{Context, KEYMESH_VERSION, REDIS_VERSION};
use crate::clients::conversation::{After, Conversation, ReplyMode};
use crate::clients::registry::Client;
use crate::clients::{errors, process};
use crate::commands::payload::dump_functions;
use crate::commands::registry::lookup_built_in;
use crate::config::Options;
use crate::persistence::saver::{Claim, Kind};
use crate::persistence::{BaseFile, LoadError, SaveOptions, SavePoint, load};
use crate::resp::{Args, ArgsBuffer, Reply};

/// How often it is looked whether a save is due.
const LOOK: Duration = Duration::from_millis(100);

const IN_PROGRESS: &str = "ERR Background save already in progress";
const REWRITE_IN_PROGRESS: &str = "ERR Background append only file rewriting already in progress";
const ANOTHER: &str = "ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE in order to schedule a BGSAVE whenever possible.";
const STARTED: &str = "Background saving started";
const SCHEDULED: &str = "Background saving scheduled";
const REWRITE_STARTED: &str = "Background append only file rewriting started";
const REWRITE_SCHEDULED: &str = "Background append only file rewriting scheduled";

/// The save points of the settings.
pub(super) fn points(options: &Options) -> Vec<SavePoint> {
    let point = |point: &crate::config::SavePoint| SavePoint {
        after: Duration::from_secs(point.seconds),
        changes: point.changes,
    };
    options.save.iter().map(point).collect()
}

/// How a save of this kind is written.
pub fn save_options(context: &Context, kind: Kind) -> SaveOptions {
    let options = context.configuration.options();
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let is_base = kind == Kind::Rewrite;
    SaveOptions {
        path: PathBuf::from(&options.dbfilename),
        checked: options.rdbchecksum,
        incremental_sync: options.rdb_save_incremental_fsync,
        fields: vec![
            ("redis-ver", REDIS_VERSION.to_owned()),
            ("keymesh-ver", KEYMESH_VERSION.to_owned()),
            ("redis-bits", usize::BITS.to_string()),
            ("ctime", now.unwrap_or_default().as_secs().to_string()),
            ("used-mem", process::memory().anonymous.to_string()),
            ("aof-base", u8::from(is_base).to_string()),
        ],
        base: is_base.then(|| base_file(&options)),
    }
}

fn base_file(options: &Options) -> BaseFile {
    BaseFile {
        directory: PathBuf::from(&options.appenddirname),
        name: options.appendfilename.clone(),
    }
}

/// Carries out a save that was begun, by another thread.
pub(super) fn carry_out(
    context: &Arc<Context>,
    claim: Claim,
) -> tokio::task::JoinHandle<io::Result<()>> {
    let context = Arc::clone(context);
    tokio::task::spawn_blocking(move || {
        let options = save_options(&context, claim.kind());
        let now = context.keyspace.time(context.now());
        claim.carry_out(&options, now)
    })
}

/// Begins those that save points or somebody's word make due, for ever.
pub async fn run(context: Arc<Context>) {
    loop {
        tokio::time::sleep(LOOK).await;
        context.keyspace.gate.opened().await;
        if context.loading.load(Ordering::Relaxed) {
            continue;
        }
        let points = points(&context.configuration.options());
        let due = context.saver.due(&points);
        if let Some(Ok(claim)) = due.map(|kind| context.saver.claim(kind)) {
            // What comes of it is filed, and in the log.
            drop(carry_out(&context, claim));
        }
    }
}

/// Whether a server that ends saves before, unless it was told.
pub fn saves_at_end(context: &Context) -> bool {
    !context.configuration.options().save.is_empty()
}

/// Before the end: calls off what is under way in the background, and saves where that is wanted.
pub async fn save_at_end(context: &Arc<Context>) -> io::Result<()> {
    tracing::info!("Saving the final RDB snapshot before exiting.");
    loop {
        context.saver.call_off().await;
        if let Ok(claim) = context.saver.claim(Kind::Save) {
            let done = carry_out(context, claim).await;
            return done.unwrap_or_else(|error| Err(io::Error::other(error)));
        }
    }
}

/// Keeps a file that was not loaded under another name, for the next save takes its place. One that was kept before goes, unless it
/// holds more: where all masters have lost their data and start again and again, the fullest stays.
fn keep_unloaded(name: &str) -> io::Result<()> {
    let kept = format!("{name}.unloaded");
    match std::fs::metadata(&kept) {
        Ok(before) if before.len() > std::fs::metadata(name)?.len() => return Ok(()),
        Ok(_) => std::fs::remove_file(&kept)?,
        Err(_) => {}
    }
    std::fs::hard_link(name, &kept)
}

/// The file that is to be loaded, if there is one. From now on clients are told so.
pub fn file_at_start(context: &Context, loads: bool) -> Result<Option<File>, LoadError> {
    let options = context.configuration.options();
    if loads && options.appendonly {
        let appended = base_file(&options).appended();
        if let Some(path) = appended.map_err(|error| LoadError::Rdb(error.into()))? {
            return Err(LoadError::Appended(path));
        }
    }
    let file = match File::open(&options.dbfilename) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(LoadError::Rdb(error.into())),
    };
    if !loads {
        tracing::warn!(
            "{} is not loaded: this master has been in a mesh, the data comes from the others, and keys that were deleted since the file was written would come back. If all of them have lost it, start one with rdb-load-among-masters yes.",
            options.dbfilename
        );
        if let Err(error) = keep_unloaded(&options.dbfilename) {
            tracing::warn!(%error, "{} could not be kept for later", options.dbfilename);
        }
        return Ok(None);
    }
    context.loading.store(true, Ordering::SeqCst);
    Ok(Some(file))
}

/// Loads it.
pub async fn load_at_start(context: &Arc<Context>, file: File) -> Result<(), LoadError> {
    let checked = context.configuration.options().rdbchecksum;
    let since = Instant::now();
    let now = context.keyspace.time(context.now());
    let with = Arc::clone(context);
    let loading = tokio::task::spawn_blocking(move || {
        load(&with.keyspace, file, now, checked, &AtomicU64::new(0))
    });
    let loaded = match loading.await {
        Ok(loaded) => loaded?,
        Err(error) => return Err(LoadError::Key(error.to_string())),
    };
    if !loaded.libraries.is_empty() {
        restore_libraries(context, &loaded.libraries).map_err(LoadError::Library)?;
    }
    context.saver.loaded(loaded.keys, loaded.expired);
    tracing::info!(
        "Done loading RDB, keys loaded: {}, keys expired: {}.",
        loaded.keys,
        loaded.expired
    );
    tracing::info!(
        "DB loaded from disk: {:.3} seconds",
        since.elapsed().as_secs_f64()
    );
    context.loading.store(false, Ordering::SeqCst);
    Ok(())
}

/// As FUNCTION RESTORE does it.
fn restore_libraries(context: &Arc<Context>, codes: &[Vec<u8>]) -> Result<(), String> {
    let payload = dump_functions(codes.iter().map(Vec::as_slice));
    let words: [&[u8]; 4] = [b"FUNCTION", b"RESTORE", &payload, b"REPLACE"];
    let row = lookup_built_in(b"function").and_then(|row| row.subcommand(b"restore"));
    let (Some(row), Some(args)) = (row, ArgsBuffer::from_args(words)) else {
        return Err("they are too large".into());
    };
    let client = Arc::new(Client::nobody(context.now()));
    let mut conversation = Conversation::new(Arc::clone(context), client);
    conversation.identity.become_own();
    conversation.begin_batch(context.now());
    let mut reply = Reply::default();
    conversation.function_command(row, args.as_args(), &mut reply);
    match reply.as_bytes().strip_prefix(b"-") {
        Some(error) => Err(String::from_utf8_lossy(error).trim_end().to_owned()),
        None => Ok(()),
    }
}

impl Conversation {
    pub(super) fn persistence_command(
        &mut self,
        name: &str,
        args: Args<'_>,
        reply: &mut Reply,
    ) -> After {
        match name {
            "lastsave" => {
                reply.integer(i64::try_from(self.context.saver.last_save()).unwrap_or(i64::MAX));
            }
            "save" => match self.context.saver.claim(Kind::Save) {
                Ok(claim) => {
                    self.saving = Some(claim);
                    return After::Save {
                        is_answered: self.reply_mode == ReplyMode::On,
                    };
                }
                Err(_) => reply.error(IN_PROGRESS),
            },
            "bgsave" => self.bgsave(args, reply),
            _ => self.bgrewriteaof(reply),
        }
        After::Next
    }

    fn bgsave(&mut self, args: Args<'_>, reply: &mut Reply) {
        let schedules = match args.try_get(1) {
            None => false,
            Some(word) if args.len() == 2 && word.eq_ignore_ascii_case(b"schedule") => true,
            Some(_) => return reply.error(errors::SYNTAX),
        };
        let saver = &self.context.saver;
        let running = saver.running();
        match running {
            Some(Kind::Save | Kind::Background) => reply.error(IN_PROGRESS),
            _ if self.is_in_exec || schedules && running.is_some() => {
                saver.schedule(Kind::Background);
                reply.simple(SCHEDULED);
            }
            Some(Kind::Rewrite) => reply.error(ANOTHER),
            None => match saver.claim(Kind::Background) {
                Ok(claim) => {
                    drop(carry_out(&self.context, claim));
                    reply.simple(STARTED);
                }
                Err(_) => reply.error(IN_PROGRESS),
            },
        }
    }

    fn bgrewriteaof(&mut self, reply: &mut Reply) {
        let saver = &self.context.saver;
        match saver.running() {
            Some(Kind::Rewrite) => reply.error(REWRITE_IN_PROGRESS),
            running if running.is_some() || self.is_in_exec => {
                saver.schedule(Kind::Rewrite);
                reply.simple(REWRITE_SCHEDULED);
            }
            _ => match saver.claim(Kind::Rewrite) {
                Ok(claim) => {
                    drop(carry_out(&self.context, claim));
                    reply.simple(REWRITE_STARTED);
                }
                Err(_) => reply.error(REWRITE_IN_PROGRESS),
            },
        }
    }
}
