"""What side_by_side.py --families runs: commands over collections, each with what it finds there.

A family is a command as redis-benchmark takes it, in which __rand_int__ is a number of twelve digits below --keys, a part of the
requests (long replies cost more), and the commands that make its keys: once, or before each run where it uses them up.
"""

import socket

VALUE = b"x" * 16
BATCH = 1000
FIELDS = 10


def encode(words):
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


def feed(server, commands):
    """Sends commands in batches and waits for their replies, which must be no errors, and no arrays."""
    batch = []
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection, connection.makefile("rb") as replies:

        def flush():
            connection.sendall(b"".join(batch))
            for _ in batch:
                line = replies.readline()
                if not line or line.startswith(b"-"):
                    raise SystemExit(f"{server.name}: {line.decode(errors='replace')}")
                # Whoever leaves before all is read leaves what was not carried out yet undone.
                if line.startswith(b"$"):
                    replies.read(int(line[1:]) + 2)
            batch.clear()

        for words in commands:
            batch.append(encode(words))
            if len(batch) == BATCH:
                flush()
        flush()


def chunks(count, size=100):
    return (range(start, min(start + size, count)) for start in range(0, count, size))


def nothing(_count):
    return ()


def emptied(key):
    return lambda _count: [[b"DEL", key]]


def elements(key, count):
    yield [b"DEL", key]
    for chunk in chunks(count):
        yield [b"RPUSH", key] + [b"element:%012d" % number for number in chunk]


def members(key, count):
    yield [b"DEL", key]
    for chunk in chunks(count):
        yield [b"SADD", key] + [b"member:%012d" % number for number in chunk]


def hashes(count):
    for number in range(count):
        yield [b"HSET", b"hash:%012d" % number] + [word for field in range(FIELDS) for word in (b"field%d" % field, VALUE)]


def scores(count):
    for chunk in chunks(count):
        yield [b"ZADD", b"scores"] + [word for number in chunk for word in (b"%d" % number, b"member:%012d" % number)]


def entries(key, count):
    """A stream that a group has read nothing of."""
    yield [b"DEL", key]
    for number in range(count):
        yield [b"XADD", key, b"%d-1" % (number + 1), b"field", VALUE]
    yield [b"XGROUP", b"CREATE", key, b"group", b"0"]


def places(count):
    """Spread over 100 degrees of longitude and 10 of latitude, as are the points that GEOSEARCH looks around."""
    for chunk in chunks(count):
        yield [b"GEOADD", b"places"] + [
            word for number in chunk for word in (b"%d.%03d" % divmod(number * 7919 % 100_000, 1000), b"%d.%04d" % divmod(number * 104_729 % 100_000, 10_000), b"place:%d" % number)
        ]


class Family:
    """See the head of the file."""

    def __init__(self, command, share=1.0, once=nothing, before=nothing):
        self.words = command.replace("VALUE", VALUE.decode()).split()
        self.share = share
        # With the number of keys.
        self.once = once
        # With the number of requests.
        self.before = before


FAMILIES = {
    "LPUSH": Family("LPUSH pushed VALUE", before=emptied(b"pushed")),
    "LPOP": Family("LPOP popped", before=lambda count: elements(b"popped", count)),
    "LRANGE_100": Family("LRANGE long 0 99", share=0.1, once=lambda _: elements(b"long", 1000)),
    "LRANGE_600": Family("LRANGE long 0 599", share=0.03, once=lambda _: elements(b"long", 1000)),
    "HSET": Family("HSET hash field:__rand_int__ VALUE"),
    "HGETALL": Family("HGETALL hash:__rand_int__", share=0.3, once=hashes),
    "SADD": Family("SADD set member:__rand_int__"),
    "SPOP": Family("SPOP drawn", before=lambda count: members(b"drawn", count)),
    "EVAL": Family("EVAL return(redis.call('incr',KEYS[1])) 1 counter:__rand_int__"),
    "ZADD": Family("ZADD zset __rand_int__ member:__rand_int__", share=0.5),
    "XADD": Family("XADD stream * field VALUE", before=emptied(b"stream")),
    "XRANGE_100": Family("XRANGE read - + COUNT 100", share=0.1, once=lambda _: entries(b"read", 1000)),
    "XREADGROUP": Family("XREADGROUP GROUP group consumer COUNT 1 STREAMS jobs >", before=lambda count: entries(b"jobs", count)),
    "XACK": Family("XACK done group __rand_int__-1", before=lambda count: entries(b"done", count)),
    "PFADD": Family("PFADD sketch member:__rand_int__"),
    "GEOADD": Family("GEOADD added __rand_int__e-3 __rand_int__e-4 member:__rand_int__", share=0.5),
    # Some sixty of a hundred thousand.
    "GEOSEARCH": Family("GEOSEARCH places FROMLONLAT __rand_int__e-3 __rand_int__e-4 BYRADIUS 50 km ASC", share=0.1, once=places),
    # About a hundred of many: those behind a random score.
    "ZRANGEBYSCORE": Family("ZRANGEBYSCORE scores __rand_int__ +inf LIMIT 0 100", share=0.1, once=scores),
}
