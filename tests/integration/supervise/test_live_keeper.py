"""Programs under care: real processes that die, hang, or do not come up."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import psutil
import pytest

from followup.supervise.keeper import Backoff, Keeper, Program, StartError
from followup.supervise.logs import Redactor, RotatingLog

SLEEP = "import time; print('up', flush=True); time.sleep(60)"


def keeper(tmp_path: Path, code: str, ready: Callable[[float], Awaitable[bool]], lines: list[str]) -> Keeper:
    program = Program(
        name="probe", title="探针", command=(sys.executable, "-c", code), ready=ready, stop_seconds=0.5
    )
    log = RotatingLog(tmp_path / "probe.log", Redactor())
    return Keeper(program, log, lines.append, Backoff(first=0.01, most=0.05))


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)


async def always(_since: float) -> bool:
    return True


async def test_a_killed_program_is_started_again(tmp_path: Path) -> None:
    lines: list[str] = []
    kept = keeper(tmp_path, SLEEP, always, lines)
    kept.start()
    await kept.wait_ready(10)
    first = kept.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    await until(lambda: kept.pid not in (None, first))
    await kept.wait_ready(10)
    await kept.stop()
    assert lines == ["探针意外退出（信号 SIGKILL），0.01 秒后重启。"]
    assert kept.starts == 2


async def test_what_it_says_is_in_its_log(tmp_path: Path) -> None:
    kept = keeper(tmp_path, SLEEP, always, [])
    kept.start()
    await until(lambda: (tmp_path / "probe.log").read_text() == "up\n")
    await kept.stop()


async def test_one_that_never_comes_up_is_told_with_the_end_of_its_log(tmp_path: Path) -> None:
    async def never(_since: float) -> bool:
        raise ConnectionRefusedError

    kept = keeper(tmp_path, "raise SystemExit('config.yml is missing')", never, [])
    kept.start()
    with pytest.raises(StartError, match="探针反复退出(.|\n)*config.yml is missing"):
        await kept.wait_ready(20)
    await kept.stop()


async def test_one_that_takes_too_long_is_told(tmp_path: Path) -> None:
    async def never(_since: float) -> bool:
        return False

    kept = keeper(tmp_path, SLEEP, never, [])
    kept.start()
    with pytest.raises(StartError, match="没有就绪"):
        await kept.wait_ready(0.3)
    await kept.stop()


async def test_one_that_ignores_the_request_to_stop_is_ended(tmp_path: Path) -> None:
    stubborn = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
    kept = keeper(tmp_path, stubborn, always, [])
    kept.start()
    await until(lambda: (tmp_path / "probe.log").read_text() == "up\n")
    pid = kept.pid
    assert pid is not None
    await kept.stop()
    assert not psutil.pid_exists(pid)


async def test_one_that_stops_answering_is_started_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("followup.supervise.keeper._PROBE_EVERY", 0.02)
    lines: list[str] = []
    answers = {"now": True}

    async def answer(_since: float) -> bool:
        return answers["now"]

    kept = keeper(tmp_path, SLEEP, answer, lines)
    kept.start()
    await kept.wait_ready(10)
    answers["now"] = False
    await until(lambda: "探针没有响应，正在重启。" in lines)
    answers["now"] = True
    await until(lambda: kept.starts == 2 and kept.ready.is_set())
    await kept.stop()


async def test_its_own_children_go_with_it(tmp_path: Path) -> None:
    code = "import subprocess, sys, time; p = subprocess.Popen(['sleep', '60']); print(p.pid, flush=True); time.sleep(60)"
    kept = keeper(tmp_path, code, always, [])
    kept.start()
    log = tmp_path / "probe.log"
    await until(lambda: log.read_text().endswith("\n"))
    grandchild = int(log.read_text())
    await kept.stop()
    await until(lambda: not _alive(grandchild))


async def test_no_program_outlives_a_killed_supervisor(tmp_path: Path) -> None:
    """The supervisor is a process of its own here, and gets kill -9."""
    supervisor = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _SUPERVISOR, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert supervisor.stdout is not None
    child = int(await asyncio.wait_for(supervisor.stdout.readline(), 30))
    assert _alive(child)
    supervisor.kill()
    await supervisor.wait()
    await until(lambda: not _alive(child))


_SUPERVISOR = """
import asyncio, sys
from pathlib import Path
from followup.supervise.keeper import Keeper, Program
from followup.supervise.logs import Redactor, RotatingLog

async def main():
    async def ready(_since): return True
    program = Program(name="x", title="x", command=(sys.executable, "-c", "import time; time.sleep(60)"), ready=ready)
    keeper = Keeper(program, RotatingLog(Path(sys.argv[1]) / "x.log", Redactor()), print)
    keeper.start()
    await keeper.wait_ready(10)
    print(keeper.pid, flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


def _alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
