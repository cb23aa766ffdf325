// Connections: how they are set, users, what the server tells of them, command options, pools, that a client connects again, the interface
// with callbacks, MONITOR, and the client's own cache.

import { event, inbox } from "./checks.mjs";

export async function settings({ check, redis, connect, create, port, library, resp }) {
    const named = await connect({ name: "third", database: 3 });
    await check.equal("name and database", [named.clientGetName(), named.set("k", "3"), redis.get("k"), named.get("k")],
        ["third", "OK", null, "3"]);
    await check.equal("clientSetName", [named.clientSetName("other"), named.clientGetName()], ["OK", "other"]);
    const byUrl = await library.createClient({ RESP: resp, url: `redis://127.0.0.1:${port}/3` }).on("error", () => {}).connect();
    await check.equal("a URL", [byUrl.get("k"), byUrl.isOpen, byUrl.isReady], ["3", true, true]);
    await byUrl.close();
    await check.equal("closed", [byUrl.isOpen, byUrl.isReady], [false, false]);
    await check.rejects("and says so", library.ClientClosedError, "The client is closed", byUrl.get("k"));
    const prefixed = await connect({ keyPrefix: "app:" });
    await check.equal("keyPrefix", [await prefixed.set("k", "v"), prefixed.get("k"), redis.get("app:k"), prefixed.keys("*")],
        ["OK", "v", "v", ["app:k"]]);
    await check.equal("in a transaction", prefixed.multi().mGet(["k", "x"]).exec(), [["v", null]]);
    await check.equal("quit", named.quit(), "OK");
    // check-connection-status.js
    const client = create();
    const events = [];
    for (const name of ["connect", "ready", "end"]) client.on(name, () => events.push(name));
    await check.equal("not yet open", [client.isOpen, client.isReady], [false, false]);
    await client.connect();
    await client.close();
    await check.equal("its events", [...events], ["connect", "ready", "end"]);
    const pinging = await connect({ pingInterval: 5 });
    await check.equal("pingInterval", await event(pinging, "ping-interval"), ["PONG"]);
    pinging.destroy();
    const hello = await redis.hello();
    await check.equal("hello", [hello.proto, hello.mode, hello.role, hello.modules], [resp, "standalone", "master", []]);
}

// connect-as-acl-user.js
export async function users({ check, redis, create, connect, library }) {
    const { ErrorReply } = library;
    await check.equal("aclSetUser", redis.aclSetUser("testuser", ["reset", "on", ">testpassword", "~own:*", "+@read", "+set", "-keys"]),
        "OK");
    const user = await connect({ username: "testuser", password: "testpassword" });
    await check.equal("aclWhoAmI", [user.aclWhoAmI().catch((error) => error.message), redis.aclWhoAmI()],
        ["NOPERM this user has no permissions to run the 'acl|whoami' command", "default"]);
    await check.equal("what it may", [user.set("own:k", "v"), user.get("own:k")], ["OK", "v"]);
    await check.rejects("another's keys", ErrorReply, "NOPERM this user has no permissions to access one of the keys used as arguments",
        user.get("k"));
    await check.rejects("another command", ErrorReply, "NOPERM this user has no permissions to run the 'del' command", user.del("own:k"));
    await check.rejects("a wrong password", ErrorReply, "WRONGPASS invalid username-password pair or user is disabled.",
        create({ username: "testuser", password: "wrong", socket: { reconnectStrategy: false } }).connect());
    await check.equal("aclGetUser", redis.aclGetUser("testuser").then(({ flags, keys, passwords }) => [flags.includes("on"), keys,
        passwords.length]), [true, "~own:*", 1]);
    await check.equal("aclGetUser of nobody", redis.aclGetUser("nobody"), null);
    await check.equal("aclUsers", [redis.aclUsers().then((all) => all.sort()), redis.aclList().then((all) => all.length)],
        [["default", "testuser"], 2]);
    await check.equal("aclCat", redis.aclCat("connection").then((all) => all.includes("auth")), true);
    await check.equal("aclDryRun", [redis.aclDryRun("testuser", ["GET", "own:k"])], ["OK"]);
    await check.equal("auth", [user.auth({ username: "testuser", password: "testpassword" })], ["OK"]);
    const end = event(user, "reconnecting");
    await check.equal("aclDelUser", redis.aclDelUser(["testuser", "nobody"]), 1);
    await check.equal("which ends its connection", end.then(() => "ended"), "ended");
    user.destroy();
}

export async function server({ check, redis, other }) {
    // get-server-time.js
    const [seconds, micros] = await redis.time();
    await check.equal("time", [Math.abs(Date.now() / 1000 - Number(seconds)) < 60, Number(micros) < 1_000_000], [true, true]);
    const id = await redis.clientId();
    const info = await redis.clientInfo();
    await check.equal("clientInfo", [info.id, info.db, info.user, info.cmd], [id, 0, "default", "client|info"]);
    await check.equal("clientList", other.clientList({ ID: [String(id)] }).then((all) => all.map((one) => one.id)), [id]);
    await check.equal("clientNoEvict and clientPause", [redis.clientNoEvict(true), redis.clientNoEvict(false),
        redis.clientPause(1, "WRITE"),
        redis.clientUnpause()], ["OK", "OK", "OK", "OK"]);
    await check.equal("configGet", redis.configGet("maxmemory-policy"), { "maxmemory-policy": "noeviction" });
    await check.equal("configSet", [redis.configSet("timeout", "1000"), redis.configGet("timeout"), redis.configSet({ timeout: "0" })],
        ["OK", { timeout: "1000" }, "OK"]);
    await check.equal("info", redis.info("replication").then((text) => [text.startsWith("# Replication\r\n"),
        /^role:(.*)\r$/m.exec(text)[1]]),
        [true, "master"]);
    await check.equal("role", redis.role().then(({ role, replicas }) => [role, replicas]), ["master", []]);
    await check.equal("commandInfo", redis.commandInfo(["get", "nosuch"]).then(([get, none]) => [get.name, get.arity, [...get.flags].sort(),
        get.firstKeyIndex, get.lastKeyIndex, get.step, none]), ["get", 2, ["fast", "readonly"], 1, 1, 1, null]);
    await check.equal("command", redis.command().then((all) => all.length > 200), true);
    await check.equal("commandGetKeys", redis.commandGetKeys(["MSET", "a", "1", "b", "2"]), ["a", "b"]);
    await check.equal("commandGetKeysAndFlags", redis.commandGetKeysAndFlags(["GETDEL", "a"])
        .then(([one]) => [one.key, [...one.flags].sort()]), ["a", ["RW", "access", "delete"]]);
    await check.equal("commandCount", [redis.commandCount().then((count) => count > 200),
        redis.commandList({ FILTERBY: { type: "PATTERN", value: "getd*" } })], [true, ["getdel"]]);
    await redis.set("k", "x".repeat(100));
    await check.equal("memoryUsage", [redis.memoryUsage("k").then((size) => size > 100), redis.memoryUsage("nothing")], [true, null]);
    await check.equal("latency and wait", [redis.latencyLatest().then(Array.isArray), redis.wait(0, 10), redis.echo("said")],
        [true, 0, "said"]);
    await check.equal("swapDb and flushDb", [redis.swapDb(0, 1), redis.exists("k"), redis.swapDb(0, 1), redis.flushDb("ASYNC"),
        redis.dbSize()],
        ["OK", 0, "OK", "OK", 0]);
}

// docs/command-options.md and docs/RESP.md
export async function options({ check, redis, connect, resp, library }) {
    const { RESP_TYPES, AbortError } = library;
    await redis.set("k", "v");
    const controller = new AbortController();
    const aborted = redis.withAbortSignal(controller.signal).set("k", "aborted");
    controller.abort();
    await check.rejects("an aborted command", AbortError, undefined, aborted);
    await check.equal("was not sent", redis.get("k"), "v");
    const order = [];
    await Promise.all([redis.ping("late").then((reply) => order.push(reply)),
        redis.asap().ping("early").then((reply) => order.push(reply))]);
    await check.equal("asap", [...order], ["early", "late"]);
    await check.equal("simple strings as buffers", redis.withTypeMapping({ [RESP_TYPES.SIMPLE_STRING]: Buffer }).set("k", "v"),
        Buffer.from("OK"));
    await check.equal("numbers as strings", redis.withTypeMapping({ [RESP_TYPES.NUMBER]: String }).incr("n"), "1");
    await redis.zAdd("z", { score: 1.5, value: "m" });
    await check.equal("doubles as strings", redis.withTypeMapping({ [RESP_TYPES.DOUBLE]: String }).zScore("z", "m"), "1.5");
    const { VerbatimString } = library;
    await check.equal("verbatim strings", redis.withTypeMapping({ [RESP_TYPES.VERBATIM_STRING]: VerbatimString }).info("server")
        .then((text) => (text instanceof VerbatimString ? text.format : "none")), resp === 3 ? "txt" : "none");
    if (resp === 3) {
        const raw = (code) => redis.eval(`redis.setresp(3); ${code}`);
        await check.equal("doubles, booleans, big numbers", [raw("return {double=3.25}"), raw("return true"), raw("return false"),
            raw("return {big_number='12345678901234567890'}")], [3.25, true, false, 12345678901234567890n]);
        await check.equal("maps and sets", [raw("return {map={a=1}}"), raw("return {set={a=true}}")], [{ a: 1 }, ["a"]]);
    }
    const client = await connect({ name: "before" });
    await client.clientSetName("after");
    await client.reset();
    await check.equal("reset", [client.clientGetName(), client.get("k")], ["before", "v"]);
}

// docs/pool.md
export async function pools({ check, redis, port, resp, library }) {
    const pool = await library.createClientPool({ RESP: resp, socket: { host: "127.0.0.1", port } }, { minimum: 2, maximum: 4 })
        .on("error", () => {}).connect();
    await check.equal("ping", [pool.ping(), pool.sendCommand(["PING"]), pool.totalClients], ["PONG", "PONG", 2]);
    await check.equal("a hundred at once", Array.from({ length: 100 }, () => pool.incr("n")).map((reply) => reply.then(Number.isInteger)),
        Array(100).fill(true));
    await check.equal("and no more clients than allowed", [redis.get("n"), pool.totalClients], ["100", 4]);
    const ids = new Set(await Promise.all(Array.from({ length: 4 }, () => pool.execute(async (client) => {
        await client.ping();
        return client.clientId();
    }))));
    await check.equal("each its own connection", ids.size, 4);
    await check.equal("multi", pool.multi().set("t", 1).incr("t").exec(), ["OK", 2]);
    await pool.close();
    await check.rejects("closed", library.ClientClosedError, undefined, pool.ping());
}

export async function again({ check, connect, create, other, library }) {
    const client = await connect({ name: "again", database: 4, socket: { reconnectStrategy: 1 } });
    await client.set("k", "v");
    const id = await client.clientId();
    const events = [];
    for (const name of ["error", "reconnecting", "ready"]) client.on(name, () => events.push(name));
    const ready = event(client, "ready");
    await check.equal("killed by the other", other.clientKill({ filter: "ID", id }), 1);
    await ready;
    await check.equal("its events", [...events], ["error", "reconnecting", "ready"]);
    await check.equal("another connection", client.clientId().then((now) => now > id), true);
    await check.equal("with its name and database", [client.clientGetName(), client.get("k")], ["again", "v"]);
    await client.watch("k");
    const second = event(client, "ready");
    await other.clientKill([{ filter: "ID", id: await client.clientId() }]);
    await second;
    await check.rejects("what it watched is lost", library.WatchError, "Client reconnected after WATCH", client.multi().get("k").exec());
    const copy = await client.duplicate().on("error", () => {}).connect();
    await check.equal("duplicate", [copy.clientGetName(), copy.get("k")], ["again", "v"]);
    copy.destroy();
    const ends = create({ socket: { reconnectStrategy: false } });
    await ends.connect();
    const terminated = event(ends, "terminated");
    await other.clientKill({ filter: "ID", id: await ends.clientId() });
    await check.equal("one that does not connect again", terminated.then(() => ends.isReady), false);
    client.destroy();
}

export async function callbacks({ check, redis, resp }) {
    const legacy = redis.legacy();
    const called = (name, ...args) => new Promise((done) => legacy[name](...args, (error, reply) => done(error?.message ?? reply)));
    await check.equal("a callback", [called("set", "k", "v"), called("get", "k"), called("get", "nothing")], ["OK", "v", null]);
    await check.equal("lists of arguments", [called("mSet", ["a", 1, "b", 2]), called("mGet", ["a", "b"])], ["OK", ["1", "2"]]);
    await check.equal("hGetAll", [called("hSet", "h", "f", "v"), called("hGetAll", "h")], [1, { f: "v" }]);
    await check.equal("an error", called("incr", "k"), "ERR value is not an integer or out of range");
    await check.equal("sendCommand", new Promise((done) => legacy.sendCommand(["STRLEN", "k"], (error, reply) => done([error, reply]))),
        [null, 1]);
    await check.equal("multi", new Promise((done) => legacy.multi().set("t", 1).incr("t").exec((error, replies) => done([error, replies]))),
        [null, ["OK", 2]]);
    await check.equal("beside the other", [redis.get("t"), redis.hello().then(({ proto }) => proto)], ["2", resp]);
}

export async function monitor({ check, redis, connect }) {
    const watcher = await connect();
    const { hear, next } = inbox();
    await watcher.monitor((line) => hear(String(line)));
    await redis.set("k", "a \"quoted\" \n line");
    await redis.sendCommand(["get", "k"]);
    const lines = await next(2);
    await check.equal("what others send", lines.map(([line]) => line.replace(/^[0-9]+\.[0-9]{6} \[0 127\.0\.0\.1:[0-9]+\] /, "")),
        ["\"SET\" \"k\" \"a \\\"quoted\\\" \\n line\"", "\"get\" \"k\""]);
    await watcher.reset();
    await check.equal("after reset", [watcher.get("k"), redis.ping()], ["a \"quoted\" \n line", "PONG"]);
    watcher.destroy();
}

// docs/client-side-caching.md
export async function caching({ check, redis, other, connect, resp, port, library }) {
    if (resp === 2) {
        const tracked = await connect();
        const listener = await connect();
        const { hear, next } = inbox();
        await listener.subscribe("__redis__:invalidate", (keys) => hear(keys));
        const id = Number((await other.clientList({ TYPE: "pubsub" }))[0].id);
        await check.equal("clientTracking with a redirection",
            [tracked.clientTracking(true, { REDIRECT: id, BCAST: true, PREFIX: "user:" }),
            tracked.clientGetRedir()], ["OK", id]);
        await check.equal("clientTrackingInfo", tracked.clientTrackingInfo().then(({ flags, redirect, prefixes }) => [[...flags],
            redirect, prefixes]),
            [["on", "bcast"], id, ["user:"]]);
        await check.equal("an invalidation", [other.set("user:1", "v"), next(1)], ["OK", [[["user:1"]]]]);
        tracked.destroy();
        listener.destroy();
        return;
    }
    const { BasicClientSideCache } = library;
    const cache = new BasicClientSideCache({ ttl: 0, maxEntries: 3, evictPolicy: "LRU" });
    const client = await connect({ clientSideCache: cache });
    await redis.mSet({ k: "1", a: "a", b: "b", c: "c" });
    const stats = () => [cache.stats().hitCount, cache.stats().missCount];
    await check.equal("asked once", [await client.get("k"), await client.get("k"), await client.get("k"), stats()],
        ["1", "1", "1", [2, 1]]);
    const invalid = event(cache, "invalidate");
    await check.equal("the other writes", [other.set("k", "2"), invalid.then(([key]) => String(key))], ["OK", "k"]);
    await check.equal("asked again", [await client.get("k"), await client.get("k"), stats()], ["2", "2", [3, 2]]);
    await client.hSet("h", "f", "v");
    await check.equal("other commands", [await client.hGetAll("h"), await client.hGetAll("h"), await client.mGet(["a", "b"]),
        await client.mGet(["a", "b"]), stats()], [{ f: "v" }, { f: "v" }, ["a", "b"], ["a", "b"], [5, 4]]);
    await client.get("c");
    await check.equal("as many as allowed", [cache.size(), cache.stats().evictionCount], [3, 1]);
    const all = event(cache, "invalidate");
    await check.equal("flushAll drops all", [other.flushAll(), all.then(([key]) => key)], ["OK", null]);
    await check.equal("after it", [client.get("c"), client.hGetAll("h")], [null, {}]);
    client.destroy();
    const told = await connect({ emitInvalidate: true });
    const heard = event(told, "invalidate");
    await told.get("k");
    await check.equal("emitInvalidate", [other.set("k", "3"), heard.then(([key]) => String(key))], ["OK", "k"]);
    told.destroy();
    const pool = await library.createClientPool({ RESP: 3, socket: { host: "127.0.0.1", port } },
        { clientSideCache: { ttl: 0, maxEntries: 0, evictPolicy: "FIFO" }, minimum: 2 }).on("error", () => {}).connect();
    await check.equal("a pool's cache", [await pool.get("k"), await pool.get("k"), pool.clientSideCache.stats().hitCount], ["3", "3", 1]);
    const pooled = event(pool.clientSideCache, "invalidate");
    await other.set("k", "4");
    await pooled;
    await check.equal("after a write", pool.get("k"), "4");
    await pool.close();
}
