//! The socket of a client: TCP or unix.

use std::io::{self, ErrorKind};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll};

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

/// See the head of the file.
#[derive(Debug)]
pub enum Wire {
    /// Over TCP.
    Tcp(TcpStream),
    /// Over a unix socket.
    Unix(UnixStream),
}

impl Wire {
    /// Reads what is there.
    #[inline]
    pub fn poll_read(&mut self, cx: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut room = ReadBuf::new(room);
        let polled = match self {
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, &mut room),
            Self::Unix(stream) => Pin::new(stream).poll_read(cx, &mut room),
        };
        polled.map_ok(|()| room.filled().len())
    }

    /// Writes what the socket takes.
    #[inline]
    pub fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Tcp(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Unix(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    /// Completes when the other side has closed. Once bytes are waiting, that cannot be seen any more.
    pub fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let stream = match self {
            Self::Tcp(stream) => {
                let mut byte = [0];
                return match stream.poll_peek(cx, &mut ReadBuf::new(&mut byte)) {
                    Poll::Ready(Ok(0) | Err(_)) => Poll::Ready(()),
                    _ => Poll::Pending,
                };
            }
            Self::Unix(stream) => stream,
        };
        loop {
            match stream.poll_read_ready(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
            let mut byte = [MaybeUninit::uninit()];
            let peek = || SockRef::from(&*stream).peek(&mut byte);
            match stream.try_io(Interest::READABLE, peek) {
                Ok(count) if count > 0 => return Poll::Pending,
                // It was ready no more, which the runtime knows now.
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                _ => return Poll::Ready(()),
            }
        }
    }

    /// Says one thing and closes, without waiting.
    pub fn refuse(self, why: &[u8]) {
        use std::io::Write as _;
        match self {
            Self::Tcp(stream) => {
                if let Ok(mut stream) = stream.into_std() {
                    let _ = stream.write(why);
                    let _ = stream.shutdown(std::net::Shutdown::Write);
                }
            }
            Self::Unix(stream) => {
                if let Ok(mut stream) = stream.into_std() {
                    let _ = stream.write(why);
                    let _ = stream.shutdown(std::net::Shutdown::Write);
                }
            }
        }
    }

    /// Ends the sending side, and reads away what has arrived, so that closing does not make the other side's system throw the last
    /// reply away.
    pub fn say_goodbye(self) {
        let mut sink = [0; 4096];
        match self {
            Self::Tcp(stream) => {
                if let Ok(stream) = stream.into_std() {
                    let _ = stream.shutdown(std::net::Shutdown::Write);
                    drain(&stream, &mut sink);
                }
            }
            Self::Unix(stream) => {
                if let Ok(stream) = stream.into_std() {
                    let _ = stream.shutdown(std::net::Shutdown::Write);
                    drain(&stream, &mut sink);
                }
            }
        }
    }
}

/// How much is read away at most.
const GOODBYE_LEN: usize = 1024 * 1024;

fn drain(mut stream: impl io::Read, sink: &mut [u8]) {
    let mut read = 0;
    while read < GOODBYE_LEN {
        match stream.read(sink) {
            Ok(count) if count > 0 => read += count,
            _ => return,
        }
    }
}
