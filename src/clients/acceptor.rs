//! The acceptor: an actor that owns the tasks which accept connections. Sessions are tasks of their own, so that an acceptor that
//! panics, is killed or is started again costs no client its connection.

use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use keymesh_supervisors::{ChildSpec, Slot};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::task::{AbortHandle, JoinSet};

use crate::clients::context::Context;
use crate::clients::listener::{Listeners, tune};
use crate::clients::registry::Registered;
use crate::clients::session::serve;
use crate::clients::wire::Wire;
use crate::clients::{errors, janitor, soft_shutdown};

/// How long accepting pauses after an error such as too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// See the head of the file.
#[derive(Debug)]
pub struct Acceptor;

/// What an acceptor is made from; held by its spec and shared by all its lives.
#[derive(Debug, Clone)]
pub struct AcceptorArguments {
    /// What sessions share.
    pub context: Arc<Context>,
    /// Where connections come from.
    pub listeners: Arc<Listeners>,
}

/// What an acceptor is told.
#[derive(Debug)]
pub enum AcceptorMessage {
    /// A task that accepts has ended: a bug, so that the actor fails and is started again.
    Ended,
    /// For tests: panics.
    Panic,
}

/// The tasks of one life of the acceptor; dropping it ends them.
#[derive(Debug, Default)]
pub struct AcceptTasks(Vec<AbortHandle>);

impl Drop for AcceptTasks {
    fn drop(&mut self) {
        for task in &self.0 {
            task.abort();
        }
    }
}

impl Acceptor {
    /// The acceptor as a child of a supervisor.
    pub fn spec(arguments: AcceptorArguments, slot: Slot<AcceptorMessage>) -> ChildSpec {
        ChildSpec::in_slot("acceptor", slot, move || (Self, arguments.clone()))
    }
}

impl Actor for Acceptor {
    type Msg = AcceptorMessage;
    type State = AcceptTasks;
    type Arguments = AcceptorArguments;

    async fn pre_start(
        &self,
        myself: ActorRef<AcceptorMessage>,
        arguments: AcceptorArguments,
    ) -> Result<AcceptTasks, ActorProcessingErr> {
        let AcceptorArguments { context, listeners } = arguments;
        context.port.store(listeners.port(), Ordering::Relaxed);
        let mut tasks = AcceptTasks::default();
        let accepting = accept_all(Arc::clone(&context), Arc::clone(&listeners));
        tasks.watch(&myself, accepting);
        if let Some(listener) = &listeners.unix {
            let listener = UnixListener::from_std(listener.try_clone()?)?;
            tasks.watch(&myself, accept_unix(Arc::clone(&context), listener));
        }
        tasks.watch(&myself, janitor::run(context));
        Ok(tasks)
    }

    async fn handle(
        &self,
        _: ActorRef<AcceptorMessage>,
        message: AcceptorMessage,
        _: &mut AcceptTasks,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            AcceptorMessage::Ended => Err("a task of the acceptor ended".into()),
            AcceptorMessage::Panic => panic!("asked to panic"),
        }
    }
}

impl AcceptTasks {
    /// Starts a task whose end the actor is told about.
    fn watch(
        &mut self,
        myself: &ActorRef<AcceptorMessage>,
        work: impl Future<Output = ()> + Send + 'static,
    ) {
        let actor = myself.clone();
        let task = tokio::spawn(work);
        self.0.push(task.abort_handle());
        let watcher = tokio::spawn(async move {
            let _ = task.await;
            let _ = actor.cast(AcceptorMessage::Ended);
        });
        self.0.push(watcher.abort_handle());
    }
}

/// Accepts from all TCP sockets there are, and from others as soon as there are others. Ends where that cannot be done.
async fn accept_all(context: Arc<Context>, listeners: Arc<Listeners>) {
    let mut news = listeners.subscribe();
    loop {
        let mut tasks = JoinSet::new();
        for listener in news.borrow_and_update().iter() {
            let copied = listener.try_clone().and_then(TcpListener::from_std);
            match copied {
                Ok(listener) => {
                    tasks.spawn(accept_tcp(Arc::clone(&context), listener));
                }
                Err(error) => {
                    tracing::error!(%error, "a listening socket could not be used");
                    return;
                }
            }
        }
        context.port.store(listeners.port(), Ordering::Relaxed);
        tokio::select! {
            changed = news.changed() => if changed.is_err() {
                return;
            },
            Some(_) = tasks.join_next() => return,
        }
    }
}

async fn accept_tcp(context: Arc<Context>, listener: TcpListener) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => enter_tcp(&context, stream, peer),
            // Not listening any more: another socket takes its place, and this task ends.
            Err(error) if error.kind() == std::io::ErrorKind::InvalidInput => {
                std::future::pending::<()>().await;
            }
            Err(error) => pause_after(&error).await,
        }
    }
}

async fn accept_unix(context: Arc<Context>, listener: UnixListener) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => enter_unix(&context, stream),
            Err(error) => pause_after(&error).await,
        }
    }
}

async fn pause_after(error: &std::io::Error) {
    if matches!(
        error.kind(),
        std::io::ErrorKind::ConnectionAborted | std::io::ErrorKind::Interrupted
    ) {
        return;
    }
    tracing::warn!(%error, "accepting a connection failed");
    tokio::time::sleep(ACCEPT_PAUSE).await;
}

fn enter_tcp(context: &Arc<Context>, stream: TcpStream, peer: SocketAddr) {
    let options = context.configuration.options();
    if let Err(error) = tune(&stream, options.tcp_keepalive) {
        tracing::debug!(%peer, %error, "the connection was gone before it began");
        return;
    }
    if context.soft_shutdown.is_pending() {
        tokio::spawn(enter_while_ending(Arc::clone(context), stream, peer));
    } else {
        enter_tuned(context, stream, peer);
    }
}

/// While a soft shutdown is on: only those come in that read what is still written.
async fn enter_while_ending(context: Arc<Context>, stream: TcpStream, peer: SocketAddr) {
    if soft_shutdown::is_link(&stream).await {
        enter_tuned(&context, stream, peer);
    } else {
        refuse(&context, Wire::Tcp(stream), soft_shutdown::REFUSED);
    }
}

fn enter_tuned(context: &Arc<Context>, stream: TcpStream, peer: SocketAddr) {
    let options = context.configuration.options();
    let local = stream
        .local_addr()
        .map_or_else(|_| "?:0".to_owned(), |address| address.to_string());
    let registered = context.clients.enter(
        options.maxclients,
        Some(peer),
        peer.to_string(),
        local,
        stream.as_raw_fd(),
        context.now(),
    );
    let Some(registered) = registered else {
        refuse(context, Wire::Tcp(stream), errors::MAX_CLIENTS);
        return;
    };
    let is_open = !context.users.default_account().user().has_no_pass() || !options.protected_mode;
    if !is_open && !registered.client.is_local() {
        refuse(context, Wire::Tcp(stream), errors::PROTECTED);
        return;
    }
    start(context, Wire::Tcp(stream), registered);
}

fn enter_unix(context: &Arc<Context>, stream: UnixStream) {
    if context.soft_shutdown.is_pending() {
        return refuse(context, Wire::Unix(stream), soft_shutdown::REFUSED);
    }
    let options = context.configuration.options();
    let path = options
        .unixsocket
        .as_ref()
        .map_or_else(String::new, |path| path.display().to_string());
    let registered = context.clients.enter(
        options.maxclients,
        None,
        format!("{path}:0"),
        format!("{path}:0"),
        stream.as_raw_fd(),
        context.now(),
    );
    match registered {
        Some(registered) => start(context, Wire::Unix(stream), registered),
        None => refuse(context, Wire::Unix(stream), errors::MAX_CLIENTS),
    }
}

fn start(context: &Arc<Context>, wire: Wire, registered: Registered) {
    context
        .statistics
        .connections
        .fetch_add(1, Ordering::Relaxed);
    let context = Arc::clone(context);
    let clients = Arc::clone(&context.clients);
    clients.tasks.spawn(serve(context, wire, registered));
}

/// Says why and closes. Nobody waits for a client that is not served: what the socket does not take at once is lost.
fn refuse(context: &Context, wire: Wire, why: &[u8]) {
    context
        .statistics
        .rejected_connections
        .fetch_add(1, Ordering::Relaxed);
    wire.refuse(why);
}
