//! The bytes of a table of members, and that joining tables is what it must be.

use super::*;

fn sample() -> Members {
    let mut members = Members::default();
    let member = members.nodes.entry(NodeId(5)).or_default();
    member.entries_version = Hlc::from_raw(9);
    member.entries = vec![Entry {
        address: "a:1".to_owned(),
        met: Some(NodeId(6)),
    }];
    member.lives.insert(
        Incarnation(1),
        Life {
            floor: Hlc::from_raw(3),
        },
    );
    member.lives.insert(
        Incarnation(2),
        Life {
            floor: Hlc::from_raw(9),
        },
    );
    let about = Origin {
        node: NodeId(6),
        incarnation: Incarnation(1),
    };
    member.statements.insert(
        about,
        Statement {
            by: Incarnation(2),
            version: Hlc::from_raw(1),
            seen: View {
                lives: 0,
                strangers: 8,
            },
            arrived: Hlc::from_raw(4),
        },
    );
    members
}

#[test]
fn a_table_has_these_bytes() {
    let mut members = sample();
    members.nodes.entry(NodeId(5)).or_default().admission = Some(Admission {
        floor: Hlc::from_raw(7),
        by: Origin {
            node: NodeId(6),
            incarnation: Incarnation(3),
        },
    });
    members.nodes.entry(NodeId(6)).or_default().forgotten = 1;
    let mut out = Vec::new();
    members.encode(&mut out);
    let id = |low: u8| {
        let mut id = [0; 16];
        id[0] = low;
        id
    };
    let word = |low: u8| [low, 0, 0, 0, 0, 0, 0, 0];
    let golden = [
        &[2][..],
        &id(5),
        &[1],
        &word(7),
        &id(6),
        &[3, 0, 0, 0],
        &[0, 0, 0, 0],
        &word(9),
        &[1, 3, b'a', b':', b'1', 1],
        &id(6),
        &[2, 1, 0, 0, 0],
        &word(3),
        &[2, 0, 0, 0],
        &word(9),
        &[1],
        &id(6),
        &[1, 0, 0, 0],
        &[2, 0, 0, 0],
        &word(1),
        &word(0),
        &word(8),
        &word(4),
        &id(6),
        &[0],
        &[1, 0, 0, 0],
        &word(0),
        &[0, 0, 0],
    ]
    .concat();
    assert_eq!(out, golden);
}

#[test]
fn a_table_comes_back_from_its_bytes_and_cut_bytes_are_refused() {
    let mut bytes = Vec::new();
    sample().encode(&mut bytes);
    assert_eq!(Members::decode(&mut Reader::new(&bytes)), Ok(sample()));
    for len in 0..bytes.len() {
        assert!(Members::decode(&mut Reader::new(&bytes[..len])).is_err());
    }
}

#[test]
fn joining_tables_is_the_same_in_any_order_and_joining_twice_changes_nothing() {
    let mut other = Members::default();
    let member = other.nodes.entry(NodeId(5)).or_default();
    member.entries_version = Hlc::from_raw(10);
    member.lives.insert(
        Incarnation(3),
        Life {
            floor: Hlc::from_raw(20),
        },
    );
    other.nodes.entry(NodeId(6)).or_default();
    let (mut a, mut b) = (sample(), other.clone());
    assert!(a.join(&other));
    assert!(b.join(&sample()));
    assert_eq!(a, b);
    assert!(!a.join(&other));
    assert!(a.is_retired(Origin {
        node: NodeId(5),
        incarnation: Incarnation(2)
    }));
}

#[test]
fn what_is_left_of_a_retired_life_is_known_once_all_have_stated_it_of_the_same_lives() {
    let mut members = sample();
    let about = Origin {
        node: NodeId(6),
        incarnation: Incarnation(1),
    };
    let six = members.nodes.entry(NodeId(6)).or_default();
    six.lives.insert(Incarnation(1), Life { floor: Hlc::ZERO });
    six.lives.insert(
        Incarnation(2),
        Life {
            floor: Hlc::from_raw(30),
        },
    );
    let seen = members.view(None);
    let state = |by, arrived| Statement {
        by: Incarnation(by),
        version: Hlc::from_raw(1),
        seen,
        arrived: Hlc::from_raw(arrived),
    };
    members
        .nodes
        .get_mut(&NodeId(5))
        .unwrap()
        .statements
        .insert(about, state(2, 4));
    assert_eq!(members.most_held(about), None);
    members
        .nodes
        .get_mut(&NodeId(6))
        .unwrap()
        .statements
        .insert(about, state(2, 2));
    assert_eq!(members.most_held(about), Some(Hlc::from_raw(4)));
    let five = members.nodes.get_mut(&NodeId(5)).unwrap();
    five.lives.insert(
        Incarnation(3),
        Life {
            floor: Hlc::from_raw(40),
        },
    );
    assert_eq!(
        members.most_held(about),
        None,
        "who held the most may have lost it"
    );
}
