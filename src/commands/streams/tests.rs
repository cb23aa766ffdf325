//! Streams as clients see them, and what is told others of them.

use crate::commands::Effect;
use crate::commands::world::{World, check};
use crate::db::Op;
use crate::db::stream::StreamId;

fn id(ms: u64, seq: u64) -> StreamId {
    StreamId { ms, seq }
}

/// The first bulk of a reply as an id.
fn id_of(reply: &str) -> StreamId {
    let text = reply.split("\r\n").nth(1).unwrap();
    StreamId::parse(text.as_bytes(), 0).unwrap()
}

#[test]
fn entries_come_in_the_order_of_their_ids_and_go() {
    check(&[
        ("XADD s 1-1 a 1", "$3\r\n1-1\r\n"),
        (
            "XADD s 1-1 a 1",
            "-ERR The ID specified in XADD is equal or smaller than the target stream top item\r\n",
        ),
        (
            "XADD s 0-0 a 1",
            "-ERR The ID specified in XADD must be greater than 0-0\r\n",
        ),
        ("XADD s 2 a 1 b 2", "$3\r\n2-0\r\n"),
        (
            "XADD s 3 a",
            "-ERR wrong number of arguments for 'xadd' command\r\n",
        ),
        ("XADD n NOMKSTREAM 1 a 1", "$-1\r\n"),
        ("XLEN s", ":2\r\n"),
        (
            "XRANGE s - +",
            "*2\r\n*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n*2\r\n$3\r\n2-0\r\n*4\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$1\r\n2\r\n",
        ),
        (
            "XREVRANGE s + - COUNT 1",
            "*1\r\n*2\r\n$3\r\n2-0\r\n*4\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$1\r\n2\r\n",
        ),
        ("XRANGE s (1-1 (2-0", "*0\r\n"),
        ("XRANGE s - + COUNT 0", "*-1\r\n"),
        ("XDEL s 1-1 1-1 7", ":1\r\n"),
        ("XDEL s 2-0", ":1\r\n"),
        ("XLEN s", ":0\r\n"),
        ("TYPE s", "+stream\r\n"),
        ("EXISTS s", ":1\r\n"),
        ("OBJECT ENCODING s", "$6\r\nstream\r\n"),
        (
            "XADD s 2-0 a 1",
            "-ERR The ID specified in XADD is equal or smaller than the target stream top item\r\n",
        ),
        (
            "GET s",
            "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
        ),
        ("SET x 1", "+OK\r\n"),
        (
            "XADD x 1 a 1",
            "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
        ),
        (
            "XLEN x",
            "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
        ),
        ("COPY s t", ":1\r\n"),
        ("RENAME t u", "+OK\r\n"),
        ("TYPE u", "+stream\r\n"),
        ("DEL s u", ":2\r\n"),
        ("EXISTS s", ":0\r\n"),
    ]);
}

#[test]
fn streams_are_trimmed_by_length_and_by_id() {
    check(&[
        ("XADD s MAXLEN 0 1 a 1", "$3\r\n1-0\r\n"),
        ("XLEN s", ":0\r\n"),
        ("XADD s 2 a 1", "$3\r\n2-0\r\n"),
        ("XADD s 3 a 1", "$3\r\n3-0\r\n"),
        ("XADD s MAXLEN = 2 4 a 1", "$3\r\n4-0\r\n"),
        ("XLEN s", ":2\r\n"),
        ("XTRIM s MAXLEN ~ 1", ":0\r\n"),
        ("XTRIM s MINID 4", ":1\r\n"),
        ("XTRIM s MINID 4", ":0\r\n"),
        ("XTRIM n MAXLEN 1", ":0\r\n"),
        (
            "XINFO STREAM s",
            "*20\r\n$6\r\nlength\r\n:1\r\n$15\r\nradix-tree-keys\r\n:1\r\n$16\r\nradix-tree-nodes\r\n:2\r\n$17\r\nlast-generated-id\r\n$3\r\n4-0\r\n$20\r\nmax-deleted-entry-id\r\n$3\r\n0-0\r\n$13\r\nentries-added\r\n:4\r\n$23\r\nrecorded-first-entry-id\r\n$3\r\n4-0\r\n$6\r\ngroups\r\n:0\r\n$11\r\nfirst-entry\r\n*2\r\n$3\r\n4-0\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n$10\r\nlast-entry\r\n*2\r\n$3\r\n4-0\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n",
        ),
        ("XDEL s 4", ":1\r\n"),
        (
            "XSETID s 3",
            "-ERR The ID specified in XSETID is smaller than current max_deleted_entry_id\r\n",
        ),
        ("XSETID s 9-9 ENTRIESADDED 77 MAXDELETEDID 5", "+OK\r\n"),
        ("XSETID n 9-9", "-ERR no such key\r\n"),
        (
            "XADD s 9-* a 1 b",
            "-ERR wrong number of arguments for 'xadd' command\r\n",
        ),
    ]);
}

#[test]
fn reads_give_what_comes_behind_an_id() {
    check(&[
        ("XADD s 1 a 1", "$3\r\n1-0\r\n"),
        ("XADD s 2 a 2", "$3\r\n2-0\r\n"),
        (
            "XREAD STREAMS s n 1 0",
            "*1\r\n*2\r\n$1\r\ns\r\n*1\r\n*2\r\n$3\r\n2-0\r\n*2\r\n$1\r\na\r\n$1\r\n2\r\n",
        ),
        (
            "XREAD COUNT 1 STREAMS s 0",
            "*1\r\n*2\r\n$1\r\ns\r\n*1\r\n*2\r\n$3\r\n1-0\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n",
        ),
        (
            "XREAD STREAMS s +",
            "*1\r\n*2\r\n$1\r\ns\r\n*1\r\n*2\r\n$3\r\n2-0\r\n*2\r\n$1\r\na\r\n$1\r\n2\r\n",
        ),
        ("XREAD BLOCK 5 STREAMS s $", "*-1\r\n"),
        (
            "XREAD STREAMS s n 1",
            "-ERR Unbalanced 'xread' list of streams: for each stream key an ID or '$' must be specified.\r\n",
        ),
        ("XREAD BLOCK -1 STREAMS s $", "-ERR timeout is negative\r\n"),
        (
            "XREAD STREAMS s >",
            "-ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.\r\n",
        ),
        (
            "COMMAND GETKEYS XREAD COUNT 1 STREAMS a b 0 0",
            "*2\r\n$1\r\na\r\n$1\r\nb\r\n",
        ),
        ("@resp3", ""),
        (
            "XREAD STREAMS s 1",
            "%1\r\n$1\r\ns\r\n*1\r\n*2\r\n$3\r\n2-0\r\n*2\r\n$1\r\na\r\n$1\r\n2\r\n",
        ),
        ("XREAD STREAMS s 2", "_\r\n"),
    ]);
}

#[test]
fn groups_are_made_read_and_removed() {
    check(&[
        (
            "XGROUP CREATE s g $",
            "-ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically.\r\n",
        ),
        ("XGROUP CREATE s g $ MKSTREAM", "+OK\r\n"),
        (
            "XGROUP CREATE s g 0",
            "-BUSYGROUP Consumer Group name already exists\r\n",
        ),
        (
            "XGROUP CREATE s h 0 FOO",
            "-ERR unknown subcommand or wrong number of arguments for 'CREATE'. Try XGROUP HELP.\r\n",
        ),
        ("XLEN s", ":0\r\n"),
        ("XREADGROUP GROUP g c STREAMS s >", "*-1\r\n"),
        (
            "XREADGROUP GROUP n c STREAMS s >",
            "-NOGROUP No such key 's' or consumer group 'n' in XREADGROUP with GROUP option\r\n",
        ),
        ("XADD s 1 a 1", "$3\r\n1-0\r\n"),
        ("XADD s 2 a 2", "$3\r\n2-0\r\n"),
        ("XADD s 3 a 3", "$3\r\n3-0\r\n"),
        (
            "XREADGROUP GROUP g c COUNT 2 STREAMS s >",
            "*1\r\n*2\r\n$1\r\ns\r\n*2\r\n*2\r\n$3\r\n1-0\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n*2\r\n$3\r\n2-0\r\n*2\r\n$1\r\na\r\n$1\r\n2\r\n",
        ),
        (
            "XREADGROUP GROUP g d NOACK STREAMS s >",
            "*1\r\n*2\r\n$1\r\ns\r\n*1\r\n*2\r\n$3\r\n3-0\r\n*2\r\n$1\r\na\r\n$1\r\n3\r\n",
        ),
        (
            "XPENDING s g",
            "*4\r\n:2\r\n$3\r\n1-0\r\n$3\r\n2-0\r\n*1\r\n*2\r\n$1\r\nc\r\n$1\r\n2\r\n",
        ),
        (
            "XINFO GROUPS s",
            "*1\r\n*12\r\n$4\r\nname\r\n$1\r\ng\r\n$9\r\nconsumers\r\n:2\r\n$7\r\npending\r\n:2\r\n$17\r\nlast-delivered-id\r\n$3\r\n3-0\r\n$12\r\nentries-read\r\n:3\r\n$3\r\nlag\r\n:0\r\n",
        ),
        ("XACK s g 1 7", ":1\r\n"),
        ("XACK s n 1", ":0\r\n"),
        ("XDEL s 2", ":1\r\n"),
        (
            "XREADGROUP GROUP g c STREAMS s 0",
            "*1\r\n*2\r\n$1\r\ns\r\n*1\r\n*2\r\n$3\r\n2-0\r\n*-1\r\n",
        ),
        ("XCLAIM s g d 0 3 FORCE JUSTID", "*1\r\n$3\r\n3-0\r\n"),
        (
            "XPENDING s g - + 9 d",
            "*1\r\n*4\r\n$3\r\n3-0\r\n$1\r\nd\r\n:0\r\n:1\r\n",
        ),
        (
            "XAUTOCLAIM s g e 0 0",
            "*3\r\n$3\r\n0-0\r\n*1\r\n*2\r\n$3\r\n3-0\r\n*2\r\n$1\r\na\r\n$1\r\n3\r\n*1\r\n$3\r\n2-0\r\n",
        ),
        (
            "XPENDING s g - + 9",
            "*1\r\n*4\r\n$3\r\n3-0\r\n$1\r\ne\r\n:0\r\n:2\r\n",
        ),
        ("XGROUP DELCONSUMER s g e", ":1\r\n"),
        ("XGROUP CREATECONSUMER s g e", ":1\r\n"),
        ("XGROUP CREATECONSUMER s g e", ":0\r\n"),
        ("XGROUP SETID s g 0", "+OK\r\n"),
        ("XPENDING s g", "*4\r\n:0\r\n$-1\r\n$-1\r\n*-1\r\n"),
        (
            "XCLAIM s g c x 1",
            "-ERR Invalid min-idle-time argument for XCLAIM\r\n",
        ),
        (
            "XCLAIM s g c 0 1 FOO",
            "-ERR Unrecognized XCLAIM option 'FOO'\r\n",
        ),
        ("XAUTOCLAIM s g c 0 0 COUNT 0", "-ERR COUNT must be > 0\r\n"),
        (
            "XPENDING s n",
            "-NOGROUP No such key 's' or consumer group 'n'\r\n",
        ),
        ("XGROUP DESTROY s g", ":1\r\n"),
        ("XGROUP DESTROY s g", ":0\r\n"),
        (
            "XGROUP SETID s g 0",
            "-NOGROUP No such consumer group 'g' for key name 's'\r\n",
        ),
    ]);
}

#[test]
fn an_acknowledgement_is_told_before_the_delivery_is_heard_of_where_there_are_masters() {
    for stamped in [false, true] {
        let mut world = World::new(stamped, 1);
        world.run("XADD s 1 a 1");
        world.run("XGROUP CREATE s g 0");
        let reply = world.run_with_effects("XACK s g 1", |effects| {
            assert_eq!(effects.len(), usize::from(stamped));
        });
        assert_eq!(reply, ":0\r\n");
    }
}

#[test]
fn generated_ids_bear_their_node_and_ascend_where_there_are_masters() {
    let mut plain = World::new(false, 1);
    let first = id_of(&plain.run("XADD s * a 1"));
    let second = id_of(&plain.run("XADD s * a 1"));
    assert_eq!((first.seq, second), (0, id(first.ms, 1)));
    let mut world = World::new(true, 1);
    let mut ids = Vec::new();
    for command in ["XADD s * a 1", "XADD s * a 1"] {
        ids.push(id_of(&world.run(command)));
    }
    let ahead = format!("XADD s {}-5 a 1", ids[1].ms + 1_000);
    ids.push(id_of(&world.run(&ahead)));
    ids.push(id_of(&world.run("XADD s * a 1")));
    let open = format!("XADD s {}-* a 1", ids[3].ms);
    ids.push(id_of(&world.run(&open)));
    let open = format!("XADD s {}-* a 1", ids[3].ms + 9);
    ids.push(id_of(&world.run(&open)));
    assert!(ids.is_sorted(), "{ids:?}");
    let node = ids[0].seq & 0xffff_ffff;
    let generated = [0, 1, 3, 4, 5].map(|nth: usize| ids[nth].seq & 0xffff_ffff);
    assert_eq!(generated, [node; 5]);
    assert_ne!(node, 0);
}

#[test]
fn trims_name_what_went_where_there_are_masters_and_where_it_ends_where_there_are_none() {
    for stamped in [false, true] {
        let mut world = World::new(stamped, 1);
        for ms in 1..=5 {
            world.run(&format!("XADD s {ms} a 1"));
        }
        world.run_with_effects("XTRIM s MAXLEN 3", |effects| {
            if !stamped {
                return assert!(effects.is_empty());
            }
            let [
                Effect::Key {
                    op: Op::XDel(false, ids),
                    ..
                },
            ] = effects
            else {
                panic!("{effects:?}");
            };
            assert_eq!(ids.iter().collect::<Vec<_>>(), [id(1, 0), id(2, 0)]);
        });
        assert_eq!(world.run("XLEN s"), ":3\r\n");
    }
}

#[test]
fn stable_reads_show_what_nobody_can_precede() {
    let mut world = World::new(true, 1);
    let first = id_of(&world.run("XADD s * a 1"));
    assert_eq!(world.run("XREAD STABLE STREAMS s 0"), "*-1\r\n");
    world.settle();
    // Its millisecond may still get entries elsewhere.
    assert_eq!(world.run("XREAD STABLE STREAMS s 0"), "*-1\r\n");
    world.advance(5);
    world.settle();
    let reply = world.run("XREAD STABLE STREAMS s 0");
    assert!(reply.contains(&first.to_string()), "{reply}");
    let second = id_of(&world.run("XADD s * a 2"));
    world.advance(5);
    world.run("XADD s 7-7 a 3");
    let reply = world.run("XREAD STABLE STREAMS s 0");
    assert!(reply.contains(&first.to_string()) && !reply.contains(&second.to_string()));
    world.settle();
    let reply = world.run("XREAD STABLE STREAMS s 0");
    assert!(reply.contains(&second.to_string()), "{reply}");
    // Without masters it is a read as any other.
    let mut plain = World::new(false, 1);
    plain.run("XADD s 1 a 1");
    assert!(plain.run("XREAD STABLE STREAMS s 0").starts_with("*1"));
}
