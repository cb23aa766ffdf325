//! What Linux says of this process under `/proc/self`. Where it says nothing, numbers are 0.

use std::fs;

/// Linux counts times of processes in hundredths of seconds towards programs, on every architecture in use.
const TICKS_PER_SECOND: f64 = 100.0;
/// The page size of x86-64, and the usual one of aarch64.
const PAGE_LEN: u64 = 4096;

/// Memory of the process, in bytes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Memory {
    /// In RAM.
    pub resident: u64,
    /// In RAM and not from files: the heap, above all.
    pub anonymous: u64,
}

/// Processor time, in seconds.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cpu {
    /// In the kernel.
    pub system: f64,
    /// In the program.
    pub user: f64,
    /// In the kernel, for ended children.
    pub system_children: f64,
    /// In ended children.
    pub user_children: f64,
}

/// Reads the process's memory.
pub fn memory() -> Memory {
    let statm = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let mut pages = statm
        .split(' ')
        .map(|word| word.parse::<u64>().unwrap_or(0));
    let resident = pages.nth(1).unwrap_or(0) * PAGE_LEN;
    let shared = pages.next().unwrap_or(0) * PAGE_LEN;
    Memory {
        resident,
        anonymous: resident.saturating_sub(shared),
    }
}

/// Memory of the machine, in bytes.
pub fn total_memory() -> u64 {
    let info = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    info.lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))
        .and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok())
        .unwrap_or(0)
        * 1024
}

/// Processor time of the process, or of its main thread.
pub fn cpu(is_main_thread_only: bool) -> Cpu {
    let path = if is_main_thread_only {
        format!("/proc/self/task/{}/stat", std::process::id())
    } else {
        "/proc/self/stat".to_owned()
    };
    let stat = fs::read_to_string(path).unwrap_or_default();
    // The name, which may hold blanks, ends with the last parenthesis; utime is the 12th field behind it.
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let mut ticks = fields
        .split_whitespace()
        .skip(11)
        .map(|word| word.parse::<f64>().unwrap_or(0.0) / TICKS_PER_SECOND);
    let mut next = || ticks.next().unwrap_or(0.0);
    Cpu {
        user: next(),
        system: next(),
        user_children: next(),
        system_children: next(),
    }
}

/// What the system is called.
pub fn system() -> String {
    let read = |name: &str| {
        let text = fs::read_to_string(format!("/proc/sys/kernel/{name}")).unwrap_or_default();
        text.trim().to_owned()
    };
    format!(
        "{} {} {}",
        read("ostype"),
        read("osrelease"),
        std::env::consts::ARCH
    )
}
