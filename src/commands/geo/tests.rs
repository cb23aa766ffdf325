//! Positions, replies recorded from Redis 7.0.15; searches against a look at every member.

use proptest::prelude::*;

use crate::commands::effects::Effect;
use crate::commands::world::{World, check};
use crate::db::Op;

const TWO: (&str, &str) = (
    "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania",
    ":2\r\n",
);

#[test]
fn positions_are_added_and_read() {
    check(&[
        TWO,
        ("GEOADD g CH 13.361389 38.115557 Palermo", ":0\r\n"),
        ("GEOADD g CH 13.4 38.1 Palermo", ":1\r\n"),
        ("GEOADD g NX CH 1 1 Palermo", ":0\r\n"),
        ("GEOADD g XX 1 1 new", ":0\r\n"),
        ("GEOADD g 13.361389 38.115556 Palermo", ":0\r\n"),
        ("GEODIST g Palermo Catania", "$11\r\n166274.1516\r\n"),
        ("GEODIST g Palermo Catania KM", "$8\r\n166.2742\r\n"),
        ("GEODIST g Palermo nope", "$-1\r\n"),
        ("GEODIST n a b", "$-1\r\n"),
        (
            "GEOHASH g Palermo Catania nope",
            "*3\r\n$11\r\nsqc8b49rny0\r\n$11\r\nsqdtr74hyu0\r\n$-1\r\n",
        ),
        ("GEOHASH g", "*0\r\n"),
        ("GEOHASH n a", "*1\r\n$-1\r\n"),
        (
            "GEOPOS g Palermo nope",
            "*2\r\n*2\r\n$20\r\n13.36138933897018433\r\n$20\r\n38.11555639549629859\r\n*-1\r\n",
        ),
        ("GEOPOS n a", "*1\r\n*-1\r\n"),
        ("@resp3", ""),
        (
            "GEOPOS g Palermo nope",
            "*2\r\n*2\r\n,13.36138933897018433\r\n,38.11555639549629859\r\n_\r\n",
        ),
    ]);
}

#[test]
fn what_lies_around_is_found() {
    check(&[
        TWO,
        (
            "GEOSEARCH g FROMLONLAT 15 37 BYBOX 400 400 km ASC WITHCOORD WITHDIST WITHHASH",
            "*2\r\n*4\r\n$7\r\nCatania\r\n$7\r\n56.4413\r\n:3479447370796909\r\n*2\r\n$20\r\n15.08726745843887329\r\n$20\r\n37.50266842333162032\r\n*4\r\n$7\r\nPalermo\r\n$8\r\n190.4424\r\n:3479099956230698\r\n*2\r\n$20\r\n13.36138933897018433\r\n$20\r\n38.11555639549629859\r\n",
        ),
        (
            "GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km DESC",
            "*2\r\n$7\r\nPalermo\r\n$7\r\nCatania\r\n",
        ),
        (
            "GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km COUNT 1",
            "*1\r\n$7\r\nCatania\r\n",
        ),
        ("GEOSEARCH n FROMMEMBER nope BYRADIUS 200 km", "*0\r\n"),
        (
            "GEORADIUSBYMEMBER g Palermo 200 km",
            "*2\r\n$7\r\nPalermo\r\n$7\r\nCatania\r\n",
        ),
        ("GEORADIUSBYMEMBER n nope 200 xx", "*0\r\n"),
        ("GEORADIUS_RO g 15 37 100 km", "*1\r\n$7\r\nCatania\r\n"),
        (
            "GEOSEARCHSTORE d g FROMLONLAT 15 37 BYRADIUS 200 km STOREDIST",
            ":2\r\n",
        ),
        ("ZCOUNT d 56 57", ":1\r\n"),
        ("GEORADIUS g 15 37 100 km STORE d", ":1\r\n"),
        ("ZRANGE d 0 -1", "*1\r\n$7\r\nCatania\r\n"),
        (
            "GEOSEARCHSTORE d n FROMLONLAT 15 37 BYRADIUS 200 km",
            ":0\r\n",
        ),
        ("EXISTS d", ":0\r\n"),
    ]);
}

#[test]
fn what_is_wrong_is_said_in_the_order_of_redis() {
    const WRONG_TYPE: &str =
        "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";
    check(&[
        TWO,
        ("SET s x", "+OK\r\n"),
        ("GEOADD s 1 1 a", WRONG_TYPE),
        ("GEOPOS s a", WRONG_TYPE),
        ("GEOSEARCH s FROMLONLAT x 1 BYRADIUS 1 m", WRONG_TYPE),
        ("GEOADD g NX XX 1 1 a", "-ERR syntax error\r\n"),
        ("GEOADD g NX CH 1 1", "-ERR syntax error\r\n"),
        ("GEOADD g NX XX CH", "-ERR syntax error\r\n"),
        (
            "GEOADD g 200 10 a",
            "-ERR invalid longitude,latitude pair 200.000000,10.000000\r\n",
        ),
        ("GEOADD g x 10 a", "-ERR value is not a valid float\r\n"),
        (
            "GEODIST g Palermo Catania xx",
            "-ERR unsupported unit provided. please use M, KM, FT, MI\r\n",
        ),
        ("GEODIST g a b c d e", "-ERR syntax error\r\n"),
        (
            "GEOSEARCH g FROMMEMBER nope BYRADIUS 200 km",
            "-ERR could not decode requested zset member\r\n",
        ),
        (
            "GEOSEARCH g FROMLONLAT 15 37 BYRADIUS x km",
            "-ERR need numeric radius\r\n",
        ),
        (
            "GEOSEARCH g FROMLONLAT 15 37 BYRADIUS -1 km",
            "-ERR radius cannot be negative\r\n",
        ),
        (
            "GEOSEARCH g FROMLONLAT 15 37 BYBOX x 1 km",
            "-ERR need numeric width\r\n",
        ),
        (
            "GEOSEARCH g FROMLONLAT 15 37 BYBOX 1 x km",
            "-ERR need numeric height\r\n",
        ),
        (
            "GEOSEARCH g FROMLONLAT 15 37 BYBOX 1 -1 km",
            "-ERR height or width cannot be negative\r\n",
        ),
        (
            "geosearch g FROMLONLAT 15 37 ASC ASC ASC ASC",
            "-ERR exactly one of BYRADIUS and BYBOX can be specified for geosearch\r\n",
        ),
        (
            "GEOSEARCH g BYRADIUS 1 km ASC ASC",
            "-ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for GEOSEARCH\r\n",
        ),
        (
            "GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km COUNT 0",
            "-ERR COUNT must be > 0\r\n",
        ),
        (
            "GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km ANY",
            "-ERR the ANY argument requires COUNT argument\r\n",
        ),
        (
            "GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km STOREDIST",
            "-ERR syntax error\r\n",
        ),
        (
            "GEOSEARCHSTORE d g FROMLONLAT 15 37 BYRADIUS 200 km WITHDIST",
            "-ERR GEOSEARCHSTORE is not compatible with WITHDIST, WITHHASH and WITHCOORD options\r\n",
        ),
        (
            "GEORADIUS g 15 37 200 km WITHDIST STORE d",
            "-ERR STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and WITHCOORD options\r\n",
        ),
        (
            "GEORADIUS_RO g 15 37 200 km STORE d",
            "-ERR syntax error\r\n",
        ),
    ]);
}

#[test]
fn effects_are_those_of_sorted_sets() {
    let mut world = World::new(true, 4);
    world.run_with_effects(TWO.0, |effects| {
        assert!(matches!(effects, [Effect::Key { op: Op::ZAdd(scores), .. }] if scores.iter().count() == 2));
    });
    let search = "GEOSEARCHSTORE d g FROMLONLAT 15 37 BYRADIUS";
    world.run_with_effects(&format!("{search} 200 km"), |effects| {
        assert!(matches!(
            effects,
            [Effect::Key {
                key: b"d",
                op: Op::Put(_, None),
                ..
            }]
        ));
    });
    world.run_with_effects(&format!("{search} 2 km"), |effects| {
        assert!(matches!(
            effects,
            [Effect::Key {
                key: b"d",
                op: Op::Del,
                ..
            }]
        ));
    });
    world.run_with_effects(&format!("{search} 2 km"), |effects| {
        assert!(effects.is_empty());
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn a_search_finds_what_a_look_at_every_member_finds(
        members in proptest::collection::vec((-20.0..20.0_f64, -60.0..60.0_f64), 1..200),
        center in (-20.0..20.0_f64, -60.0..60.0_f64), radius in 1.0..3_000.0_f64,
    ) {
        let mut world = World::new(false, 1);
        for (nth, (longitude, latitude)) in members.iter().enumerate() {
            world.run(&format!("GEOADD g {longitude} {latitude} {nth}"));
        }
        let (longitude, latitude) = center;
        world.run(&format!("GEOADD g {longitude} {latitude} center"));
        let found = world.run(&format!("GEOSEARCH g FROMMEMBER center BYRADIUS {radius} km"));
        let mut found: Vec<&str> = found.split("\r\n").skip(2).step_by(2).collect();
        found.retain(|member| !member.is_empty() && *member != "center");
        found.sort_unstable();
        let (mut near, mut either) = (Vec::new(), Vec::new());
        for nth in 0..members.len() {
            let distance = world.run(&format!("GEODIST g center {nth} km"));
            let distance: f64 = distance.split("\r\n").nth(1).unwrap().parse().unwrap();
            // Where it is about on the circle, either is right.
            if (distance - radius).abs() <= 0.001 {
                either.push(nth.to_string());
            } else if distance < radius {
                near.push(nth.to_string());
            }
        }
        found.retain(|member| !either.iter().any(|other| other == member));
        near.sort_unstable();
        prop_assert_eq!(found, near);
    }
}
