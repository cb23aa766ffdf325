//! Bytes that make no sense, from clients, from peers and from masters: they end their own connection and nothing else.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use crate::client::Value;
use crate::support::{Mesh, eventually};

/// Neither RESP nor frames. The first byte of each decides how it is read.
const GARBAGE: &[&[u8]] = &[
    b"\x00\x01\x02\x03\xff\xfe\xfd\xfc garbage \x00\x00\x00",
    b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
    b"*3\r\n$-7\r\nSET\r\n",
    b"*2000000000\r\n$1\r\nx\r\n",
    b"*1\r\n$999999999999\r\nx\r\n",
    b"\x01\x00\x00\x00\x01\x00\x00\x00\x05\x05\x05\x05\x05\x05\x05\x05\x05\x05\x05\x05",
];

fn serves(mesh: &Mesh) {
    for node in 0..mesh.nodes.len() {
        assert_eq!(
            mesh.nodes[node].call("PING"),
            Value::Simple("PONG".to_owned())
        );
    }
    mesh.wait_until_whole();
    mesh.wait_until_equal();
}

#[test]
fn garbage_from_a_client_ends_its_connection_alone() {
    let mesh = Mesh::full(2);
    for bytes in GARBAGE {
        let mut client = mesh.nodes[0].client();
        client.send_raw(bytes);
        client.send_raw(b"\r\n");
        client.finish();
        let said = String::from_utf8_lossy(&client.read_to_end()).into_owned();
        let is_resp = bytes.starts_with(b"*");
        assert!(
            !is_resp || said.starts_with("-ERR Protocol error"),
            "{said}"
        );
    }
    serves(&mesh);
}

#[test]
fn garbage_from_a_peer_ends_its_connection_alone() {
    let mesh = Mesh::full(2);
    let before = mesh.numbers("mesh_duplicates");
    for bytes in GARBAGE {
        let mut client = mesh.nodes[0].client();
        client.send_raw(b"*2\r\n$12\r\nKEYMESH.LINK\r\n$1\r\n1\r\n");
        assert_eq!(client.read_line().unwrap(), "+OK");
        client.send_raw(bytes);
        client.finish();
        client.read_to_end();
    }
    assert!(mesh.nodes[0].log().contains("replica was dropped"));
    serves(&mesh);
    assert_eq!(mesh.numbers("mesh_duplicates"), before);
    assert_eq!(mesh.nodes[0].client().info()["connected_slaves"], "1");
}

#[test]
fn garbage_from_a_master_keeps_that_link_down_and_the_others_working() {
    let mesh = Mesh::full(2);
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for (stream, bytes) in listener.incoming().zip(GARBAGE.iter().cycle()) {
            let Ok(mut stream) = stream else { return };
            let mut greeting = [0; 64];
            // What it says does not matter, and it may hang up first.
            let _ = stream.read(&mut greeting);
            let _ = stream.write_all(b"+OK\r\n");
            let _ = stream.write_all(bytes);
        }
    });
    let mut client = mesh.nodes[0].client();
    assert_eq!(
        client.call(&format!("REPLICAOF 127.0.0.1 {port}")),
        Value::Simple("OK".to_owned())
    );
    let address = format!("127.0.0.1:{port}");
    eventually("the log names the link", || {
        let log = mesh.nodes[0].log();
        log.lines()
            .any(|line| line.contains(&address) && line.contains("link to master is down"))
    });
    let written = mesh.load(&[0, 1], "k", 100, |_| {});
    mesh.wait_for_markers(&[0, 1]);
    for keys in written.values() {
        assert_eq!(keys.len(), 100);
        mesh.assert_present(0, keys);
        mesh.assert_present(1, keys);
    }
    assert_eq!(client.info()["connected_masters"], "1");
    client.call(&format!("REPLICAOF REMOVE 127.0.0.1 {port}"));
    serves(&mesh);
}
