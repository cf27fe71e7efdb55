"""All processes of the product, started and watched together: for `followup up`, `followup talk` and the tests.

    with Stack(load_settings()) as stack: ...          # or `async with`
    with Stack.temporary() as stack: stack.web_url     # own database in a directory that is deleted afterwards
"""

import asyncio
import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, nullcontext
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from followup.settings import Settings, load_settings
from followup.store.database import Database
from followup.supervise import address, runfile
from followup.supervise.address import Live
from followup.supervise.choose import Choice, Step, choose
from followup.supervise.health import can_listen, free_port
from followup.supervise.keeper import Backoff, Keeper, Program, StartError
from followup.supervise.logs import Redactor, RotatingLog
from followup.supervise.postgres import Postgres
from followup.supervise.programs import RASA_TITLE, Addresses, programs, rasa_program
from followup.supervise.switch import Switch
from followup.training.bounds import BoundsError, TrainingRules, load_rules

# Rasa needs 10 to 20 s on two cores; ten times that is not a slow machine any more.
_READY_SECONDS = 180.0
_READY_POSTGRES = 60.0

_T = TypeVar("_T")


class Stack:
    """PostgreSQL, action server, Rasa, and where wanted worker and web, for one data directory.

    `extra_env` is passed to every process (FOLLOWUP_NOW in tests); `durable=False` makes the database forget a power cut;
    `most_backoff` bounds the wait before a restart, in seconds; `step` and `report` show progress and restarts.
    After the start: `database_url`, `rasa_url`, `action_url`, `web_url` (None without web), `env` (for more processes).
    """

    def __init__(
        self,
        settings: Settings,
        *,
        worker: bool = True,
        web: bool = True,
        durable: bool = True,
        most_backoff: float = 30.0,
        extra_env: Mapping[str, str] | None = None,
        step: Step = nullcontext,
        report: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.settings = settings
        self._parts = ["actions", "rasa", *(["worker"] if worker else []), *(["web"] if web else [])]
        self._durable = durable
        self._most_backoff = most_backoff
        self._extra_env = dict(extra_env or {})
        self._step = step
        self._report = report
        self._keepers: dict[str, Keeper] = {}
        self._exit = AsyncExitStack()
        self._temporary: Path | None = None
        self._thread: _LoopThread | None = None
        self._ready = False
        self._switch: Switch | None = None
        self._choice: Choice | None = None
        self.env: dict[str, str] = {}
        self.database_url = settings.database_url or Postgres.at(settings.home).url
        self.addresses = Addresses(
            action_port=free_port(), rasa_port=free_port(), web_port=settings.port, bind=settings.bind
        )

    @classmethod
    def temporary(
        cls, *, port: int | None = None, extra_env: Mapping[str, str] | None = None, durable: bool = False, **options: object
    ) -> "Stack":
        """A stack with an empty database of its own, deleted at the end; for tests and for trying a script out.

        Measurements that stand for production let it be `durable`.
        """
        home = Path(tempfile.mkdtemp(prefix="followup-"))
        settings = load_settings(
            {"FOLLOWUP_HOME": str(home), "FOLLOWUP_PORT": str(port or free_port()), **dict(extra_env or {})}
        )
        stack = cls(settings, extra_env=extra_env, durable=durable, **options)  # type: ignore[arg-type]
        stack._temporary = home
        return stack

    @property
    def rasa_url(self) -> str:
        """Of the live Rasa: another one after a promotion."""
        return self._switch.live.url if self._switch else self.addresses.rasa_url

    @property
    def model(self) -> Path | None:
        """The live model's file; None before the start."""
        return Path(self._switch.live.model) if self._switch else self._choice.model if self._choice else None

    @property
    def action_url(self) -> str:
        return self.addresses.action_url

    @property
    def web_url(self) -> str | None:
        return self.addresses.web_url if "web" in self._parts else None

    def pids(self) -> dict[str, int]:
        """The running processes by name; one that is just being restarted is missing."""
        return {name: keeper.pid for name, keeper in self._keepers.items() if keeper.pid is not None}

    def ready(self, name: str) -> bool:
        """Whether this process answers now."""
        return self._keepers[name].ready.is_set()

    def starts(self, name: str) -> int:
        """How often this process was started."""
        return self._keepers[name].starts

    def seconds_to_ready(self, name: str) -> float:
        """How long this process took, the last time, from its start to its first answer."""
        return self._keepers[name].seconds_to_ready

    async def start(self) -> None:
        """Bring everything up. Raises StartError, TrainingError, PostgresError, AlreadyRunning; then nothing runs."""
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop everything in order: web, worker, Rasa, actions, PostgreSQL."""
        await self._exit.aclose()
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)

    async def _start(self) -> None:
        home = self.settings.home
        home.mkdir(parents=True, exist_ok=True)
        self._exit.enter_context(runfile.only_stack(home))
        if self.web_url is not None and not can_listen(self.settings.bind, self.settings.port):
            raise StartError(
                f"端口 {self.settings.port} 已被其他程序占用。请用 --port 换一个，例如：followup up --port {self.settings.port + 1}"
            )
        self.settings.signing_secret()  # made before several processes want it
        self.env = self._environment()
        await self._start_database()
        with self._step("更新数据表"):
            await asyncio.to_thread(_migrate, self.database_url)
        database = Database(self.database_url, pool_size=1)
        self._exit.push_async_callback(database.close)
        self._choice = await choose(self.settings, database, self._step, self._report)
        live = Live(self.addresses.rasa_url, str(self._choice.model), self._choice.version, self._choice.deployment, self._choice.code)
        address.write(home, live)
        await self._start_programs(self._choice.model)
        self._watch_for_models(database, live)
        self._ready = True
        self._describe()

    def _watch_for_models(self, database: Database, live: Live) -> None:
        """From now on a promotion or a rollback is followed."""
        assert self._choice is not None
        self._switch = Switch(
            database, self.settings.home, self._choice.code, live, self._keepers["rasa"], self._start_rasa,
            report=self._report, changed=self._describe, keep_seconds=60.0 * self._rules().keep_old_minutes,
        )  # fmt: skip
        task = asyncio.create_task(self._switch.run(), name="follow the wanted model")

        async def end() -> None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        self._exit.push_async_callback(end)

    def _rules(self) -> TrainingRules:
        try:
            return load_rules(self.settings.project_dir)
        except BoundsError as error:
            self._report(str(error))  # no reason not to start
            return TrainingRules()

    def _start_rasa(self, model_file: Path, port: int, version: int) -> Keeper:
        """Another Rasa beside the live one, which must first understand the known lines."""
        serving = self._switch.serving.program.name if self._switch else ""
        name = "rasa" if serving == "rasa-2" else "rasa-2"  # of its log, too
        title = f"{RASA_TITLE}（模型第 {version} 版）"
        program = rasa_program(name, port, model_file, self.settings.project_dir, self.env, title=title, probe=True)
        return self._make_keeper(program, give_up_after=1)

    async def _stop_rasa(self) -> None:
        await (self._switch.stop() if self._switch else self._keepers["rasa"].stop())

    async def _start_database(self) -> None:
        if self.settings.database_url is not None:
            return
        with self._step("启动数据库"):
            server = Postgres.at(self.settings.home)
            await asyncio.to_thread(server.prepare)
            while server.running_pid() is not None:  # left by a killed supervisor, on its way out
                await asyncio.sleep(0.1)

            async def accepts(_since: float) -> bool:
                return await asyncio.to_thread(server.accepts)

            program = Program(
                name="postgres",
                title="数据库",
                command=tuple(server.command(durable=self._durable)),
                ready=accepts,
                stop_signal=signal.SIGINT,  # disconnect everyone, write everything
                stop_seconds=30,
                leash=False,
            )
            await self._keep(program).wait_ready(_READY_POSTGRES)

    async def _start_programs(self, model_file: Path) -> None:
        """All at once: Rasa's ten seconds of imports hide everything else."""
        wanted = {
            program.name: program
            for program in programs(
                self.addresses, self.database_url, model_file, self.settings.project_dir, self.env
            )
        }
        waits = []
        for name in self._parts:
            waits.append(self._come_up(self._keep(wanted[name])))
        await _all_or_first_error(waits)

    async def _come_up(self, keeper: Keeper) -> None:
        with self._step(f"启动 {keeper.program.title}" if keeper.program.title[0].isascii() else f"启动{keeper.program.title}"):
            await keeper.wait_ready(_READY_SECONDS)

    def _keep(self, program: Program) -> Keeper:
        keeper = self._make_keeper(program)
        self._keepers[program.name] = keeper
        self._exit.push_async_callback(self._stop_rasa if program.name == "rasa" else keeper.stop)
        return keeper

    def _make_keeper(self, program: Program, **options: int) -> Keeper:
        redact = Redactor([self.settings.secret, self.settings.signing_secret()])
        log = RotatingLog(self.settings.home / "log" / f"{program.name}.log", redact)
        backoff = Backoff(most=self._most_backoff, first=min(0.5, self._most_backoff))
        keeper = Keeper(program, log, self._report, backoff, changed=self._describe, **options)
        keeper.start()
        return keeper

    def _environment(self) -> dict[str, str]:
        env = {
            **self._extra_env,
            "FOLLOWUP_HOME": str(self.settings.home),
            "FOLLOWUP_PORT": str(self.settings.port),
            "FOLLOWUP_BIND": self.settings.bind,
            "FOLLOWUP_PUBLIC_URL": self.settings.public_url,
            "FOLLOWUP_RASA_URL": self.rasa_url,
            "FOLLOWUP_RASA_FILE": str(address.file_of(self.settings.home)),
            "FOLLOWUP_ACTION_URL": self.action_url,
            "DATABASE_URL": self.database_url,
        }
        runs = self._extra_env.get("FOLLOWUP_NOW_RUNS", os.environ.get("FOLLOWUP_NOW_RUNS"))
        if runs == "1":
            env["FOLLOWUP_NOW_RUNS"] = str(time.time())  # one instant for all processes, restarted ones too
        return env

    def _describe(self) -> None:
        if not self._ready or self._switch is None:
            return
        self._keepers["rasa"] = self._switch.serving
        running = runfile.Running(
            pid=os.getpid(),
            pids=self.pids(),
            database_url=runfile.without_password(self.database_url),
            rasa_url=self.rasa_url,
            action_url=self.action_url,
            web_url=self.web_url,
            model=Path(self._switch.live.model).name,
        )
        try:
            runfile.write(self.settings.home, running)
        except OSError as error:  # a full disk: what runs goes on, and the older description stays
            self._report(f"运行信息没有写下（{error.strerror}）：{self.settings.home / 'run'}")

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def __enter__(self) -> Self:
        self._thread = _LoopThread()
        try:
            self._thread.run(self.start())
        except BaseException:
            self._thread.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._thread is not None
        try:
            self._thread.run(self.stop())
        finally:
            self._thread.close()

    def wait_ready(self, name: str, seconds: float = _READY_SECONDS) -> None:
        """Block until this process answers (again). For `with Stack(...)`; not from the stack's own loop."""
        assert self._thread is not None
        self._thread.run(self._keepers[name].wait_ready(seconds))


class _LoopThread:
    """An event loop in a thread, so that tests without one can hold a stack.

    The processes are forked from this thread, and the kernel ends them when it ends.
    """

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="followup stack", daemon=True)
        self._thread.start()

    def run(self, coroutine: Coroutine[object, object, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def _migrate(database_url: str) -> None:
    from sqlalchemy.exc import OperationalError

    from followup.store.migrate import upgrade

    try:
        upgrade(database_url)
    except OperationalError as error:
        reason = str(error.orig).strip().splitlines()[0]
        raise StartError(
            f"连接不上数据库 {runfile.without_password(database_url)}：{reason}"
        ) from None


async def _all_or_first_error(waits: list[Coroutine[object, object, None]]) -> None:
    """Like asyncio.gather, but what is still waiting is cancelled when one fails."""
    try:
        async with asyncio.TaskGroup() as group:
            for wait in waits:
                group.create_task(wait)
    except* StartError as errors:
        raise errors.exceptions[0] from None
