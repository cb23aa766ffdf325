// What node-redis gets, over RESP2 and RESP3: what its README, its docs/ and its examples/ do, as far as a server without modules answers
// it. node_redis/ has the families: values.mjs each type of value, programs.mjs what goes to the server as one piece or comes from it
// unasked, connections.mjs connections, users and the client's own cache.
//
//     node_redis.mjs <port> <directory with node_modules>
//
// Deletes the server's data, its functions, and the users that it makes. Ends with one line, `node-redis <version>: <n> checks, <n>
// failed`, or with status 1 when one failed. The server may be a real redis-server: what is expected here is what that one answers.

import { createRequire } from "node:module";
import path from "node:path";

import { Checks } from "./node_redis/checks.mjs";
import * as connections from "./node_redis/connections.mjs";
import * as programs from "./node_redis/programs.mjs";
import * as values from "./node_redis/values.mjs";

const [port, modules] = process.argv.slice(2);
if (!modules) {
    console.error("node_redis.mjs <port> <directory with node_modules>");
    process.exit(2);
}
const require = createRequire(path.resolve(modules, "package.json"));
const library = require("redis");
const { version } = require("redis/package.json");
const check = new Checks("node-redis");

// In the order in which they are written; a module's own names are in the order of the alphabet.
const families = [
    values.strings, values.expiry, values.bits, values.hashes, values.lists, values.sets, values.sortedSets, values.places, values.keys,
    values.iterators, values.streams, values.groups,
    programs.pipelines, programs.transactions, programs.conflicts, programs.scripts, programs.functions, programs.messages,
    programs.notifications, programs.blocking, programs.errors,
    connections.settings, connections.users, connections.server, connections.options, connections.pools, connections.again,
    connections.callbacks, connections.monitor, connections.caching,
];
for (const resp of [2, 3]) {
    const open = [];
    const create = (settings = {}) => {
        const client = library.createClient({
            RESP: resp, ...settings, socket: { host: "127.0.0.1", port: Number(port), ...settings.socket },
        });
        client.on("error", () => {}); // Commands say it.
        open.push(client);
        return client;
    };
    const connect = (settings) => create(settings).connect();
    const redis = await connect();
    const other = await connect();
    for (const family of families) {
        check.where = `RESP${resp}, ${family.name}`;
        await check.equal("flushall", redis.flushAll(), "OK");
        try {
            await family({ check, redis, other, resp, library, create, connect, port: Number(port) });
        } catch (error) {
            check.fail(`after ${check.last}`, error.stack);
        }
    }
    open.filter((client) => client.isOpen).forEach((client) => client.destroy());
}
console.log(`node-redis ${version}: ${check.count} checks, ${check.failures} failed`);
process.exit(check.failures ? 1 : 0);
