"""Keeps one program running: starts it, sees that it answers, starts it again when it dies, stops it."""

import asyncio
import contextlib
import os
import signal
import time
from asyncio.subprocess import DEVNULL, STDOUT, Process
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from followup.supervise.leashed import leashed
from followup.supervise.logs import RotatingLog

_PROBE_SECONDS = 10.0
# A program that misses this many probes in a row hangs, and is started anew.
_PROBE_EVERY = 15.0
_PROBES_MISSED = 4
_GIVE_UP_AFTER = 3


class StartError(RuntimeError):
    """A program does not come up. The message is Chinese and ends with the end of its log."""


@dataclass(frozen=True, slots=True)
class Program:
    """What to run.

    `ready` says whether it answers, given how many seconds ago it was started; it may raise OSError, which means no.
    """

    name: str
    title: str
    command: tuple[str, ...]
    ready: Callable[[float], Awaitable[bool]]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path = Path("/")
    stop_signal: int = signal.SIGTERM
    stop_seconds: float = 10.0
    # Asks it to end after what it has under way; None: as for stopping.
    drain_signal: int | None = None
    drain_seconds: float = 10.0
    # False: the command brings its own leash (PostgreSQL, which also changes its user).
    leash: bool = True

    def argv(self) -> list[str]:
        if not self.leash:
            return list(self.command)
        return leashed(self.command)


class Backoff:
    """How long to wait before the next start: `first`, then doubling up to `most`; anew after a healthy minute."""

    def __init__(self, first: float = 0.5, most: float = 30.0, healthy: float = 60.0) -> None:
        self._first = first
        self._most = most
        self._healthy = healthy
        self._next = first

    def after(self, lived: float) -> float:
        """Seconds to wait after a run that was ready for `lived` seconds."""
        if lived >= self._healthy:
            self._next = self._first
        wait, self._next = self._next, min(self._next * 2, self._most)
        return wait


class Keeper:
    """One program under care. `report` gets Chinese lines for the operator, `changed` a call per start.

    After `give_up_after` starts without having been ready once, `wait_ready` raises; `last_code` is how it ended last.
    """

    def __init__(
        self,
        program: Program,
        log: RotatingLog,
        report: Callable[[str], None],
        backoff: Backoff | None = None,
        changed: Callable[[], None] = lambda: None,
        give_up_after: int = _GIVE_UP_AFTER,
    ) -> None:
        self.program = program
        self.last_code: int | None = None
        self._give_up_after = give_up_after
        self.starts = 0
        self.ready = asyncio.Event()
        self.seconds_to_ready = 0.0
        self._log = log
        self._report = report
        self._changed = changed
        self._backoff = backoff or Backoff()
        self._process: Process | None = None
        self._started = 0.0
        self._stopping = asyncio.Event()
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._task: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """Of the running process; None between two runs."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    def start(self) -> None:
        self._task = asyncio.create_task(self._keep(), name=f"keep {self.program.name}")

    async def wait_ready(self, seconds: float) -> None:
        """Until it answers. Raises StartError when it keeps dying before it ever did, or takes too long."""
        waiting = asyncio.create_task(self.ready.wait())
        try:
            done, _ = await asyncio.wait(
                {waiting, self._failed}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED
            )
            if waiting not in done:
                reason = "反复退出" if self._failed in done else f"{seconds:.0f} 秒内没有就绪"
                raise StartError(
                    f"{self.program.title}{reason}。日志 {self._log.path} 的最后几行：\n{self._log.tail()}"
                )
        finally:
            waiting.cancel()

    async def drain(self) -> None:
        """Ask it to end when it has nothing under way, and see to it that it does. Called off by `stop`."""
        program = self.program
        await self._end(program.stop_signal if program.drain_signal is None else program.drain_signal, program.drain_seconds)

    async def stop(self) -> None:
        """Ask it to end, and end it when it does not."""
        await self._end(self.program.stop_signal, self.program.stop_seconds)

    async def _end(self, number: int, seconds: float) -> None:
        self._stopping.set()
        if self._process is not None and self._process.returncode is None:
            self._send(number)
        if self._task is not None:
            try:
                await asyncio.wait_for(asyncio.shield(self._task), seconds)
            except TimeoutError:
                self._send(signal.SIGKILL)
                await self._task
        self._log.close()

    async def _keep(self) -> None:
        while not self._stopping.is_set():
            lived, code = await self._run_once()
            self.last_code = code
            if self._stopping.is_set():
                return
            if lived == 0.0 and self.starts >= self._give_up_after and not self._failed.done():
                self._failed.set_result(None)
            wait = self._backoff.after(lived)
            self._report(f"{self.program.title}意外退出（{_why(code)}），{wait:g} 秒后重启。")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), wait)

    async def _run_once(self) -> tuple[float, int]:
        """One life: (seconds from ready to the end, exit code)."""
        self.starts += 1
        self._started = time.monotonic()
        # Our own pipe: with asyncio's, a process is not seen to end as long as a child of its own holds the other end.
        out, into = os.pipe()
        try:
            process = self._process = await asyncio.create_subprocess_exec(
                *self.program.argv(),
                stdin=DEVNULL,
                stdout=into,
                stderr=STDOUT,
                cwd=self.program.cwd,
                env={**os.environ, **self.program.env},
                start_new_session=True,
            )
        finally:
            os.close(into)
        self._changed()
        pump = asyncio.create_task(self._pump(out))
        watch = asyncio.create_task(self._watch(process))
        ready_at: float | None = None
        try:
            end = asyncio.create_task(process.wait())
            waiting = asyncio.create_task(self.ready.wait())
            await asyncio.wait({end, waiting}, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            if self.ready.is_set():
                ready_at = time.monotonic()
            if self._stopping.is_set() and process.returncode is None:
                self._send(self.program.stop_signal)  # asked to stop while it was being started
            code = await end
        finally:
            watch.cancel()
            self.ready.clear()
        # Whatever it started itself goes with it.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(pump, 2)  # the last of its output
        return (time.monotonic() - ready_at if ready_at is not None else 0.0), code

    async def _watch(self, process: Process) -> None:
        while not await self._answers():
            await asyncio.sleep(0.1)
        self.seconds_to_ready = time.monotonic() - self._started
        self.ready.set()
        missed = 0
        while True:
            await asyncio.sleep(_PROBE_EVERY)
            missed = 0 if await self._answers() else missed + 1
            if missed >= _PROBES_MISSED and process.returncode is None:
                self._report(f"{self.program.title}没有响应，正在重启。")
                self._send(signal.SIGKILL)
                return

    async def _answers(self) -> bool:
        try:
            return await asyncio.wait_for(self.program.ready(time.monotonic() - self._started), _PROBE_SECONDS)
        except (OSError, TimeoutError):
            return False

    async def _pump(self, out: int) -> None:
        stream = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(stream), os.fdopen(out, "rb", buffering=0)
        )
        try:
            while chunk := await stream.read(64 * 1024):
                self._log.write(chunk)
        finally:
            transport.close()
            self._log.flush()

    def _send(self, number: int) -> None:
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)


def _why(code: int) -> str:
    if code < 0:
        return f"信号 {signal.Signals(-code).name}" if -code in set(signal.Signals) else f"信号 {-code}"
    return f"退出码 {code}"
