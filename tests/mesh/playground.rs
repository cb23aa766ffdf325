//! The playground: three masters and the page that shows the way of every write.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::client::Client;
use crate::http::ask;
use crate::support::eventually;

/// A running playground, where its page is, and where its masters are.
struct Playground {
    child: Child,
    page: u16,
    masters: Vec<u16>,
}

impl Playground {
    fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_keymesh-server"))
            .arg("playground")
            .env_clear()
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (mut page, mut masters) = (0, Vec::new());
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            if let Some((_, address)) = line.split_once("http://127.0.0.1:") {
                page = address.trim_end_matches('/').parse().unwrap();
            }
            if let Some(port) = line.trim().strip_prefix("redis-cli -p ") {
                masters.push(port.parse().unwrap());
            }
            if line.starts_with("Ctrl-C") {
                break;
            }
        }
        Self {
            child,
            page,
            masters,
        }
    }

    /// On how many nodes the page shows a write of this key, for the write that it shows on most.
    fn nodes_reached(&self, key: &str) -> usize {
        let text = ask(self.page, "GET /api/state", "", "");
        let (_, body) = text.split_once("\r\n\r\n").unwrap();
        let state: Value = serde_json::from_str(body).unwrap();
        let traces = state["traces"].as_array().unwrap().iter();
        let of_key = traces.filter(|trace| trace["spans"].to_string().contains(key));
        let nodes = of_key.map(|trace| {
            let spans = trace["spans"].as_array().unwrap().iter();
            let nodes: BTreeSet<String> = spans.map(|span| span["node"].to_string()).collect();
            nodes.len()
        });
        nodes.max().unwrap_or(0)
    }

    fn command(&self, headers: &str, text: &str) -> String {
        let body = format!("{{\"port\":{},\"text\":\"{text}\"}}", self.masters[1]);
        ask(self.page, "POST /api/command", headers, &body)
    }
}

impl Drop for Playground {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_page_shows_a_write_on_all_three_masters_and_all_end_together() {
    let mut playground = Playground::start();
    assert_eq!(playground.masters.len(), 3);
    let mut clients: Vec<Client> = playground
        .masters
        .iter()
        .map(|port| Client::connect(*port))
        .collect();
    let mut nth = 0;
    // Links may still be on their way for the first of them.
    eventually("a write is shown on three nodes", || {
        nth += 1;
        clients[0].set("looked-for", &nth.to_string());
        playground.nodes_reached("looked-for") == 3
    });
    let own = format!(
        "Host: 127.0.0.1:{}\r\nContent-Type: application/json\r\n",
        playground.page
    );
    let reply = playground.command(&own, "STRLEN looked-for");
    assert!(reply.contains("\r\n\r\n:"), "{reply}");
    for headers in [
        "Host: elsewhere\r\nContent-Type: application/json\r\n".to_owned(),
        own.replace("application/json", "text/plain"),
        format!("{own}Origin: http://elsewhere\r\n"),
    ] {
        let refused = playground.command(&headers, "FLUSHALL");
        assert!(refused.starts_with("HTTP/1.1 403"), "{refused}");
    }
    let page = ask(playground.page, "GET /", "", "");
    assert!(page.contains("<title>Keymesh playground</title>"));
    let bad = ask(playground.page, "POST /v1/traces", "", "\0\0");
    assert!(bad.starts_with("HTTP/1.1 400"), "{bad}");

    let id = playground.child.id().to_string();
    assert!(Command::new("kill").arg(id).status().unwrap().success());
    assert!(playground.child.wait().unwrap().success());
    for port in &playground.masters {
        assert!(Client::try_connect(*port).is_none(), "{port} still answers");
    }
}
