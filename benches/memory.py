#!/usr/bin/env python3
"""Memory at rest: how much a server's resident pages grow per element over a million of them, each kind in a fresh server.

Kinds are strings with keys and values of 16 bytes, strings of 64 bytes with a time to live, hashes of ten small fields, and one
set, one sorted set and one list of elements of 16 bytes. The growth is read when it has stopped changing after the last reply,
so that what a server keeps for a while only is not counted. One run each: pages are no matter of luck.

    benches/memory.py                        Keymesh, and redis-server and Valkey where they are found
    benches/memory.py --multi-master         Keymesh with active-replica and multi-master on, too
    benches/memory.py --elements 100000
"""

import argparse
import os
import shutil
import sys
import time
from pathlib import Path

from families import FIELDS, chunks, feed
from side_by_side import PROJECT, Server, fail

REST_SECONDS = 60
STEADY_SECONDS = 3
DAY = b"86400"


def strings(count):
    return ([b"SET", b"key:%012d" % number, b"val:%012d" % number] for number in range(count))


def volatile(count):
    return ([b"SET", b"key:%012d" % number, b"%064d" % number, b"EX", DAY] for number in range(count))


def hashes(count):
    for start in range(0, count, FIELDS):
        fields = range(start, min(start + FIELDS, count))
        pairs = [word for number in fields for word in (b"f%d" % (number % FIELDS), b"%d" % number)]
        yield [b"HSET", b"key:%012d" % (start // FIELDS)] + pairs


def collection(command, prefix=lambda _number: ()):
    """One key, a hundred elements at a time."""

    def commands(count):
        for chunk in chunks(count):
            elements = [word for number in chunk for word in (*prefix(number), b"elm:%012d" % number)]
            yield [command, b"key"] + elements

    return commands


KINDS = {
    "string 16+16": strings,
    "string 16+64, TTL": volatile,
    "hash field (10 each)": hashes,
    "set member 16": collection(b"SADD"),
    "zset member 16": collection(b"ZADD", lambda number: (b"%d" % number,)),
    "list element 16": collection(b"RPUSH"),
}


def resident_bytes(server):
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024


def at_rest(server):
    """Resident bytes once they have not changed for a while."""
    before, since = resident_bytes(server), time.monotonic()
    end = since + REST_SECONDS
    while time.monotonic() < end and time.monotonic() - since < STEADY_SECONDS:
        time.sleep(0.2)
        now = resident_bytes(server)
        if abs(now - before) > before // 1000:
            before, since = now, time.monotonic()
    return resident_bytes(server)


def growth(name, words, commands, count):
    server = Server(name, words)
    try:
        server.wait_until_it_answers()
        before = at_rest(server)
        feed(server, commands(count))
        return (at_rest(server) - before) / count
    finally:
        server.stop()


def contestants(chosen):
    if not os.access(chosen.server, os.X_OK):
        fail(f"{chosen.server} is not there: cargo build --release")
    ours = [str(chosen.server), "--server-threads", "1", "--save", ""]
    found = {"keymesh": ours}
    if chosen.multi_master:
        found["multi-master"] = ours + ["--active-replica", "yes", "--multi-master", "yes"]
    valkey = chosen.valkey or os.environ.get("VALKEY_SERVER") or "valkey-server"
    for name, program in (("redis", "redis-server"), ("valkey", valkey)):
        if path := shutil.which(program):
            found[name] = [path, "--save", "", "--appendonly", "no"]
        else:
            print(f"without {name}: {program} not found", file=sys.stderr)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--elements", type=int, default=1_000_000, help="how many of each kind (1000000)")
    parser.add_argument("--server", default=PROJECT / "target/release/keymesh-server", help="the keymesh-server to measure")
    parser.add_argument("--multi-master", action="store_true", help="measure it with active-replica and multi-master on, too")
    parser.add_argument("--valkey", help="the Valkey to measure ($VALKEY_SERVER, or valkey-server on PATH)")
    chosen = parser.parse_args()
    if chosen.elements < 1:
        parser.error("--elements begins at 1")
    servers = contestants(chosen)
    print(f"bytes per element, {chosen.elements:,} of them")
    print(f"{'':22}" + "".join(f"{name:>14}" for name in servers))
    for kind, commands in KINDS.items():
        sizes = [growth(name, words, commands, chosen.elements) for name, words in servers.items()]
        print(f"{kind:22}" + "".join(f"{size:14.1f}" for size in sizes), flush=True)


if __name__ == "__main__":
    main()
