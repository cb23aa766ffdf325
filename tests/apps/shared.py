"""What the scripts of Python applications share: checks that are counted, conditions that are waited for, worker processes, and a
file of effects in which every job that runs leaves a line, so that what ran is known without asking the server under test.

Every script is called `<script> <port>` or `<script> <port> <one> <two> <three>`: its `work` runs against the one server, as three
places that are the same, and then against three masters of one mesh, whose `queue-owner` lines it sets itself.
"""

import collections
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

import redis

HOST = "127.0.0.1"
WAIT_SECONDS = 20
POLL_SECONDS = 0.02
# Of every three masters, this one owns the queues: neither the first producer nor the last worker is there.
OWNER = 1


def effect(what):
    """Called by jobs: one line, written whole."""
    line = f"{what}\t{os.environ['APPS_PLACE']}\n".encode()
    handle = os.open(os.environ["APPS_EFFECTS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(handle, line)
    os.close(handle)


def effects_of(what):
    """Called by jobs: how often this has had its effect."""
    path = pathlib.Path(os.environ["APPS_EFFECTS"])
    lines = path.read_text().splitlines() if path.exists() else []
    return sum(line.split("\t")[0] == what for line in lines)


class Run:
    """One run of an application: counts what was compared and keeps going, so that one run shows all that is wrong."""

    def __init__(self, name):
        self.name = name
        self.where = ""
        self.count = 0
        self.failures = 0
        self.ports = []
        self.is_mesh = False
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="keymesh-apps-"))
        self.processes = []
        self.rounds = 0

    def fail(self, what, text):
        self.failures += 1
        print(f"{self.name}, {self.where}: {what}: {text}", file=sys.stderr)

    def equal(self, what, actual, expected):
        self.count += 1
        if not isinstance(actual, type(expected)) or actual != expected:
            self.fail(what, f"{actual!r} instead of {expected!r}")

    def true(self, what, condition, shown=None):
        self.count += 1
        if not condition:
            self.fail(what, f"does not hold for {shown!r}")

    def raises(self, what, kind, part, call):
        """`part` is part of the error's text."""
        self.count += 1
        try:
            answer = call()
        except kind as error:
            if part not in str(error):
                self.fail(what, f"{type(error).__name__}({error}) without {part!r}")
        else:
            self.fail(what, f"answered {answer!r} instead of raising")

    def becomes(self, what, call, expected):
        """Waits until `call` answers what is expected, and counts that as one check."""
        deadline = time.monotonic() + WAIT_SECONDS
        actual = call()
        while actual != expected and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
            actual = call()
        self.equal(what, actual, expected)
        return actual == expected

    def url(self, place, db=0):
        return f"redis://{HOST}:{self.ports[place]}/{db}"

    def servers(self):
        return [redis.Redis(HOST, port) for port in self.ports]

    def effects_path(self):
        return self.scratch / f"effects-{self.rounds}"

    def environment(self, place):
        """Of a process that works at one place."""
        return {
            **os.environ,
            "PYTHONPATH": str(pathlib.Path(__file__).parent),
            "PYTHONDONTWRITEBYTECODE": "1",
            "APPS_EFFECTS": str(self.effects_path()),
            "APPS_PLACE": str(place),
            "APPS_PORT": str(self.ports[place]),
        }

    def start(self, place, *command):
        """A worker of the application, with the interpreter of this one."""
        log = open(self.scratch / f"worker-{len(self.processes)}.log", "wb")
        process = subprocess.Popen(
            [sys.executable, *command], env=self.environment(place), stdout=log, stderr=log, cwd=self.scratch
        )
        self.processes.append((process, log))
        return process

    def stop(self):
        """Ends all workers; what they have said is shown where a check has failed."""
        for process, _ in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process, log in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            log.close()
            if self.failures:
                tail = pathlib.Path(log.name).read_text(errors="replace").splitlines()[-5:]
                print(f"a worker of {self.name} said last:", *tail, sep="\n    ", file=sys.stderr)
        self.processes = []

    def effects(self):
        """How often each job had its effect."""
        path = self.effects_path()
        lines = path.read_text().splitlines() if path.exists() else []
        return collections.Counter(line.split("\t")[0] for line in lines)

    def places(self, prefix):
        """At which places jobs whose names begin like this have run."""
        lines = self.effects_path().read_text().splitlines()
        return sorted({int(line.split("\t")[1]) for line in lines if line.startswith(prefix)})

    def count_of(self, prefix):
        """Effects of jobs whose names begin like this."""
        return sum(count for what, count in self.effects().items() if what.startswith(prefix))

    def waiting(self, workers):
        """Waits until as many connections of workers wait for work, at each place or, at one server, together."""
        def waiting():
            return [min(server.info("clients")["blocked_clients"], wanted) for server in servers]

        servers = self.servers() if self.is_mesh else self.servers()[:1]
        wanted = workers if self.is_mesh else 3 * workers
        self.becomes("workers wait for work", waiting, [wanted] * len(servers))

    def spread(self, what, prefix):
        """Work was done at every master."""
        if self.is_mesh:
            self.equal(what, self.places(prefix), [0, 1, 2])

    def own(self, patterns):
        """`queue-owner` lines, the same at all masters; none is an empty list."""
        lines = " ".join(f"{pattern} {HOST} {self.ports[OWNER]}" for pattern in patterns)
        for server in self.servers():
            server.config_set("queue-owner", lines)

    def converged(self):
        def digests():
            return len({server.execute_command("MESH", "DIGEST") for server in self.servers()})

        self.becomes("all masters hold the same", digests, 1)


def run(name, version, work, owned=(), mesh_only=None):
    """The whole of a script: `work` at one server and, with the patterns in `owned` owned, at three masters; `mesh_only` then says
    what is different there."""
    ports = [int(word) for word in sys.argv[1:]]
    if len(ports) not in (1, 4):
        sys.exit(f"{sys.argv[0]} <port> [<one> <two> <three>]")
    started = time.monotonic()
    # Workers end with whoever started them.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    this = Run(name)
    try:
        for is_mesh, places in ((False, [ports[0]] * 3), (True, ports[1:])):
            if not places:
                continue
            this.where = "three masters" if is_mesh else "one server"
            this.ports, this.is_mesh = places, is_mesh
            this.rounds += 1
            this.servers()[0].flushall()
            if is_mesh:
                this.becomes("all are empty", lambda: [server.dbsize() for server in this.servers()], [0, 0, 0])
                this.own(owned)
            try:
                work(this)
                if is_mesh and mesh_only:
                    mesh_only(this)
            except Exception:
                this.fail("it went on", traceback.format_exc())
            finally:
                this.stop()
            if is_mesh:
                this.converged()
                this.own([])
    finally:
        this.stop()
        shutil.rmtree(this.scratch, ignore_errors=True)
    seconds = time.monotonic() - started
    print(f"{name} {version}: {this.count} checks, {this.failures} failed, {seconds:.1f} s")
    sys.exit(1 if this.failures else 0)
