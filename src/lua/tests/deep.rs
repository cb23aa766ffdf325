//! Values that lie deep within each other, on a thread with little stack: what is said of them is what Redis says, to the byte.

use super::run;

/// Less than any thread of the server has, tests' own among them.
const STACK_LEN: usize = 256 * 1024;

fn on_a_small_stack(test: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(STACK_LEN);
    thread.spawn(test).unwrap().join().unwrap();
}

const TOO_DEEP: &str = "-ERR reached lua stack limit|";

#[test]
fn tables_within_tables_are_replied_down_to_the_limit_of_redis() {
    on_a_small_stack(|| {
        let nested = |levels: usize, table: &str| {
            run(&format!(
                "local t={{}} for i=1,{levels} do t={table} end return t"
            ))
        };
        assert_eq!(nested(1980, "{t}"), "*1|".repeat(1980) + "*0|");
        assert_eq!(nested(7994, "{t}"), "*1|".repeat(7994) + "*0|");
        assert_eq!(nested(8000, "{t}"), "*1|".repeat(7995) + TOO_DEEP);
        assert_eq!(nested(200, "{map={t}}"), "*2|:1|".repeat(200) + "*0|");
        assert_eq!(
            nested(3000, "{map={t}}"),
            "*2|:1|".repeat(2664) + "*2|" + TOO_DEEP + TOO_DEEP
        );
        assert_eq!(nested(3000, "{set={[t]=1}}"), "*1|".repeat(2665) + TOO_DEEP);
    });
}

#[test]
fn tables_that_lie_within_themselves_are_replied_down_to_the_limit_of_redis() {
    on_a_small_stack(|| {
        let cycle = "*1|".repeat(7995) + TOO_DEEP;
        assert_eq!(run("local t={} t[1]=t return t"), cycle);
        assert_eq!(run("redis.setresp(3) local t={} t[1]=t return t"), cycle);
        assert_eq!(
            run("local t={} t.map=t return t"),
            "*2|$3|map|".repeat(2664) + "*2|" + TOO_DEEP + TOO_DEEP
        );
        assert_eq!(run("local t={} t.set=t return t"), "*1|$3|set|");
        // What stands behind a table in another one is not lost.
        assert_eq!(
            run("return {{1,{2}},{map={a={3}}},{set={b=1}},4}"),
            "*4|*2|:1|*1|:2|*2|$1|a|*1|:3|*1|$1|b|:4|"
        );
    });
}

#[test]
fn json_is_written_and_read_down_to_the_limits_of_redis() {
    on_a_small_stack(|| {
        let encoded = |levels: usize, table: &str| {
            run(&format!(
                "cjson.encode_max_depth(1e5) local t={{}} for i=1,{levels} do t={table} end \
                 local ok, e = pcall(cjson.encode, t) return ok and #e or e"
            ))
        };
        assert_eq!(encoded(3100, "{t}"), ":6202|");
        assert_eq!(encoded(7000, "{t}"), ":14002|");
        assert_eq!(encoded(197, "{a=t}"), ":1184|");
        for (table, depth) in [("{t}", 7998), ("{a=t}", 4000)] {
            let error = format!("$42|Cannot serialise, excessive nesting ({depth})|");
            assert_eq!(encoded(9000, table), error);
        }
        for table in ["{t}", "{a=t}"] {
            let code = format!(
                "local t={{}} for i=1,1001 do t={table} end \
                 local ok, e = pcall(cjson.encode, t) return e"
            );
            assert_eq!(
                run(&code),
                "$42|Cannot serialise, excessive nesting (1001)|"
            );
        }
        assert_eq!(
            run("return cjson.encode({{1,{a={2}}},{b={c=3}},4})"),
            "$31|[[1,{\"a\":[2]}],{\"b\":{\"c\":3}},4]|"
        );
        let decoded = |text: &str| {
            run(&format!(
                "cjson.decode_max_depth(1e5) local s={text} \
                 local ok, e = pcall(cjson.decode, s) return ok and #e or e"
            ))
        };
        assert_eq!(decoded("('['):rep(3700)..(']'):rep(3700)"), ":1|");
        assert_eq!(
            decoded("('['):rep(3700)"),
            "$48|Expected value but found T_END at character 3701|"
        );
        assert_eq!(
            decoded("('['):rep(9000)"),
            "$62|Found too many nested data structures (7999) at character 7999|"
        );
        assert_eq!(
            decoded("('{\"a\":'):rep(2000)..'1'..('}'):rep(2000)"),
            ":0|"
        );
        assert_eq!(
            decoded("('{\"a\":'):rep(9000)"),
            "$63|Found too many nested data structures (4000) at character 19996|"
        );
        assert_eq!(
            run("return cjson.encode(cjson.decode('[[1,{\"a\":[2]}],{\"b\":{\"c\":3}},4]'))"),
            "$31|[[1,{\"a\":[2]}],{\"b\":{\"c\":3}},4]|"
        );
    });
}

#[test]
fn message_pack_is_read_down_to_the_limits_of_redis() {
    on_a_small_stack(|| {
        let unpacked = |text: &str, levels: usize| {
            run(&format!(
                "local s=('{text}'):rep({levels})..'\\1' \
                 local ok, e = pcall(cmsgpack.unpack, s) return ok and #e or e"
            ))
        };
        assert_eq!(unpacked("\\145", 1020), ":1|");
        assert_eq!(unpacked("\\145", 3000), ":1|");
        assert_eq!(
            unpacked("\\145", 7900),
            "$51|stack overflow (in function mp_decode_to_lua_array)|"
        );
        assert_eq!(unpacked("\\129\\1", 2000), ":1|");
        assert_eq!(
            unpacked("\\129\\1", 7900),
            "$88|stack overflow (too many return values at once; use unpack_one or unpack_limit instead.)|"
        );
        assert_eq!(unpacked("\\129", 7900), "$23|Missing bytes in input.|");
        assert_eq!(run("local t={} t[1]=t return #cmsgpack.pack(t)"), ":17|");
        assert_eq!(
            run(
                "return cjson.encode(cmsgpack.unpack(cmsgpack.pack({{1,{a={2}}},{b={c=3}},{},4})))"
            ),
            "$34|[[1,{\"a\":[2]}],{\"b\":{\"c\":3}},{},4]|"
        );
    });
}

#[test]
fn patterns_of_too_many_parts_are_refused() {
    for pattern in ["a?", "a*", ".-"] {
        let found = |parts: u32| {
            run(&format!(
                "return {{pcall(string.find, ('a'):rep({parts}), ('{pattern}'):rep({parts}))}}"
            ))
        };
        assert!(found(4000).starts_with("*3|:1|:1|"), "{pattern}");
        assert_eq!(found(4001), "*2|$-1|$19|pattern too complex|", "{pattern}");
    }
    assert_eq!(
        run("('x'):gsub(('a?'):rep(5000), '')"),
        "-ERR user_script:1: pattern too complex script: sha, on @user_script:1.|"
    );
}
