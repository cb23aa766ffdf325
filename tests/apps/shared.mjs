// What the scripts of Node applications share: checks that are counted, conditions that are waited for, and the two rounds: against
// one server, as three places that are the same, and against three masters of one mesh, whose `queue-owner` lines are set here.
//
// A script is called `<script> <port>` or `<script> <port> <one> <two> <three>`; APPS_MODULES names the directory with node_modules.

import { createRequire } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";
import { inspect, isDeepStrictEqual } from "node:util";
import path from "node:path";

export const HOST = "127.0.0.1";
export const WAIT_MS = 20_000;
const POLL_MS = 10;
// Of every three masters, this one owns the queues.
export const OWNER = 1;

export const require = createRequire(path.resolve(process.env.APPS_MODULES ?? "target/apps/node", "package.json"));
const { Redis } = require("ioredis");

export class Run {
    count = 0;
    failures = 0;
    where = "";
    ports = [];
    isMesh = false;
    closing = [];
    last = "nothing";

    constructor(name) {
        this.name = name;
    }

    fail(what, text) {
        this.failures += 1;
        console.error(`${this.name}, ${this.where}: ${what}: ${text}`);
    }

    equal(what, actual, expected) {
        this.count += 1;
        this.last = what;
        if (!isDeepStrictEqual(actual, expected)) {
            this.fail(what, `${inspect(actual)} instead of ${inspect(expected)}`);
        }
    }

    true(what, condition, shown) {
        this.count += 1;
        this.last = what;
        if (!condition) {
            this.fail(what, `does not hold for ${inspect(shown)}`);
        }
    }

    // `part` is part of the error's text.
    async rejects(what, part, answer) {
        this.count += 1;
        this.last = what;
        try {
            this.fail(what, `answered ${inspect(await answer())} instead of rejecting`);
        } catch (error) {
            if (!String(error.message).includes(part)) {
                this.fail(what, `${inspect(error)} without ${part}`);
            }
        }
    }

    // Waits until `call` answers what is expected, and counts that as one check.
    async becomes(what, call, expected) {
        const deadline = Date.now() + WAIT_MS;
        let actual = await call();
        while (!isDeepStrictEqual(actual, expected) && Date.now() < deadline) {
            await sleep(POLL_MS);
            actual = await call();
        }
        this.equal(what, actual, expected);
    }

    // What is to be closed at the end of a round, last first.
    closes(thing, close) {
        this.closing.push(() => close(thing));
        return thing;
    }

    async closeAll() {
        for (const close of this.closing.splice(0).reverse()) {
            await close();
        }
    }

    // The same at all masters; no patterns are no owners.
    async own(patterns) {
        const lines = patterns.map((pattern) => `${pattern} ${HOST} ${this.ports[OWNER]}`).join(" ");
        for (const server of this.servers) {
            await server.config("SET", "queue-owner", lines);
        }
    }
}

export async function run(name, version, work, { owned = [], meshOnly } = {}) {
    const ports = process.argv.slice(2).map(Number);
    if (ports.length !== 1 && ports.length !== 4) {
        console.error(`${process.argv[1]} <port> [<one> <two> <three>]`);
        process.exit(2);
    }
    const started = Date.now();
    const on = new Run(name);
    process.on("exit", (status) => {
        if (status === 13) {
            console.error(`${name}, ${on.where}: an answer never came after: ${on.last}`);
        }
    });
    const [one, ...three] = ports;
    for (const [isMesh, places] of [
        [false, [one, one, one]],
        [true, three],
    ]) {
        if (places.length === 0) {
            continue;
        }
        Object.assign(on, { isMesh, ports: places, where: isMesh ? "three masters" : "one server" });
        on.servers = places.map((port) => new Redis(port, HOST, { commandTimeout: WAIT_MS }));
        await on.servers[0].flushall();
        if (isMesh) {
            await on.becomes("all are empty", () => Promise.all(on.servers.map((server) => server.dbsize())), [0, 0, 0]);
            await on.own(owned);
        }
        try {
            await work(on);
            if (isMesh && meshOnly) {
                await meshOnly(on);
            }
        } catch (error) {
            on.fail("it went on", inspect(error));
        }
        await on.closeAll();
        if (isMesh) {
            const digests = async () => new Set(await Promise.all(on.servers.map((server) => server.call("MESH", "DIGEST")))).size;
            await on.becomes("all masters hold the same", digests, 1);
            await on.own([]);
        }
        on.servers.forEach((server) => server.disconnect());
    }
    const seconds = ((Date.now() - started) / 1000).toFixed(1);
    console.log(`${name} ${version}: ${on.count} checks, ${on.failures} failed, ${seconds} s`);
    process.exit(on.failures ? 1 : 0);
}
