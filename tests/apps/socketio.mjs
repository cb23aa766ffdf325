// What socket.io's Redis adapter does, with ioredis and with node-redis: two servers of one application, each with clients of its own;
// what is emitted at one reaches the clients of the other, to all, to rooms, with answers; clients are moved and sent away from afar.
//
//     socketio.mjs <port> [<one> <two> <three>]
//
// The adapter promises delivery at most once. Of three masters, the servers are at the first and the last one. Messages of PUBLISH reach all
// masters, and `PUBSUB NUMSUB`, by which the adapter counts its servers, counts those of all.

import { createServer } from "node:http";
import { once } from "node:events";

import { HOST, WAIT_MS, require, run } from "./shared.mjs";

const { Server } = require("socket.io");
const { io: connect } = require("socket.io-client");
const { createAdapter } = require("@socket.io/redis-adapter");
const { version } = require("@socket.io/redis-adapter/package.json");
const { Redis } = require("ioredis");
const { createClient } = require("redis");

const MESSAGES = 200;

async function pair(on, driver, port) {
    if (driver === "ioredis") {
        return [0, 1].map(() => on.closes(new Redis(port, HOST), (client) => client.disconnect()));
    }
    const made = [0, 1].map(() => createClient({ socket: { host: HOST, port } }));
    await Promise.all(made.map((client) => client.connect()));
    return made.map((client) => on.closes(client, (client) => client.close()));
}

async function application(on, driver, place) {
    const [publisher, subscriber] = await pair(on, driver, on.ports[place]);
    const http = createServer();
    const io = new Server(http, { adapter: createAdapter(publisher, subscriber, { key: driver, requestsTimeout: WAIT_MS }) });
    http.listen(0, HOST);
    await once(http, "listening");
    io.on("connection", (socket) => {
        socket.join(`place-${place}`);
        socket.on("join", (room, done) => (socket.join(room), done()));
        socket.on("say", (room, text) => socket.to(room).emit("said", text));
    });
    on.closes(io, (io) => io.close());
    return { io, port: http.address().port };
}

async function browser(on, server) {
    const socket = connect(`http://${HOST}:${server.port}`, { transports: ["websocket"], reconnection: false, forceNew: true });
    on.closes(socket, (socket) => socket.disconnect());
    const heard = [];
    socket.onAny((event, ...rest) => {
        if (typeof rest.at(-1) === "function") {
            rest.pop()(`answer of ${socket.id}`);
        }
        heard.push([event, ...rest]);
    });
    await once(socket, "connect");
    return { socket, heard, join: (room) => socket.emitWithAck("join", room) };
}

const counts = (clients, event) => clients.map(({ heard }) => heard.filter(([name]) => name === event).length);

async function family(on, driver) {
    on.where = `${on.isMesh ? "three masters" : "one server"}, ${driver}`;
    const servers = [await application(on, driver, 0), await application(on, driver, 2)];
    const clients = [];
    for (const number of [0, 1, 2, 3]) {
        clients.push(await browser(on, servers[number % 2]));
    }
    const [near, far] = servers.map(({ io }) => io);
    // Both listen once this comes through.
    const probed = (from, to) => () => (from.emit("probe"), counts(clients, "probe").filter((_, at) => at % 2 === to).every((count) => count > 0));
    await on.becomes("the first is heard by the second", probed(near, 1), true);
    await on.becomes("and the second by the first", probed(far, 0), true);

    for (let number = 0; number < MESSAGES; number += 1) {
        (number % 2 ? near : far).emit("news", number);
    }
    await on.becomes("all clients hear all messages", () => counts(clients, "news"), Array(4).fill(MESSAGES));
    const ofNear = clients.map(({ heard }) => heard.filter(([name, number]) => name === "news" && number % 2).map(([, number]) => number));
    on.equal("those of one server in its order, each once", ofNear,
        Array(4).fill(Array.from({ length: MESSAGES / 2 }, (_, at) => 2 * at + 1)));

    await clients[0].join("room");
    await clients[1].join("room");
    far.to("room").emit("to room", "text", { a: [1, Buffer.from([0, 255])] });
    await on.becomes("a room at both", () => counts(clients, "to room"), [1, 1, 0, 0]);
    on.equal("with all that it carries", clients[0].heard.at(-1), ["to room", "text", { a: [1, Buffer.from([0, 255])] }]);
    near.except("room").emit("not the room");
    await on.becomes("all but a room", () => counts(clients, "not the room"), [0, 0, 1, 1]);
    clients[0].socket.emit("say", "room", "hello");
    await on.becomes("a client talks to its room", () => counts(clients, "said"), [0, 1, 0, 0]);
    near.to(clients[3].socket.id).emit("to one");
    await on.becomes("one client at the other", () => counts(clients, "to one"), [0, 0, 0, 1]);
    near.local.emit("local");
    await on.becomes("the own only", () => counts(clients, "local"), [1, 0, 1, 0]);

    far.in("place-0").socketsJoin("moved");
    await on.becomes("clients are put into a room from afar", () => (far.to("moved").emit("moved"), counts(clients, "moved").map((count) => count > 0)),
        [true, false, true, false]);
    far.in("place-0").socketsLeave("moved");
    near.serverSideEmit("ping", "x");
    let pings = 0;
    near.on("ping", () => on.fail("a server does not hear itself", "it did"));
    far.on("ping", (text) => (pings += text === "x"));
    await on.becomes("a server tells the others", () => (near.serverSideEmit("ping", "x"), pings > 0), true);

    const answers = await near.timeout(WAIT_MS).to("room").emitWithAck("question");
    const expected = [clients[0], clients[1]].map(({ socket }) => `answer of ${socket.id}`);
    on.equal("clients of both answer", answers.sort(), expected.sort());

    const asked = clients.map(({ socket }) => socket.id);
    const known = (await far.fetchSockets()).map(({ id }) => id).sort();
    const named = (await near.in("room").fetchSockets()).map(({ id }) => id).sort();
    far.on("sum", (one, two, done) => done(one + two));
    const sums = await near.serverSideEmitWithAck("sum", 1, 2);
    on.equal("clients of all servers are known", known, [...asked].sort());
    on.equal("in a room, too", named, [asked[0], asked[1]].sort());
    on.equal("the other server answers", sums, [3]);

    const gone = once(clients[3].socket, "disconnect");
    near.in(asked[3]).disconnectSockets(true);
    on.equal("a client is sent away from afar", (await gone)[0], "io server disconnect");
    await on.becomes("nobody else", () => clients.map(({ socket }) => socket.connected), [true, true, true, false]);
}

async function work(on) {
    for (const driver of ["ioredis", "node-redis"]) {
        await family(on, driver);
        await on.closeAll();
    }
}

await run("@socket.io/redis-adapter", version, work);
