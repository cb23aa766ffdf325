"""What Django does with django-redis: its cache and its sessions, by two or three servers of one site.

    django_app.py <port> [<one> <two> <three>]

Of three masters, one owns what `cache.add` makes and the locks. A lock of `cache.lock` is redis-py's: it is extended and
released by scripts, which the owner carries out as well.
"""

import threading

import django
import shared
from django.conf import settings
from django.core.cache import caches

# django-redis writes `:<version>:<key>`.
OWNED = [":1:only-*", ":1:lock-*"]
NAMES = ["one", "two", "three"]


def configure(ports):
    """The cache of each server of the site; `django.conf` is set up once, so both runs have theirs from the beginning."""
    all_of = {}
    for round, places in enumerate(ports):
        for name, port in zip(NAMES, places):
            all_of[f"{name}{round}"] = {
                "BACKEND": "django_redis.cache.RedisCache",
                "LOCATION": f"redis://127.0.0.1:{port}/0",
                "OPTIONS": {"CLIENT_CLASS": "django_redis.client.DefaultClient"},
            }
    settings.configure(
        CACHES={"default": all_of["one0"], **all_of},
        SESSION_ENGINE="django.contrib.sessions.backends.cache",
        SECRET_KEY="for this test only",
        ALLOWED_HOSTS=["testserver"],
        ROOT_URLCONF="django_site",
        MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware"],
        INSTALLED_APPS=["django.contrib.sessions"],
        USE_TZ=True,
    )
    django.setup()


def own_caches(this):
    return [caches[f"{name}{this.rounds - 1}"] for name in NAMES]


def values(this, all_of):
    one, two, three = all_of
    one.set("text", "größe", 60)
    one.set("number", 5, 60)
    one.set("dictionary", {"a": [1, 2, (3, None)]}, 60)
    for key, value in (("text", "größe"), ("number", 5), ("dictionary", {"a": [1, 2, (3, None)]})):
        this.becomes(f"{key} is read elsewhere", lambda: [cache.get(key) for cache in all_of], [value] * 3)
    this.equal("nothing", [two.get("nothing"), two.get("nothing", "default")], [None, "default"])
    two.set_many({f"many:{number}": number for number in range(50)}, 60)
    expected = {f"many:{number}": number for number in range(50)}
    this.becomes("set_many and get_many", lambda: three.get_many(expected), expected)
    this.becomes("keys of a pattern", lambda: [len(cache.keys("many:*")) for cache in all_of], [50] * 3)
    this.equal("delete_pattern", one.delete_pattern("many:*") if one.keys("many:*") else 0, 50)
    this.becomes("everywhere", lambda: [list(cache.iter_keys("many:*")) for cache in all_of], [[], [], []])
    this.equal("delete", [three.delete("text"), three.delete("text")], [True, False])
    this.becomes("gone everywhere", lambda: [cache.has_key("text") for cache in all_of], [False] * 3)
    this.equal("get_or_set", two.get_or_set("computed", lambda: 42, 60), 42)
    this.becomes("computed once", lambda: three.get_or_set("computed", lambda: 43, 60), 42)


def numbers(this, all_of):
    """Counts of all servers add up."""
    all_of[0].set("visits", 0, 60)
    this.becomes("a number is there", lambda: [cache.get("visits") for cache in all_of], [0] * 3)

    def count(cache):
        for _ in range(50):
            cache.incr("visits")

    threads = [threading.Thread(target=count, args=(cache,)) for cache in all_of]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    this.becomes("incr", lambda: [cache.get("visits") for cache in all_of], [150] * 3)
    this.equal("decr", all_of[1].decr("visits", 50), 100)
    this.raises("of nothing", ValueError, "not found", lambda: all_of[2].incr("no-such-key"))


def deadlines(this, all_of):
    one, two, three = all_of
    one.set("soon", 1, timeout=0.2)
    this.becomes("a value ends", lambda: [cache.get("soon") for cache in all_of], [None] * 3)
    one.set("always", 1, timeout=None)
    this.becomes("or never", lambda: [cache.ttl("always") for cache in all_of], [None] * 3)
    two.set("later", 1, timeout=100)
    this.becomes("the time that is left", lambda: [90 < (cache.ttl("later") or 0) <= 100 for cache in all_of], [True] * 3)
    this.equal("more time", [three.expire("later", 1000), 990 < three.ttl("later") <= 1000], [True, True])
    this.equal("touch", one.touch("always", 500), True)
    this.becomes("is seen elsewhere", lambda: 490 < (two.ttl("always") or 0) <= 500, True)
    this.equal("persist", three.persist("later"), True)
    this.becomes("is seen, too", lambda: one.ttl("later"), None)
    this.equal("versions", [one.set("versioned", "old"), one.incr_version("versioned")], [True, 2])
    this.becomes("of a value", lambda: [two.get("versioned"), two.get("versioned", version=2)], [None, "old"])


def firsts(this, all_of):
    """Of those who add at once, one is the first."""
    for turn in range(10):
        added, barrier = [], threading.Barrier(3)

        def add(cache, name):
            barrier.wait()
            if cache.add(f"only-{turn}", name, 60):
                added.append(name)

        threads = [threading.Thread(target=add, args=pair) for pair in zip(all_of, NAMES)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        this.equal("one is the first", len(added), 1)
        this.becomes("and its value stays", lambda: [cache.get(f"only-{turn}") for cache in all_of], (added[:1] or [None]) * 3)


def locks(this, all_of):
    place = shared.OWNER
    lock = all_of[place].lock("lock-report", timeout=30)
    this.equal("a lock", lock.acquire(blocking=False), True)
    others = [cache.lock("lock-report", timeout=30) for cache in all_of]
    this.equal("is held once", [other.acquire(blocking=False) for other in others], [False] * 3)
    lock.release()
    this.equal("and is free then", others[2].acquire(blocking=True, blocking_timeout=shared.WAIT_SECONDS), True)
    others[2].extend(30)
    others[2].release()
    this.equal("or at another place", [server.exists(":1:lock-report") for server in this.servers()][::2], [0, 0])
    short = all_of[0].lock("lock-short", timeout=0.3)
    this.equal("a short one", short.acquire(blocking=False), True)
    this.equal("ends by itself", all_of[2].lock("lock-short", timeout=30).acquire(blocking_timeout=shared.WAIT_SECONDS), True)


def sessions(this):
    """Log in at one server, go on at the next, log out at the third."""
    from django.test import Client

    browser = Client()

    def get(place, path):
        with_cache = f"{NAMES[place]}{this.rounds - 1}"
        with django.test.override_settings(SESSION_CACHE_ALIAS=with_cache):
            return browser.get(path).content.decode()

    for turn in range(20):
        name = f"user {turn}"
        this.equal("a user logs in", get(turn % 3, f"/login?name={name}"), f"hello {name}")
        this.becomes("is known by the next server", lambda: get((turn + 1) % 3, "/whoami"), name)
        this.equal("fills a cart", get((turn + 1) % 3, "/add?item=book"), "1")
        this.becomes("which the third one sees", lambda: get((turn + 2) % 3, "/cart"), "book")
        this.equal("logs out there", get((turn + 2) % 3, "/logout"), "bye")
        this.equal("and is gone", get((turn + 2) % 3, "/whoami"), "nobody")


def work(this):
    all_of = own_caches(this)
    for family in (values, numbers, deadlines, firsts, locks):
        family(this, all_of)
    sessions(this)


if __name__ == "__main__":
    import sys

    words = [int(word) for word in sys.argv[1:]]
    configure([[words[0]] * 3, words[1:]] if words else [])
    import django.test
    import django_redis

    shared.run("django-redis", django_redis.__version__ if isinstance(django_redis.__version__, str)
               else ".".join(map(str, django_redis.VERSION)), work, OWNED)
