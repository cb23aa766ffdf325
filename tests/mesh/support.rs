//! Meshes of daemons whose links go through proxies, and the one way to wait.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::client::{Client, Value};
use crate::daemon::{Daemon, free_port};
use crate::proxy::Proxy;

/// How long anything may take before the test fails. Far above what it takes: machines are busy at times.
const PATIENCE: Duration = Duration::from_secs(20);
/// Several times what a link takes to act on a route that has moved.
const QUIET: Duration = Duration::from_millis(250);
const POLL: Duration = Duration::from_millis(5);

/// Polls until it is so.
pub fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "never: {what}");
        thread::sleep(POLL);
    }
}

/// The options of every master here.
pub const MASTER: &[&str] = &[
    "--active-replica",
    "yes",
    "--multi-master",
    "yes",
    "--enable-debug-command",
    "yes",
    "--link-backoff-initial-ms",
    "20",
    "--link-backoff-max-ms",
    "200",
];

/// Masters and the links between them.
pub struct Mesh {
    pub nodes: Vec<Daemon>,
    /// By reader and master.
    pub links: BTreeMap<(usize, usize), Proxy>,
}

impl Mesh {
    /// Every master reads from every other.
    pub fn full(count: usize) -> Self {
        Self::full_with(count, &[])
    }

    pub fn full_with(count: usize, options: &[&str]) -> Self {
        let edges = (0..count).flat_map(|a| (a + 1..count).map(move |b| (a, b)));
        Self::start(count, &edges.collect::<Vec<_>>(), options)
    }

    pub fn ring(count: usize) -> Self {
        let edges: Vec<_> = (0..count).map(|a| (a, (a + 1) % count)).collect();
        Self::start(count, &edges, &[])
    }

    pub fn line(count: usize) -> Self {
        let edges: Vec<_> = (1..count).map(|b| (b - 1, b)).collect();
        Self::start(count, &edges, &[])
    }

    /// The first is in the middle.
    pub fn star(count: usize) -> Self {
        let edges: Vec<_> = (1..count).map(|b| (0, b)).collect();
        Self::start(count, &edges, &[])
    }

    /// Both ends of an edge read from each other. `%first%` in an option is the first node's port. Waits until everybody is established and every link is up.
    pub fn start(count: usize, edges: &[(usize, usize)], options: &[&str]) -> Self {
        let ports: Vec<u16> = (0..count).map(|_| free_port()).collect();
        let links: BTreeMap<_, _> = edges
            .iter()
            .flat_map(|&(a, b)| [(a, b), (b, a)])
            .map(|(reader, master)| ((reader, master), Proxy::start(ports[master])))
            .collect();
        let start = &|node: usize| {
            let mut arguments: Vec<String> = MASTER
                .iter()
                .chain(options)
                .map(|word| word.replace("%first%", &ports[0].to_string()))
                .collect();
            for (_, link) in links.range((node, 0)..(node + 1, 0)) {
                arguments.extend(["--replicaof", "127.0.0.1"].map(str::to_owned));
                arguments.push(link.port.to_string());
            }
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            Daemon::start_at(ports[node], &arguments)
        };
        let nodes = thread::scope(|scope| {
            let starting: Vec<_> = (0..count)
                .map(|node| scope.spawn(move || start(node)))
                .collect::<Vec<_>>();
            starting
                .into_iter()
                .map(|started| started.join().unwrap())
                .collect()
        });
        let mesh = Self { nodes, links };
        mesh.wait_until_whole();
        mesh
    }

    pub fn clients(&self) -> Vec<Client> {
        self.nodes.iter().map(Daemon::client).collect()
    }

    /// Every master knows all, is established, and has all its links up.
    pub fn wait_until_whole(&self) {
        let mut clients = self.clients();
        let count = self.nodes.len().to_string();
        eventually("the mesh is whole", || {
            clients.iter_mut().enumerate().all(|(node, client)| {
                let info = client.info();
                let entries = self.links.range((node, 0)..(node + 1, 0)).count();
                let connected = info.get("connected_masters").map_or("0", String::as_str);
                info["mesh_established"] == "1"
                    && info["mesh_members"] == count
                    && connected == entries.to_string()
            })
        });
    }

    /// Every origin's records come from that origin's own node, and no route has moved for a while: a link looks for what it has to
    /// ask for twenty times a second, and until it has told its master, records still come the old way too.
    pub fn wait_until_direct(&self) {
        let (mut clients, mut before) = (self.clients(), Vec::new());
        let mut since = Instant::now();
        eventually("all routes are direct and rest", || {
            let routes: Vec<Value> = clients
                .iter_mut()
                .map(|client| client.call("MESH ROUTES"))
                .collect();
            let is_direct = routes.iter().all(|routes| {
                let routes = routes.array();
                let mut fields = routes.iter().filter_map(|route| route.array().last());
                routes.len() + 1 == self.nodes.len()
                    && fields.all(|direct| *direct == Value::Integer(1))
            });
            if !is_direct || routes != before {
                before = routes;
                since = Instant::now();
            }
            since.elapsed() > QUIET
        });
    }

    /// Both directions.
    pub fn cut(&self, a: usize, b: usize) {
        self.links[&(a, b)].cut();
        self.links[&(b, a)].cut();
    }

    pub fn heal(&self, a: usize, b: usize) {
        self.links[&(a, b)].heal();
        self.links[&(b, a)].heal();
    }

    /// All links of a node.
    pub fn isolate(&self, node: usize) {
        self.each_link_of(node, Proxy::cut);
    }

    pub fn rejoin(&self, node: usize) {
        self.each_link_of(node, Proxy::heal);
    }

    pub fn each_link_of(&self, node: usize, act: impl Fn(&Proxy)) {
        for ((a, b), link) in &self.links {
            if *a == node || *b == node {
                act(link);
            }
        }
    }

    /// The edges, each once.
    pub fn edges(&self) -> Vec<(usize, usize)> {
        let edges = self.links.keys().copied();
        edges.filter(|(a, b)| a < b).collect()
    }

    /// All masters hold the same, and all that was written before this call has arrived everywhere.
    pub fn wait_until_equal(&self) {
        self.wait_for_markers(&(0..self.nodes.len()).collect::<Vec<_>>());
        let mut clients = self.clients();
        eventually("all masters hold the same", || {
            let digests: BTreeSet<String> = clients
                .iter_mut()
                .map(|client| client.call("MESH DIGEST").text().to_owned())
                .collect();
            digests.len() == 1
        });
    }

    /// A write on each of these arrives at the others of them: and with it everything that the same node wrote before.
    pub fn wait_for_markers(&self, group: &[usize]) {
        static ROUND: AtomicUsize = AtomicUsize::new(0);
        let round = ROUND.fetch_add(1, Ordering::Relaxed);
        let mut clients: Vec<(usize, Client)> = group
            .iter()
            .map(|&node| (node, self.nodes[node].client()))
            .collect();
        for (node, client) in &mut clients {
            client.set(&format!("marker:{round}:{node}"), "here");
        }
        for (node, client) in &mut clients {
            for from in group {
                let key = format!("marker:{round}:{from}");
                eventually(&format!("{key} is at {node}"), || {
                    client.get(&key).is_some()
                });
            }
        }
    }

    /// A number of INFO, of each node.
    pub fn numbers(&self, name: &str) -> Vec<i64> {
        self.clients()
            .iter_mut()
            .map(|client| client.info_number(name))
            .collect()
    }

    /// All of `keys` hold their own name at this node.
    pub fn assert_present(&self, node: usize, keys: &[String]) {
        let held = present(&mut self.nodes[node].client(), keys);
        let missing: Vec<&String> = keys.iter().filter(|key| !held.contains(*key)).collect();
        assert!(missing.is_empty(), "{node} lacks {missing:?}");
    }

    /// Each of these nodes gets `count` writes from a client of its own, all at the same time; meanwhile `meanwhile` runs, which is
    /// told how far the slowest client is. Gives the keys that were acknowledged, by node: each holds its own name. A client whose
    /// server dies stops.
    pub fn load(
        &self,
        nodes: &[usize],
        prefix: &str,
        count: usize,
        meanwhile: impl FnOnce(&dyn Fn() -> usize),
    ) -> BTreeMap<usize, Vec<String>> {
        let progress: Vec<AtomicUsize> = nodes.iter().map(|_| AtomicUsize::new(0)).collect();
        let slowest = || {
            let done = progress.iter().map(|done| done.load(Ordering::Relaxed));
            done.min().unwrap_or(count)
        };
        thread::scope(|scope| {
            let mut writing = Vec::new();
            for (node, progress) in nodes.iter().zip(&progress) {
                let mut client = self.nodes[*node].client();
                let work = move || {
                    let mut acknowledged = Vec::new();
                    for number in 0..count {
                        let key = format!("{prefix}:{node}:{number}");
                        match client.try_call(&format!("SET {key} {key}")) {
                            Ok(Value::Simple(_)) => acknowledged.push(key),
                            Ok(other) => panic!("SET {key}: {other:?}"),
                            Err(_) => break,
                        }
                        progress.store(number + 1, Ordering::Relaxed);
                    }
                    progress.store(count, Ordering::Relaxed);
                    (*node, acknowledged)
                };
                writing.push(scope.spawn(work));
            }
            meanwhile(&slowest);
            writing
                .into_iter()
                .map(|writer| writer.join().unwrap())
                .collect()
        })
    }
}

/// Which of these keys hold their own name there.
pub fn present(client: &mut Client, keys: &[String]) -> BTreeSet<String> {
    let commands: Vec<Vec<String>> = keys
        .iter()
        .map(|key| vec!["GET".to_owned(), key.clone()])
        .collect();
    keys.iter()
        .zip(client.pipeline(&commands))
        .filter(|(key, value)| matches!(value, Value::Bulk(text) if text == *key))
        .map(|(key, _)| key.clone())
        .collect()
}
