//! One write is one trace over all masters.

use keymesh_observability::names::span;
use keymesh_observability::testing::{Collector, RecordedSpan, one_trace, traces};

use crate::client::Value;
use crate::support::{Mesh, eventually};

const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn named<'a>(spans: &'a [RecordedSpan], name: &str) -> Vec<&'a RecordedSpan> {
    spans.iter().filter(|span| span.name == name).collect()
}

/// Whether these spans are the whole way of one write to two other masters; else why not.
fn check_write(spans: &[RecordedSpan]) -> Result<(), String> {
    one_trace(spans)?;
    let [server] = spans
        .iter()
        .filter(|span| span.kind == "SERVER")
        .collect::<Vec<_>>()[..]
    else {
        return Err("not one server span".to_owned());
    };
    let [converge] = named(spans, span::CONVERGE)[..] else {
        return Err("not one converge span".to_owned());
    };
    let (sends, applies) = (named(spans, span::SEND), named(spans, span::APPLY));
    if (sends.len(), applies.len()) != (2, 2) {
        return Err(format!("{} sent, {} applied", sends.len(), applies.len()));
    }
    if converge.parent != Some(server.span_id) {
        return Err("converge does not hang under the command".to_owned());
    }
    for send in &sends {
        if send.parent != Some(converge.span_id) || send.instance() != server.instance() {
            return Err("a send does not hang under converge".to_owned());
        }
        let below = applies
            .iter()
            .filter(|apply| apply.parent == Some(send.span_id));
        if below.count() != 1 {
            return Err("a send without its apply".to_owned());
        }
    }
    let mut nodes: Vec<&str> = applies.iter().map(|apply| apply.instance()).collect();
    nodes.push(server.instance());
    nodes.sort_unstable();
    nodes.dedup();
    if nodes.len() != 3 {
        return Err(format!("{} nodes instead of three", nodes.len()));
    }
    Ok(())
}

/// All spans of the one write of this name, once there are as many as it takes.
async fn spans_of_write(collector: &Collector, name: &str, count: usize) -> Vec<RecordedSpan> {
    let of_write = |spans: &[RecordedSpan]| {
        traces(spans)
            .into_values()
            .find(|trace| trace.iter().any(|span| span.name == name))
            .unwrap_or_default()
    };
    let spans = collector
        .wait_for(|spans| of_write(spans).len() >= count)
        .await;
    of_write(&spans)
}

async fn traced_mesh(endpoint: String, protocol: &'static str) -> Mesh {
    let start = move || {
        let options = [
            "--otlp-endpoint",
            &endpoint,
            "--otlp-protocol",
            protocol,
            "--trace-sample-ratio",
            "1",
        ];
        let mesh = Mesh::full_with(3, &options);
        mesh.wait_until_direct();
        mesh
    };
    tokio::task::spawn_blocking(start).await.unwrap()
}

async fn call(mesh: &Mesh, node: usize, commands: &'static [&'static str]) {
    let mut client = mesh.nodes[node].client();
    let calls = move || {
        for command in commands {
            let reply = client.call(command);
            assert!(!reply.is_error(""), "{command}: {reply:?}");
        }
    };
    tokio::task::spawn_blocking(calls).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_is_one_trace_over_three_masters() {
    let collector = Collector::start().await;
    let mesh = traced_mesh(collector.grpc_endpoint(), "grpc").await;
    call(&mesh, 0, &["SET key value"]).await;
    let spans = spans_of_write(&collector, "set", 6).await;
    check_write(&spans).unwrap_or_else(|reason| panic!("{reason}: {spans:#?}"));
    let converge = named(&spans, span::CONVERGE)[0];
    assert_eq!(converge.attribute("keymesh.converged"), "true");
    for apply in named(&spans, span::APPLY) {
        assert_eq!(apply.attribute("keymesh.outcome"), "applied");
        assert_eq!(apply.attribute("keymesh.hop"), "1");
        assert_eq!(apply.attribute("keymesh.origin.id"), converge.instance());
        assert!(apply.start_nanos <= converge.end_nanos);
    }

    // Every master can say which trace that was.
    let id = format!("{:032x}", spans[0].trace_id.value());
    for node in 0..3 {
        let mut client = mesh.nodes[node].client();
        let told = tokio::task::spawn_blocking(move || client.call("MESH EXPLAIN key"));
        let told = told.await.unwrap();
        assert_eq!(told.array().last().map(Value::text), Some(id.as_str()));
    }

    // The check itself: a chain that is broken anywhere is refused.
    for (at, broken) in spans.iter().enumerate() {
        let mut without_context = spans.clone();
        without_context[at].parent = None;
        let was_root = broken.parent.is_none();
        assert_eq!(
            check_write(&without_context).is_ok(),
            was_root,
            "{}",
            broken.name
        );
        let mut without_span = spans.clone();
        without_span.remove(at);
        assert!(check_write(&without_span).is_err(), "{}", broken.name);
    }
}

/// The same mesh, and a link of it on which contexts are lost: the write arrives, its trace does not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_context_that_is_lost_on_a_link_breaks_the_trace_and_is_noticed() {
    let collector = Collector::start().await;
    let mesh = traced_mesh(collector.grpc_endpoint(), "grpc").await;
    let mesh = tokio::task::spawn_blocking(move || {
        mesh.links[&(2, 0)].lose_contexts();
        mesh.cut(0, 2);
        mesh.heal(0, 2);
        mesh.wait_until_whole();
        mesh.wait_until_direct();
        let mut clients = mesh.clients();
        clients[0].set("key", "value");
        eventually("the write is everywhere", || {
            clients.iter_mut().all(|client| client.get("key").is_some())
        });
        mesh
    });
    let mesh = mesh.await.unwrap();
    assert!(mesh.links[&(2, 0)].lost_contexts() > 0);
    // The command, converge, two sends and one apply: the other master applies without a span.
    let spans = spans_of_write(&collector, "set", 5).await;
    assert!(check_write(&spans).is_err(), "{spans:#?}");
    assert_eq!(named(&spans, span::APPLY).len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trace_that_a_client_brings_goes_on_over_all_masters_and_over_http() {
    let collector = Collector::start().await;
    let mesh = traced_mesh(collector.http_endpoint(), "http/protobuf").await;
    let commands: &[&str] = &[
        "CLIENT TRACEPARENT 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "INCR count",
    ];
    assert!(commands[0].ends_with(TRACEPARENT));
    call(&mesh, 1, commands).await;
    let mut spans = spans_of_write(&collector, "incr", 6).await;
    let server = spans.iter_mut().find(|span| span.kind == "SERVER").unwrap();
    let trace = format!("{:032x}", server.trace_id.value());
    assert_eq!(trace, "4bf92f3577b34da6a3ce929d0e0e4736");
    // The client's own span is not the servers' to send: here it is the root.
    let parent = server
        .parent
        .take()
        .expect("it hangs under the client's span");
    assert_eq!(format!("{:016x}", parent.value()), "00f067aa0ba902b7");
    check_write(&spans).unwrap_or_else(|reason| panic!("{reason}: {spans:#?}"));
}
