"""What Celery does with Redis as broker and as result backend: tasks of three producers by three workers of two processes each,
results, groups, chains, chords, countdowns, retries, failures, priorities, revocation, and answers to remote control.

    celery_app.py <port> [<one> <two> <three>]

Celery promises that a task is executed once where no worker is lost. Of three masters, one owns the queues `jobs*`, the lists of the
priorities among them. Results may be read at any master, but all workers write them to one: a chord counts its parts in a script
that compares numbers at the master where it runs. What workers have taken and not acknowledged (`unacked`) is cleared within MULTI and
has no owner.
"""

import os
import time

import celery
import kombu
import shared
from celery.exceptions import TimeoutError as ResultTimeout
from celery.result import AsyncResult

JOBS = 60
OWNED = ["jobs*", "ranked*"]
NAMES = ["jobs0@apps", "jobs1@apps", "jobs2@apps"]


def application(broker, backend):
    app = celery.Celery("celery_app", broker=broker, backend=backend)
    app.conf.update(
        task_default_queue="jobs",
        task_create_missing_queues=True,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_cancel_long_running_tasks_on_connection_loss=True,
        result_expires=600,
        broker_transport_options={"queue_order_strategy": "priority", "priority_steps": list(range(10)), "sep": ":"},
        broker_connection_retry_on_startup=True,
    )
    return app


app = application(f"redis://127.0.0.1:{os.environ.get('APPS_PORT', 0)}/0", os.environ.get("APPS_BACKEND"))


@app.task(name="add")
def add(name, one, two):
    shared.effect(f"add {name}")
    return one + two


@app.task(name="total")
def total(parts, name):
    shared.effect(f"total {name}")
    return sum(parts)


@app.task(name="flaky", bind=True, autoretry_for=(ValueError,), max_retries=3, default_retry_delay=0)
def flaky(self, name, failures):
    shared.effect(f"flaky {name}")
    if self.request.retries < failures:
        raise ValueError(f"try {self.request.retries} of {name}")
    return self.request.retries


@app.task(name="ordered")
def ordered(name):
    shared.effect(f"ordered {name}")


@app.task(name="timed")
def timed(name):
    shared.effect(f"timed {name}")
    return time.time()


def values(results):
    return [result.get(timeout=shared.WAIT_SECONDS) for result in results]


def many(this, clients):
    tasks = [clients[number % 3].send_task("add", (f"{number}", number, 1000)) for number in range(JOBS)]
    this.equal("results", values(tasks), [number + 1000 for number in range(JOBS)])
    this.equal("each task was executed once", dict(this.effects()), {f"add {number}": 1 for number in range(JOBS)})
    this.spread("workers at each master had some", "add ")
    for place in range(3):
        reader = application(this.url(place), this.url(place))
        states = lambda: {AsyncResult(task.id, app=reader).state for task in tasks}
        this.becomes("results are seen at each place", states, {"SUCCESS"})
    left = lambda: [[server.llen("jobs"), server.hlen("unacked"), server.zcard("unacked_index")] for server in this.servers()]
    this.becomes("nothing is left to be done or acknowledged", left, [[0, 0, 0]] * 3)


def workflows(this, clients):
    one = clients[0]
    sign = lambda name, *args: one.signature(name, args=args)
    group = celery.group([sign("add", f"group {number}", number, 1) for number in range(20)], app=one).apply_async()
    this.equal("a group", group.get(timeout=shared.WAIT_SECONDS), [number + 1 for number in range(20)])
    group = celery.group([sign("add", "link", 1, 2), sign("add", "link", 3, 4)], app=one)
    this.equal("a chain", celery.chain(group, sign("total", "chain")).apply_async().get(timeout=shared.WAIT_SECONDS), 10)
    chords = [celery.chord([sign("add", f"chord {at}", number, at) for number in range(10)], sign("total", f"chord {at}"), app=one)
              .apply_async() for at in range(5)]
    this.equal("chords", values(chords), [45 + 10 * at for at in range(5)])
    shown = {what: count for what, count in this.effects().items() if what.startswith("total chord")}
    this.equal("each ended once", shown, {f"total chord {at}": 1 for at in range(5)})
    this.equal("after ten parts", [this.effects()[f"add chord {at}"] for at in range(5)], [10] * 5)


def failures(this, clients):
    again = [clients[number % 3].send_task("flaky", (f"again {number}", 2)) for number in range(6)]
    lost = clients[1].send_task("flaky", ("lost", 9))
    this.equal("what is tried again succeeds at the third try", values(again), [2] * 6)
    this.raises("what fails for good", ValueError, "try 3 of lost", lambda: lost.get(timeout=shared.WAIT_SECONDS))
    tries = {f"flaky again {number}": 3 for number in range(6)} | {"flaky lost": 4}
    shown = {what: count for what, count in this.effects().items() if what.startswith("flaky")}
    this.equal("each was tried as often as it should", shown, tries)
    lost.forget()
    this.becomes("a result that is forgotten is gone", lambda: [server.exists(f"celery-task-meta-{lost.id}") for server in this.servers()],
                 [0, 0, 0])


def countdowns(this, clients):
    asked = time.time()
    soon = [clients[number % 3].send_task("timed", (f"soon {number}",), countdown=1) for number in range(9)]
    this.true("not before their time", min(values(soon)) >= asked + 1)
    this.equal("each once", this.count_of("timed soon"), 9)
    far = clients[0].send_task("timed", ("far",), countdown=3)
    clients[2].control.revoke(far.id)
    this.raises("what is revoked at another place", celery.exceptions.TaskRevokedError, "revoked",
                lambda: far.get(timeout=shared.WAIT_SECONDS))
    this.equal("was not done", this.count_of("timed far"), 0)
    missing = AsyncResult("nobody-made-this", app=clients[0])
    this.raises("who waits for nothing", ResultTimeout, "timed out", lambda: missing.get(timeout=0.2))


def priorities(this, clients):
    """0 comes first; the worker is started when all are there, and takes one at a time."""
    queue = kombu.Queue("ranked", routing_key="ranked")
    for number in range(4):
        for priority in (9, 4, 0):
            clients[0].send_task("ordered", (f"{priority} {number}",), queue=queue, priority=priority)
    this.becomes("all are there", lambda: this.servers()[2].llen("ranked") + this.servers()[2].llen("ranked:4") +
                 this.servers()[2].llen("ranked:9"), 12)
    start_worker(this, 2, "ranked", "1")
    this.becomes("all are done", lambda: this.count_of("ordered "), 12)
    lines = this.effects_path().read_text().splitlines()
    order = [line.split("\t")[0] for line in lines if line.startswith("ordered ")]
    this.equal("in their order", order, [f"ordered {priority} {number}" for priority in (0, 4, 9) for number in range(4)])


def answering(client):
    return sorted(name for reply in client.control.ping(timeout=2, limit=3) for name in reply)


def control(this, clients):
    """Asked at one place, answered by the workers of all."""
    for place in range(3):
        this.becomes("workers answer", lambda: answering(clients[place]), NAMES)
    registered = clients[2].control.inspect(timeout=10, limit=3).registered() or {}
    this.equal("and say what they can do", {tuple(sorted(tasks)) for tasks in registered.values()},
               {("add", "flaky", "ordered", "timed", "total")})


def start_worker(this, place, queue, processes):
    os.environ["APPS_BACKEND"] = this.url(shared.OWNER)
    this.start(place, "-m", "celery", "-A", "celery_app", "worker", "-Q", queue, "-c", processes, "-n", f"{queue}{place}@apps",
               "-l", "INFO")


def work(this):
    clients = [application(this.url(place), this.url(shared.OWNER)) for place in range(3)]
    for place in range(3):
        start_worker(this, place, "jobs", "2")
    this.becomes("workers have started", lambda: answering(clients[0]), NAMES)
    this.waiting(1)
    for family in (many, workflows, failures, countdowns, priorities):
        family(this, clients)
    control(this, clients)
    for client in clients:
        client.close()


if __name__ == "__main__":
    shared.run("Celery", celery.__version__, work, OWNED)
