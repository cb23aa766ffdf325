//! A server in this process, and a client that compares bytes.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use keymesh_supervisors::{Backoff, Root, Slot, SupervisorSpec};
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use crate::clients::acceptor::{Acceptor, AcceptorArguments, AcceptorMessage};
use crate::clients::acl_files::load_at_start;
use crate::clients::{Configuration, Context, Listeners};
use crate::config::cli::{Invocation, parse};
use crate::config::load;
use crate::db::{Hlc, Incarnation, NodeId, Origin, Origins};
use crate::journal::Journal;
use crate::keyspace::{Keyspace, KeyspaceConfig};
use crate::replication::{
    AddMaster, LinkCounts, LinkState, MasterStatus, MeshFigures, ReplicaStatus, ReplicationControl,
};
use crate::resp::{Args, Reply};

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a link was handed: greeting and unread bytes.
type Attached = (Vec<Vec<u8>>, Vec<u8>, TcpStream);

/// Links that only remember.
#[derive(Default)]
pub struct Links {
    pub masters: Mutex<Vec<MasterStatus>>,
    pub attached: Mutex<Vec<Attached>>,
    pub killed: Mutex<Vec<Option<String>>>,
    pub acknowledged: AtomicUsize,
    pub news: Notify,
}

impl Links {
    pub fn acknowledge(&self, replicas: usize) {
        self.acknowledged.store(replicas, Ordering::SeqCst);
        self.news.notify_waiters();
    }

    pub fn set_state(&self, state: LinkState) {
        for master in self.masters.lock().iter_mut() {
            master.state = state;
        }
    }
}

impl ReplicationControl for Links {
    fn origin(&self) -> Origin {
        Origin {
            node: NodeId(0x0123),
            incarnation: Incarnation(1),
        }
    }
    fn add_master(&self, host: &str, port: u16) -> AddMaster {
        let mut masters = self.masters.lock();
        if masters
            .iter()
            .any(|master| master.host == host && master.port == port)
        {
            return AddMaster::Already;
        }
        masters.push(MasterStatus {
            host: host.to_owned(),
            port,
            state: LinkState::Connect,
            node: None,
            last_io_ms: None,
            down_ms: None,
            offset: 0,
        });
        AddMaster::Added
    }
    fn replace_masters(&self, host: &str, port: u16) -> AddMaster {
        self.masters.lock().clear();
        self.add_master(host, port)
    }
    fn remove_master(&self, host: &str, port: u16) -> bool {
        let mut masters = self.masters.lock();
        let before = masters.len();
        masters.retain(|master| master.host != host || master.port != port);
        masters.len() < before
    }
    fn clear_masters(&self) {
        self.masters.lock().clear();
    }
    fn masters(&self) -> Vec<MasterStatus> {
        self.masters.lock().clone()
    }
    fn replicas(&self) -> Vec<ReplicaStatus> {
        Vec::new()
    }
    fn acknowledged(&self, _: Hlc) -> usize {
        self.acknowledged.load(Ordering::SeqCst)
    }
    fn acknowledgement(&self) -> Notified<'_> {
        self.news.notified()
    }
    fn link_counts(&self) -> LinkCounts {
        LinkCounts {
            full: 1,
            partial: 2,
            refused: 3,
            input_bytes: 4,
            output_bytes: 5,
        }
    }
    fn kill_replicas(&self, _: Option<&str>) -> usize {
        0
    }
    fn figures(&self) -> MeshFigures {
        MeshFigures::default()
    }

    fn kill_masters(&self, address: Option<&str>) -> usize {
        self.killed.lock().push(address.map(str::to_owned));
        let masters = self.masters.lock();
        let is_one = |master: &&MasterStatus| {
            address.is_none_or(|address| address == format!("{}:{}", master.host, master.port))
        };
        masters.iter().filter(is_one).count()
    }
    fn mesh(&self, _: Args<'_>, _: u32, reply: &mut Reply) {
        reply.simple("MESH");
    }
    fn info(&self, out: &mut String) {
        out.push_str("mesh_members:1\r\n");
    }
    fn attach(&self, stream: TcpStream, _: SocketAddr, greeting: Vec<Vec<u8>>, unread: Vec<u8>) {
        self.attached.lock().push((greeting, unread, stream));
    }
    fn panic_actor(&self, name: &str) -> bool {
        name == "replica-feed 1"
    }
}

pub struct TestServer {
    pub context: Arc<Context>,
    pub links: Arc<Links>,
    pub acceptor: Slot<AcceptorMessage>,
    pub root: Root,
    address: SocketAddr,
}

impl TestServer {
    /// A server with these directives.
    pub async fn start(directives: &[&str]) -> Self {
        let words = directives.iter().map(OsString::from);
        let Invocation::Run(arguments) = parse(words).unwrap() else {
            panic!("no directives");
        };
        let settings = load(&arguments, [], std::io::empty()).unwrap();
        let origins = Arc::new(Origins::default());
        let own = origins
            .intern(Origin {
                node: NodeId(0x0123),
                incarnation: Incarnation(1),
            })
            .unwrap();
        let config = KeyspaceConfig {
            partitions: 4,
            databases: settings.databases,
            hash_seed: 1,
            stamped: settings.active_replica,
        };
        let keyspace = Keyspace::new(config, origins, Journal::new(own, Hlc::ZERO, 1 << 20));
        let links = Arc::new(Links::default());
        for master in &settings.replicaof {
            links.add_master(&master.host, master.port);
        }
        let declared = settings.lines("user");
        let context = Arc::new(Context::new(
            Arc::new(keyspace),
            Arc::<Links>::clone(&links),
            Arc::new(Configuration::new(settings)),
        ));
        load_at_start(&context, &declared).unwrap();
        let listeners = Arc::new(Listeners::bind_any_port().unwrap());
        let address = listeners.subscribe().borrow()[0].local_addr().unwrap();
        let acceptor = Slot::new();
        let arguments = AcceptorArguments {
            context: Arc::clone(&context),
            listeners,
        };
        let backoff = Backoff::new(Duration::from_millis(1), Duration::from_millis(2)).unwrap();
        let spec = Acceptor::spec(arguments, acceptor.clone()).backoff(backoff);
        let root = SupervisorSpec::new("clients")
            .child(spec)
            .spawn()
            .await
            .unwrap();
        Self {
            context,
            links,
            acceptor,
            root,
            address,
        }
    }

    pub async fn connect(&self) -> TestClient {
        let stream = TcpStream::connect(self.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        TestClient { stream }
    }
}

pub struct TestClient {
    pub stream: TcpStream,
}

impl TestClient {
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Reads as many bytes as are expected and compares.
    pub async fn expect(&mut self, expected: impl AsRef<[u8]>) {
        let expected = expected.as_ref();
        let mut read = vec![0; expected.len()];
        let mut filled = 0;
        while filled < read.len() {
            let reading = self.stream.read(&mut read[filled..]);
            let count = tokio::time::timeout(PATIENCE, reading).await;
            let count = match count {
                Ok(Ok(count)) if count > 0 => count,
                other => panic!(
                    "{other:?} after {:?}",
                    read[..filled].escape_ascii().to_string()
                ),
            };
            filled += count;
            assert_eq!(
                read[..filled].escape_ascii().to_string(),
                expected[..filled].escape_ascii().to_string()
            );
        }
    }

    /// Sends an inline command and compares the reply.
    pub async fn check(&mut self, command: &str, expected: &str) {
        self.send(format!("{command}\r\n")).await;
        self.expect(expected).await;
    }

    /// Sends an inline command and returns one bulk string.
    pub async fn bulk(&mut self, command: &str) -> String {
        self.send(format!("{command}\r\n")).await;
        let header = self.line().await;
        let len: usize = header[1..].parse().unwrap();
        let mut text = vec![0; len + 2];
        self.stream.read_exact(&mut text).await.unwrap();
        text.truncate(len);
        String::from_utf8(text).unwrap()
    }

    /// One line without its ending.
    pub async fn line(&mut self) -> String {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            let byte = tokio::time::timeout(PATIENCE, self.stream.read_u8());
            line.push(byte.await.unwrap().unwrap());
        }
        String::from_utf8(line[..line.len() - 2].to_vec()).unwrap()
    }

    /// The server closes without another byte.
    pub async fn expect_closed(&mut self) {
        let mut rest = Vec::new();
        let end = tokio::time::timeout(PATIENCE, self.stream.read_to_end(&mut rest));
        // A reset is an end as well.
        let _ = end.await.expect("the connection is still open");
        assert_eq!(rest.escape_ascii().to_string(), "");
    }
}

/// Waits until something is so.
pub async fn eventually(mut is_so: impl FnMut() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting)
        .await
        .expect("it never was so");
}

impl TestClient {
    /// Sends an inline command; none where the reply is null.
    pub async fn bulk_or_null(&mut self, command: &str) -> Option<String> {
        self.send(format!("{command}\r\n")).await;
        let header = self.line().await;
        if header == "$-1" {
            return None;
        }
        Some(self.line().await)
    }
}
