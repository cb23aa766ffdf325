// What goes to the server as one piece - pipelines, transactions, scripts, functions - and what comes from it unasked or late: messages,
// notifications, and the answers of commands that wait.

import { event, inbox } from "./checks.mjs";

export async function pipelines({ check, redis, library }) {
    // Commands of one tick go together.
    await check.equal("in one tick", Array.from({ length: 1000 }, () => redis.incr("n")), Array.from({ length: 1000 }, (_, at) => at + 1));
    const settled = await Promise.allSettled([redis.set("x", "text"), redis.incr("x"), redis.get("x")]);
    await check.equal("an error reaches its own call", settled.map((one) => one.value ?? one.reason.message),
        ["OK", "ERR value is not an integer or out of range", "text"]);
    // Bulk loading: ten thousand keys in parallel, and as many in one command.
    const names = Array.from({ length: 10_000 }, (_, at) => `bulk:${at}`);
    await check.equal("ten thousand writes", Promise.all(names.map((name, at) => redis.set(name, at)))
        .then((replies) => replies.every((reply) => reply === "OK")), true);
    await check.equal("and reads", redis.mGet(names), names.map((_, at) => String(at)));
    await check.equal("one command of ten thousand", [redis.del(names), redis.mSet(names.map((name) => [name, "1"])), redis.dbSize()],
        [10_000, "OK", 10_002]);
    await check.equal("execAsPipeline", redis.multi().set("p", 1).incr("p").get("p").execAsPipeline(), ["OK", 2, "2"]);
    await check.equal("exec as a pipeline", redis.multi().get("p").ping().exec(true), ["2", "PONG"]);
    await check.equal("sendCommand", [redis.sendCommand(["SET", "key", "value", "NX"]), redis.sendCommand(["STRLEN", "key"])], ["OK", 5]);
    await check.rejects("a refusal in a pipeline", library.ErrorReply, "ERR value is not an integer or out of range",
        redis.multi().set("p", "x").incr("p").execAsPipeline());
}

export async function transactions({ check, redis, library }) {
    await check.equal("multi", redis.multi().set("t", 1).incr("t").get("t").exec(), ["OK", 2, "2"]);
    await check.equal("execTyped", redis.multi().ping().hSet("h", { name: "hash", number: 1 }).hGetAll("h").execTyped(),
        ["PONG", 2, { name: "hash", number: "1" }]);
    // transaction-with-arbitrary-commands.js
    await check.equal("arbitrary commands", redis.multi().hGetAll("h").addCommand(["hset", "h", "number", "4"]).hGet("h", "number").exec(),
        [{ name: "hash", number: "1" }, 0, "4"]);
    await check.equal("sendCommand in one", redis.multi().sendCommand(["STRLEN", "t"]).exec(), [1]);
    await check.equal("a transaction of nothing", redis.multi().exec(), []);
    await check.equal("select in one", [redis.multi().select(2).set("two", 2).exec(), redis.get("two"), redis.select(0),
        redis.exists("two")],
        [["OK", "OK"], "2", undefined, 0]);
    let error;
    await redis.multi().set("t", "text").incr("t").set("after", 1).exec().catch((thrown) => { error = thrown; });
    await check.equal("an error does not stop the others", [error instanceof library.MultiErrorReply, error?.errorIndexes,
        error?.replies[0], error?.replies[1].message, error?.replies[2]],
    [true, [1], "OK", "ERR value is not an integer or out of range", "OK"]);
    await check.rejects("a refused command ends the transaction", library.ErrorReply,
        "ERR wrong number of arguments for 'get' command", redis.multi().set("before", 1).addCommand(["GET"]).exec());
    await check.equal("nothing was done", redis.get("before"), null);
    await check.equal("discard", [redis.sendCommand(["MULTI"]), redis.sendCommand(["SET", "t", "9"]), redis.sendCommand(["DISCARD"]),
        redis.get("t")],
        ["OK", "QUEUED", "OK", "text"]);
}

// transaction-with-watch.js
export async function conflicts({ check, redis, other, library }) {
    const { WatchError } = library;
    await redis.set("t", 1);
    await check.equal("watch", [await redis.watch("t"), await other.set("t", 50)], ["OK", "OK"]);
    await check.rejects("a conflict", WatchError, "One (or more) of the watched keys has been changed", redis.multi().set("t", 99).exec());
    await check.equal("the other's write stays", redis.get("t"), "50");
    await redis.watch(["t", "u"]);
    await check.equal("without a conflict", [redis.isWatching, redis.multi().incr("t").exec()], [true, [51]]);
    await redis.watch("t");
    await check.equal("unwatch", [await redis.unwatch(), await other.set("t", 1), redis.multi().incr("t").exec()], ["OK", "OK", [2]]);
    // Each of ten adds one, and tries again until nobody came between.
    const pool = await redis.createPool({ maximum: 5 }).on("error", () => {}).connect();
    const add = () => pool.execute(async (client) => {
        for (;;) {
            await client.watch("sum");
            const sum = Number(await client.get("sum"));
            try {
                return await client.multi().set("sum", sum + 1).exec();
            } catch (error) {
                if (!(error instanceof WatchError)) throw error;
            }
        }
    });
    await check.equal("ten at once", Array.from({ length: 10 }, add), Array(10).fill(["OK"]));
    await check.equal("and none is lost", redis.get("sum"), "10");
    await pool.close();
}

export async function scripts({ check, redis, create, library }) {
    const { defineScript, ErrorReply } = library;
    // lua-multi-incr.js, and the two of docs/programmability.md
    const settings = {
        scripts: {
            mincr: defineScript({
                NUMBER_OF_KEYS: 2,
                SCRIPT: "return {redis.pcall('INCRBY', KEYS[1], ARGV[1]), redis.pcall('INCRBY', KEYS[2], ARGV[1])}",
                parseCommand(parser, first, second, by) {
                    parser.pushKeys([first, second]);
                    parser.push(by.toString());
                },
            }),
            sum: defineScript({
                NUMBER_OF_KEYS: 1, IS_READ_ONLY: true,
                SCRIPT: "return redis.call('GET', KEYS[1]) + ARGV[1]",
                parseCommand(parser, key, by) {
                    parser.pushKey(key);
                    parser.push(by);
                },
                transformReply: (reply) => `sum: ${reply}`,
            }),
            count: defineScript({
                SCRIPT: "return #KEYS",
                parseCommand(parser, keys) {
                    parser.pushKeysLength(keys);
                },
            }),
        },
    };
    await check.equal("scriptFlush", redis.scriptFlush(), "OK");
    const client = await create(settings).connect();
    await check.equal("a script that is not there yet", client.mincr("a", "b", 42), [42, 42]);
    await check.equal("and is", client.mincr("a", "b", 1), [43, 43]);
    await check.equal("its reply is transformed", client.sum("a", "7"), "sum: 50");
    await check.equal("any number of keys", client.count(["a", "b", "c"]), 3);
    await check.equal("in a transaction", client.multi().mincr("a", "b", 1).sum("a", "1").get("b").exec(), [[44, 44], "sum: 45", "44"]);
    const pool = await client.createPool().on("error", () => {}).connect();
    await check.equal("in a pool", pool.mincr("a", "c", 1), [45, 1]);
    await pool.close();
    const { SHA1, SCRIPT } = settings.scripts.count;
    await check.equal("scriptLoad", [redis.scriptLoad(SCRIPT), redis.scriptExists([SHA1, "0".repeat(40)])], [SHA1, [1, 0]]);
    await check.equal("evalSha", [redis.evalSha(SHA1, { keys: ["a", "b"] }), redis.evalShaRo(SHA1, { keys: [] })], [2, 0]);
    await check.equal("eval", redis.eval("return {KEYS[1], ARGV[1], ARGV[2], 1, 3.7, false, {ok='fine'}}",
        { keys: ["k"], arguments: ["x", "y"] }), ["k", "x", "y", 1, 3, null, "fine"]);
    await check.rejects("evalRo does not write", ErrorReply, undefined,
        redis.evalRo("return redis.call('SET', KEYS[1], 1)", { keys: ["k"] }));
    await check.equal("and did not", redis.exists("k"), 0);
    await check.rejects("an error of a script's own", ErrorReply, "MINE it was", redis.eval("return redis.error_reply('MINE it was')"));
    await redis.scriptFlush();
    await check.rejects("a script that has gone", ErrorReply, "NOSCRIPT No matching script. Please use EVAL.", redis.evalSha(SHA1));
    await check.equal("comes again by itself", client.count(["a"]), 1);
    client.destroy();
}

export async function functions({ check, redis, create, library }) {
    const code = `#!lua name=library
        redis.register_function{function_name = 'add', flags = {'no-writes'},
            callback = function(keys, args) return redis.call('GET', keys[1]) + args[1] end}
        redis.register_function('put', function(keys, args) return redis.call('SET', keys[1], args[1]) end)`;
    const parseCommand = (parser, key, value) => {
        parser.pushKey(key);
        parser.push(value);
    };
    await check.equal("functionFlush", redis.functionFlush("SYNC"), "OK");
    await check.equal("functionLoad", redis.functionLoad(code), "library");
    await check.rejects("once only", library.ErrorReply, "ERR Library 'library' already exists", redis.functionLoad(code));
    await check.equal("functionLoad replaces", redis.functionLoad(code, { REPLACE: true }), "library");
    const client = await create({
        functions: { library: { add: { NUMBER_OF_KEYS: 1, IS_READ_ONLY: true, parseCommand }, put: { NUMBER_OF_KEYS: 1, parseCommand } } },
    }).connect();
    await check.equal("a function of the client's", [client.library.put("key", "17"), client.library.add("key", "25")], ["OK", 42]);
    await check.equal("in a transaction", client.multi().library.put("key", "1").library.add("key", "2").exec(), ["OK", 3]);
    await check.equal("fCall and fCallRo", [redis.fCall("put", { keys: ["key"], arguments: ["5"] }),
        redis.fCallRo("add", { keys: ["key"], arguments: ["5"] })], ["OK", 10]);
    await check.rejects("fCallRo of one that writes", library.ErrorReply,
        "ERR Can not execute a script with write flag using *_ro command.", redis.fCallRo("put", { keys: ["key"], arguments: ["5"] }));
    await check.rejects("no such function", library.ErrorReply, "ERR Function not found", redis.fCall("none"));
    await check.equal("functionList", redis.functionList().then(([one, ...rest]) => [rest.length, one.library_name, one.engine,
        one.functions.map(({ name, description, flags }) => [name, description, [...flags]]).sort()]),
    [0, "library", "LUA", [["add", null, ["no-writes"]], ["put", null, []]]]);
    await check.equal("functionListWithCode", redis.functionListWithCode({ LIBRARYNAME: "lib*" }).then(([one]) => one.library_code), code);
    await check.equal("functionStats", redis.functionStats().then(({ running_script, engines }) => [running_script, engines.LUA]),
        [null, { libraries_count: 1, functions_count: 2 }]);
    const dump = await redis.withTypeMapping({ [library.RESP_TYPES.BLOB_STRING]: Buffer }).functionDump();
    await check.equal("functionDelete", [redis.functionDelete("library"), redis.functionList()], ["OK", []]);
    await check.equal("functionRestore", [await redis.functionRestore(dump), client.library.add("key", "1")], ["OK", 6]);
    await redis.functionFlush();
    client.destroy();
}

// pubsub-publisher.js, pubsub-subscriber.js and docs/pub-sub.md
export async function messages({ check, redis, other, resp }) {
    const subscriber = await redis.duplicate().on("error", () => {}).connect();
    const { hear, next } = inbox();
    const listener = (message, channel) => hear(channel, message);
    await subscriber.subscribe(["news", "more"], listener);
    await subscriber.pSubscribe("n*", (message, channel) => hear("n*", channel, message));
    await subscriber.sSubscribe("shard", listener);
    await check.equal("receivers", [other.publish("news", "hello"), other.sPublish("shard", "to one"), other.publish("none", "x")],
        [2, 1, 1]);
    await check.equal("messages", next(4), [["news", "hello"], ["n*", "news", "hello"], ["shard", "to one"], ["n*", "none", "x"]]);
    await check.equal("pubSubChannels", [other.pubSubChannels().then((all) => all.sort()), other.pubSubChannels("m*")],
        [["more", "news"], ["more"]]);
    await check.equal("pubSubNumSub", [other.pubSubNumSub(["news", "none"]), other.pubSubNumPat()], [{ news: 1, none: 0 }, 1]);
    await check.equal("of shards", [other.pubSubShardChannels(), other.pubSubShardNumSub(["shard"])], [["shard"], { shard: 1 }]);
    for (let number = 0; number < 1000; number += 1) other.publish("more", String(number));
    await check.equal("in order", next(1000), Array.from({ length: 1000 }, (_, number) => ["more", String(number)]));
    const binary = Buffer.from([0, 255, 13, 10]);
    await subscriber.subscribe("bytes", (message, channel) => hear(channel, message), true);
    await check.equal("buffers", [other.publish(Buffer.from("bytes"), binary), next(1)], [1, [[Buffer.from("bytes"), binary]]]);
    await check.equal("a command while subscribed", resp === 3 ? subscriber.get("nothing") : subscriber.ping(), resp === 3 ? null : "pong");
    const second = (message) => hear("second", message);
    await subscriber.subscribe("more", second);
    await check.equal("two listeners", [other.publish("more", "1"), next(2)], [1, [["more", "1"], ["second", "1"]]]);
    await subscriber.unsubscribe("more", listener);
    await check.equal("one of them", [other.publish("more", "2"), next(1)], [1, [["second", "2"]]]);
    // Killed, it subscribes again.
    const ready = event(subscriber, "ready");
    await other.clientKill({ filter: "TYPE", type: "pubsub" });
    await ready;
    await check.until("it subscribes again", async () => (await other.pubSubNumSub("more")).more === 1);
    await check.equal("and hears", [other.publish("news", "again"), next(2).then((all) => all.sort())],
        [2, [["n*", "news", "again"], ["news", "again"]]]);
    await subscriber.unsubscribe();
    await subscriber.pUnsubscribe("n*");
    await subscriber.sUnsubscribe("shard");
    await check.equal("nobody hears", [other.publish("news", "x"), subscriber.isPubSubActive, subscriber.set("after", 1).then(String)],
        [0, false, "OK"]);
    subscriber.destroy();
}

export async function notifications({ check, redis, connect }) {
    const subscriber = await connect();
    const { hear, next } = inbox();
    await redis.configSet("notify-keyspace-events", "KEA");
    await subscriber.pSubscribe("__key*@0__:*", (name, channel) => hear(channel, name));
    await redis.set("k", "v");
    await redis.expire("k", 100);
    await redis.del("k");
    const told = (name) => [["__keyspace@0__:k", name], [`__keyevent@0__:${name}`, "k"]];
    await check.equal("what is done to a key", next(6), ["set", "expire", "del"].flatMap(told));
    await check.equal("configSet of an object", redis.configSet({ "notify-keyspace-events": "" }), "OK");
    subscriber.destroy();
}

// blocking-list-pop.js
export async function blocking({ check, redis, connect }) {
    const waiter = await connect();
    const waits = (count) => check.until(`${count} wait`,
        async () => (await redis.info("clients")).includes(`blocked_clients:${count}\r\n`));
    const popped = waiter.blPop(["first", "second"], 0);
    await waits(1);
    await check.equal("blPop", [redis.rPush("second", ["1", "2"]), popped], [2, { key: "second", element: "1" }]);
    await check.equal("brPop at once", waiter.brPop("second", 0), { key: "second", element: "2" });
    await check.equal("blPop of nothing", waiter.blPop("second", 0.01), null);
    const moved = waiter.blMove("from", "to", "LEFT", "RIGHT", 0);
    await waits(1);
    await check.equal("blMove", [redis.lPush("from", "x"), moved, redis.lRange("to", 0, -1)], [1, "x", ["x"]]);
    await check.equal("blmPop", waiter.blmPop(1, ["nothing", "to"], "LEFT"), ["to", ["x"]]);
    const lowest = waiter.bzPopMax(["z"], 0);
    await waits(1);
    await check.equal("bzPopMax", [redis.zAdd("z", { score: 1.5, value: "m" }), lowest], [1, { key: "z", value: "m", score: 1.5 }]);
    await check.equal("bzmPop", [redis.zAdd("z", { score: 2, value: "n" }), waiter.bzmPop(1, "z", "MIN")],
        [1, { key: "z", members: [{ value: "n", score: 2 }] }]);
    const id = await waiter.clientId();
    const unblocked = waiter.blPop("never", 0);
    await waits(1);
    await check.equal("clientUnblock", [redis.clientUnblock(id), unblocked], [1, null]);
    const pool = await redis.createPool().on("error", () => {}).connect();
    const inPool = pool.blPop("pooled", 0);
    await waits(1);
    await check.equal("in a pool", [pool.lPush("pooled", "v"), inPool], [1, { key: "pooled", element: "v" }]);
    await pool.close();
    waiter.destroy();
}

export async function errors({ check, redis, library }) {
    const { ErrorReply, SimpleError } = library;
    await redis.set("text", "abc");
    const refused = (what, message, answer) => check.rejects(what, SimpleError, message, answer);
    await refused("incr of text", "ERR value is not an integer or out of range", redis.incr("text"));
    await refused("another type", "WRONGTYPE Operation against a key holding the wrong kind of value", redis.lPush("text", "a"));
    await refused("syntax", "ERR syntax error", redis.sendCommand(["SET", "a", "1", "SIDEWAYS"]));
    await refused("no such command", "ERR unknown command 'nosuch', with args beginning with: 'a' ", redis.sendCommand(["nosuch", "a"]));
    await refused("arity", "ERR wrong number of arguments for 'get' command", redis.sendCommand(["GET"]));
    await refused("a time to live", "ERR invalid expire time in 'set' command", redis.set("a", "1", { EX: 0 }));
    await refused("exec alone", "ERR EXEC without MULTI", redis.sendCommand(["EXEC"]));
    await refused("an index", "ERR index out of range", redis.multi().del("l").rPush("l", "a").exec().then(() => redis.lSet("l", 5, "x")));
    await refused("no such key", "ERR no such key", redis.rename("nothing", "x"));
    await refused("a smaller id", "ERR The ID specified in XADD is equal or smaller than the target stream top item",
        redis.multi().xAdd("s", "5-0", { a: "1" }).exec().then(() => redis.xAdd("s", "5-0", { a: "1" })));
    await refused("a database", "ERR DB index is out of range", redis.select(10_000));
    await check.rejects("a module's command", ErrorReply, undefined, redis.json.get("text"));
    await check.equal("the connection goes on", redis.ping("on"), "on");
}
