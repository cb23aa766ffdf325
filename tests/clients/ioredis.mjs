// What ioredis gets: exact answers, buffers, its pipelines with and without auto-pipelining, transactions, scan streams, its own
// errors, and that it connects again after CLIENT KILL.
//
//     ioredis.mjs <port> <directory with node_modules>
//
// Deletes the server's data. Ends with one line, `ioredis <version>: <n> checks, <n> failed`, or with status 1 when one failed. The
// server may be a real redis-server: what is expected here is what that one answers.

import { createRequire } from "node:module";
import { isDeepStrictEqual, inspect } from "node:util";
import path from "node:path";

const [port, modules] = process.argv.slice(2);
if (!modules) {
    console.error("ioredis.mjs <port> <directory with node_modules>");
    process.exit(2);
}
const require = createRequire(path.resolve(modules, "package.json"));
const { Redis, ReplyError } = require("ioredis");
const { version } = require("ioredis/package.json");

let count = 0;
let failures = 0;
let where = "";
let last = "";

process.on("exit", (status) => {
    if (status === 13) {
        console.error(`ioredis, ${where}: an answer never came after: ${last}`);
    }
});

function fail(what, text) {
    failures += 1;
    console.error(`ioredis, ${where}: ${what}: ${text}`);
}

function equal(what, actual, expected) {
    count += 1;
    last = what;
    if (!isDeepStrictEqual(actual, expected)) {
        fail(what, `${inspect(actual)} instead of ${inspect(expected)}`);
    }
}

async function rejects(what, message, answer) {
    count += 1;
    last = what;
    try {
        fail(what, `answered ${inspect(await answer)} instead of rejecting`);
    } catch (error) {
        if (!(error instanceof ReplyError) || error.message !== message) {
            fail(what, `${error.constructor.name}(${error.message}) instead of ReplyError(${message})`);
        }
    }
}

function connect(options) {
    const client = new Redis(Number(port), "127.0.0.1", { commandTimeout: 20_000, ...options });
    client.on("error", () => {}); // Commands say it.
    return client;
}

async function strings(redis) {
    equal("set", await redis.set("s", "value"), "OK");
    equal("get", await redis.get("s"), "value");
    equal("get of nothing", await redis.get("nothing"), null);
    equal("set nx", await redis.set("s", "other", "NX"), null);
    equal("set get", await redis.set("s", "third", "EX", 100, "GET"), "value");
    equal("ttl", await redis.ttl("s"), 100);
    equal("persist", [await redis.persist("s"), await redis.ttl("s")], [1, -1]);
    equal("mset of an object", await redis.mset({ a: 1, b: "two" }), "OK");
    equal("mset of a map", await redis.mset(new Map([["c", 3]])), "OK");
    equal("mget", await redis.mget("a", "nothing", ["b", "c"]), ["1", null, "two", "3"]);
    equal("msetnx", await redis.msetnx({ a: 2, z: 1 }), 0);
    equal("incr", [await redis.incr("i"), await redis.incrby("i", 41), await redis.decr("i")], [1, 42, 41]);
    equal("incrbyfloat", await redis.incrbyfloat("f", 10.5), "10.5");
    equal("append", [await redis.append("w", "Hello "), await redis.append("w", "World")], [6, 11]);
    equal("getrange", await redis.getrange("w", -5, -1), "World");
    equal("setrange", [await redis.setrange("w", 6, "Redis"), await redis.strlen("w")], [11, 11]);
    equal("getdel", [await redis.getdel("w"), await redis.exists("w", "a", "a")], ["Hello Redis", 2]);
    const binary = Buffer.from(Array.from({ length: 256 }, (_, at) => at));
    equal("a binary value", [await redis.set("bin", binary), await redis.getBuffer("bin")], ["OK", binary]);
    equal("a binary key", [await redis.set(binary, "v"), await redis.get(binary)], ["OK", "v"]);
    equal("unicode", [await redis.set("ключ", "größe"), await redis.get("ключ")], ["OK", "größe"]);
    equal("del and unlink", [await redis.del("a", "b", "nothing"), await redis.unlink("c")], [2, 1]);
    equal("a callback", await new Promise((done) => redis.get("s", (error, value) => done([error, value]))), [null, "third"]);
    const large = "x".repeat(4 * 1024 * 1024);
    equal("four megabytes", [await redis.set("large", large), (await redis.get("large")) === large], ["OK", true]);
    equal("a deadline passes", await redis.set("short", 1, "PX", 40), "OK");
    await new Promise((done) => setTimeout(done, 100));
    equal("a deadline has passed", [await redis.get("short"), await redis.pttl("short")], [null, -2]);
}

async function errors(redis) {
    await redis.set("text", "abc");
    await rejects("incr of text", "ERR value is not an integer or out of range", redis.incr("text"));
    await rejects("syntax", "ERR syntax error", redis.set("a", 1, "SIDEWAYS"));
    await rejects("no such command", "ERR unknown command 'nosuch', with args beginning with: 'a' ", redis.call("nosuch", "a"));
    await rejects("arity", "ERR wrong number of arguments for 'get' command", redis.call("GET"));
    await rejects("a time to live", "ERR invalid expire time in 'set' command", redis.set("a", 1, "EX", 0));
    await rejects("exec alone", "ERR EXEC without MULTI", redis.call("EXEC"));
    await rejects("wrong flag", "ERR NX and XX, GT or LT options at the same time are not compatible", redis.expire("text", 1, "NX", "XX"));
    equal("the connection goes on", await redis.ping("on"), "on");
}

async function scans(redis) {
    const names = Array.from({ length: 500 }, (_, at) => `scan:${at}`);
    await redis.mset(names.flatMap((name) => [name, 1]));
    await redis.set("else", 1);
    const found = new Set();
    for await (const keys of redis.scanStream({ match: "scan:*", count: 33 })) {
        keys.forEach((key) => found.add(key));
    }
    equal("scanStream", [...found].sort(), [...names].sort());
    equal("scan", await redis.scan(0, "MATCH", "scan:7", "COUNT", 10000), ["0", ["scan:7"]]);
    equal("keys", (await redis.keys("scan:49?")).sort(), names.slice(490));
    equal("dbsize", await redis.dbsize(), 501);
}

async function pipelines(redis) {
    const writes = redis.pipeline();
    for (let at = 0; at < 1000; at += 1) {
        writes.set(`p:${at}`, at);
    }
    equal("1000 writes", await writes.exec(), Array(1000).fill([null, "OK"]));
    const mixed = await redis.pipeline().get("p:1").incr("p:1").call("GET").get("p:1").exec();
    equal("an error in between", [mixed[0], mixed[1], mixed[2][0].message, mixed[3]],
        [[null, "1"], [null, 2], "ERR wrong number of arguments for 'get' command", [null, "2"]]);
    equal("parallel", await Promise.all(Array.from({ length: 500 }, () => redis.incr("n"))), Array.from({ length: 500 }, (_, at) => at + 1));
    const values = await Promise.all(Array.from({ length: 1000 }, (_, at) => redis.get(`p:${at}`)));
    equal("parallel reads", values, Array.from({ length: 1000 }, (_, at) => (at === 1 ? "2" : String(at))));
}

async function autoPipelines(redis) {
    const replies = Array.from({ length: 300 }, (_, at) => redis.incr(`auto:${at % 3}`));
    equal("waits for the end of the tick", redis.autoPipelineQueueSize, 300);
    equal("in order", await Promise.all(replies), Array.from({ length: 300 }, (_, at) => Math.floor(at / 3) + 1));
    const settled = await Promise.allSettled([redis.set("x", "text"), redis.incr("x"), redis.get("x")]);
    equal("an error reaches its own call", settled.map((one) => one.value ?? one.reason.message),
        ["OK", "ERR value is not an integer or out of range", "text"]);
    equal("multi beside it", await redis.multi().set("t", 1).incr("t").exec(), [[null, "OK"], [null, 2]]);
}

async function transactions(redis, other) {
    equal("multi", await redis.multi().set("t", 1).incr("t").get("t").exec(), [[null, "OK"], [null, 2], [null, "2"]]);
    await redis.watch("t");
    await other.set("t", 50);
    equal("watch", await redis.multi().set("t", 99).exec(), null);
    equal("the other's write stays", await redis.get("t"), "50");
    await redis.watch("t");
    equal("watch without a conflict", await redis.multi().incr("t").exec(), [[null, 51]]);
    await redis.watch("t");
    equal("unwatch", [await redis.unwatch(), await other.set("t", 1), await redis.multi().incr("t").exec()], ["OK", "OK", [[null, 2]]]);
    const failed = await redis.multi().set("t", "text").incr("t").set("after", 1).exec();
    equal("an error does not stop the others", [failed[0], failed[1][0].message, failed[2]],
        [[null, "OK"], "ERR value is not an integer or out of range", [null, "OK"]]);
    await rejects("a refused command ends the transaction", "EXECABORT Transaction discarded because of previous errors.",
        redis.multi().set("before", 1).call("GET").exec());
    equal("nothing was done", await redis.get("before"), null);
    equal("without a pipeline", [await redis.multi({ pipeline: false }), await redis.set("t", 5), await redis.exec()],
        ["OK", "QUEUED", [[null, "OK"]]]);
    equal("discard", [await redis.multi({ pipeline: false }), await redis.discard(), await redis.get("t")], ["OK", "OK", "5"]);
}

async function connections(redis, other) {
    equal("client setname", [await redis.client("SETNAME", "smoke"), await redis.client("GETNAME")], ["OK", "smoke"]);
    const id = await redis.client("ID");
    const line = (await other.client("LIST", "ID", id)).trim();
    equal("client list", [line.startsWith(`id=${id} `), line.includes(" name=smoke "), line.split("\n").length], [true, true, 1]);
    equal("client list names the command", / cmd=([^ ]*) /.exec(line)[1], "client|id");
    const ready = new Promise((done) => redis.once("ready", done));
    equal("killed by the other", await other.client("KILL", "ID", id), 1);
    await ready;
    equal("connects again by itself", (await redis.client("ID")) > id, true);
    equal("and goes on", await redis.set("again", 1), "OK");
    equal("wait", await redis.wait(0, 100), 0);
    const info = await redis.info("replication");
    equal("info", [info.startsWith("# Replication\r\n"), /^role:(.*)\r$/m.exec(info)[1]], [true, "master"]);
    equal("config get", await redis.config("GET", "maxmemory-policy"), ["maxmemory-policy", "noeviction"]);
    equal("config set", [await redis.config("SET", "timeout", 1000), await redis.config("GET", "timeout"),
        await redis.config("SET", "timeout", 0)], ["OK", ["timeout", "1000"], "OK"]);
    equal("role", (await redis.role())[0], "master");
    equal("command", (await redis.command("INFO", "get"))[0].slice(0, 6), ["get", 2, ["readonly", "fast"], 1, 1, 1]);
    const third = connect({ db: 3, connectionName: "third", keyPrefix: "prefix:" });
    equal("db and keyPrefix", [await third.set("k", 3), await third.get("k"), await redis.get("prefix:k")], ["OK", "3", null]);
    equal("connectionName", await third.client("GETNAME"), "third");
    equal("keyPrefix in the server", [await redis.select(3), await redis.get("prefix:k"), await redis.select(0)], ["OK", "3", "OK"]);
    equal("quit", await third.quit(), "OK");
}

async function messages(redis, other) {
    const subscriber = redis.duplicate();
    const heard = [];
    let wake = () => {};
    const hear = (...message) => { heard.push(message); wake(); };
    subscriber.on("messageBuffer", (channel, message) => hear(String(channel), String(message)));
    subscriber.on("pmessage", hear);
    // ioredis counts shard channels together with the others, and waits for ever at their end: a connection of their own.
    const sharded = redis.duplicate();
    sharded.on("smessage", hear);
    const until = async (count) => {
        while (heard.length < count) await new Promise((done) => { wake = done; });
        return heard.splice(0, count);
    };
    equal("subscribe", [await subscriber.subscribe("news", "more"), await subscriber.psubscribe("n*"),
        await sharded.ssubscribe("s")], [2, 3, 1]);
    equal("receivers", [await other.publish("news", "hello"), await other.spublish("s", "shard")], [2, 1]);
    equal("messages", await until(3), [["news", "hello"], ["n*", "news", "hello"], ["s", "shard"]]);
    equal("numsub", await other.pubsub("NUMSUB", "news", "none"), ["news", 1, "none", 0]);
    for (let number = 0; number < 1000; number++) other.publish("more", number);
    equal("in order", await until(1000), Array.from({ length: 1000 }, (_, number) => ["more", String(number)]));
    equal("unsubscribe", [await subscriber.unsubscribe("news", "more"), await subscriber.punsubscribe("n*")], [1, 0]);
    equal("of a shard", await sharded.sunsubscribe("s"), 0);
    equal("nobody hears", [await other.publish("news", "x"), await subscriber.set("after", 1)], [0, "OK"]);
    subscriber.disconnect();
    sharded.disconnect();
}

const all = [strings, errors, scans, pipelines, transactions, connections, messages];
for (const [name, options, families] of [
    ["RESP2", { protocol: 2 }, all],
    ["RESP3", { protocol: 3 }, all],
    // MULTI of many calls and auto-pipelining are not made for each other in ioredis.
    ["auto-pipelining", { enableAutoPipelining: true }, [strings, errors, scans, pipelines, autoPipelines, connections, messages]],
]) {
    const redis = connect(options);
    const other = connect({});
    for (const family of families) {
        where = `${name}, ${family.name}`;
        equal("flushall", await redis.flushall(), "OK");
        await family(redis, other);
    }
    redis.disconnect();
    other.disconnect();
}
console.log(`ioredis ${version}: ${count} checks, ${failures} failed`);
process.exit(failures ? 1 : 0);
