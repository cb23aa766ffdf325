//! A file is written: a walk over the keyspace that shows one instant, into a new file that then takes the place of the old one.
//!
//! Invariant: under the file's name there is the old one or the new one, whole and on the disk, whatever ends the process or the machine.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::db::partition::LIBRARIES;
use crate::db::snapshot::Walked;
use crate::db::varint::Reader;
use crate::db::{UnixMillis, item};
use crate::keyspace::{Keyspace, Walk};
use crate::persistence::rdb::Writer;

/// What is written between two waits for the disk, where those are wanted: it never has much to catch up on.
const SYNC_BYTES: u64 = 32 * 1024 * 1024;

/// What file, and how.
#[derive(Debug, Clone)]
pub struct SaveOptions {
    /// Under which name.
    pub path: PathBuf,
    /// Whether its sum is counted.
    pub checked: bool,
    /// Whether the disk is waited for on the way.
    pub incremental_sync: bool,
    /// What it says of itself.
    pub fields: Vec<(&'static str, String)>,
    /// It is to be the base of an append-only file, instead.
    pub base: Option<BaseFile>,
}

/// An append-only file of Redis 7: a directory, a manifest, and so far nothing but a base, which is such a file as this writes.
#[derive(Debug, Clone)]
pub struct BaseFile {
    /// Where.
    pub directory: PathBuf,
    /// How all of its files' names begin.
    pub name: String,
}

impl BaseFile {
    fn manifest(&self) -> PathBuf {
        self.directory.join(format!("{}.manifest", self.name))
    }

    /// The base's number that the manifest states; 0 where there is none.
    fn last(&self) -> io::Result<u64> {
        let text = match fs::read_to_string(self.manifest()) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            Err(error) => return Err(error),
        };
        let of_base = |line: &str| {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.as_slice() {
                ["file", _, "seq", number, "type", "b"] => number.parse().ok(),
                _ => None,
            }
        };
        Ok(text.lines().filter_map(of_base).max().unwrap_or(0))
    }

    /// The file that tells what another server has appended, where one has: the manifest of a base with increments, as Redis writes it
    /// since 7, or one file before that. It is not read here, and what it holds may be nowhere else.
    pub fn appended(&self) -> io::Result<Option<PathBuf>> {
        let manifest = match fs::read_to_string(self.manifest()) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error),
        };
        let is_increment = |line: &str| line.trim_end().ends_with("type i");
        if manifest.lines().any(is_increment) {
            return Ok(Some(self.manifest()));
        }
        let single = PathBuf::from(&self.name);
        match fs::metadata(&single) {
            Ok(file) => Ok((file.len() > 0).then_some(single)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn path(&self, number: u64) -> PathBuf {
        self.directory
            .join(format!("{}.{number}.base.rdb", self.name))
    }

    /// Writes the manifest: from now on this is the base.
    fn set(&self, number: u64) -> io::Result<()> {
        let line = format!("file {}.{number}.base.rdb seq {number} type b\n", self.name);
        let temporary = self.directory.join(format!("temp-{}.manifest", self.name));
        let mut file = File::create(&temporary)?;
        file.write_all(line.as_bytes())?;
        file.sync_all()?;
        fs::rename(&temporary, self.manifest())?;
        sync_directory(&self.manifest())
    }
}

/// A save under way, as others see it.
#[derive(Debug, Default)]
pub struct Progress {
    /// It is to end without a file.
    pub is_cancelled: AtomicBool,
    /// What it was to show was replaced as a whole: it begins anew.
    pub is_lost: AtomicBool,
    /// Keys written.
    pub keys: AtomicU64,
}

/// Writes what the keyspace shows to a file, and says how many keys. What has expired at `now` is no part of it.
pub fn save(
    keyspace: &Keyspace,
    options: &SaveOptions,
    now: UnixMillis,
    progress: &Progress,
) -> io::Result<u64> {
    let write = |file| write_synced(keyspace, file, options, now, progress);
    let Some(base) = &options.base else {
        return replace(&options.path, write);
    };
    if let Some(path) = base.appended()? {
        return Err(io::Error::other(format!(
            "{} is of a server that appends: what that has written would be lost",
            path.display()
        )));
    }
    fs::create_dir_all(&base.directory)?;
    let before = base.last()?;
    let keys = replace(&base.path(before + 1), write)?;
    base.set(before + 1)?;
    if before > 0 {
        // Nobody reads it any more; it may be gone.
        let _ = fs::remove_file(base.path(before));
    }
    Ok(keys)
}

/// Writes a file beside the one of this name, then lets it take its place.
fn replace<T>(path: &Path, write: impl FnOnce(File) -> io::Result<T>) -> io::Result<T> {
    let temporary = path.with_file_name(format!("temp-{}.rdb", std::process::id()));
    let written = File::create(&temporary)
        .and_then(write)
        .and_then(|written| fs::rename(&temporary, path).map(|()| written));
    if written.is_err() {
        // It may never have been there.
        let _ = fs::remove_file(&temporary);
    }
    let written = written?;
    sync_directory(path)?;
    Ok(written)
}

fn write_synced(
    keyspace: &Keyspace,
    file: File,
    options: &SaveOptions,
    now: UnixMillis,
    progress: &Progress,
) -> io::Result<u64> {
    let out = Synced {
        file,
        behind: 0,
        is_incremental: options.incremental_sync,
    };
    let writer = Writer::begin(out, &options.fields, options.checked)?;
    let (out, keys) = write_walk(keyspace, keyspace.begin_walk(), writer, now, progress)?;
    out.file.sync_all()?;
    Ok(keys)
}

/// Writes what a walk shows, and ends the file; how many keys. However that goes, the walk ends with it.
pub fn write_walk<W: Write>(
    keyspace: &Keyspace,
    walk: Walk,
    mut writer: Writer<W>,
    now: UnixMillis,
    progress: &Progress,
) -> io::Result<(W, u64)> {
    let mut open = OpenWalk { keyspace, walk };
    let mut items = Vec::new();
    let mut keys = 0;
    loop {
        if progress.is_cancelled.load(Ordering::Relaxed) {
            return Err(io::Error::other("it was called off"));
        }
        items.clear();
        let walked = keyspace.walk_some(&mut open.walk, &mut items);
        write_items(keyspace, &items, now, &mut writer, &mut keys)?;
        progress.keys.store(keys, Ordering::Relaxed);
        match walked {
            Walked::More => {}
            Walked::All => break,
            Walked::Lost => {
                progress.is_lost.store(true, Ordering::Relaxed);
                return Err(io::Error::other("the data was replaced meanwhile"));
            }
        }
    }
    Ok((writer.finish()?, keys))
}

/// A walk that ends with whoever walks.
struct OpenWalk<'k> {
    keyspace: &'k Keyspace,
    walk: Walk,
}

impl Drop for OpenWalk<'_> {
    fn drop(&mut self) {
        self.keyspace.end_walk(&self.walk);
    }
}

/// Writes the keys of items.
fn write_items<W: Write>(
    keyspace: &Keyspace,
    items: &[u8],
    now: UnixMillis,
    writer: &mut Writer<W>,
    keys: &mut u64,
) -> io::Result<()> {
    let maker = keyspace.maker(keyspace.is_stamped());
    let mut reader = Reader::new(items);
    while !reader.is_empty() {
        // Those of our own partitions: their indices are ours.
        let item = item::decode(&mut reader, &Some).map_err(io::Error::other)?;
        let written = item.show(&maker, |view| match view.deadline {
            Some(deadline) if deadline <= now => Ok(0),
            _ if item.db == LIBRARIES => writer
                .library(view.string().unwrap_or_default())
                .map(|()| 0),
            _ => writer.key(item.db, item.key, view).map(|()| 1),
        });
        *keys += written.transpose()?.unwrap_or(0);
    }
    Ok(())
}

/// A file that the disk keeps up with.
struct Synced {
    file: File,
    behind: u64,
    is_incremental: bool,
}

impl Write for Synced {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.behind += written as u64;
        if self.is_incremental && self.behind >= SYNC_BYTES {
            self.file.sync_data()?;
            self.behind = 0;
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Has the disk keep a file's name.
fn sync_directory(path: &Path) -> io::Result<()> {
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
}
