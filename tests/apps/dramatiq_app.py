"""What Dramatiq does: messages of three producers by three worker processes of four threads each, results, delayed messages, retries, dead
letters, pipelines, groups with a callback, a mutex of its rate limiters.

    dramatiq_app.py <port> [<one> <two> <three>]

Dramatiq promises that a message is processed at least once, and once where no worker is lost. All that it does with queues is one
script, whose only declared key is the namespace. Of three masters one owns that, `dramatiq`, and what is in it, `dramatiq:*`, and the
script is carried out there, wherever workers and producers are.
"""

import os
import threading
import time

import dramatiq
import shared
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import GroupCallbacks
from dramatiq.rate_limits import ConcurrentRateLimiter
from dramatiq.rate_limits.backends import RedisBackend as Limits
from dramatiq.results import Results
from dramatiq.results.backends import RedisBackend as Stored
from dramatiq.results.errors import ResultFailure, ResultMissing

JOBS = 60
# The last one is what barriers of groups are called: their numbers.
OWNED = ["dramatiq", "dramatiq:*", "mutex:*", "????????-????-????-????-????????????*"]


def application(port, **options):
    broker = RedisBroker(host="127.0.0.1", port=port, **options)
    broker.add_middleware(Results(backend=Stored(host="127.0.0.1", port=port), store_results=True))
    broker.add_middleware(GroupCallbacks(Limits(host="127.0.0.1", port=port)))
    return broker


def add(name, one, two):
    shared.effect(f"add {name}")
    return one + two


def flaky(name, failures):
    shared.effect(f"flaky {name}")
    tries = shared.effects_of(f"flaky {name}")
    if tries <= failures:
        raise ValueError(f"try {tries} of {name}")
    return tries


def timed(name):
    shared.effect(f"timed {name}")
    return time.time()


def ended(name):
    shared.effect(f"ended {name}")


def actors(broker):
    def actor(function, **options):
        return dramatiq.actor(function, broker=broker, actor_name=function.__name__, **options)

    return {
        "add": actor(add),
        "flaky": actor(flaky, max_retries=3, min_backoff=20, max_backoff=50),
        "timed": actor(timed),
        "ended": actor(ended),
    }


broker = application(int(os.environ.get("APPS_PORT", 0)))
if "APPS_PORT" in os.environ:
    actors(broker)


class Client:
    """A producer, and who reads results, at one place."""

    def __init__(self, this, place):
        self.broker = application(this.ports[place])
        self.actors = actors(self.broker)
        self.backend = Stored(host=shared.HOST, port=this.ports[place])

    def value(self, message):
        return message.get_result(backend=self.backend, block=True, timeout=shared.WAIT_SECONDS * 1000)


def many(this, clients):
    messages = [clients[number % 3].actors["add"].send(f"{number}", number, 1000) for number in range(JOBS)]
    results = [clients[number % 3].value(message) for number, message in enumerate(messages)]
    this.equal("results", results, [number + 1000 for number in range(JOBS)])
    this.equal("each message was processed once", dict(this.effects()), {f"add {number}": 1 for number in range(JOBS)})

    def places():
        found = this.places("add ")
        if found != [0, 1, 2]:
            # A worker that was slow to begin found all of it done.
            for number in range(30):
                clients[number % 3].actors["add"].send("more", number, 1)
        return found

    if this.is_mesh:
        this.becomes("workers at each master had some", places, [0, 1, 2])

    def elsewhere():
        try:
            return [message.get_result(backend=clients[2].backend) for message in messages]
        except ResultMissing:
            return None

    this.becomes("results at another place", elsewhere, [number + 1000 for number in range(JOBS)])
    this.becomes("nothing is left", lambda: clients[shared.OWNER].broker.do_qsize("default"), 0)


def failures(this, clients):
    again = [clients[number % 3].actors["flaky"].send(f"again {number}", 2) for number in range(6)]
    lost = clients[0].actors["flaky"].send("lost", 9)

    def value(message):
        try:
            return message.get_result(backend=clients[2].backend)
        except (ResultMissing, ResultFailure) as error:
            return type(error).__name__

    this.becomes("what is tried again succeeds", lambda: [value(message) for message in again], [3] * 6)
    dead = lambda: [server.zcard("dramatiq:default.XQ") for server in this.servers()]
    this.becomes("what fails for good is a dead letter", dead, [1, 1, 1])
    this.becomes("and its result a failure", lambda: value(lost), "ResultFailure")
    shown = {what: count for what, count in this.effects().items() if what.startswith("flaky")}
    this.equal("each was tried as often as it should", shown, {f"flaky again {number}": 3 for number in range(6)} | {"flaky lost": 4})


def delayed(this, clients):
    asked = time.time()
    soon = [clients[number % 3].actors["timed"].send_with_options(args=(f"soon {number}",), delay=1000) for number in range(9)]
    done = [clients[number % 3].value(message) for number, message in enumerate(soon)]
    this.true("not before their time", min(done) >= asked + 0.99, min(done) - asked)
    this.equal("each once", [this.effects()[f"timed soon {number}"] for number in range(9)], [1] * 9)


def workflows(this, clients):
    one = clients[0]
    # By which results are read.
    dramatiq.set_broker(one.broker)
    add_of = one.actors["add"].message
    pipe = dramatiq.pipeline([add_of("pipe", 1, 1), add_of("pipe", 10), add_of("pipe", 100)], broker=one.broker).run()
    value = pipe.get_result(block=True, timeout=shared.WAIT_SECONDS * 1000)
    this.equal("a pipeline hands results on", value, 112)
    group = dramatiq.group([add_of(f"group {number}", number, 1) for number in range(20)], broker=one.broker)
    group.add_completion_callback(one.actors["ended"].message("group"))
    group.run()
    values = list(group.get_results(block=True, timeout=shared.WAIT_SECONDS * 1000))
    this.equal("a group", values, [number + 1 for number in range(20)])
    this.becomes("whose callback comes", lambda: this.effects()["ended group"], 1)
    this.equal("each part once", [this.effects()[f"add group {number}"] for number in range(20)], [1] * 20)


def mutex(this, _):
    """Of twelve that come at once to three places, one gets it; then it is released where it was acquired."""
    held, barrier = [], threading.Barrier(12)
    limiters = [ConcurrentRateLimiter(Limits(host=shared.HOST, port=port), "mutex:one", limit=1, ttl=60_000) for port in this.ports]

    def take(place):
        barrier.wait()
        if limiters[place]._acquire():
            held.append(place)

    threads = [threading.Thread(target=take, args=(number % 3,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    this.equal("one of twelve", len(held), 1)
    if held:
        limiters[held[0]]._release()
        this.becomes("it is free everywhere", lambda: [server.get("mutex:one") for server in this.servers()], [b"0"] * 3)


def work(this):
    clients = [Client(this, place) for place in range(3)]
    for place in range(3):
        this.start(place, "-m", "dramatiq", "dramatiq_app:broker", "-p", "1", "-t", "4")
    this.becomes("workers are there", lambda: this.servers()[2].zcard("dramatiq:__heartbeats__") >= 3, True)
    for family in (many, failures, delayed, workflows, mutex):
        family(this, clients)


def mesh_only(this):
    """A message that was put there anywhere is taken once, whoever is asked first."""
    this.stop()
    Client(this, 2).actors["ended"].send("elsewhere")
    brokers = [application(port) for port in this.ports]
    this.equal("a message is fetched at one place", len(brokers[0].do_fetch("default", 1)), 1)
    this.equal("and at no other", [len(broker.do_fetch("default", 1)) for broker in brokers], [0, 0, 0])


if __name__ == "__main__":
    shared.run("Dramatiq", dramatiq.__version__, work, OWNED, mesh_only)
