#!/usr/bin/env python3
"""Pauses: how long partitions are held, from the server's own histogram, and what a client beside it notices.

First tables grow tenfold at half the measured peak of inserts; then one large collection after the other is read as a whole, stored
anew (SUNIONSTORE and its kin, SORT with STORE, RESTORE), half of its members' time comes in one moment, and it is copied and its copy
deleted in each way that there is: DEL, UNLINK, expiry, overwritten by SET, COPY and SUNIONSTORE, FLUSHDB. Of each phase p50, p99,
p99.9 and the longest are printed, in microseconds: of the holds, as INFO's latency_percentiles_usec_partition_hold tells them,
and of a client that asks twice a millisecond for the key in question and for another one, in turns. The lines `copy` and `writes` are
no deletions: a copy shares what it can with its original, and whichever is written to gets parts of its own then. Where others
want the processors, too, a hold lasts until its thread has one again: --real-time keeps that out.

    benches/pauses.py                              a million keys and elements, sets only
    benches/pauses.py --elements 10000000 --kinds set hash zset list --keys 1000000
    benches/pauses.py --real-time                  the server's own pauses only, whatever else runs
    benches/pauses.py --multi-master               with active-replica and multi-master on
"""

import argparse
import multiprocessing
import os
import socket
import sys
import time
from pathlib import Path

from families import encode, feed
from memory import KINDS
from side_by_side import PROJECT, Server, benchmark, fail

PROBE_SECONDS = 0.0005
BATCH = 64
WRITES = 2_000
# After a deletion: what was deleted is freed meanwhile.
AFTER_SECONDS = 2
# A longer argument is refused, and its text does not fit into Python's memory on small machines.
PAYLOAD_MAX = 256 * 1024 * 1024
LIMITS = {"p99.9": 1_000.0, "max": 5_000.0}
COLUMNS = ("p50", "p99", "p99.9", "max")
SOURCES = {"set": "set member 16", "hash": None, "zset": "zset member 16", "list": "list element 16"}


class Client:
    """A connection for replies of one line and bulks."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=600)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.replies = self.socket.makefile("rb")

    def ask(self, *words):
        self.socket.sendall(encode([word.encode() if isinstance(word, str) else word for word in words]))
        return self.reply()

    def reply(self):
        line = self.replies.readline()
        if line.startswith(b"*"):
            for _ in range(int(line[1:])):
                self.reply()
            return line
        if line.startswith(b"$") and line != b"$-1\r\n":
            return self.replies.read(int(line[1:]) + 2)
        if not line or line.startswith(b"-"):
            fail(f"{words[0]}: {line.decode(errors='replace')}")
        return line

    def holds(self):
        info = self.ask("INFO", "stats").decode()
        line = next(line for line in info.splitlines() if "_usec_partition_hold:" in line)
        return {name: float(value) for name, value in (pair.split("=") for pair in line.split(":")[1].split(","))}


def probe(port, pipe):
    """Asks until told to stop; sends all latencies of a phase, in microseconds."""
    client, questions = Client(port), (("EXISTS", "victim"), ("GET", "probe"))
    while pipe.recv():
        latencies = []
        while not pipe.poll():
            for question in questions:
                started = time.perf_counter_ns()
                client.ask(*question)
                latencies.append((time.perf_counter_ns() - started) / 1_000)
                time.sleep(PROBE_SECONDS)
        pipe.recv()
        pipe.send(latencies)


class Watch:
    """Measures phases and prints their lines."""

    def __init__(self, server):
        self.client = Client(server.port)
        self.client.ask("SET", "probe", "1")
        self.pipe, other = multiprocessing.Pipe()
        self.process = multiprocessing.Process(target=probe, args=(server.port, other), daemon=True)
        self.process.start()
        self.exceeded = []

    def phase(self, name, work, after=0.0, counts=True):
        self.client.ask("LATENCY", "RESET")
        self.pipe.send(True)
        work()
        time.sleep(after)
        self.pipe.send(False)
        latencies = sorted(self.pipe.recv())
        holds = self.client.holds()
        at = lambda part: latencies[min(len(latencies) - 1, int(len(latencies) * part))]
        client = [at(0.5), at(0.99), at(0.999), latencies[-1]]
        if counts and any(holds[column] > limit for column, limit in LIMITS.items()):
            self.exceeded.append(name)
        print(f"{name:22}" + "".join(f"{holds[column]:10.1f}" for column in COLUMNS) + "  |" + "".join(f"{value:10.1f}" for value in client), flush=True)

    def stop(self):
        self.pipe.send(False)
        self.process.join(timeout=5)


def inserts(client, first, count, rate):
    """New keys at so many a second; how many a second there were."""
    started = time.monotonic()
    for start in range(first, first + count, BATCH):
        keys = range(start, min(start + BATCH, first + count))
        client.socket.sendall(b"".join(b"*3\r\n$3\r\nSET\r\n$16\r\nkey:%012d\r\n$8\r\n%08d\r\n" % (key, key % 10**8) for key in keys))
        client.replies.read(5 * len(keys))
        ahead = started + (start - first) / rate - time.monotonic()
        if ahead > 0.0005:
            time.sleep(ahead)
    return count / (time.monotonic() - started)


def growth(server, watch, keys):
    peak, _ = benchmark(server, "set", 16, 1_000_000, 100_000_000)
    watch.client.ask("FLUSHALL")
    watch.client.ask("SET", "probe", "1")
    client = Client(server.port)
    inserts(client, 0, keys, 1e9)
    reached = []
    name = f"growth {keys:,} x 10"
    watch.phase(name, lambda: reached.append(inserts(client, keys, 9 * keys, peak / 2)))
    print(f"{'':22} (peak {peak:,.0f} inserts a second at a pipeline of 16; grown at {reached[0]:,.0f})")
    watch.client.ask("FLUSHALL")
    watch.client.ask("SET", "probe", "1")


def one_hash(count):
    for start in range(0, count, 100):
        fields = range(start, min(start + 100, count))
        yield [b"HSET", b"key"] + [word for field in fields for word in (b"fld:%012d" % field, b"%d" % field)]


def writes(client, kind, count):
    """Writes to a copy, all over it."""
    command = {"set": "SADD", "hash": "HSET", "zset": "ZADD", "list": "LSET"}[kind]
    for number in range(WRITES):
        place, name = str(number * 7919 % count), f"new:{number}"
        words = {"set": [name], "hash": [name, "1"], "zset": [place, name], "list": [place, name]}[kind]
        client.ask(command, "victim", *words)


def whole(client, watch, kind):
    """Commands that go through all of it, or make as much anew."""
    reads = {"set": ["SMEMBERS", "key"], "hash": ["HGETALL", "key"], "zset": ["ZRANGE", "key", "0", "-1"], "list": ["LRANGE", "key", "0", "-1"]}
    stores = {
        "set": ["SUNIONSTORE", "victim", "key", "small"],
        "zset": ["ZUNIONSTORE", "victim", "1", "key"],
        "list": ["SORT", "key", "ALPHA", "STORE", "victim"],
    }
    watch.phase(f"{kind}: {reads[kind][0]}", lambda: client.ask(*reads[kind]), 0.5)
    if kind in stores:
        watch.phase(f"{kind}: {stores[kind][0]}", lambda: client.ask(*stores[kind]), AFTER_SECONDS)
    payloads = []
    watch.phase(f"{kind}: DUMP", lambda: payloads.append(client.ask("DUMP", "key")), 0.5)
    if len(payloads[0]) < PAYLOAD_MAX:
        watch.phase(f"{kind}: RESTORE", lambda: client.ask("RESTORE", "victim", "0", payloads[0][:-2], "REPLACE"), AFTER_SECONDS)
    client.ask("DEL", "victim")


def half_goes(server, client, watch, kind, count):
    """The time of half of the members comes in one moment."""
    client.ask("COPY", "key", "victim", "REPLACE")
    # So many are given a deadline in a millisecond, at least.
    pace = {"hash": 50, "zset": 100}[kind]
    at = b"%d" % (int(time.time() * 1_000) + 4_000 + count // pace)

    if kind == "zset":
        feed(server, ([b"PEXPIREMEMBERAT", b"victim", b"elm:%012d" % number, at] for number in range(count // 2)))
    else:
        for start in range(0, count // 2, 100):
            fields = [b"fld:%012d" % number for number in range(start, min(start + 100, count // 2))]
            client.ask(b"HPEXPIREAT", b"victim", at, b"FIELDS", b"%d" % len(fields), *fields)
    left = int(at) / 1_000 - time.time()
    if left < 0.5:
        fail(f"{kind}: half of the members did not get their deadlines in time")
    time.sleep(left - 0.4)
    watch.phase(f"{kind}: half goes", lambda: time.sleep(1), AFTER_SECONDS)
    if client.ask({"hash": "HLEN", "zset": "ZCARD"}[kind], "victim") != b":%d\r\n" % (count - count // 2):
        fail(f"{kind}: half of the members should have gone")
    client.ask("DEL", "victim")


def deletions(server, watch, kind, count):
    client = Client(server.port)
    source = SOURCES[kind]
    feed(server, (KINDS[source] if source else one_hash)(count))
    client.ask("SADD", "small", "a", "b")
    whole(client, watch, kind)
    if kind in ("hash", "zset"):
        half_goes(server, client, watch, kind, count)

    def expiry():
        client.ask("PEXPIRE", "victim", "1")

    def flush():
        client.ask("SELECT", "1")
        client.ask("FLUSHDB")
        client.ask("SELECT", "0")

    ways = {
        "DEL": lambda: client.ask("DEL", "victim"),
        "UNLINK": lambda: client.ask("UNLINK", "victim"),
        "expiry": expiry,
        "SET": lambda: client.ask("SET", "victim", "1"),
        "COPY small": lambda: client.ask("COPY", "small", "victim", "REPLACE"),
        "SUNIONSTORE": lambda: client.ask("SUNIONSTORE", "victim", "small"),
        "FLUSHDB": flush,
    }
    for way, delete in ways.items():
        copy = ["COPY", "key", "victim", "REPLACE"] + (["DB", "1"] if way == "FLUSHDB" else [])
        if way == "DEL":
            watch.phase(f"{kind}: copy", lambda: client.ask(*copy), 0.5)
            watch.phase(f"{kind}: writes", lambda: writes(client, kind, count))
        else:
            client.ask(*copy)
        time.sleep(1)
        watch.phase(f"{kind}: {way}", delete, AFTER_SECONDS)
        client.ask("DEL", "victim")
    client.ask("DEL", "key")
    time.sleep(AFTER_SECONDS)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--elements", type=int, default=1_000_000, help="of each collection (1000000)")
    parser.add_argument("--keys", type=int, default=200_000, help="before the growth, ten times as many behind it (200000)")
    parser.add_argument("--kinds", nargs="+", choices=list(SOURCES), default=["set"], help="collections (set)")
    parser.add_argument("--server", default=PROJECT / "target/release/keymesh-server", help="the keymesh-server to measure")
    parser.add_argument("--threads", type=int, default=1, help="its --server-threads (1)")
    parser.add_argument("--real-time", action="store_true", help="run the server before all other processes (chrt, as root)")
    parser.add_argument("--multi-master", action="store_true", help="with active-replica and multi-master on")
    chosen = parser.parse_args()
    if min(chosen.elements, chosen.keys, chosen.threads) < 1:
        parser.error("--elements, --keys and --threads begin at 1")
    if not os.access(chosen.server, os.X_OK):
        fail(f"{chosen.server} is not there: cargo build --release")
    words = [str(Path(chosen.server)), "--server-threads", str(chosen.threads), "--save", ""]
    if chosen.real_time:
        words = ["chrt", "-f", "50"] + words
    if chosen.multi_master:
        words += ["--active-replica", "yes", "--multi-master", "yes"]
    server = Server("keymesh", words)
    try:
        server.wait_until_it_answers()
        watch = Watch(server)
        print(f"{chosen.elements:,} elements; microseconds; held on the left, the client on the right")
        print(f"{'':22}" + "".join(f"{column:>10}" for column in COLUMNS) + "  |" + "".join(f"{column:>10}" for column in COLUMNS))
        growth(server, watch, chosen.keys)
        for kind in chosen.kinds:
            deletions(server, watch, kind, chosen.elements)
        watch.stop()
    finally:
        server.stop()
    if watch.exceeded:
        sys.exit(f"held longer than 1 ms (p99.9) or 5 ms (worst) in: {', '.join(watch.exceeded)}")


if __name__ == "__main__":
    main()
