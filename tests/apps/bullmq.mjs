// What BullMQ does: jobs of three producers by workers of three places, results, events, retries, failures that are put back, delays,
// priorities, a rate limit, flows, deduplication, repeated jobs, progress and logs, cleaning.
//
//     bullmq.mjs <port> [<one> <two> <three>]
//
// BullMQ promises that a job is processed at least once, and once where no worker is lost or stalls. All that it does with queues are
// scripts. Of three masters one owns `bull:*` and carries them out, wherever workers, producers and who listens to events are.

import { HOST, OWNER, WAIT_MS, require, run } from "./shared.mjs";

const { FlowProducer, Queue, QueueEvents, UnrecoverableError, Worker } = require("bullmq");
const { version } = require("bullmq/package.json");

const JOBS = 100;

const connection = (on, place) => ({ host: HOST, port: on.ports[place], maxRetriesPerRequest: null });
const close = (thing) => thing.close();

function queues(on, name) {
    return [0, 1, 2].map((place) => {
        const queue = on.closes(new Queue(name, { connection: connection(on, place) }), close);
        // Each job that is waited for listens.
        return queue.setMaxListeners(JOBS);
    });
}

// The next place, for what may be anywhere.
let turn = 0;
const anywhere = () => (turn++) % 3;

function worker(on, name, processor, options = {}) {
    const made = new Worker(name, processor, { connection: connection(on, anywhere()), ...options });
    made.on("error", (error) => on.fail("a worker", error.message));
    return on.closes(made, close);
}

function events(on, name) {
    return on.closes(new QueueEvents(name, { connection: connection(on, anywhere()) }), close);
}

// How often each job had its effect.
class Effects extends Map {
    add(name) {
        this.set(name, (this.get(name) ?? 0) + 1);
        return this.get(name);
    }
}

const finished = async (queue) => (await queue.getJobCounts("completed")).completed;

async function many(on) {
    const all = queues(on, "many");
    const heard = events(on, "many");
    await heard.waitUntilReady();
    const effects = new Effects();
    const busy = [0, 0, 0];
    for (const number of [0, 1, 2]) {
        worker(on, "many", async (job) => {
            effects.add(job.id);
            busy[number] += 1;
            await job.updateProgress(50);
            await job.log(`half of ${job.id}`);
            return job.data.value + 1000;
        }, { concurrency: 5 });
    }
    const jobs = await Promise.all(
        Array.from({ length: JOBS }, (_, number) => all[number % 3].add("add", { value: number })),
    );
    const results = await Promise.all(jobs.map((job) => job.waitUntilFinished(heard, WAIT_MS)));
    on.equal("each has a number of its own", jobs.map((job) => Number(job.id)).sort((a, b) => a - b), Array.from({ length: JOBS }, (_, number) => number + 1));
    on.equal("results", results, Array.from({ length: JOBS }, (_, number) => number + 1000));
    on.equal("each job was processed once", [effects.size, Math.max(...effects.values())], [JOBS, 1]);
    on.true("all workers had some", Math.min(...busy) > 0, busy);
    await on.becomes("all are finished, as seen anywhere", () => Promise.all(all.map(finished)), [JOBS, JOBS, JOBS]);
    const job = await all[2].getJob(jobs[7].id);
    on.equal("a job as read elsewhere", [job.returnvalue, job.progress, job.attemptsMade, await job.getState()],
        [1007, 50, 1, "completed"]);
    on.equal("its log", (await all[2].getJobLogs(job.id)).logs, [`half of ${job.id}`]);
    const counts = () => all[2].getJobCounts("waiting", "active", "delayed", "failed");
    await on.becomes("nothing is left", counts, { waiting: 0, active: 0, delayed: 0, failed: 0 });
    const bulk = await all[0].addBulk(Array.from({ length: 50 }, (_, number) => (
        { name: "add", data: { value: number }, opts: { jobId: `bulk-${number}`, removeOnComplete: true } })));
    await on.becomes("jobs added together", () => bulk.filter((job) => effects.get(job.id) === 1).length, 50);
    await on.becomes("are removed when done", () => Promise.all(all.map(finished)), [JOBS, JOBS, JOBS]);
}

async function failures(on) {
    const all = queues(on, "failures");
    const heard = events(on, "failures");
    await heard.waitUntilReady();
    const effects = new Effects();
    worker(on, "failures", async (job) => {
        const tries = effects.add(job.id);
        if (job.name === "never") {
            throw new UnrecoverableError("not at all");
        }
        if (tries <= job.data.failures) {
            throw new Error(`try ${tries} of ${job.id}`);
        }
        return tries;
    });
    const options = (name) => ({ jobId: name, attempts: 3, backoff: { type: "fixed", delay: 50 } });
    const again = await all[0].add("flaky", { failures: 2 }, options("again"));
    const lost = await all[2].add("flaky", { failures: 3 }, options("lost"));
    const never = await all[2].add("never", {}, options("never"));
    on.equal("what is tried again succeeds", await again.waitUntilFinished(heard, WAIT_MS), 3);
    await on.rejects("what fails for good", "try 3 of lost", () => lost.waitUntilFinished(heard, WAIT_MS));
    await on.rejects("what is not to be tried again", "not at all", () => never.waitUntilFinished(heard, WAIT_MS));
    on.equal("tries", Object.fromEntries(effects), { again: 3, lost: 3, never: 1 });
    await on.becomes("two have failed", async () => (await all[0].getFailed()).map((job) => job.id).sort(), ["lost", "never"]);
    on.equal("with their reasons", (await all[0].getJob("lost")).failedReason, "try 3 of lost");
    await (await all[2].getJob("lost")).retry();
    await on.becomes("what is put back succeeds", async () => (await all[2].getJob("lost")).returnvalue, 4);
}

async function delays(on) {
    const all = queues(on, "delays");
    const times = new Map();
    worker(on, "delays", async (job) => {
        times.set(job.id, [...(times.get(job.id) ?? []), Date.now()]);
    });
    const asked = Date.now();
    await Promise.all(Array.from({ length: 9 }, (_, number) => all[number % 3].add("soon", {}, { jobId: `soon-${number}`, delay: 600 })));
    await all[0].add("far", {}, { jobId: "far", delay: 3_600_000 });
    await on.becomes("delayed jobs are done", () => times.size, 9);
    on.true("not before their time", Math.min(...[...times.values()].flat()) >= asked + 600, times);
    on.equal("once each", [...times.values()].map((each) => each.length), Array(9).fill(1));
    await on.becomes("what is far waits", async () => (await all[2].getDelayed()).map((job) => job.id), ["far"]);
    await (await all[2].getJob("far")).promote();
    await on.becomes("until it is promoted", () => times.has("far"), true);
}

async function priorities(on) {
    const all = queues(on, "priorities");
    for (const priority of [3, 1, 2]) {
        for (const number of [0, 1, 2]) {
            await all[0].add("ordered", {}, { jobId: `${priority}-${number}`, priority });
        }
    }
    await all[0].add("ordered", {}, { jobId: "plain" });
    await on.becomes("all are there", async () => Object.values(await all[2].getJobCounts("waiting", "prioritized")), [1, 9]);
    const order = [];
    worker(on, "priorities", async (job) => {
        order.push(job.id);
    });
    await on.becomes("those without come first, then in their order", () => order,
        ["plain", ...[1, 2, 3].flatMap((priority) => [0, 1, 2].map((number) => `${priority}-${number}`))]);
}

async function rates(on) {
    const [queue] = queues(on, "rates");
    const times = [];
    worker(on, "rates", async () => {
        times.push(Date.now());
    }, { limiter: { max: 5, duration: 300 }, concurrency: 10 });
    await queue.addBulk(Array.from({ length: 12 }, (_, number) => ({ name: "limited", data: {}, opts: { jobId: `limited-${number}` } })));
    await on.becomes("all are done", () => times.length, 12);
    on.true("no more at a time than may be", times[5] - times[0] >= 250 && times[10] - times[5] >= 250, times);
}

async function flows(on) {
    const all = queues(on, "flows");
    const heard = events(on, "flows");
    await heard.waitUntilReady();
    const effects = new Effects();
    worker(on, "flows", async (job) => {
        effects.add(job.name);
        if (job.name === "parent") {
            return Object.values(await job.getChildrenValues()).reduce((sum, value) => sum + value, 0);
        }
        return job.data.value;
    }, { concurrency: 3 });
    const flow = on.closes(new FlowProducer({ connection: connection(on, 0) }), close);
    const child = (number) => ({ name: "child", queueName: "flows", data: { value: number }, opts: { jobId: `child-${number}` } });
    const tree = await flow.add({
        name: "parent", queueName: "flows", opts: { jobId: "parent" }, children: Array.from({ length: 10 }, (_, number) => child(number)),
    });
    on.equal("a parent waits for its children", await tree.job.waitUntilFinished(heard, WAIT_MS), 45);
    on.equal("each once", Object.fromEntries(effects), { child: 10, parent: 1 });
    await on.becomes("all are finished", () => Promise.all(all.map(finished)), [11, 11, 11]);
}

async function once(on) {
    const all = queues(on, "once");
    await all[0].add("only", { from: 0 }, { jobId: "only" });
    await on.becomes("a job is there", async () => (await all[2].getJob("only"))?.data, { from: 0 });
    await all[2].add("only", { from: 2 }, { jobId: "only" });
    await on.becomes("once", () => Promise.all(all.map((queue) => queue.getWaitingCount())), [1, 1, 1]);
    await all[2].add("first", {}, { jobId: "first", deduplication: { id: "same" } });
    await all[2].add("second", {}, { jobId: "second", deduplication: { id: "same" } });
    await on.becomes("one of two that are the same", () => Promise.all(all.map((queue) => queue.getWaitingCount())), [2, 2, 2]);
    const effects = new Effects();
    worker(on, "once", async (job) => {
        effects.add(job.id);
    });
    await on.becomes("both are done", () => Object.fromEntries(effects), { only: 1, first: 1 });
    await all[2].upsertJobScheduler("every", { every: 100, limit: 4 }, { name: "repeated" });
    await on.becomes("a repeated job runs as often as it should", () => [...effects.keys()].filter((id) => id.startsWith("repeat:")).length, 4);
    await on.becomes("once at each time", () => Math.max(...effects.values()), 1);
}

async function cleaning(on) {
    const all = queues(on, "cleaning");
    await all[2].pause();
    await Promise.all(Array.from({ length: 20 }, (_, number) => all[number % 3].add("kept", {}, { jobId: `kept-${number}` })));
    const counts = () => Promise.all(all.map(async (queue) => Object.values(await queue.getJobCounts("waiting", "paused"))
        .reduce((sum, count) => sum + count, 0)));
    await on.becomes("jobs of a queue that is paused wait", counts, [20, 20, 20]);
    on.equal("a job is removed", await all[2].remove("kept-3"), 1);
    await on.becomes("everywhere", counts, [19, 19, 19]);
    await all[2].drain();
    await on.becomes("all are", counts, [0, 0, 0]);
    await all[2].obliterate({ force: true });
    const keys = () => Promise.all(on.servers.map(async (server) => (await server.keys("bull:cleaning:*")).length));
    await on.becomes("nothing is left of it", keys, [0, 0, 0]);
}

async function work(on) {
    for (const family of [many, failures, delays, priorities, rates, flows, once, cleaning]) {
        await family(on);
        await on.closeAll();
    }
}

// Who comes by hand, at a place that does not own the queue.
async function meshOnly(on) {
    const all = queues(on, "elsewhere");
    const places = [0, 1, 2].map((place) => on.closes(new Worker("elsewhere", null, { connection: connection(on, place), autorun: false }), close));
    places.forEach((place) => place.on("error", (error) => on.fail("a worker", error.message)));
    await all[0].add("waits", {}, { jobId: "waits" });
    const taken = await Promise.all(places.map((place) => place.getNextJob("token", { block: false })));
    const [job, ...more] = taken.filter(Boolean);
    on.equal("a job is taken once", [job?.id, more.length], ["waits", 0]);
    await job.moveToCompleted("done", "token", false);
    await on.becomes("which is seen everywhere", () => Promise.all(all.map(async (queue) => (await queue.getJob("waits"))?.returnvalue)),
        ["done", "done", "done"]);
    on.true("the owner did it", Number(/mesh_owner_served:(\d+)/.exec(await on.servers[OWNER].info("replication"))[1]) > 0);
}

await run("BullMQ", version, work, { owned: ["bull:*"], meshOnly });
