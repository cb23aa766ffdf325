"""What limits does: its three ways to limit a rate, hits that cost more than one, what is left and when it begins anew, clearing.

    limits_app.py <port> [<one> <two> <three>]

limits promises that no more than a limit's number of hits pass in its time. It counts in scripts, which run at the master that was
asked: of three masters, those that have not yet heard of each other's hits let each of them pass as many as it knows to be left. So
together they let at least the limit pass and at most three times that, and none any more once they have heard of it.
"""

import threading
import time

import limits
import shared
from limits.storage import RedisStorage
from limits.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter, SlidingWindowCounterRateLimiter

LIMIT = 30
# Longer than any run.
HOUR = limits.RateLimitItemPerHour
KINDS = {"fixed": FixedWindowRateLimiter, "moving": MovingWindowRateLimiter, "sliding": SlidingWindowCounterRateLimiter}


def limiters(this, kind):
    return [KINDS[kind](RedisStorage(f"redis://127.0.0.1:{port}")) for port in this.ports]


def left(all_of, item, name):
    return [limiter.get_window_stats(item, name).remaining for limiter in all_of]


def in_turn(this, kind):
    """One hit after the other, each once the one before is known everywhere."""
    all_of, item = limiters(this, kind), HOUR(9, namespace=f"turn-{kind}")
    for number in range(9):
        this.equal(f"{kind}: a hit within the limit", all_of[number % 3].hit(item, "user"), True)
        this.becomes(f"{kind}: one less is left everywhere", lambda: left(all_of, item, "user"), [8 - number] * 3)
    this.equal(f"{kind}: nobody passes", [limiter.hit(item, "user") for limiter in all_of], [False] * 3)
    this.equal(f"{kind}: nor would", [limiter.test(item, "user") for limiter in all_of], [False] * 3)
    this.equal(f"{kind}: others do", all_of[1].hit(item, "other"), True)
    reset = all_of[2].get_window_stats(item, "user").reset_time
    this.true(f"{kind}: begins anew within its time", time.time() - 1 < reset <= time.time() + 2 * 3600, reset)


def costs(this, kind):
    all_of, item = limiters(this, kind), HOUR(10, namespace=f"cost-{kind}")
    this.equal(f"{kind}: more than there is", all_of[0].hit(item, "user", cost=11), False)
    # The fixed window counts a hit that was refused, too.
    all_of[0].clear(item, "user")
    this.becomes(f"{kind}: cleared", lambda: left(all_of, item, "user"), [10] * 3)
    this.equal(f"{kind}: several at once", all_of[0].hit(item, "user", cost=7), True)
    this.becomes(f"{kind}: are known", lambda: left(all_of, item, "user"), [3] * 3)
    this.equal(f"{kind}: too many then", all_of[1].hit(item, "user", cost=4), False)


def at_once(this, kind):
    """Ninety hits of nine threads at all places."""
    all_of, item = limiters(this, kind), HOUR(LIMIT, namespace=f"once-{kind}")
    passed, barrier = [0] * 9, threading.Barrier(9)

    def work(number):
        barrier.wait()
        for _ in range(LIMIT // 3):
            passed[number] += all_of[number % 3].hit(item, "user")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if this.is_mesh:
        this.true(f"{kind}: as many as may pass and no more than each may let pass", LIMIT <= sum(passed) <= 3 * LIMIT, passed)
    else:
        this.equal(f"{kind}: exactly as many as may pass", sum(passed), LIMIT)
    this.becomes(f"{kind}: none is left", lambda: left(all_of, item, "user"), [0] * 3)
    this.equal(f"{kind}: nobody passes any more", [limiter.hit(item, "user") for limiter in all_of], [False] * 3)


def short(this, kind):
    """A limit that begins anew."""
    all_of, item = limiters(this, kind), limits.RateLimitItemPerSecond(2, namespace=f"short-{kind}")
    this.becomes(f"{kind}: two in a second", lambda: [limiter.hit(item, "user") for limiter in all_of[:1] * 3], [True, True, False])
    this.becomes(f"{kind}: and again later, elsewhere", lambda: all_of[1].hit(item, "user"), True)


def work(this):
    for kind in KINDS:
        for family in (in_turn, costs, at_once, short):
            family(this, kind)
    storage = RedisStorage(f"redis://127.0.0.1:{this.ports[0]}")
    this.equal("the storage answers", storage.check(), True)
    counted = lambda: len(this.servers()[2].keys("LIMITS*"))
    this.true("what was counted is there", counted() > 0)
    storage.reset()
    this.becomes("and is gone after a reset", lambda: [len(server.keys("LIMITS*")) for server in this.servers()], [0] * 3)


if __name__ == "__main__":
    shared.run("limits", limits.__version__, work)
