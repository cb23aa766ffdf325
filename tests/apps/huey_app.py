"""What Huey does: tasks of three producers by three consumers of two threads each, in the order of their priority, results that are
waited for, retries, errors, pipelines, revocation, locks, delayed tasks.

    huey_app.py <port> [<one> <two> <three>]

Huey promises that a task is executed once where no consumer is lost. Of three masters, one owns the queue and the locks
(PriorityRedisExpireHuey, whose locks are keys of their own). Delayed tasks are taken by a script that removes them by their range, by
the scheduler that is part of every consumer: two that do so at two masters before they hear of each other both take them.
"""

import os
import threading
import time
import types

import huey as package
import shared
from huey.exceptions import TaskException, TaskLockedException

JOBS = 60
OWNED = ["huey.redis.jobs", "huey.redis.ranked", "huey.r.*.lock.*"]


def application(port, name="jobs"):
    return package.PriorityRedisExpireHuey(name, host="127.0.0.1", port=port, notify_result=True, expire_time=600)


def tasks(huey):
    """The same tasks for every instance."""

    @huey.task()
    def add(name, one, two):
        shared.effect(f"add {name}")
        return one + two

    @huey.task()
    def ordered(name):
        shared.effect(f"ordered {name}")

    @huey.task()
    def timed(name):
        shared.effect(f"timed {name}")
        return time.time()

    @huey.task(retries=2)
    def flaky(name, failures):
        shared.effect(f"flaky {name}")
        tries = shared.effects_of(f"flaky {name}")
        if tries <= failures:
            raise ValueError(f"try {tries} of {name}")
        return tries

    @huey.task()
    def locked(name, path):
        """Holds a lock until a file is there."""
        with huey.lock_task("only-one"):
            shared.effect(f"locked {name}")
            deadline = time.monotonic() + shared.WAIT_SECONDS
            while not os.path.exists(path) and time.monotonic() < deadline:
                time.sleep(shared.POLL_SECONDS)
        return name

    return types.SimpleNamespace(huey=huey, add=add, ordered=ordered, timed=timed, flaky=flaky, locked=locked)


# What the consumers load.
huey = tasks(application(int(os.environ.get("APPS_PORT", 0)))).huey
ranked = tasks(application(int(os.environ.get("APPS_PORT", 0)), "ranked")).huey


def value(result):
    return result.get(blocking=True, timeout=shared.WAIT_SECONDS)


def many(this, clients):
    results = [clients[number % 3].add(f"{number}", number, 1000) for number in range(JOBS)]
    this.equal("results", [value(result) for result in results], [number + 1000 for number in range(JOBS)])
    this.equal("each task was executed once", dict(this.effects()), {f"add {number}": 1 for number in range(JOBS)})
    this.spread("consumers at each master had some", "add ")
    elsewhere = lambda: [clients[2].huey.result(result.id, preserve=True) for result in results]
    this.becomes("results at another place", elsewhere, [number + 1000 for number in range(JOBS)])
    this.becomes("nothing is left", lambda: [client.huey.pending_count() for client in clients], [0, 0, 0])


def seen(client, result):
    """A result, or the error that is kept in its place, as it is now."""
    try:
        return client.huey.result(result.id, preserve=True)
    except TaskException as error:
        return error.metadata["error"]


def failures(this, clients):
    again = [clients[number % 3].flaky(f"again {number}", 2) for number in range(6)]
    lost = clients[1].flaky("lost", 9)
    this.becomes("what is tried again succeeds", lambda: [seen(clients[0], result) for result in again], [3] * 6)
    this.becomes("what fails for good keeps its error", lambda: seen(clients[2], lost), "ValueError('try 3 of lost')")
    shown = {what: count for what, count in this.effects().items() if what.startswith("flaky")}
    this.equal("no try too many", shown, {f"flaky again {number}": 3 for number in range(6)} | {"flaky lost": 3})


def pipelines(this, clients):
    one = clients[0]
    chained = one.huey.enqueue(one.add.s("pipeline", 1, 1).then(one.add, "pipeline", 10).then(one.add, "pipeline", 100))
    this.equal("a pipeline hands results on", [value(result) for result in chained], [2, 12, 112])


def priorities(this, _):
    """The highest first; the consumer is started when all are there, and takes one at a time."""
    clients = [tasks(application(port, "ranked")) for port in this.ports]
    for number in range(4):
        for priority in (0, 5, 9):
            task = clients[0].ordered.s(f"{priority} {number}")
            task.priority = priority
            clients[0].huey.enqueue(task)
    this.becomes("all are there", lambda: clients[2].huey.pending_count(), 12)
    this.start(2, "-m", "huey.bin.huey_consumer", "huey_app.ranked", "-w", "1")
    this.becomes("all are done", lambda: this.count_of("ordered "), 12)
    lines = this.effects_path().read_text().splitlines()
    order = [line.split("\t")[0] for line in lines if line.startswith("ordered ")]
    this.equal("in their order", order, [f"ordered {priority} {number}" for priority in (9, 5, 0) for number in range(4)])


def locks(this, clients):
    """One task holds a lock; whoever else wants it, anywhere, is refused."""
    path = this.scratch / f"open-{this.rounds}"
    holder = clients[0].locked("first", str(path))
    this.becomes("one holds the lock", lambda: this.effects()["locked first"], 1)
    this.becomes("which is seen", lambda: [client.huey.is_locked("only-one") for client in clients], [True] * 3)
    for place in range(3):
        this.raises("others are refused", TaskLockedException, "unable to acquire lock", clients[place].huey.lock_task("only-one").acquire)
    path.touch()
    this.equal("it ends", value(holder), "first")
    this.becomes("and is free", lambda: [client.huey.is_locked("only-one") for client in clients], [False] * 3)
    taken = []
    barrier = threading.Barrier(12)

    def take(place):
        barrier.wait()
        try:
            clients[place].huey.lock_task("race").acquire()
            taken.append(place)
        except TaskLockedException:
            pass

    threads = [threading.Thread(target=take, args=(number % 3,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    this.equal("of twelve that come at once one gets it", len(taken), 1)
    this.equal("it is given back elsewhere", clients[2].huey.lock_task("race").clear(), 1)
    this.equal("and taken elsewhere", clients[1].huey.lock_task("race").acquire(), True)


def revocation(this, clients):
    task = clients[0].timed.s("revoked")
    clients[0].huey.revoke(task)
    this.becomes("a task is revoked", lambda: [client.huey.is_revoked(task) for client in clients], [True] * 3)
    clients[1].huey.enqueue(task)
    after = clients[1].timed("after")
    value(after)
    this.becomes("nothing is left", lambda: [client.huey.pending_count() for client in clients], [0] * 3)
    this.equal("it is not executed", this.count_of("timed revoked"), 0)


def delayed(this, clients):
    asked = time.time()
    soon = [clients[number % 3].timed.schedule((f"soon {number}",), delay=1) for number in range(9)]
    this.true("not before their time", min(value(result) for result in soon) >= asked + 1)
    this.becomes("nothing is scheduled any more", lambda: [client.huey.scheduled_count() for client in clients], [0] * 3)
    this.becomes("nothing is left to be done", lambda: [client.huey.pending_count() for client in clients], [0] * 3)
    counts = [this.effects()[f"timed soon {number}"] for number in range(9)]
    if this.is_mesh:
        # Each scheduler may have taken it before it heard of the others.
        this.true("each at least once, at most once for each master", all(1 <= count <= 3 for count in counts), counts)
    else:
        this.equal("each once", counts, [1] * 9)


def work(this):
    clients = [tasks(application(port)) for port in this.ports]
    for place in range(3):
        this.start(place, "-m", "huey.bin.huey_consumer", "huey_app.huey", "-w", "2", "-C", "-d", "0.05", "-m", "0.2", "-s", "1")
    this.waiting(2)
    for family in (many, failures, pipelines, priorities, locks, revocation, delayed):
        family(this, clients)


def main():
    shared.run("Huey", package.__version__, work, OWNED)


if __name__ == "__main__":
    # Tasks are known by the name of their module.
    import huey_app

    huey_app.main()
