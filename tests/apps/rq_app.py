"""What RQ does: jobs of three producers by three workers that fork for each, retries, failures that are put back, jobs that depend on
others, scheduled and repeated ones, queues in the order of their priority, jobs that may be there only once, results read elsewhere.

    rq_app.py <port> [<one> <two> <three>]

RQ promises that a job runs once as long as its worker lives. Of three masters, each queue is named in a `queue-owner` line, by its
whole name: what its neighbour `rq:queue:<name>:intermediate` holds is nobody's but the worker's. All workers run RQ's scheduler: of these
one is at work for each queue, whose lock has an owner, too.
"""

import os
import time
from datetime import timedelta

import rq
import shared

JOBS = 60
OWNED = ["rq:queue:mail", "rq:queue:high", "rq:queue:low", "rq:clean_registries:*", "rq:scheduler-lock:*"]


def add(name, one, two):
    shared.effect(f"add {name}")
    return one + two


def flaky(name, failures):
    """Fails as often as it is told, then answers how often it was tried."""
    shared.effect(f"flaky {name}")
    tries = shared.effects_of(f"flaky {name}")
    if tries <= failures:
        raise ValueError(f"try {tries} of {name}")
    return tries


def timed(name):
    shared.effect(f"timed {name}")
    return time.time()


def ordered(name):
    shared.effect(f"ordered {name}")


def fetched(this, place, job):
    """A job as another client sees it."""
    return rq.job.Job.fetch(job.id, connection=this.servers()[place])


def queues(this, name):
    return [rq.Queue(name, connection=server) for server in this.servers()]


def finished(this, place, jobs):
    return sum(job.get_status() == "finished" for job in rq.job.Job.fetch_many(
        [job.id for job in jobs], connection=this.servers()[place]) if job)


def many(this):
    """Each job once, whoever put it there and whoever took it."""
    mail = queues(this, "mail")
    jobs = [mail[number % 3].enqueue("rq_app.add", f"{number}", number, 1000) for number in range(JOBS)]
    this.becomes("all jobs finish", lambda: finished(this, 2, jobs), JOBS)
    this.equal("each job has run once", dict(this.effects()), {f"add {number}": 1 for number in range(JOBS)})
    this.spread("workers at each master had some", "add ")
    results = [fetched(this, 2, job).return_value() for job in jobs]
    this.equal("results at another place", results, [number + 1000 for number in range(JOBS)])
    this.becomes("the queue is empty", lambda: [queue.count for queue in mail], [0, 0, 0])
    registry = lambda: [queue.finished_job_registry.count for queue in mail]
    this.becomes("all are in the registry of finished jobs", registry, [JOBS] * 3)
    this.becomes("none is being worked on", lambda: [queue.started_job_registry.count for queue in mail], [0] * 3)
    intermediate = lambda: [server.llen("rq:queue:mail:intermediate") for server in this.servers()]
    this.becomes("none is between queue and worker", intermediate, [0, 0, 0])
    counts = lambda: [sum(worker.successful_job_count for worker in rq.Worker.all(connection=server))
                      for server in this.servers()]
    this.becomes("workers have counted them", counts, [JOBS] * 3)


def failures(this):
    mail = queues(this, "mail")
    again = [mail[number % 3].enqueue("rq_app.flaky", f"again {number}", 2, retry=rq.Retry(max=3)) for number in range(6)]
    lost = mail[0].enqueue("rq_app.flaky", "lost", 2, retry=rq.Retry(max=1))
    plain = mail[1].enqueue("rq_app.flaky", "plain", 1)
    this.becomes("what is tried again finishes", lambda: finished(this, 0, again), 6)
    this.equal("at the third try", [fetched(this, 0, job).return_value() for job in again], [3] * 6)
    this.becomes("what fails for good has failed", lambda: fetched(this, 2, lost).get_status(), "failed")
    this.becomes("without a retry at once", lambda: fetched(this, 2, plain).get_status(), "failed")
    this.true("the error is kept", "ValueError: try 2 of lost" in fetched(this, 2, lost).latest_result().exc_string)
    failed = lambda: [sorted(queue.failed_job_registry.get_job_ids()) for queue in mail]
    this.becomes("both are in the registry of failed jobs", failed, [sorted([lost.id, plain.id])] * 3)
    mail[2].failed_job_registry.requeue(plain.id)
    this.becomes("what is put back finishes", lambda: fetched(this, 0, plain).get_status(), "finished")
    this.becomes("and leaves the registry", failed, [[lost.id]] * 3)
    tries = {f"flaky again {number}": 3 for number in range(6)} | {"flaky lost": 2, "flaky plain": 2}
    shown = {what: count for what, count in this.effects().items() if what.startswith("flaky")}
    this.equal("each was tried as often as it should", shown, tries)


def dependents(this):
    mail = queues(this, "mail")
    first = [mail[0].enqueue("rq_app.add", f"first {number}", number, 0) for number in range(5)]
    last = mail[0].enqueue("rq_app.add", "last", 1, 1, depends_on=first)
    this.becomes("a job waits for five others", lambda: fetched(this, 1, last).get_status(), "finished")
    this.equal("which were done before", [fetched(this, 1, job).get_status() for job in first], ["finished"] * 5)
    this.equal("and runs once", this.effects()["add last"], 1)


def scheduled(this):
    mail = queues(this, "mail")
    asked = time.time()
    soon = [mail[0].enqueue_in(timedelta(seconds=1), "rq_app.timed", f"soon {number}") for number in range(10)]
    later = mail[0].enqueue("rq_app.flaky", "later", 1, retry=rq.Retry(max=1, interval=1))
    far = mail[0].enqueue_in(timedelta(hours=1), "rq_app.timed", "far")
    this.becomes("scheduled jobs finish", lambda: finished(this, 2, soon), 10)
    # RQ counts in whole seconds.
    this.true("not before their time", all(fetched(this, 2, job).return_value() >= int(asked) + 1 for job in soon))
    this.becomes("a retry after a while finishes", lambda: fetched(this, 2, later).get_status(), "finished")
    this.equal("each scheduled job ran once", this.count_of("timed soon"), 10)
    this.becomes("what is far waits", lambda: mail[2].scheduled_job_registry.get_job_ids(), [far.id])
    mail[0].scheduled_job_registry.remove(far)
    again = mail[0].enqueue("rq_app.timed", "again", repeat=rq.Repeat(times=2, interval=1))
    this.becomes("a repeated job runs three times", lambda: this.count_of("timed again"), 3)
    this.becomes("and is done", lambda: fetched(this, 2, again).get_status(), "finished")


def unique(this):
    mail = queues(this, "high")
    mail[0].enqueue("rq_app.ordered", "only", job_id="only", unique=True)
    this.becomes("a job is there", lambda: [queue.get_job_ids() for queue in mail], [["only"]] * 3)
    for place in range(3):
        this.raises("only once", rq.exceptions.DuplicateJobError, "already exists",
                    lambda: mail[place].enqueue("rq_app.ordered", "only", job_id="only", unique=True))


def priorities(this):
    """A worker of several queues takes from the first that has something; `only` of `unique` is in the first."""
    high, low = queues(this, "high"), queues(this, "low")
    for number in range(5):
        low[0].enqueue("rq_app.ordered", f"low {number}")
    for number in range(5):
        high[0].enqueue("rq_app.ordered", f"high {number}")
    this.becomes("both are there", lambda: [len(high[2]), len(low[2])], [6, 5])
    worker = this.start(2, "-m", "rq.cli", "worker", "--burst", "--url", this.url(2), "high", "low")
    this.equal("a worker that ends when all is done", worker.wait(shared.WAIT_SECONDS), 0)
    lines = this.effects_path().read_text().splitlines()
    order = [line.split("\t")[0] for line in lines if line.startswith("ordered ")]
    expected = ["only"] + [f"{name} {number}" for name in ("high", "low") for number in range(5)]
    this.equal("in the order of their queues", order, [f"ordered {name}" for name in expected])


def work(this):
    for place in range(3):
        this.start(place, "-m", "rq.cli", "worker", "--with-scheduler", "--url", this.url(place), "mail")
    alive = lambda: [rq.Worker.count(connection=server) for server in this.servers()]
    this.becomes("three workers are seen everywhere", alive, [3, 3, 3])
    this.waiting(1)
    for family in (many, failures, dependents, scheduled, unique, priorities):
        family(this)
    this.equal("one cleans registries at a time",
               [bool(queue.acquire_maintenance_lock()) for queue in queues(this, "locked")], [True, False, False])


def mesh_only(this):
    """What RQ asks of the queue's own list within MULTI, or by a script, is carried out at the master that owns it."""
    at_owner, elsewhere = queues(this, "low")[shared.OWNER], queues(this, "low")[2]
    kept, deleted = (elsewhere.enqueue("rq_app.ordered", name) for name in ("kept", "deleted"))
    deleted.delete()
    this.becomes("a job is taken out of its queue anywhere", lambda: at_owner.get_job_ids(), [kept.id])
    kept.cancel()
    this.becomes("or cancelled", lambda: [at_owner.get_job_ids(), elsewhere.get_job_ids()], [[], []])
    this.equal("and is a cancelled one", [fetched(this, place, kept).get_status() for place in (2,)], ["canceled"])
    at_owner.enqueue("rq_app.ordered", "emptied")
    this.becomes("or the whole queue emptied", elsewhere.empty, 1)
    this.equal("by one", at_owner.empty(), 0)


if __name__ == "__main__":
    os.environ.pop("RQ_REDIS_URL", None)
    shared.run("RQ", rq.VERSION, work, OWNED, mesh_only)
