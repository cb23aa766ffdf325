//! MULTI/EXEC is one record: another master shows all of it or nothing.

use std::thread;

use crate::client::Value;
use crate::support::Mesh;

const TRANSACTIONS: usize = 300;
const CHECKS: usize = 600;

#[test]
fn a_transaction_is_never_seen_in_half_on_another_master() {
    let mesh = Mesh::full(3);
    let words = |line: String| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut writer = mesh.nodes[0].client();
            for number in 0..TRANSACTIONS {
                let lines = ["MULTI", "SET left @", "SET right @", "INCR count", "EXEC"];
                let commands: Vec<_> = lines
                    .iter()
                    .map(|line| words(line.replace('@', &number.to_string())))
                    .collect();
                let replies = writer.pipeline(&commands);
                assert_eq!(replies.last().unwrap().array().len(), 3);
            }
        });
        for node in 1..3 {
            let mesh = &mesh;
            scope.spawn(move || {
                let mut reader = mesh.nodes[node].client();
                let lines = ["MULTI", "GET left", "GET right", "GET count", "EXEC"];
                let commands: Vec<_> = lines.map(|line| words(line.to_owned())).into();
                for _ in 0..CHECKS {
                    let replies = reader.pipeline(&commands);
                    let parts = replies.last().unwrap().array();
                    assert_eq!(parts[0], parts[1], "half a transaction");
                    let number = match (&parts[0], &parts[2]) {
                        (Value::Bulk(left), Value::Bulk(count)) => {
                            left.parse::<i64>().unwrap() + 1 - count.parse::<i64>().unwrap()
                        }
                        _ => i64::from(parts[0] != parts[2]),
                    };
                    assert_eq!(number, 0, "half a transaction: {parts:?}");
                }
            });
        }
    });
    mesh.wait_until_equal();
    assert_eq!(mesh.nodes[2].get("count"), Some(TRANSACTIONS.to_string()));
}
