//! The sockets that are listened on. They are bound loudly and held by the acceptor's spec: an acceptor that is started
//! again accepts from the same sockets, and who knocked meanwhile waits in the system's queue. CONFIG SET may bind others in their
//! place; where that fails, the old ones stay or are bound again.

use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};

use tokio::sync::watch;

use crate::config::{BindAddress, Options};

/// Why the server cannot listen. The text follows Redis's log line, and no part of it is an error of its own: whoever shows an
/// error with its causes shows it once.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// A TCP address.
    #[error("Could not create server TCP listening socket {address}:{port}: bind: {reason}")]
    Tcp {
        /// As configured.
        address: String,
        /// As configured.
        port: u16,
        /// What the system says.
        reason: PlainError,
    },
    /// A unix socket.
    #[error("Failed opening Unix socket {path}: bind: {reason}")]
    Unix {
        /// As configured.
        path: PathBuf,
        /// What the system says.
        reason: PlainError,
    },
    /// Neither a port nor a unix socket.
    #[error("Configured to not listen anywhere, exiting.")]
    Nowhere,
}

impl ListenError {
    fn is_in_use(&self) -> bool {
        matches!(self, Self::Tcp { reason, .. } if reason.0.kind() == io::ErrorKind::AddrInUse)
    }
}

/// A system error in the system's words, without its number.
#[derive(Debug, thiserror::Error)]
#[error("{}", plain_text(.0))]
pub struct PlainError(pub io::Error);

fn plain_text(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}

/// TCP sockets, not blocking.
pub type TcpListeners = Arc<Vec<TcpListener>>;

/// See the head of the file.
#[derive(Debug, Default)]
pub struct Listeners {
    tcp: watch::Sender<TcpListeners>,
    /// A unix socket, not blocking.
    pub unix: Option<UnixListener>,
    unix_path: Option<PathBuf>,
}

impl Listeners {
    /// Binds what the options say; port 0 means no TCP.
    pub fn bind(options: &Options) -> Result<Self, ListenError> {
        let mut listeners = Self::default();
        if options.port != 0 {
            let bound = bind_tcp(&options.bind, options.port, options.tcp_backlog)?;
            listeners.tcp.send_replace(Arc::new(bound));
        }
        if let Some(path) = &options.unixsocket {
            listeners.bind_unix(path, options.unixsocketperm)?;
        }
        if listeners.tcp.borrow().is_empty() && listeners.unix.is_none() {
            return Err(ListenError::Nowhere);
        }
        Ok(listeners)
    }

    /// Binds one loopback socket on a port that the system chooses.
    pub fn bind_any_port() -> Result<Self, ListenError> {
        let listeners = Self::default();
        let address = BindAddress::from("127.0.0.1".to_owned());
        let bound = bind_tcp(&[address], 0, 511)?;
        listeners.tcp.send_replace(Arc::new(bound));
        Ok(listeners)
    }

    /// The port of the first TCP socket, 0 for none.
    pub fn port(&self) -> u16 {
        let tcp = self.tcp.borrow();
        tcp.first()
            .and_then(|listener| listener.local_addr().ok())
            .map_or(0, |address| address.port())
    }

    /// The TCP sockets now, and word of others.
    pub fn subscribe(&self) -> watch::Receiver<TcpListeners> {
        self.tcp.subscribe()
    }

    /// Listens where the second options say instead of where the first ones say.
    pub fn rebind(&self, before: &Options, after: &Options) -> Result<(), ListenError> {
        let bind = |options: &Options| match options.port {
            0 => Ok(Vec::new()),
            port => bind_tcp(&options.bind, port, options.tcp_backlog),
        };
        let bound = match bind(after) {
            // Perhaps it is this server that is in the way.
            Err(error) if error.is_in_use() && before.port == after.port => {
                self.close_tcp();
                bind(after)
            }
            bound => bound,
        };
        match bound {
            Ok(bound) => {
                self.close_tcp();
                self.tcp.send_replace(Arc::new(bound));
                Ok(())
            }
            Err(error) => {
                if self.tcp.borrow().is_empty() {
                    match bind(before) {
                        Ok(bound) => drop(self.tcp.send_replace(Arc::new(bound))),
                        Err(error) => tracing::error!("{error}"),
                    }
                }
                Err(error)
            }
        }
    }

    /// Ends listening at once, also for those that have copies of the sockets.
    fn close_tcp(&self) {
        for listener in self.tcp.send_replace(Arc::default()).iter() {
            // One that is closed already listens no more, either.
            let _ = SockRef::from(listener).shutdown(std::net::Shutdown::Both);
        }
    }

    fn bind_unix(&mut self, path: &Path, permissions: u32) -> Result<(), ListenError> {
        let failed = |source| ListenError::Unix {
            path: path.to_owned(),
            reason: PlainError(source),
        };
        // A socket file that a crashed server left is in the way.
        let _ = std::fs::remove_file(path);
        let listener = UnixListener::bind(path).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        if permissions != 0 {
            let permissions = std::fs::Permissions::from_mode(permissions);
            std::fs::set_permissions(path, permissions).map_err(failed)?;
        }
        self.unix = Some(listener);
        self.unix_path = Some(path.to_owned());
        Ok(())
    }
}

impl Drop for Listeners {
    fn drop(&mut self) {
        if let Some(path) = &self.unix_path {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Binds the /metrics endpoint; none where it is off.
pub fn bind_metrics(options: &Options) -> Result<Option<TcpListener>, ListenError> {
    if options.metrics_port == 0 {
        return Ok(None);
    }
    let address = BindAddress::from(options.metrics_bind.clone());
    let bound = bind_tcp(&[address], options.metrics_port, options.tcp_backlog)?;
    Ok(bound.into_iter().next())
}

fn bind_tcp(
    addresses: &[BindAddress],
    port: u16,
    backlog: u32,
) -> Result<Vec<TcpListener>, ListenError> {
    let mut bound = Vec::new();
    for address in addresses {
        match bind_address(address.host(), port, backlog) {
            Ok(listener) => bound.push(listener),
            Err(source) if is_missing(address, &source) => {
                tracing::debug!(address = address.address, %source, "not listening there");
            }
            Err(source) => {
                return Err(ListenError::Tcp {
                    address: address.address.clone(),
                    port,
                    reason: PlainError(source),
                });
            }
        }
    }
    Ok(bound)
}

/// Whether a system without this address is fine.
fn is_missing(address: &BindAddress, error: &io::Error) -> bool {
    let is_absent = matches!(
        error.kind(),
        io::ErrorKind::AddrNotAvailable | io::ErrorKind::Unsupported
    );
    address.optional && (is_absent || error.raw_os_error() == Some(AF_NOT_SUPPORTED))
}

/// Linux's EAFNOSUPPORT: no IPv6 here.
const AF_NOT_SUPPORTED: i32 = 97;

fn bind_address(host: &str, port: u16, backlog: u32) -> io::Result<TcpListener> {
    let address: SocketAddr = (host, port)
        .to_socket_addrs()?
        .next()
        .ok_or_else(|| io::Error::from(io::ErrorKind::AddrNotAvailable))?;
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(i32::try_from(backlog).unwrap_or(i32::MAX))?;
    Ok(socket.into())
}

/// What every accepted TCP connection gets.
pub(super) fn tune(stream: &tokio::net::TcpStream, keepalive: Option<Duration>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    if let Some(time) = keepalive {
        let interval = (time / 3).max(Duration::from_secs(1));
        let keepalive = TcpKeepalive::new()
            .with_time(time)
            .with_interval(interval)
            .with_retries(3);
        SockRef::from(stream).set_tcp_keepalive(&keepalive)?;
    }
    Ok(())
}
