// Each type of value as node-redis gives and takes it: strings, bits, hashes, lists, sets, sorted sets, places, streams, and keys as such.

export async function strings({ check, redis, library }) {
    await check.equal("set", redis.set("s", "value"), "OK");
    await check.equal("get", redis.get("s"), "value");
    await check.equal("the name in capitals", redis.GET("s"), "value");
    await check.equal("get of nothing", redis.get("nothing"), null);
    await check.equal("a number as value", [redis.set("n", 12), redis.get("n")], ["OK", "12"]);
    await check.equal("set nx", redis.set("s", "other", { NX: true }), null);
    await check.equal("set with a condition", redis.set("s", "other", { condition: "XX", GET: true }), "value");
    await check.equal("set xx of nothing", redis.set("nothing", 1, { XX: true }), null);
    await check.equal("mSet of an object", redis.mSet({ a: "1", b: "2" }), "OK");
    await check.equal("mSet of pairs", redis.mSet([["c", "3"], ["d", "4"]]), "OK");
    await check.equal("mSet of a list", redis.mSet(["e", "5", "f", "6"]), "OK");
    await check.equal("mGet", redis.mGet(["a", "nothing", "d", "f"]), ["1", null, "4", "6"]);
    await check.equal("mSetNX", [redis.mSetNX({ a: "2", z: "1" }), redis.mSetNX({ y: "1", z: "1" })], [0, 1]);
    await check.equal("counting", [redis.incr("i"), redis.incrBy("i", 41), redis.decr("i"), redis.decrBy("i", 40)], [1, 42, 41, 1]);
    await check.equal("incrByFloat", redis.incrByFloat("f", 0.5), "6.5");
    await check.equal("append", [redis.append("w", "Hello "), redis.append("w", "World")], [6, 11]);
    await check.equal("getRange", redis.getRange("w", -5, -1), "World");
    await check.equal("setRange", [redis.setRange("w", 6, "Redis"), redis.strLen("w")], [11, 11]);
    await check.equal("getSet and getDel", [redis.getSet("w", "x"), redis.getDel("w"), redis.exists("w")], ["Hello Redis", "x", 0]);
    await check.equal("setNX", [redis.setNX("w", "1"), redis.setNX("w", "2")], [1, 0]);
    await check.equal("lcs", [redis.mSet({ l1: "ohmytext", l2: "mynewtext" }), redis.lcs("l1", "l2"), redis.lcsLen("l1", "l2")],
        ["OK", "mytext", 6]);
    await check.equal("lcsIdx", redis.lcsIdx("l1", "l2"), { matches: [[[4, 7], [5, 8]], [[2, 3], [0, 1]]], len: 6 });
    const buffers = redis.withTypeMapping({ [library.RESP_TYPES.BLOB_STRING]: Buffer });
    const binary = Buffer.from(Array.from({ length: 256 }, (_, at) => at));
    await check.equal("a binary value", [redis.set("bin", binary), buffers.get("bin")], ["OK", binary]);
    await check.equal("a binary key", [redis.set(binary, "v"), redis.get(binary)], ["OK", "v"]);
    await check.equal("unicode", [redis.set("ключ", "größe"), redis.get("ключ")], ["OK", "größe"]);
    const large = "x".repeat(4 * 1024 * 1024);
    await check.equal("four megabytes", [redis.set("large", large), redis.get("large").then((got) => got === large)], ["OK", true]);
}

export async function expiry({ check, redis }) {
    await check.equal("set ex", [redis.set("s", "v", { EX: 100 }), redis.ttl("s")], ["OK", 100]);
    await check.equal("set with an expiration", [redis.set("s", "v", { expiration: { type: "PX", value: 100_000 } }), redis.ttl("s")],
        ["OK", 100]);
    await check.equal("set keeps one", [redis.set("s", "w", { expiration: "KEEPTTL" }), redis.ttl("s")], ["OK", 100]);
    const far = new Date("2100-01-01T00:00:00Z");
    await check.equal("expireAt", [redis.expireAt("s", far), redis.expireTime("s"), redis.pExpireTime("s")],
        [1, far / 1000, Number(far)]);
    await check.equal("getEx", [redis.getEx("s", { type: "EX", value: 50 }), redis.ttl("s")], ["w", 50]);
    await check.equal("getEx persists", [redis.getEx("s", { type: "PERSIST" }), redis.ttl("s")], ["w", -1]);
    await check.equal("setEx and pSetEx", [redis.setEx("s", 10, "v"), redis.pSetEx("t", 10_000, "v"), redis.ttl("t")],
        ["OK", "OK", 10]);
    await check.equal("expire with a mode", [redis.expire("s", 20, "LT"), redis.expire("s", 20, "GT"), redis.ttl("s")], [0, 1, 20]);
    await check.equal("persist", [redis.persist("s"), redis.persist("s"), redis.ttl("nothing")], [1, 0, -2]);
    await check.equal("pExpire", redis.pExpire("s", 20), 1);
    await check.until("a deadline passes", async () => await redis.exists("s") === 0);
    // rate-limiter.js: who counts first in a window ends it.
    const allowed = async () => {
        const count = await redis.incr("window");
        if (count === 1) await redis.expire("window", 60);
        return count <= 5;
    };
    const tries = [];
    for (let at = 0; at < 7; at += 1) tries.push(await allowed());
    await check.equal("five of seven in a window", tries, [true, true, true, true, true, false, false]);
    await check.equal("which ends", redis.ttl("window"), 60);
}

export async function bits({ check, redis }) {
    await check.equal("setBit", [redis.setBit("b", 7, 1), redis.getBit("b", 7), redis.getBit("b", 100)], [0, 1, 0]);
    await check.equal("bitCount", [redis.set("k", "foobar"), redis.bitCount("k"), redis.bitCount("k", { start: 1, end: 1 }),
        redis.bitCount("k", { start: 5, end: 30, mode: "BIT" })], ["OK", 26, 6, 17]);
    await check.equal("bitPos", [redis.bitPos("b", 1), redis.bitPos("b", 0), redis.bitPos("nothing", 1)], [7, 0, -1]);
    await check.equal("bitOp", [redis.bitOp("XOR", "x", ["k", "k"]), redis.bitOp("NOT", "x", "b"), redis.getBit("x", 0)], [6, 1, 1]);
    await check.equal("bitField", redis.bitField("f", [
        { operation: "SET", encoding: "u8", offset: 0, value: 250 }, { operation: "OVERFLOW", behavior: "FAIL" },
        { operation: "INCRBY", encoding: "u8", offset: 0, increment: 10 }, { operation: "GET", encoding: "u4", offset: "#0" },
    ]), [0, null, 15]);
    await check.equal("bitFieldRo", redis.bitFieldRo("f", [{ encoding: "u8", offset: 0 }]), [250]);
    // hyperloglog.js
    await check.equal("pfAdd", [redis.pfAdd("h1", ["a", "b", "c"]), redis.pfAdd("h1", "a"), redis.pfAdd("h2", ["c", "d"])], [1, 0, 1]);
    await check.equal("pfCount", [redis.pfCount("h1"), redis.pfCount(["h1", "h2"])], [3, 4]);
    await check.equal("pfMerge", [redis.pfMerge("all", ["h1", "h2"]), redis.pfCount("all")], ["OK", 4]);
}

export async function hashes({ check, redis, resp, library }) {
    await check.equal("hSet", [redis.hSet("h", "one", "1"), redis.hSet("h", "one", "2")], [1, 0]);
    await check.equal("hSet of an object", redis.hSet("h", { two: "2", three: 3 }), 2);
    await check.equal("hSet of a map", redis.hSet("h", new Map([["four", "4"]])), 1);
    await check.equal("hSet of a list", redis.hSet("h", ["five", "5"]), 1);
    await check.equal("hGet", [redis.hGet("h", "three"), redis.hGet("h", "nothing")], ["3", null]);
    await check.equal("hGetAll", redis.hGetAll("h"), { one: "2", two: "2", three: "3", four: "4", five: "5" });
    await check.equal("hGetAll of nothing", redis.hGetAll("nothing"), {});
    await check.equal("hmGet", redis.hmGet("h", ["one", "nothing", "five"]), ["2", null, "5"]);
    await check.equal("hKeys and hVals", [redis.hDel("h", ["four", "five"]), redis.hKeys("h"), redis.hVals("h")],
        [2, ["one", "two", "three"], ["2", "2", "3"]]);
    await check.equal("hLen, hExists, hStrLen", [redis.hLen("h"), redis.hExists("h", "one"), redis.hStrLen("h", "one")], [3, 1, 1]);
    await check.equal("hSetNX", [redis.hSetNX("h", "one", "9"), redis.hSetNX("h", "six", "6")], [0, 1]);
    await check.equal("hIncrBy", [redis.hIncrBy("h", "one", 40), redis.hIncrByFloat("h", "one", 0.5)], [42, "42.5"]);
    await check.equal("hRandField", [redis.del("h"), redis.hSet("h", "only", "1"), redis.hRandField("h")], [1, 1, "only"]);
    await check.equal("hRandFieldCount", redis.hRandFieldCount("h", -3), ["only", "only", "only"]);
    await check.equal("hRandFieldCountWithValues", redis.hRandFieldCountWithValues("h", 5), [{ field: "only", value: "1" }]);
    const { RESP_TYPES } = library;
    await check.equal("a reply as Map", redis.withTypeMapping({ [RESP_TYPES.MAP]: Map }).hGetAll("h"), new Map([["only", "1"]]));
    await check.equal("with buffers", redis.withTypeMapping({ [RESP_TYPES.MAP]: Map, [RESP_TYPES.BLOB_STRING]: Buffer }).hGetAll("h"),
        new Map([["only", Buffer.from("1")]]));
    await check.equal("the reply itself", redis.sendCommand(["HGETALL", "h"]), resp === 2 ? ["only", "1"] : { only: "1" });
}

export async function lists({ check, redis }) {
    await check.equal("rPush", [redis.rPush("l", ["a", "b", "c"]), redis.lPush("l", "z"), redis.lPushX("nothing", "a")], [3, 4, 0]);
    await check.equal("lRange", redis.lRange("l", 0, -1), ["z", "a", "b", "c"]);
    await check.equal("lIndex and lLen", [redis.lIndex("l", 1), redis.lIndex("l", 9), redis.lLen("l")], ["a", null, 4]);
    await check.equal("lInsert", [redis.lInsert("l", "BEFORE", "b", "b"), redis.lInsert("l", "AFTER", "x", "b")], [5, -1]);
    await check.equal("lPos", [redis.lPos("l", "b"), redis.lPos("l", "b", { RANK: -1 }), redis.lPos("l", "x")], [2, 3, null]);
    await check.equal("lPosCount", redis.lPosCount("l", "b", 0), [2, 3]);
    await check.equal("lRem and lSet", [redis.lRem("l", 1, "b"), redis.lSet("l", 0, "y")], [1, "OK"]);
    await check.equal("lMove", [redis.lMove("l", "m", "LEFT", "RIGHT"), redis.rPopLPush("l", "m")], ["y", "c"]);
    await check.equal("lmPop", redis.lmPop(["nothing", "m"], "LEFT", { COUNT: 5 }), ["m", ["c", "y"]]);
    await check.equal("lmPop of nothing", redis.lmPop("nothing", "RIGHT"), null);
    await check.equal("lPop and rPopCount", [redis.lPop("l"), redis.rPopCount("l", 5), redis.rPop("l"), redis.lPopCount("l", 1)],
        ["a", ["b"], null, null]);
    await check.equal("lTrim", [redis.rPush("l", ["1", "2", "3", "4"]), redis.lTrim("l", 1, 2), redis.lRange("l", 0, -1)],
        [4, "OK", ["2", "3"]]);
    await check.equal("sort", [redis.rPush("n", ["3", "10", "2"]), redis.sort("n"), redis.sort("n", { DIRECTION: "DESC", ALPHA: true })],
        [3, ["2", "3", "10"], ["3", "2", "10"]]);
    await redis.mSet({ w_2: "9", w_3: "1", w_10: "5", d_2: "two", d_3: "three" });
    await check.equal("sort by other keys", redis.sort("n", { BY: "w_*", GET: ["#", "d_*"], LIMIT: { offset: 0, count: 2 } }),
        ["3", "three", "10", null]);
    await check.equal("sortStore", [redis.sortStore("n", "sorted"), redis.lRange("sorted", 0, -1)], [3, ["2", "3", "10"]]);
    await check.equal("sortRo", redis.sortRo("n", { LIMIT: { offset: 1, count: 1 } }), ["3"]);
}

export async function sets({ check, redis, resp, library }) {
    const sorted = async (members) => (await members).sort();
    await check.equal("sAdd", [redis.sAdd("s", ["a", "b", "c"]), redis.sAdd("s", "a"), redis.sAdd("t", ["c", "d"])], [3, 0, 2]);
    await check.equal("sMembers", sorted(redis.sMembers("s")), ["a", "b", "c"]);
    await check.equal("a reply as Set", redis.withTypeMapping({ [library.RESP_TYPES.SET]: Set }).sMembers("t")
        .then((members) => [members instanceof Set, [...members].sort()]), [resp === 3, ["c", "d"]]);
    await check.equal("sIsMember", [redis.sIsMember("s", "a"), redis.sIsMember("s", "x")], [1, 0]);
    await check.equal("smIsMember", redis.smIsMember("s", ["a", "x", "b"]), [1, 0, 1]);
    await check.equal("operations", [redis.sInter(["s", "t"]), sorted(redis.sUnion(["s", "t"])), sorted(redis.sDiff(["s", "t"]))],
        [["c"], ["a", "b", "c", "d"], ["a", "b"]]);
    await check.equal("stored", [redis.sInterStore("i", ["s", "t"]), redis.sUnionStore("u", ["s", "t"]), redis.sDiffStore("d", ["s", "t"])],
        [1, 4, 2]);
    await check.equal("sInterCard", [redis.sInterCard(["u", "s"]), redis.sInterCard(["u", "s"], { LIMIT: 2 })], [3, 2]);
    await check.equal("sMove", [redis.sMove("s", "t", "a"), redis.sMove("s", "t", "a"), redis.sCard("t")], [1, 0, 3]);
    await check.equal("sRandMember", [redis.sRandMember("i"), redis.sRandMemberCount("i", -2), redis.sRandMember("nothing")],
        ["c", ["c", "c"], null]);
    await check.equal("sPop", [redis.sPop("i"), redis.sPop("i"), sorted(redis.sPopCount("d", 5))], ["c", null, ["a", "b"]]);
    await check.equal("sRem", [redis.sRem("u", ["a", "x"]), redis.sCard("u")], [1, 3]);
}

export async function sortedSets({ check, redis }) {
    await check.equal("zAdd", redis.zAdd("z", [{ score: 1, value: "a" }, { score: 2.5, value: "b" }, { score: Infinity, value: "c" }]), 3);
    await check.equal("zAdd with options", [redis.zAdd("z", { score: 9, value: "a" }, { condition: "NX" }),
        redis.zAdd("z", { score: 2, value: "a" }, { comparison: "GT", CH: true }), redis.zAddIncr("z", { score: 1, value: "a" })],
        [0, 1, 3]);
    await check.equal("zScore", [redis.zScore("z", "a"), redis.zScore("z", "c"), redis.zScore("z", "x")], [3, Infinity, null]);
    await check.equal("zmScore", redis.zmScore("z", ["b", "x"]), [2.5, null]);
    await check.equal("zRange", [redis.zRange("z", 0, -1), redis.zRange("z", 0, 0, { REV: true })], [["b", "a", "c"], ["c"]]);
    await check.equal("zRange by score", redis.zRange("z", "(2.5", Infinity, { BY: "SCORE", LIMIT: { offset: 0, count: 1 } }), ["a"]);
    await check.equal("zRangeWithScores", redis.zRangeWithScores("z", 0, 1), [{ value: "b", score: 2.5 }, { value: "a", score: 3 }]);
    await check.equal("zRank", [redis.zRank("z", "a"), redis.zRevRank("z", "a"), redis.zRank("z", "x")], [1, 1, null]);
    await check.equal("zCard and zCount", [redis.zCard("z"), redis.zCount("z", "(2.5", "+inf")], [3, 2]);
    await check.equal("zIncrBy", redis.zIncrBy("z", -0.5, "a"), 2.5);
    await redis.zAdd("y", [{ score: 10, value: "a" }, { score: 20, value: "d" }]);
    await check.equal("zInterWithScores", redis.zInterWithScores([{ key: "z", weight: 2 }, { key: "y", weight: 1 }]),
        [{ value: "a", score: 15 }]);
    await check.equal("zUnion", redis.zUnion(["z", "y"], { AGGREGATE: "MIN" }), ["a", "b", "d", "c"]);
    await check.equal("zDiff", [redis.zDiff(["z", "y"]), redis.zDiffStore("x", ["z", "y"])], [["b", "c"], 2]);
    await check.equal("zUnionStore", [redis.zUnionStore("x", ["z", "y"]), redis.zScore("x", "a"), redis.zInterCard(["z", "y"])],
        [4, 12.5, 1]);
    await check.equal("zRangeStore", [redis.zRangeStore("r", "x", 0, 1), redis.zRange("r", 0, -1)], [2, ["b", "a"]]);
    await check.equal("zPopMin", [redis.zPopMin("z"), redis.zPopMaxCount("z", 5), redis.zPopMin("z")],
        [{ value: "a", score: 2.5 }, [{ value: "c", score: Infinity }, { value: "b", score: 2.5 }], null]);
    await check.equal("zmPop", [redis.zmPop(["nothing", "y"], "MAX", { COUNT: 1 }), redis.zmPop("nothing", "MIN")],
        [{ key: "y", members: [{ value: "d", score: 20 }] }, null]);
    await redis.zAdd("lex", ["a", "b", "c", "d"].map((value) => ({ score: 0, value })));
    await check.equal("by name", [redis.zRangeByLex("lex", "[b", "(d"), redis.zLexCount("lex", "-", "+"),
        redis.zRemRangeByLex("lex", "[a", "[b"), redis.zRemRangeByRank("lex", 0, 0), redis.zRem("lex", ["d", "x"])],
        [["b", "c"], 4, 2, 1, 1]);
    await check.equal("bzPopMin", redis.bzPopMin(["nothing", "y"], 1), { key: "y", value: "a", score: 10 });
}

export async function places({ check, redis, library }) {
    await check.equal("geoAdd", redis.geoAdd("g", [{ longitude: 13.361389, latitude: 38.115556, member: "Palermo" },
        { longitude: 15.087269, latitude: 37.502669, member: "Catania" }]), 2);
    await check.equal("geoDist", [redis.geoDist("g", "Palermo", "Catania", "km"), redis.geoDist("g", "Palermo", "Rome")], [166.2742, null]);
    await check.equal("geoHash", redis.geoHash("g", ["Palermo", "Rome"]), ["sqc8b49rny0", null]);
    await check.equal("geoPos", redis.geoPos("g", "Palermo").then(([at]) => [Number(at.longitude).toFixed(5),
        Number(at.latitude).toFixed(5)]),
        ["13.36139", "38.11556"]);
    const from = { longitude: 15, latitude: 37 };
    await check.equal("geoSearch", redis.geoSearch("g", from, { radius: 200, unit: "km" }, { SORT: "ASC" }), ["Catania", "Palermo"]);
    const { GEO_REPLY_WITH } = library;
    await check.equal("geoSearchWith", redis.geoSearchWith("g", from, { width: 200, height: 200, unit: "km" },
        [GEO_REPLY_WITH.DISTANCE, GEO_REPLY_WITH.HASH]).then((found) => found.map((at) => ({ ...at, distance: Number(at.distance) }))),
    [{ member: "Catania", distance: 56.4413, hash: 3479447370796909 }]);
    await check.equal("geoSearchStore", [redis.geoSearchStore("near", "g", "Palermo", { radius: 1, unit: "m" }),
        redis.zRange("near", 0, -1)],
        [1, ["Palermo"]]);
}

export async function keys({ check, redis, library }) {
    await redis.mSet({ a: "1", b: "2" });
    await check.equal("exists", [redis.exists(["a", "b", "a"]), redis.touch(["a", "x"]), redis.type("a"), redis.type("x")],
        [3, 1, "string", "none"]);
    await check.equal("rename", [redis.rename("a", "c"), redis.renameNX("b", "c"), redis.keys("*").then((all) => all.sort())],
        ["OK", 0, ["b", "c"]]);
    await check.equal("copy", [redis.copy("c", "d"), redis.copy("b", "d"), redis.copy("b", "d", { REPLACE: true }), redis.get("d")],
        [1, 0, 1, "2"]);
    await check.equal("move", [redis.move("d", 1), redis.exists("d"), redis.multi().select(1).get("d").select(0).exec()],
        [1, 0, ["OK", "2", "OK"]]);
    await check.equal("objectEncoding", [redis.objectEncoding("c"), redis.objectRefCount("nothing")], ["int", null]);
    // dump-and-restore.js
    const buffers = redis.withTypeMapping({ [library.RESP_TYPES.BLOB_STRING]: Buffer });
    const dump = await buffers.dump("c");
    await check.equal("dump and restore", [redis.restore("r", 0, dump), redis.get("r")], ["OK", "1"]);
    await check.rejects("restore over it", library.ErrorReply, "BUSYKEY Target key name already exists.", redis.restore("r", 0, dump));
    await check.equal("restore with options", [redis.restore("r", 60_000, dump, { REPLACE: true }), redis.ttl("r")], ["OK", 60]);
    await check.equal("del and unlink", [redis.del(["b", "c", "x"]), redis.unlink("r"), redis.dbSize(), redis.randomKey()],
        [2, 1, 0, null]);
}

export async function iterators({ check, redis, library }) {
    const names = Array.from({ length: 500 }, (_, at) => `scan:${String(at).padStart(3, "0")}`);
    const collect = async (pages, what = (one) => one) => {
        const found = new Set();
        for await (const page of pages) page.forEach((one) => found.add(what(one)));
        return [...found].sort();
    };
    await redis.mSet(names.flatMap((name) => [name, "1"]));
    await redis.rPush("list", "1");
    await check.equal("scanIterator", collect(redis.scanIterator({ MATCH: "scan:*", COUNT: 33 })), names);
    await check.equal("of a type", collect(redis.scanIterator({ TYPE: "list" })), ["list"]);
    await check.equal("scan", redis.scan("0", { MATCH: "scan:007", COUNT: 10_000 }), { cursor: "0", keys: ["scan:007"] });
    await redis.hSet("hash", Object.fromEntries(names.map((name) => [name, `${name}!`])));
    await check.equal("hScanIterator", collect(redis.hScanIterator("hash", { COUNT: 10 }), ({ field, value }) => `${field} ${value}`),
        names.map((name) => `${name} ${name}!`));
    await redis.sAdd("set", names);
    await check.equal("sScanIterator", collect(redis.sScanIterator("set", { MATCH: "*:49?" })), names.slice(490));
    await redis.zAdd("zset", names.map((value, score) => ({ value, score })));
    await check.equal("zScanIterator", collect(redis.zScanIterator("zset"), ({ value, score }) => `${value} ${score}`),
        names.map((name, at) => `${name} ${at}`));
    await check.equal("a page as buffers", redis.withTypeMapping({ [library.RESP_TYPES.BLOB_STRING]: Buffer }).sScan("set", "0",
        { MATCH: "*:001", COUNT: 10_000 }), { cursor: Buffer.from("0"), members: [Buffer.from("scan:001")] });
}

export async function streams({ check, redis, connect }) {
    // stream-producer.js
    await check.equal("xAdd", [redis.xAdd("s", "1-1", { a: "1", b: "2" }), redis.xAdd("s", "1-*", { a: "3" })], ["1-1", "1-2"]);
    await check.equal("xAdd to nothing", redis.xAddNoMkStream("nothing", "*", { a: "1" }), null);
    await check.equal("xLen", redis.xLen("s"), 2);
    const entries = [{ id: "1-1", message: { a: "1", b: "2" } }, { id: "1-2", message: { a: "3" } }];
    await check.equal("xRange", redis.xRange("s", "-", "+"), entries);
    await check.equal("xRevRange", redis.xRevRange("s", "+", "-", { COUNT: 1 }), [entries[1]]);
    await check.equal("xRead", redis.xRead([{ key: "s", id: "0" }, { key: "nothing", id: "0" }], { COUNT: 1 }),
        [{ name: "s", messages: [entries[0]] }]);
    await check.equal("xRead of nothing new", redis.xRead({ key: "s", id: "$" }), null);
    const reader = await connect();
    const next = reader.xRead({ key: "s", id: "$" }, { BLOCK: 0 });
    await check.until("a reader waits", async () => (await redis.info("clients")).includes("blocked_clients:1\r\n"));
    await redis.xAdd("s", "2-0", { n: "999" });
    await check.equal("and reads", next, [{ name: "s", messages: [{ id: "2-0", message: { n: "999" } }] }]);
    await check.equal("xRead for a while", reader.xRead({ key: "s", id: "$" }, { BLOCK: 10 }), null);
    await check.equal("xAdd trims", [redis.xAdd("s", "3-0", { n: "1" },
        { TRIM: { strategy: "MAXLEN", strategyModifier: "=", threshold: 3 } }),
        redis.xLen("s")], ["3-0", 3]);
    await check.equal("xTrim and xDel", [redis.xTrim("s", "MINID", "2-0"), redis.xDel("s", ["2-0", "9-9"]), redis.xLen("s")], [1, 1, 1]);
    await check.equal("xInfoStream", redis.xInfoStream("s").then((info) => [info.length, info["last-generated-id"], info["entries-added"],
        info["max-deleted-entry-id"], info["first-entry"]]), [1, "3-0", 4, "2-0", { id: "3-0", message: { n: "1" } }]);
    reader.destroy();
}

export async function groups({ check, redis, library }) {
    // stream-consumer-group.js
    await check.equal("xGroupCreate", redis.xGroupCreate("s", "g", "0", { MKSTREAM: true }), "OK");
    await check.rejects("once only", library.ErrorReply, "BUSYGROUP Consumer Group name already exists", redis.xGroupCreate("s", "g", "0"));
    for (const id of ["1-0", "2-0", "3-0"]) await redis.xAdd("s", id, { num: id });
    const next = (consumer, options) => redis.xReadGroup("g", consumer, [{ key: "s", id: ">" }], options);
    await check.equal("one entry each", [next("one", { COUNT: 1, BLOCK: 5000 }), next("two", { COUNT: 1 })],
        [[{ name: "s", messages: [{ id: "1-0", message: { num: "1-0" } }] }],
        [{ name: "s", messages: [{ id: "2-0", message: { num: "2-0" } }] }]]);
    await check.equal("xAck", [redis.xAck("s", "g", "1-0"), redis.xAck("s", "g", ["1-0", "9-9"])], [1, 0]);
    await check.equal("the rest", next("one"), [{ name: "s", messages: [{ id: "3-0", message: { num: "3-0" } }] }]);
    await check.equal("nothing more", [next("one"), next("one", { BLOCK: 10 })], [null, null]);
    await check.equal("xPending", redis.xPending("s", "g"),
        { pending: 2, firstId: "2-0", lastId: "3-0", consumers: [{ name: "one", deliveriesCounter: 1 },
        { name: "two", deliveriesCounter: 1 }] });
    await check.equal("xPendingRange", redis.xPendingRange("s", "g", "-", "+", 10, { consumer: "two" })
        .then(([one]) => [one.id, one.consumer, one.deliveriesCounter]), ["2-0", "two", 1]);
    await check.equal("xClaim", redis.xClaim("s", "g", "one", 0, "2-0", { RETRYCOUNT: 7 }), [{ id: "2-0", message: { num: "2-0" } }]);
    await check.equal("xClaimJustId", redis.xClaimJustId("s", "g", "one", 0, ["2-0", "9-9"]), ["2-0"]);
    await check.equal("xAutoClaim", redis.xAutoClaim("s", "g", "two", 0, "0", { COUNT: 1 }),
        { nextId: "3-0", messages: [{ id: "2-0", message: { num: "2-0" } }], deletedMessages: [] });
    await check.equal("xInfoGroups", redis.xInfoGroups("s"),
        [{ name: "g", consumers: 2, pending: 2, "last-delivered-id": "3-0", "entries-read": 3, lag: 0 }]);
    await check.equal("xInfoConsumers", redis.xInfoConsumers("s", "g").then((all) => all.map(({ name, pending }) => [name, pending])),
        [["one", 1], ["two", 1]]);
    await check.equal("consumers", [redis.xGroupCreateConsumer("s", "g", "three"), redis.xGroupDelConsumer("s", "g", "two")], [1, 1]);
    await check.equal("xGroupSetId", [redis.xGroupSetId("s", "g", "2-0"), next("four", { NOACK: true })],
        ["OK", [{ name: "s", messages: [{ id: "3-0", message: { num: "3-0" } }] }]]);
    await check.equal("xGroupDestroy", [redis.xGroupDestroy("s", "g"), redis.xGroupDestroy("s", "g")], [1, 0]);
    await check.rejects("no such group", library.ErrorReply,
        "NOGROUP No such key 's' or consumer group 'g' in XREADGROUP with GROUP option", next("one"));
}
