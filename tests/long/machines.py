"""Machines of one computer: network namespaces on a bridge, each with a whole `followup up`, before one PostgreSQL of Debian's.

    database (10.77.0.1) --- bridge --- one (10.77.0.11): web, worker, Rasa, action server
                               |------- two (10.77.0.12): the same

Needs root, iproute2 and Debian's postgresql; `why_not` says what is missing. Every name carries the process's number, and everything is taken
down at the end.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg

from followup.settings import PROJECT_DIR
from followup.supervise.leashed import leashed

PORT = 8080
DATABASE_PORT = 5477
_HERE = "10.77.0.1"
_DEBIANS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
_START_SECONDS = 900
"""Two Rasas start on whatever machine."""


def why_not() -> str:
    """What keeps this computer from holding machines; empty when nothing does."""
    if os.geteuid() != 0:
        return "needs root, for network namespaces"
    if not shutil.which("ip"):
        return "needs ip (iproute2)"
    return "" if _DEBIANS else "needs Debian's postgresql"


def _run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout


@dataclass
class Machine:
    """One `followup up` with a data directory and an address of its own."""

    name: str
    address: str
    home: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def namespace(self) -> str:
        return f"fu{os.getpid()}-{self.name}"

    @property
    def cable(self) -> str:
        """The bridge's end of it."""
        return f"f{os.getpid()}{self.name}"[:15]

    def start(self, env: dict[str, str]) -> None:
        """Begin to start everything; `wait` until it is there."""
        told = {**os.environ, **env, "FOLLOWUP_BIND": self.address, "FOLLOWUP_PORT": str(PORT), "RASA_TELEMETRY_ENABLED": "false"}
        inside = f"hostname {self.name}; exec {sys.executable} -m followup.cli up --home {self.home}"
        command = leashed(["ip", "netns", "exec", self.namespace, "unshare", "--uts", "sh", "-c", inside])
        with (self.home / "up.log").open("wb") as log:
            self.process = subprocess.Popen(command, cwd=PROJECT_DIR, env=told, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)

    def wait(self) -> None:
        """Until all four processes answered. AssertionError with what it said when it gave up."""
        assert self.process is not None
        end = time.monotonic() + _START_SECONDS
        while len(self.pids()) < 4:
            said = (self.home / "up.log").read_text("utf-8", "replace")
            assert self.process.poll() is None and time.monotonic() < end, said[-3000:]
            time.sleep(0.2)

    def pids(self) -> dict[str, int]:
        """The running processes; one that is just being restarted is missing."""
        try:
            return dict(json.loads((self.home / "run" / "stack.json").read_text())["pids"])
        except (OSError, ValueError):
            return {}

    def kill(self, part: str) -> int:
        """SIGKILL. Returns the number of the process that is gone."""
        while part not in (pids := self.pids()):
            time.sleep(0.05)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pids[part], signal.SIGKILL)
        return pids[part]

    def is_back(self, part: str, gone: int) -> bool:
        return self.pids().get(part, gone) != gone

    def cut_off(self) -> None:
        """The cable is drawn: no end hears a word of it."""
        _run("ip", "link", "set", self.cable, "down")

    def mend(self) -> None:
        _run("ip", "link", "set", self.cable, "up")

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(120)
            except subprocess.TimeoutExpired:
                self.process.kill()


@dataclass
class Computer:
    """The machines, and where they and the test find the database."""

    machines: list[Machine]
    database_url: str

    def restored(self, name: str) -> str:
        """URL of a new database, made of a backup (`pg_dump`) of what is there now."""
        url = self.database_url.rpartition("/")[0] + f"/{name}"
        with tempfile.NamedTemporaryFile(prefix="fu-backup-") as file:
            _run(str(_DEBIANS[-1] / "pg_dump"), "--format=custom", f"--file={file.name}", self.database_url)
            with psycopg.connect(self.database_url, autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
            _run(str(_DEBIANS[-1] / "pg_restore"), "--exit-on-error", f"--dbname={url}", file.name)
        return url


def _tidy() -> None:
    """Take down what a killed run left: its bridge has our address."""
    names = [*re.findall(r"^f(\d+)br ", _run("ip", "-br", "link"), re.M), *re.findall(r"^fu(\d+)-", _run("ip", "netns", "list"), re.M)]
    for number in {name for name in names if not Path("/proc", name).exists()}:
        for space in re.findall(rf"^fu{number}-\S+", _run("ip", "netns", "list"), re.M):
            _run("ip", "netns", "del", space)
        if f"f{number}br " in _run("ip", "-br", "link"):
            _run("ip", "link", "del", f"f{number}br")


@contextlib.contextmanager
def computer(*names: str) -> Iterator[Computer]:
    """Machines of these names, running; their database is empty but for the product's own demonstration."""
    folder = Path(tempfile.mkdtemp(prefix="fu-machines-"))
    folder.chmod(0o755)
    machines = [Machine(name, f"10.77.0.{11 + number}", folder / name) for number, name in enumerate(names)]
    bridge = f"f{os.getpid()}br"
    _tidy()
    with contextlib.ExitStack() as down:
        down.callback(shutil.rmtree, folder, ignore_errors=True)
        _run("ip", "link", "add", bridge, "type", "bridge")
        down.callback(_run, "ip", "link", "del", bridge)
        _run("ip", "addr", "add", f"{_HERE}/24", "dev", bridge)
        _run("ip", "link", "set", bridge, "up")
        for machine in machines:
            down.enter_context(_connected(machine, bridge))
        url = down.enter_context(_database(folder))
        env = {"DATABASE_URL": url, "FOLLOWUP_SECRET": secrets.token_hex(32)}
        for machine in machines:
            machine.home.mkdir()
            down.callback(machine.stop)
            machine.start(env)
            machine.wait()  # the first one migrates
        yield Computer(machines, url)


@contextlib.contextmanager
def _connected(machine: Machine, bridge: str) -> Iterator[None]:
    inside = ("ip", "-n", machine.namespace)
    _run("ip", "netns", "add", machine.namespace)
    try:
        _run("ip", "link", "add", machine.cable, "type", "veth", "peer", "name", "eth0", "netns", machine.namespace)
        _run("ip", "link", "set", machine.cable, "master", bridge, "up")
        _run(*inside, "addr", "add", f"{machine.address}/24", "dev", "eth0")
        _run(*inside, "link", "set", "eth0", "up")
        _run(*inside, "link", "set", "lo", "up")
        yield
    finally:
        _run("ip", "netns", "del", machine.namespace)


@contextlib.contextmanager
def _database(folder: Path) -> Iterator[str]:
    """Debian's PostgreSQL at the bridge, with a password. libpq URL."""
    password, data, keys = secrets.token_hex(16), folder / "postgres", folder / "password"
    data.mkdir()
    keys.write_text(password)
    for path in (data, keys):
        shutil.chown(path, "postgres")
    programs = _DEBIANS[-1]
    as_postgres = ("runuser", "-u", "postgres", "--")
    _run(*as_postgres, str(programs / "initdb"), "-D", str(data), "-A", "scram-sha-256", "-U", "followup", f"--pwfile={keys}", "-E", "UTF8", "--locale=C.UTF-8")
    with (data / "pg_hba.conf").open("a") as rules:
        rules.write("host all all 10.77.0.0/24 scram-sha-256\n")
    settings = (f"listen_addresses={_HERE}", f"port={DATABASE_PORT}", f"unix_socket_directories={data}", "max_connections=200")
    command = [str(programs / "postgres"), "-D", str(data), *(part for one in settings for part in ("-c", one))]
    with (folder / "postgres.log").open("wb") as log:
        server = subprocess.Popen(leashed(command, user="postgres"), stdout=log, stderr=subprocess.STDOUT)
    url = f"postgresql://followup:{password}@{_HERE}:{DATABASE_PORT}"
    try:
        _wait_for(url, server)
        with psycopg.connect(f"{url}/postgres", autocommit=True) as connection:
            connection.execute("CREATE DATABASE followup")
        yield f"{url}/followup"
    finally:
        with contextlib.suppress(OSError):
            os.kill(int((data / "postmaster.pid").read_text().split()[0]), signal.SIGINT)
        server.wait(60)


def _wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            psycopg.connect(f"{url}/postgres", connect_timeout=3).close()
            return
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > end:
                raise
            time.sleep(0.1)
