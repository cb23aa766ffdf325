#!/usr/bin/env python3
"""Many idle connections: what each costs in memory, how fast they are accepted, and what 50 busy ones notice of them.

Two servers, Keymesh and redis-server, are measured in turns. In each round redis-benchmark works with 50 connections alone, then
beside the idle ones, each of which has sent one PING; both orders occur. Memory is the growth of the process's resident pages over the first
opening, when nothing freed earlier can be used again. Ratios are made in each round; printed are medians and their intervals
as in side_by_side.py.

    benches/idle_connections.py                                  10,000 connections, 6 rounds
    benches/idle_connections.py --connections 2000 --rounds 12
"""

import argparse
import resource
import selectors
import socket
import statistics
import sys
import time
from pathlib import Path

import side_by_side
from side_by_side import Server, benchmark, fail, spread

PIPELINES = (1, 16)
KEYS = 100_000
# Connections whose PING may be under way at a time.
OPENING = 200
PATIENCE_SECONDS = 60
# What a server needs beside its clients.
SPARE_FILES = 200


def resident_bytes(server):
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024


def open_idle(server, count):
    """Opens connections that have each sent a PING and got its answer; with how many a second that went."""
    opened, waiting = [], selectors.DefaultSelector()
    began = time.monotonic()
    begun = 0
    while len(opened) < count:
        while begun < count and begun - len(opened) < OPENING:
            connection = socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_SECONDS)
            connection.sendall(b"PING\r\n")
            waiting.register(connection, selectors.EVENT_READ)
            begun += 1
        ready = waiting.select(PATIENCE_SECONDS)
        if not ready:
            fail(f"{server.name} answers no more after {len(opened)} connections")
        for key, _ in ready:
            if key.fileobj.recv(16) != b"+PONG\r\n":
                fail(f"{server.name} refuses connection {len(opened)}")
            waiting.unregister(key.fileobj)
            opened.append(key.fileobj)
    rate = count / (time.monotonic() - began)
    waiting.close()
    return opened, rate


def connected(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_SECONDS) as connection:
        connection.sendall(b"INFO clients\r\n")
        text = connection.recv(1 << 16).decode()
    return int(next(line for line in text.splitlines() if line.startswith("connected_clients:")).split(":")[1])


def close_idle(server, opened):
    for connection in opened:
        connection.close()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while connected(server) > 1:
        if time.monotonic() > deadline:
            fail(f"{server.name} does not notice that connections are closed")
        time.sleep(0.01)


class Measured:
    """What was measured of one server."""

    def __init__(self, server):
        self.server = server
        self.bytes_each = None
        self.rates = []
        # For each pipeline the ratios beside idle connections to alone: throughput, CPU per command.
        self.ratios = {pipeline: ([], []) for pipeline in PIPELINES}

    def run_round(self, count, requests, is_alone_first):
        runs = {}
        for is_alone in (is_alone_first, not is_alone_first):
            opened = []
            if not is_alone:
                before = resident_bytes(self.server)
                opened, rate = open_idle(self.server, count)
                self.rates.append(rate)
                if self.bytes_each is None:
                    self.bytes_each = (resident_bytes(self.server) - before) / count
            for pipeline in PIPELINES:
                share = int(requests * side_by_side.SHARE[pipeline])
                runs[is_alone, pipeline] = benchmark(self.server, "get", pipeline, share, KEYS)
            close_idle(self.server, opened)
        for pipeline in PIPELINES:
            for place in (0, 1):
                self.ratios[pipeline][place].append(runs[False, pipeline][place] / runs[True, pipeline][place])

    def report(self, count):
        print(f"\n{self.server.name}")
        print(f"  memory per idle connection  {self.bytes_each:,.0f} bytes (of {count:,})")
        rates = sorted(self.rates)
        middle = statistics.median(rates)
        print(f"  opened per second           {middle:,.0f} ({rates[0]:,.0f}-{rates[-1]:,.0f})")
        for pipeline in PIPELINES:
            throughput, cpu = self.ratios[pipeline]
            print(f"  GET, pipeline {pipeline:2}, with idle ones beside to without: throughput {spread(throughput)}, CPU per command {spread(cpu)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--connections", type=int, default=10_000, help="idle connections (10000)")
    parser.add_argument("--rounds", type=int, default=6, help="rounds (6)")
    parser.add_argument("--requests", type=int, default=400_000, help="commands per run; a quarter without pipeline (400000)")
    parser.add_argument("--server", default=str(side_by_side.PROJECT / "target/release/keymesh-server"), help="the keymesh-server to measure")
    options = parser.parse_args()

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = options.connections + SPARE_FILES
    if hard != resource.RLIM_INFINITY and hard < needed:
        fail(f"{needed} open files are needed, {hard} are allowed (ulimit -n)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard if hard != resource.RLIM_INFINITY else needed, hard))

    more = ["--maxclients", str(needed)]
    servers = [
        Server("Keymesh", [options.server, "--save", ""] + more),
        Server("redis-server", ["redis-server", "--save", "", "--appendonly", "no"] + more),
    ]
    try:
        for server in servers:
            server.wait_until_it_answers()
            benchmark(server, "set", 16, KEYS * 2, KEYS)
            # So that what 50 busy connections need is there already.
            benchmark(server, "get", 16, KEYS * 2, KEYS)
        measured = [Measured(server) for server in servers]
        for number in range(options.rounds):
            # Once to the end, once from the end, and memory is measured with everybody alone first.
            for each in measured if number % 2 == 0 else reversed(measured):
                each.run_round(options.connections, options.requests, number % 2 == 0)
            print(".", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)
        for each in measured:
            each.report(options.connections)
    finally:
        for server in servers:
            server.stop()


if __name__ == "__main__":
    main()
