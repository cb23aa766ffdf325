"""What redis-py gets: exact answers over RESP2, RESP3 and its own default, its error classes, its iterators and retries, and
three masters that its writes to each converge on.

    redis_py.py <port>                      one server, whose data is deleted
    redis_py.py <port> <one> <two> <three>  and three masters of one mesh

Ends with one line, `redis-py <version>: <n> checks`, or with status 1 when a check failed. The server may be a real redis-server:
what is expected here is what that one answers.
"""

import asyncio
import sys
import threading
import time

import redis
import redis.asyncio
from redis.backoff import NoBackoff
from redis.retry import Retry

HOST = "127.0.0.1"
CONVERGE_SECONDS = 30
BINARY = bytes(range(256)) * 3 + b"\r\n$5\r\n\x00"


class Checks:
    """Counts what was compared and keeps going, so that one run shows all that is wrong."""

    def __init__(self):
        self.count = 0
        self.failures = 0
        self.where = ""

    def fail(self, what, text):
        self.failures += 1
        print(f"redis-py, {self.where}: {what}: {text}", file=sys.stderr)

    def equal(self, what, actual, expected):
        self.count += 1
        if type(actual) is not type(expected) or actual != expected:
            self.fail(what, f"{actual!r} instead of {expected!r}")

    def true(self, what, condition, shown=None):
        self.count += 1
        if not condition:
            self.fail(what, f"does not hold for {shown!r}")

    def raises(self, what, kind, message, call):
        """`message` is the text without its code where redis-py takes the code away."""
        self.count += 1
        try:
            answer = call()
        except redis.RedisError as error:
            if type(error) is not kind or str(error) != message:
                self.fail(what, f"{type(error).__name__}({error}) instead of {kind.__name__}({message})")
        else:
            self.fail(what, f"answered {answer!r} instead of raising")


def text(answer):
    """Some answers are text to redis-py over RESP2 and bytes over RESP3."""
    if isinstance(answer, list):
        return [text(part) for part in answer]
    return answer.decode() if isinstance(answer, bytes) else answer


def strings(check, server):
    check.equal("set", server.set("s", "value"), True)
    check.equal("get", server.get("s"), b"value")
    check.equal("get of nothing", server.get("nothing"), None)
    check.equal("set nx on a key", server.set("s", "other", nx=True), None)
    check.equal("set xx get", server.set("s", "third", xx=True, get=True), b"value")
    check.equal("setnx", [server.setnx("n", 1), server.setnx("n", 2)], [True, False])
    check.equal("getset", server.getset("s", "fourth"), b"third")
    check.equal("getdel", [server.getdel("s"), server.get("s")], [b"fourth", None])
    check.equal("mset", server.mset({"a": 1, "b": "two", "c": b"\x00"}), True)
    check.equal("mget", server.mget("a", "none", "b", "c"), [b"1", None, b"two", b"\x00"])
    check.equal("msetnx", [server.msetnx({"a": 2, "z": 1}), server.get("z")], [False, None])
    check.equal("append", [server.append("w", "Hello "), server.append("w", "World")], [6, 11])
    check.equal("strlen", server.strlen("w"), 11)
    check.equal("getrange", [server.getrange("w", 0, 4), server.getrange("w", -5, -1)], [b"Hello", b"World"])
    check.equal("setrange", [server.setrange("w", 6, "Redis"), server.get("w")], [11, b"Hello Redis"])
    check.equal("setrange beyond the end", [server.setrange("pad", 3, "x"), server.get("pad")], [4, b"\x00\x00\x00x"])
    check.equal("a binary value", [server.set("bin", BINARY), server.get("bin")], [True, BINARY])
    check.equal("a binary key", [server.set(BINARY, "v"), server.get(BINARY), server.delete(BINARY)], [True, b"v", 1])
    check.equal("an empty value", [server.set("", ""), server.get("")], [True, b""])
    check.equal("unicode", [server.set("ключ", "größe"), server.get("ключ")], [True, "größe".encode()])
    large = b"x" * (4 * 1024 * 1024)
    check.equal("four megabytes", [server.set("large", large), server.get("large") == large], [True, True])


def numbers(check, server):
    check.equal("incr", [server.incr("i"), server.incr("i", 41)], [1, 42])
    check.equal("decr", [server.decr("i"), server.decr("i", 50)], [41, -9])
    check.equal("incrbyfloat", [server.incrbyfloat("f", 10.5), server.incrbyfloat("f", 0.1)], [10.5, 10.6])
    check.equal("its text", server.get("f"), b"10.6")
    server.set("max", 2**63 - 1)
    check.raises("incr over the end", redis.ResponseError, "increment or decrement would overflow", lambda: server.incr("max"))
    check.equal("nothing changed", server.get("max"), b"9223372036854775807")


def bits(check, server):
    check.equal("setbit", [server.setbit("bits", 7, 1), server.setbit("bits", 7, 1)], [0, 1])
    check.equal("getbit", [server.getbit("bits", 7), server.getbit("bits", 70)], [1, 0])
    check.equal("bitcount", [server.bitcount("bits"), server.bitcount("bits", 0, 6, "BIT")], [1, 0])
    check.equal("bitpos", [server.bitpos("bits", 1), server.bitpos("bits", 0)], [7, 0])
    check.equal("bitop", [server.bitop("NOT", "not", "bits"), server.get("not")], [1, b"\xfe"])
    field = server.bitfield("field").set("u8", 0, 255).incrby("u8", 0, 10, "FAIL").incrby("i5", "#3", -1).get("u8", 0)
    check.equal("bitfield", field.execute(), [0, None, -1, 255])
    check.equal("bitfield_ro", server.bitfield_ro("field", "u4", 4), [15])
    server.mset({"one": "ohmytext", "two": "mynewtext"})
    check.equal("lcs", [server.lcs("one", "two"), server.lcs("one", "two", len=True)], [b"mytext", 6])


def elsewhere(check, server):
    server.set("from", "v", ex=1000)
    check.equal("rename", [server.rename("from", "to"), server.get("to"), server.exists("from")], [True, b"v", 0])
    check.true("the time to live went along", 990 < server.ttl("to") <= 1000, server.ttl("to"))
    check.raises("rename of nothing", redis.ResponseError, "no such key", lambda: server.rename("from", "to"))
    server.set("full", "w")
    check.equal("renamenx", [server.renamenx("to", "full"), server.renamenx("to", "free")], [False, True])
    check.equal("copy", [server.copy("free", "full"), server.copy("free", "full", replace=True)], [False, True])
    check.equal("copy to a database", server.copy("free", "there", destination_db=3), True)
    check.equal("move", [server.move("full", 4), server.exists("full")], [True, 0])
    check.equal("object encoding", server.object("encoding", "free"), b"embstr")
    check.equal("object refcount", server.object("refcount", "free"), 1)
    payload = server.dump("free")
    check.equal("dump of nothing", server.dump("nothing at all"), None)
    check.raises("restore over a key", redis.ResponseError, "BUSYKEY Target key name already exists.", lambda: server.restore("free", 0, payload))
    check.equal("restore", [server.restore("free", 0, payload, replace=True), server.get("free"), server.ttl("free")], [b"OK", b"v", -1])
    check.raises(
        "restore of something else",
        redis.ResponseError,
        "DUMP payload version or checksum are wrong",
        lambda: server.restore("other", 0, payload[:-1] + b"!"),
    )


def errors(check, server):
    server.set("text", "abc")
    raises = check.raises
    raises("incr of text", redis.ResponseError, "value is not an integer or out of range", lambda: server.incr("text"))
    raises("incrbyfloat of text", redis.ResponseError, "value is not a valid float", lambda: server.incrbyfloat("text", 1))
    raises(
        "no such command",
        redis.ResponseError,
        "unknown command 'NOSUCH', with args beginning with: 'a' ",
        lambda: server.execute_command("NOSUCH", "a"),
    )
    raises(
        "too few arguments",
        redis.ResponseError,
        "wrong number of arguments for 'get' command",
        lambda: server.execute_command("GET"),
    )
    raises("syntax", redis.ResponseError, "syntax error", lambda: server.execute_command("SET", "a", "b", "SIDEWAYS"))
    raises("database", redis.ResponseError, "DB index is out of range", lambda: server.execute_command("SELECT", 10000))
    raises("a time to live", redis.ResponseError, "invalid expire time in 'set' command", lambda: server.set("a", 1, ex=0))
    raises("exec alone", redis.ResponseError, "EXEC without MULTI", lambda: server.execute_command("EXEC"))
    port = server.connection_pool.connection_kwargs["port"]
    # redis-py takes it for a broken connection and would try again for seconds.
    once = redis.Redis(HOST, port, retry=Retry(NoBackoff(), 0))
    raises(
        "a password that is not asked for",
        redis.AuthenticationError,
        "AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?",
        lambda: once.execute_command("AUTH", "secret"),
    )
    raises("client kill", redis.ResponseError, "No such client", lambda: server.client_kill("1.2.3.4:5"))
    check.equal("the connection goes on", server.ping(), True)


def keys(check, server):
    server.mset({"k:1": 1, "k:2": 2, "other": 3})
    check.equal("exists", server.exists("k:1", "k:1", "nothing"), 2)
    check.equal("type", [server.type("k:1"), server.type("nothing")], [b"string", b"none"])
    check.equal("keys", sorted(server.keys("k:*")), [b"k:1", b"k:2"])
    check.equal("touch", server.touch("k:1", "nothing"), 1)
    check.equal("dbsize", server.dbsize(), 3)
    check.true("randomkey", server.randomkey() in (b"k:1", b"k:2", b"other"))
    check.equal("in", ["other" in server, "nothing" in server], [True, False])
    check.equal("unlink", server.unlink("k:1"), 1)
    check.equal("delete", [server.delete("k:1", "k:2"), server.dbsize()], [1, 1])
    check.equal("flushdb", [server.flushdb(), server.dbsize()], [True, 0])


def expiry(check, server):
    check.equal("set ex", [server.set("e", 1, ex=100), server.ttl("e")], [True, 100])
    check.equal("setex", [server.execute_command("SETEX", "e", 50, 1), server.ttl("e")], [True, 50])
    check.equal("psetex", [server.execute_command("PSETEX", "e", 90_000, 1), server.ttl("e")], [True, 90])
    check.equal("keepttl", [server.set("e", 2, keepttl=True), server.ttl("e")], [True, 90])
    check.true("pttl", 80_000 < server.pttl("e") <= 90_000)
    check.equal("persist", [server.persist("e"), server.persist("e"), server.ttl("e")], [True, False, -1])
    check.equal("ttl of nothing", server.ttl("nothing"), -2)
    check.equal("expire", [server.expire("e", 10), server.expire("nothing", 10)], [True, False])
    check.equal("expire gt", [server.expire("e", 5, gt=True), server.expire("e", 20, gt=True)], [False, True])
    check.equal("expire nx", server.expire("e", 5, nx=True), False)
    check.equal("expireat", [server.expireat("e", 4_000_000_000), server.expiretime("e")], [True, 4_000_000_000])
    check.equal("pexpireat", [server.pexpireat("e", 4_000_000_000_123), server.pexpiretime("e")], [True, 4_000_000_000_123])
    check.equal("getex", [server.getex("e", ex=30), server.ttl("e")], [b"2", 30])
    check.equal("getex persist", [server.getex("e", persist=True), server.ttl("e")], [b"2", -1])
    check.equal("set without a time to live", [server.expire("e", 9), server.set("e", 1), server.ttl("e")], [True, True, -1])
    check.equal("in the past", [server.expire("e", -1), server.exists("e")], [True, 0])
    server.set("short", 1, px=40)
    time.sleep(0.1)
    check.equal("the deadline has passed", [server.get("short"), server.ttl("short")], [None, -2])


def scans(check, server):
    names = {f"scan:{number}".encode() for number in range(1000)}
    server.mset({name: 1 for name in names})
    server.mset({f"else:{number}": 1 for number in range(50)})
    check.equal("scan_iter", sorted(server.scan_iter(match="scan:*", count=37)), sorted(names))
    check.equal("scan_iter of a type", len(list(server.scan_iter(_type="string"))), 1050)
    check.equal("scan_iter of another", list(server.scan_iter(_type="list")), [])
    cursor, _ = server.scan(0, count=10)
    check.equal("the cursor is a number", type(cursor), int)
    check.equal("one key", server.scan(0, match="scan:7", count=10_000), (0, [b"scan:7"]))


def transactions(check, server, other):
    with server.pipeline() as pipe:
        pipe.set("t", 1).incr("t").get("t").expire("t", 100).get("nothing")
        check.equal("multi", pipe.execute(), [True, 2, b"2", True, None])
    with server.pipeline() as pipe:
        pipe.watch("t")
        other.set("t", 50)
        pipe.multi()
        pipe.set("t", 99)
        check.raises("watch", redis.WatchError, "Watched variable changed.", pipe.execute)
    check.equal("the other's write stays", server.get("t"), b"50")
    with server.pipeline() as pipe:
        pipe.watch("t")
        other.set("u", 1)
        before = int(pipe.get("t"))
        pipe.multi()
        pipe.set("t", before + 1)
        check.equal("watch without a conflict", pipe.execute(), [True])
    rounds = []

    def add(pipe):
        value = int(pipe.get("t"))
        rounds.append(value)
        if len(rounds) == 1:
            other.set("t", 70)
        pipe.multi()
        pipe.set("t", value + 1)

    check.equal("transaction() tries again", [server.transaction(add, "t"), rounds], [[True], [51, 70]])
    with server.pipeline() as pipe:
        pipe.set("t", "text").incr("t").set("after", 1)
        replies = pipe.execute(raise_on_error=False)
        check.equal("an error does not stop the others", [replies[0], type(replies[1]), replies[2]], [True, redis.ResponseError, True])
    with server.pipeline() as pipe:
        pipe.set("before", 1).execute_command("GET")
        check.raises(
            "a refused command ends the transaction",
            redis.ResponseError,
            "Command # 2 (GET) of pipeline caused error: wrong number of arguments for 'get' command",
            pipe.execute,
        )
    check.equal("nothing was done", server.get("before"), None)


def pipelines(check, server):
    with server.pipeline(transaction=False) as pipe:
        for number in range(5000):
            pipe.set(f"p:{number}", number)
        check.equal("5000 writes", pipe.execute(), [True] * 5000)
        for number in range(5000):
            pipe.get(f"p:{number}")
        check.equal("5000 reads", pipe.execute(), [str(number).encode() for number in range(5000)])
        pipe.set("p:x", "text").incr("p:x").incr("p:y")
        replies = pipe.execute(raise_on_error=False)
        check.equal("an error in between", [replies[0], str(replies[1]), replies[2]],
                    [True, "value is not an integer or out of range", 1])


def threads(check, server):
    """One client, its pool and many threads: no increment is lost."""

    def work():
        for _ in range(250):
            server.incr("threads")

    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    check.equal("increments of 8 threads", server.get("threads"), b"2000")


def connections(check, server, other, protocol):
    check.equal("client_setname", [server.client_setname("smoke"), text(server.client_getname())], [True, "smoke"])
    own = server.client_id()
    check.equal("client_id", type(own), int)
    listed = {entry["id"]: entry for entry in server.client_list()}
    check.equal("client_list has the name", listed[str(own)]["name"], "smoke")
    check.equal("client_list has the command", listed[str(own)]["cmd"], "client|list")
    check.equal("client_info", [int(server.client_info()["id"]), server.client_info()["name"]], [own, "smoke"])
    check.equal("client_list by id", [entry["name"] for entry in server.client_list(client_id=[own])], ["smoke"])
    check.equal("client_no_evict", server.client_no_evict("ON"), b"OK")
    if protocol:
        hello = server.execute_command("HELLO", protocol, "SETNAME", "again")
        pairs = hello if isinstance(hello, dict) else dict(zip(hello[::2], hello[1::2]))
        check.equal("hello answers with", type(hello), dict if protocol == 3 else list)
        check.equal("hello", [pairs[b"proto"], pairs[b"mode"], pairs[b"role"], pairs[b"modules"], pairs[b"id"]],
                    [protocol, b"standalone", b"master", [], own])
        check.equal("hello has named it", text(server.client_getname()), "again")
    check.raises(
        "hello 4",
        redis.ResponseError,
        "NOPROTO unsupported protocol version",
        lambda: server.execute_command("HELLO", 4),
    )
    check.equal("killed by the other", other.client_kill_filter(_id=own), 1)
    check.equal("connects again by itself", server.ping(), True)
    check.true("under another id", server.client_id() > own, own)
    before = server.client_list()
    address = next(entry["addr"] for entry in before if entry["id"] == str(server.client_id()))
    check.equal("killed by its address", other.client_kill(address), True)
    check.equal("connects again once more", server.get("nothing"), None)
    check.equal("select", [server.execute_command("SELECT", 3), server.set("db", 3), server.execute_command("SELECT", 0)],
                [True, True, True])
    third = redis.Redis(HOST, server.connection_pool.connection_kwargs["port"], db=3, protocol=protocol)
    check.equal("db=3", [third.get("db"), third.dbsize(), server.get("db")], [b"3", 1, None])
    check.equal("reset", text(server.execute_command("RESET")), "RESET")


def server_commands(check, server):
    check.equal("ping", [server.ping(), server.echo("x")], [True, b"x"])
    info = server.info()
    check.equal("info", [info["redis_mode"], info["role"], info["process_id"] > 0], ["standalone", "master", True])
    check.equal("info has a redis version", info["redis_version"].split(".")[0], "7")
    server.set("info", 1)
    server.set("info:ttl", 1, ex=100)
    keyspace = server.info("keyspace")["db0"]
    check.equal("info keyspace", [keyspace["keys"], keyspace["expires"]], [2, 1])
    check.true("info stats", server.info("stats")["total_commands_processed"] > 0)
    check.true("info clients", server.info("clients")["connected_clients"] >= 1)
    check.true("info memory", server.info("memory")["used_memory"] > 0)
    check.equal("config get", server.config_get("maxmemory-policy"), {"maxmemory-policy": "noeviction"})
    check.equal("config get of a pattern", sorted(server.config_get("hash-max-listpack-*")),
                ["hash-max-listpack-entries", "hash-max-listpack-value"])
    check.equal("config set", [server.config_set("timeout", 1000), server.config_get("timeout")], [True, {"timeout": "1000"}])
    check.equal("config set back", server.config_set("timeout", 0), True)
    check.raises("config set of an unknown one", redis.ResponseError,
                 "Unknown option or number of arguments for CONFIG SET - 'nosuch'", lambda: server.config_set("nosuch", 1))
    check.equal("wait", server.wait(0, 100), 0)
    check.equal("role", server.role()[0], b"master")
    check.true("command_count", server.command_count() > 50)
    check.equal("command_getkeys", text(server.command_getkeys("MSET", "a", 1, "b", 2)), ["a", "b"])
    command = server.command()["get"]
    check.equal("command", [command["arity"], command["first_key_pos"], command["last_key_pos"], command["step_count"]], [2, 1, 1, 1])


def messages(check, server, other):
    """Channels, patterns, shard channels and events of keys; the subscriber has its own connection."""
    def heard(pubsub):
        deadline = time.monotonic() + CONVERGE_SECONDS
        while time.monotonic() < deadline:
            message = pubsub.get_message(ignore_subscribe_messages=True, timeout=1)
            if message:
                return message["type"], message["pattern"], message["channel"], message["data"]
        return None

    with server.pubsub() as pubsub:
        pubsub.subscribe("news", "more")
        pubsub.psubscribe("n*")
        check.equal("the answers", [pubsub.get_message(timeout=CONVERGE_SECONDS)["data"] for _ in range(3)], [1, 2, 3])
        check.equal("receivers", other.publish("news", BINARY), 2)
        check.equal("a message", heard(pubsub), ("message", None, b"news", BINARY))
        check.equal("by its pattern", heard(pubsub), ("pmessage", b"n*", b"news", BINARY))
        check.equal("who hears", other.pubsub_numsub("news", "none"), [(b"news", 1), (b"none", 0)])
        check.equal("channels", sorted(other.pubsub_channels()), [b"more", b"news"])
        check.equal("patterns", other.pubsub_numpat(), 1)
        for number in range(2000):
            other.publish("more", number)
        check.equal("in order", [heard(pubsub)[3] for _ in range(2000)], [str(number).encode() for number in range(2000)])
        pubsub.unsubscribe("news")
        pubsub.punsubscribe()
        other.publish("news", "x")
        other.publish("more", "y")
        check.equal("no more of it", heard(pubsub), ("message", None, b"more", b"y"))
    before = server.config_get("notify-keyspace-events")["notify-keyspace-events"]
    server.config_set("notify-keyspace-events", "KEA")
    with server.pubsub() as pubsub:
        pubsub.psubscribe("__key*@0__:*")
        check.equal("subscribed", pubsub.get_message(timeout=CONVERGE_SECONDS)["type"], "psubscribe")
        other.set("k", 1, ex=100)
        check.equal("events", [heard(pubsub)[2:] for _ in range(4)], [
            (b"__keyspace@0__:k", b"set"), (b"__keyevent@0__:set", b"k"),
            (b"__keyspace@0__:k", b"expire"), (b"__keyevent@0__:expire", b"k")])
    server.config_set("notify-keyspace-events", before)


def decoded(check, port, protocol):
    server = redis.Redis(HOST, port, protocol=protocol, decode_responses=True, client_name="decoded")
    check.equal("text in, text out", [server.set("d", "größe"), server.get("d")], [True, "größe"])
    check.equal("client_name", server.client_getname(), "decoded")
    check.equal("mget", server.mget("d", "nothing"), ["größe", None])
    server.close()


async def coroutines(check, port, protocol):
    server = redis.asyncio.Redis(host=HOST, port=port, protocol=protocol)
    check.equal("asyncio set", await server.set("async", 1), True)
    replies = await asyncio.gather(*(server.incr("async") for _ in range(50)))
    check.equal("asyncio gather", sorted(replies), list(range(2, 52)))
    async with server.pipeline() as pipe:
        check.equal("asyncio multi", await pipe.set("a", 1).get("a").execute(), [True, b"1"])
    found = [key async for key in server.scan_iter(match="asyn?")]
    check.equal("asyncio scan_iter", found, [b"async"])
    await server.aclose()


def one_server(check, port):
    for protocol in (None, 2, 3):
        check.where = f"RESP{protocol}" if protocol else "its default protocol"
        server = redis.Redis(HOST, port, protocol=protocol)
        other = redis.Redis(HOST, port, protocol=protocol)
        alone = redis.Redis(HOST, port, protocol=protocol, single_connection_client=True)
        for family in (strings, numbers, bits, elsewhere, errors, keys, expiry, scans, pipelines, threads, server_commands):
            check.equal("flushall", server.flushall(), True)
            family(check, server)
        server.flushall()
        transactions(check, server, other)
        messages(check, server, other)
        connections(check, alone, other, protocol)
        decoded(check, port, protocol)
        asyncio.run(coroutines(check, port, protocol))


def eventually(check, what, condition):
    """Waits until it holds; the mesh says by itself when it has arrived, within a bound."""
    deadline = time.monotonic() + CONVERGE_SECONDS
    shown = None
    while time.monotonic() < deadline:
        met, shown = condition()
        if met:
            break
        time.sleep(0.05)
    check.true(what, met, shown)


def mesh(check, ports):
    """Writes to three masters at the same time, of which each then shows the same."""
    check.where = "three masters"
    masters = [redis.Redis(HOST, port, protocol=2 + at % 2) for at, port in enumerate(ports)]

    def all_of(call, expected):
        def condition():
            shown = [call(master) for master in masters]
            return shown == [expected] * len(masters), shown

        return condition

    def linked(master):
        info = master.info("replication")
        links = [value for name, value in info.items() if name.endswith("link_status")]
        return info["role"], set(links)

    eventually(check, "each is linked", all_of(linked, ("active-replica", {"up"})))

    def write(at):
        master = masters[at]
        with master.pipeline(transaction=False) as pipe:
            for number in range(500):
                pipe.incr("visits")
                pipe.set(f"own:{at}:{number}", number)
                pipe.set(f"shared:{number % 50}", f"{at}:{number}")
            pipe.execute()
        with master.pipeline() as pipe:
            pipe.set(f"both:{at}", "whole").incrby("visits", 1000).execute()

    writers = [threading.Thread(target=write, args=(at,)) for at in range(len(masters))]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    eventually(check, "increments add up", all_of(lambda master: master.get("visits"), b"4500"))
    eventually(check, "all keys are everywhere", all_of(lambda master: master.dbsize(), 1 + 3 + 3 * 500 + 50))
    shared = [f"shared:{number}" for number in range(50)]

    def agreed():
        shown = [master.mget(shared) for master in masters]
        return shown[0] == shown[1] == shown[2], shown

    eventually(check, "conflicts end alike", agreed)
    values = masters[0].mget(shared)
    wins = [value.split(b":") for value in values]
    check.true("who wrote last in its own order wins", all(int(number) >= 450 for _, number in wins), values)

    check.equal("wait counts both others", [masters[1].set("waited", 1), masters[1].wait(2, 10_000)], [True, 2])
    check.equal("and then they have it", [master.get("waited") for master in masters], [b"1"] * 3)
    masters[2].delete("own:0:0")
    masters[2].set("gone", 1, px=100)
    eventually(check, "a delete arrives", all_of(lambda master: master.exists("own:0:0", "gone"), 0))

    def digests():
        shown = [master.execute_command("MESH", "DIGEST") for master in masters]
        return shown[0] == shown[1] == shown[2], shown

    eventually(check, "digests are equal", digests)
    masters[0].flushall()
    eventually(check, "flushall empties all", all_of(lambda master: master.dbsize(), 0))


def main():
    ports = [int(word) for word in sys.argv[1:]]
    if len(ports) not in (1, 4):
        sys.exit("redis_py.py <port> [<one> <two> <three>]")
    check = Checks()
    one_server(check, ports[0])
    if ports[1:]:
        mesh(check, ports[1:])
    print(f"redis-py {redis.__version__}: {check.count} checks, {check.failures} failed")
    sys.exit(1 if check.failures else 0)


if __name__ == "__main__":
    main()
