//! A link that can be cut: a TCP proxy in front of one server, for one reader of it.
//!
//! *Cut* drops its connections and lets no new one live; *stalled*, it holds connections open and forwards nothing, as a network
//! does that swallows packets; *open*, it forwards. Bytes that were read and not yet forwarded when it is cut are lost.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use crate::forgetful::Forgetful;

/// Read at once.
const CHUNK: usize = 16 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Open,
    Cut,
    Stalled,
    Over,
}

struct Shared {
    target: u16,
    mode: Mutex<Mode>,
    changed: Condvar,
    streams: Mutex<Vec<TcpStream>>,
    /// Towards the server, and from it.
    bytes: [AtomicU64; 2],
    loses_contexts: AtomicBool,
    lost_contexts: AtomicU64,
}

/// See the head of the file.
pub struct Proxy {
    pub port: u16,
    shared: Arc<Shared>,
}

impl Proxy {
    /// In front of a server at this port, which need not run yet.
    pub fn start(target: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            target,
            mode: Mutex::new(Mode::Open),
            changed: Condvar::new(),
            streams: Mutex::default(),
            bytes: Default::default(),
            loses_contexts: AtomicBool::new(false),
            lost_contexts: AtomicU64::new(0),
        });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || accepting.accept(&listener));
        Self { port, shared }
    }

    pub fn cut(&self) {
        self.shared.set(Mode::Cut);
    }

    pub fn stall(&self) {
        self.shared.set(Mode::Stalled);
    }

    pub fn heal(&self) {
        self.shared.set(Mode::Open);
    }

    /// From its next connection on, the records' trace contexts are lost here.
    pub fn lose_contexts(&self) {
        self.shared.loses_contexts.store(true, Ordering::Relaxed);
    }

    /// How many contexts were lost here.
    pub fn lost_contexts(&self) -> u64 {
        self.shared.lost_contexts.load(Ordering::Relaxed)
    }

    /// Bytes that the server has sent through here.
    pub fn bytes_from_server(&self) -> u64 {
        self.shared.bytes[1].load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.set(Mode::Over);
        // Wakes the thread that accepts; where that fails it has ended.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

impl Shared {
    fn set(&self, mode: Mode) {
        *self.mode.lock().unwrap() = mode;
        self.changed.notify_all();
        if matches!(mode, Mode::Cut | Mode::Over) {
            for stream in self.streams.lock().unwrap().drain(..) {
                // The other side may have hung up already.
                let _ = stream.shutdown(Shutdown::Both);
            }
        }
    }

    fn mode(&self) -> Mode {
        *self.mode.lock().unwrap()
    }

    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        for reader in listener.incoming() {
            let Ok(reader) = reader else { continue };
            match self.mode() {
                Mode::Over => return,
                Mode::Cut => continue,
                Mode::Open | Mode::Stalled => {}
            }
            let Ok(server) = TcpStream::connect(("127.0.0.1", self.target)) else {
                continue;
            };
            let copy = |stream: &TcpStream| stream.try_clone().unwrap();
            for stream in [&reader, &server] {
                stream.set_nodelay(true).unwrap();
            }
            {
                // Under the lock: a cut sees this connection either here or in the mode.
                let mut streams = self.streams.lock().unwrap();
                if self.mode() == Mode::Cut {
                    continue;
                }
                streams.retain(|stream| stream.peer_addr().is_ok());
                streams.extend([copy(&reader), copy(&server)]);
            }
            for (direction, from, to) in [(0, copy(&reader), copy(&server)), (1, server, reader)] {
                let shared = Arc::clone(self);
                thread::spawn(move || shared.forward(direction, from, to));
            }
        }
    }

    fn forward(&self, direction: usize, mut from: TcpStream, mut to: TcpStream) {
        let mut bytes = vec![0; CHUNK];
        let loses = direction == 1 && self.loses_contexts.load(Ordering::Relaxed);
        let mut forgetful = loses.then(Forgetful::default);
        loop {
            let mut mode = self.mode.lock().unwrap();
            while *mode == Mode::Stalled {
                mode = self.changed.wait(mode).unwrap();
            }
            drop(mode);
            let Ok(count @ 1..) = from.read(&mut bytes) else {
                break;
            };
            let mut mode = self.mode.lock().unwrap();
            while *mode == Mode::Stalled {
                mode = self.changed.wait(mode).unwrap();
            }
            let is_open = *mode == Mode::Open;
            drop(mode);
            let written = match &mut forgetful {
                Some(forgetful) => {
                    let rest = forgetful.pass(&bytes[..count]);
                    let lost = std::mem::take(&mut forgetful.lost);
                    self.lost_contexts.fetch_add(lost, Ordering::Relaxed);
                    is_open && to.write_all(&rest).is_ok()
                }
                None => is_open && to.write_all(&bytes[..count]).is_ok(),
            };
            if !written {
                break;
            }
            self.bytes[direction].fetch_add(count as u64, Ordering::Relaxed);
        }
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    }
}
