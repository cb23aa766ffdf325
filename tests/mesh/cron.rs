//! KEYDB.CRON among masters: a job is one value everywhere, and runs at one of them.

use std::time::{Duration, Instant};

use crate::client::Value;
use crate::support::{Mesh, eventually};

fn ok() -> Value {
    Value::Simple("OK".to_owned())
}

#[test]
fn a_job_runs_once_in_the_mesh_and_its_effects_are_everywhere() {
    let mesh = Mesh::full(3);
    let mut clients = mesh.clients();
    for (node, client) in clients.iter_mut().enumerate() {
        let name = format!("job{node}");
        let script = "redis.call('rpush',KEYS[1],ARGV[1])";
        let who = node.to_string();
        let call = [
            "KEYDB.CRON",
            &name,
            "single",
            "0",
            "50",
            script,
            "1",
            "ran",
            &who,
        ];
        assert_eq!(client.call_words(&call), ok());
    }
    eventually("all have run", || {
        clients.iter_mut().all(|client| {
            let gone = (0..3).all(|node| client.call(&format!("EXISTS job{node}")).integer() == 0);
            gone && client.call("LLEN ran").integer() == 3
        })
    });
    mesh.wait_until_equal();
    for client in &mut clients {
        let mut ran: Vec<String> = client
            .call("LRANGE ran 0 -1")
            .array()
            .iter()
            .map(|who| who.text().to_owned())
            .collect();
        ran.sort();
        assert_eq!(ran, ["0", "1", "2"], "each once");
    }
}

#[test]
fn a_job_that_is_deleted_at_another_master_stops_and_one_overwritten_there_moves() {
    let mesh = Mesh::full(2);
    let (mut one, mut two) = (mesh.nodes[0].client(), mesh.nodes[1].client());
    let count = "redis.call('incr',KEYS[1])";
    let repeat = |name: &'static str, key: &'static str| {
        ["KEYDB.CRON", name, "repeat", "0", "20", count, "1", key]
    };
    assert_eq!(one.call_words(&repeat("job", "a")), ok());
    eventually("it runs", || {
        two.get("a").is_some_and(|n| n.parse::<u32>().unwrap() > 2)
    });
    assert_eq!(two.call("TYPE job"), Value::Simple("unknown".to_owned()));
    assert_eq!(two.call_words(&repeat("job", "b")), ok());
    let number = |text: Option<String>| text.map_or(0, |text| text.parse::<u32>().unwrap());
    eventually("the later one runs", || number(one.get("b")) > 2);
    let before = one.get("a");
    eventually("it goes on", || number(one.get("b")) > 6);
    assert_eq!(one.get("a"), before, "the former one does not");
    assert_eq!(one.call("DEL job").integer(), 1);
    eventually("it is gone there", || two.call("EXISTS job").integer() == 0);
    assert_eq!(two.call_words(&repeat("other", "c")), ok());
    eventually("another one runs", || number(two.get("c")) > 1);
    let before = two.get("b");
    eventually("and runs", || number(two.get("c")) > 6);
    assert_eq!(two.get("b"), before, "the deleted one does not");
}

#[test]
fn the_jobs_of_a_master_that_is_forgotten_are_run_by_another_one() {
    let mesh = Mesh::full(3);
    let id = mesh.nodes[0].client().info()["mesh_node_id"].clone();
    let mut first = mesh.nodes[0].client();
    let call = [
        "KEYDB.CRON",
        "job",
        "repeat",
        "0",
        "20",
        "redis.call('incr',KEYS[1])",
        "1",
        "n",
    ];
    assert_eq!(first.call_words(&call), ok());
    let mut others = [mesh.nodes[1].client(), mesh.nodes[2].client()];
    eventually("it runs", || others[0].get("n").is_some());
    mesh.nodes[0].kill();
    eventually("who is left has the same", || {
        mesh.nodes[1].digest() == mesh.nodes[2].digest()
    });
    let number = |text: Option<String>| text.unwrap().parse::<u64>().unwrap();
    let before = number(others[0].get("n"));
    assert!(others[1].call("EXISTS job").integer() == 1);
    assert_eq!(others[0].call(&format!("MESH FORGET {id}")), ok());
    for client in &mut others {
        eventually("it runs again", || number(client.get("n")) > before + 3);
    }
}

#[test]
fn a_job_whose_master_was_down_at_its_moment_runs_once_that_is_back() {
    let mesh = Mesh::full(2);
    let call = [
        "KEYDB.CRON",
        "job",
        "single",
        "1000",
        "redis.call('incr',KEYS[1])",
        "1",
        "n",
    ];
    assert_eq!(mesh.nodes[0].client().call_words(&call), ok());
    let mut other = mesh.nodes[1].client();
    let due = Instant::now() + Duration::from_millis(1_000);
    eventually("the job is there", || {
        other.call("EXISTS job").integer() == 1
    });
    mesh.nodes[0].kill();
    // On a machine that stood still meanwhile it has run by now.
    let is_in_time = Instant::now() < due;
    eventually("its moment has passed", || Instant::now() > due);
    if is_in_time {
        assert_eq!(other.call("EXISTS job").integer(), 1, "nobody else runs it");
        assert_eq!(other.get("n"), None);
    }
    mesh.nodes[0].restart();
    eventually("it has run", || other.get("n").is_some());
    mesh.wait_until_equal();
    assert_eq!(other.get("n").as_deref(), Some("1"));
    assert_eq!(other.call("EXISTS job").integer(), 0);
}
