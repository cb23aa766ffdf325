// Counts what was checked and what failed. What fails is said at once, with its place, and the next check goes on: `equal` and `rejects`
// never throw.

import { inspect, isDeepStrictEqual } from "node:util";

/** How long an answer, a message or a condition may take. */
const limit = 20_000;

/** `promise`, or an error where it does not end in time. */
function timed(promise) {
    let timer;
    const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error("nothing came")), limit); });
    return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

export class Checks {
    count = 0;
    failures = 0;
    where = "start";
    last = "";

    constructor(name) {
        this.name = name;
        process.on("exit", (status) => {
            if (status === 13) {
                console.error(`${name}, ${this.where}: an answer never came after: ${this.last}`);
            }
        });
    }

    fail(what, text) {
        this.failures += 1;
        console.error(`${this.name}, ${this.where}: ${what}: ${text}`);
    }

    /** `actual` is what should equal `expected`, a promise of it, or an array with promises. */
    async equal(what, actual, expected) {
        this.count += 1;
        this.last = what;
        try {
            const got = await timed(Array.isArray(actual) ? Promise.all(actual) : actual);
            if (!isDeepStrictEqual(got, expected)) {
                this.fail(what, `${inspect(got, { depth: 6 })} instead of ${inspect(expected, { depth: 6 })}`);
            }
        } catch (error) {
            this.fail(what, `${error.constructor.name}(${error.message}) instead of ${inspect(expected)}`);
        }
    }

    /** `answer` is a promise that ends with an error of this class, with this message where one is given. */
    async rejects(what, kind, message, answer) {
        this.count += 1;
        this.last = what;
        try {
            this.fail(what, `answered ${inspect(await timed(answer))} instead of rejecting`);
        } catch (error) {
            if (!(error instanceof kind) || (message !== undefined && error.message !== message)) {
                this.fail(what, `${error.constructor.name}(${error.message}) instead of ${kind.name}(${message})`);
            }
        }
    }

    /** Asks `condition` until what it answers is true; no answer in time is a failed check. */
    async until(what, condition) {
        this.count += 1;
        this.last = what;
        for (const end = Date.now() + limit; Date.now() < end;) {
            if (await condition()) return;
            await new Promise((done) => setImmediate(done));
        }
        this.fail(what, "never came");
    }
}

/** What came unasked, in order: `hear` takes it, `next(count)` waits for so many and takes them out. */
export function inbox() {
    const heard = [];
    let wake = () => {};
    return {
        hear(...message) {
            heard.push(message);
            wake();
        },
        async next(count) {
            while (heard.length < count) await timed(new Promise((done) => { wake = done; }));
            return heard.splice(0, count);
        },
    };
}

/** What the emitter says next under this name. events.once would not do: it rejects where "error" comes first. */
export function event(emitter, name) {
    const said = timed(new Promise((done) => emitter.once(name, (...all) => done(all))));
    said.catch(() => {}); // Who waits for it hears of it.
    return said;
}
