#!/usr/bin/env python3
"""GET and SET, or commands over collections, side by side: servers in turns under redis-benchmark, their CPU read from /proc.

Each cell (command, pipeline) is measured in pairs, one run of A and one of B, who goes first changing from pair to pair, so that
whatever else the machine does meets both. A ratio is made of each pair; what is printed is the median of the ratios and, from six
pairs on, the interval that holds the true median in 95 of 100 cases (by rank, so no bell curve is assumed), else their range. CPU
is user and system time of the server's process per command, in microseconds: the scheduler's account of its threads.

    benches/side_by_side.py                                            Keymesh against redis-server
    benches/side_by_side.py --multi-master                             the same with active-replica and multi-master on
    benches/side_by_side.py --families                                 commands over collections, against Valkey too where it is found
    benches/side_by_side.py --families SADD ZADD                       some of them
    benches/side_by_side.py --trace --rounds 15                        Keymesh with tracing at its defaults against Keymesh without
    benches/side_by_side.py --trace 0.1 --otlp http://localhost:4317   the same with a tenth of all commands, to a collector
"""

import argparse
import csv
import http.server
import math
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from families import FAMILIES, feed

PIPELINES = (1, 16, 64)
FAMILY_PIPELINES = (1, 16)
COMMANDS = ("get", "set")
CLIENTS = 50
VALUE_BYTES = 16
START_SECONDS = 10
NANOSECONDS = 1_000_000_000
# Runs of about the same length: how many times --requests each pipeline gets.
SHARE = {1: 0.25, 16: 2, 64: 4}
PROJECT = Path(__file__).resolve().parent.parent


def fail(text):
    sys.exit(f"side_by_side: {text}")


class Server:
    """A server process on a free port, in a directory of its own."""

    def __init__(self, name, words):
        self.name = name
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.directory = tempfile.TemporaryDirectory(prefix="side-by-side-")
        self.log = open(Path(self.directory.name) / "log", "w+b")
        place = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.directory.name]
        self.process = subprocess.Popen(words + place, stdout=self.log, stderr=self.log)

    def wait_until_it_answers(self):
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                    connection.sendall(b"PING\r\n")
                    if connection.recv(16).startswith(b"+PONG"):
                        return
            except OSError:
                pass
            time.sleep(0.05)
        self.log.seek(0)
        fail(f"{self.name} does not answer:\n{self.log.read().decode(errors='replace')}")

    def cpu_seconds(self):
        """What all its threads have run; threads that end in between would be missing, but a server ends none at work."""
        tasks = Path(f"/proc/{self.process.pid}/task")
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir()) / NANOSECONDS

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(timeout=START_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        self.directory.cleanup()


class Collector(http.server.BaseHTTPRequestHandler):
    """Takes OTLP over HTTP and throws it away; `received` counts the bytes, so that a run without traces is noticed."""

    protocol_version = "HTTP/1.1"
    received = 0

    def do_POST(self):
        Collector.received += len(self.rfile.read(int(self.headers.get("content-length", 0))))
        self.send_response(200)
        self.send_header("content-type", "application/x-protobuf")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass

    @classmethod
    def serve(cls):
        """Starts one on a free port; its address."""
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), cls)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_address[1]}"


def benchmark(server, command, pipeline, requests, keys):
    """Commands per second of one run, and the server's CPU per command in microseconds. `command` is the name of one of
    redis-benchmark's own, or the words of another."""
    own = isinstance(command, str)
    words = ["redis-benchmark", "-p", str(server.port), "-P", str(pipeline), "-n", str(requests)]
    words += ["-r", str(keys), "-d", str(VALUE_BYTES), "-c", str(CLIENTS), "--csv"]
    words += ["-t", command] if own else command
    name = command if own else " ".join(command).lower()
    before = server.cpu_seconds()
    run = subprocess.run(words, capture_output=True, text=True, check=False)
    cpu = server.cpu_seconds() - before
    rows = [row for row in csv.reader(run.stdout.splitlines()) if row and row[0].lower() == name]
    if run.returncode != 0 or len(rows) != 1:
        fail(f"redis-benchmark against {server.name}: {run.stdout}{run.stderr}")
    return float(rows[0][1]), cpu * 1e6 / requests


def ratios(pairs, place):
    return [a[place] / b[place] for a, b in pairs if b[place] > 0]


def spread(values):
    if not values:
        return "too short to tell"
    values = sorted(values)
    cut = sure_rank(len(values))
    return f"{statistics.median(values):6.3f} ({values[cut]:.3f}-{values[-1 - cut]:.3f})"


def sure_rank(count):
    """How many values may be left out at either end so that the rest still holds the median with 95 %; 0 where none may."""
    outside, cut = 0.0, 0
    while True:
        outside += 2 * math.comb(count, cut) / 2**count
        if outside > 0.05:
            return max(0, cut - 1)
        cut += 1


def report(a, b, cells):
    print(f"\nA = {a.name}, B = {b.name}; medians, and ratios A/B as median (interval) of the pairs")
    head = ("command", "pipeline", "A cmd/s", "B cmd/s", "ratio", "A us CPU", "B us CPU", "ratio")
    line = "{:13} {:>8} {:>10} {:>10} {:>22} {:>9} {:>9} {:>22}"
    print(line.format(*head))
    for (command, pipeline), pairs in cells.items():
        middle = [[statistics.median(run[place] for run in side) for place in (0, 1)] for side in zip(*pairs)]
        print(
            line.format(
                command.upper(),
                pipeline,
                f"{middle[0][0]:,.0f}",
                f"{middle[1][0]:,.0f}",
                spread(ratios(pairs, 0)),
                f"{middle[0][1]:.3f}",
                f"{middle[1][1]:.3f}",
                spread(ratios(pairs, 1)),
            )
        )
    pairs = [pair for pairs in cells.values() for pair in pairs]
    print(line.format("all", "", "", "", spread(ratios(pairs, 0)), "", "", spread(ratios(pairs, 1))))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="pairs per cell (5)")
    parser.add_argument("--requests", type=int, default=1_000_000, help="commands per run; a quarter without pipeline, 2 and 4 times as many with 16 and 64 (1000000)")
    parser.add_argument("--keys", type=int, default=100_000, help="different keys (100000)")
    parser.add_argument("--server", default=PROJECT / "target/release/keymesh-server", help="the keymesh-server to measure")
    parser.add_argument("--multi-master", action="store_true", help="with active-replica and multi-master on")
    parser.add_argument(
        "--trace", metavar="RATIO", nargs="?", const="default", help="compare tracing with none: by default, or this part of all commands"
    )
    parser.add_argument("--families", nargs="*", choices=list(FAMILIES), metavar="NAME", help="commands over collections instead: all, or these")
    parser.add_argument("--pipelines", nargs="+", type=int, choices=list(SHARE), metavar="DEPTH", help="only these depths: 1, 16, 64 (all; families 1 and 16)")
    parser.add_argument("--valkey", help="the Valkey to measure beside them ($VALKEY_SERVER, or valkey-server on PATH)")
    parser.add_argument("--otlp", metavar="ENDPOINT", help="where the traces go (to a collector that throws them away)")
    chosen = parser.parse_args()
    if chosen.otlp is not None and chosen.trace is None:
        parser.error("--otlp goes with --trace")
    if chosen.families is not None and chosen.trace is not None:
        parser.error("--trace is measured with GET and SET")
    if min(chosen.rounds, chosen.requests, chosen.keys) < 1:
        parser.error("--rounds, --requests and --keys begin at 1")
    return chosen


def valkey_of(chosen):
    """Where a Valkey is, if there is one."""
    return shutil.which(chosen.valkey or os.environ.get("VALKEY_SERVER") or "valkey-server")


def contestants(chosen):
    """Names and command lines of A and B, and of a third one where there are families and a Valkey."""
    if not os.access(chosen.server, os.X_OK):
        fail(f"{chosen.server} is not there: cargo build --release")
    ours = [str(chosen.server), "--server-threads", "1", "--save", ""]
    name = "keymesh"
    if chosen.multi_master:
        ours += ["--active-replica", "yes", "--multi-master", "yes"]
        name = "keymesh multi-master"
    if chosen.trace is not None:
        where = ["--otlp-endpoint", chosen.otlp] if chosen.otlp else ["--otlp-endpoint", Collector.serve(), "--otlp-protocol", "http/protobuf"]
        ratio = [] if chosen.trace == "default" else ["--trace-sample-ratio", chosen.trace]
        traced = ours + where + ratio
        return (f"{name}, traced {chosen.trace}", traced), (f"{name}, not traced", ours)
    redis = ["redis-server", "--io-threads", "1", "--save", "", "--appendonly", "no"]
    valkey = chosen.families is not None and valkey_of(chosen)
    third = [("valkey", [valkey] + redis[1:])] if valkey else []
    return (name, ours), ("redis", redis), *third


def run_families(chosen, servers):
    """Each family on all servers in turns."""
    names = chosen.families or list(FAMILIES)
    for name in names:
        for server in servers:
            feed(server, FAMILIES[name].once(chosen.keys))
    cells = {(name, pipeline): [] for name in names for pipeline in chosen.pipelines or FAMILY_PIPELINES}
    for number in range(1, chosen.rounds + 1):
        print(f"round {number} of {chosen.rounds}", file=sys.stderr, flush=True)
        for (name, pipeline), rounds in cells.items():
            family = FAMILIES[name]
            requests = max(1, int(chosen.requests * SHARE[pipeline] * family.share))
            runs = {}
            # Who goes first changes from round to round.
            for server in servers if number % 2 else servers[::-1]:
                feed(server, family.before(requests))
                runs[server.name] = benchmark(server, family.words, pipeline, requests, chosen.keys)
            rounds.append([runs[server.name] for server in servers])
    for place, other in enumerate(servers[1:], 1):
        report(servers[0], other, {cell: [(runs[0], runs[place]) for runs in rounds] for cell, rounds in cells.items()})


def main():
    chosen = arguments()
    needed = ["redis-benchmark"] + ([] if chosen.trace is not None else ["redis-server"])
    missing = [program for program in needed if shutil.which(program) is None]
    if missing:
        print(f"skipped: {' and '.join(missing)} not found on PATH (Debian: apt install redis-server redis-tools)")
        return
    servers = []
    try:
        for name, words in contestants(chosen):
            servers.append(Server(name, words))
        for server in servers:
            server.wait_until_it_answers()
        if chosen.families is not None:
            return run_families(chosen, servers)
        for server in servers:
            benchmark(server, "set", 64, 2 * chosen.keys, chosen.keys)
        cells = {(command, pipeline): [] for pipeline in chosen.pipelines or PIPELINES for command in COMMANDS}
        for number in range(1, chosen.rounds + 1):
            print(f"round {number} of {chosen.rounds}", file=sys.stderr, flush=True)
            for (command, pipeline), pairs in cells.items():
                requests = max(1, int(chosen.requests * SHARE[pipeline]))
                turns = servers if number % 2 else servers[::-1]
                pair = [benchmark(server, command, pipeline, requests, chosen.keys) for server in turns]
                pairs.append(pair if number % 2 else pair[::-1])
        report(*servers, cells)
    finally:
        for server in servers:
            server.stop()
    if chosen.trace is not None and chosen.otlp is None:
        print(f"bytes of traces received: {Collector.received:,}")
        if Collector.received == 0:
            fail("no trace arrived")


if __name__ == "__main__":
    main()
