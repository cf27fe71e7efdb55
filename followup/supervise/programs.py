"""The programs that make up the product, and how to see that each answers."""

import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from followup.supervise.health import responds, worker_beats
from followup.supervise.keeper import Program

RASA_TITLE = "Rasa 对话引擎"
EXIT_UNFIT = 3
"""Rasa has no model, or not the tracker store that was asked for."""
EXIT_PROBE_FAILED = 4
"""The model does not understand the known lines."""
_LONGEST_DRAIN = 75.0
"""Seconds; a turn may take 60 (followup.talk.rasa_client)."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the processes of one stack meet. Rasa and its actions are on loopback only, always."""

    action_port: int
    rasa_port: int
    web_port: int
    bind: str = "127.0.0.1"

    @property
    def action_url(self) -> str:
        return f"http://127.0.0.1:{self.action_port}"

    @property
    def rasa_url(self) -> str:
        return f"http://127.0.0.1:{self.rasa_port}"

    @property
    def web_url(self) -> str:
        everywhere = self.bind in ("", "0.0.0.0", "::", "127.0.0.1")
        host = "127.0.0.1" if everywhere else f"[{self.bind}]" if ":" in self.bind else self.bind
        return f"http://{host}:{self.web_port}"


def programs(
    addresses: Addresses, database_url: str, model: Path, project: Path, env: Mapping[str, str]
) -> list[Program]:
    """Action server, Rasa, worker, web."""
    env = _environment(env)

    async def actions_answer(_since: float) -> bool:
        return await responds(f"{addresses.action_url}/health")

    async def worker_lives(since: float) -> bool:
        return await worker_beats(database_url, since)

    async def web_answers(_since: float) -> bool:
        # Any answer: /healthz is 503 as long as Rasa is away, which is no reason to restart the web.
        return await responds(f"{addresses.web_url}/healthz", expect=None)

    def program(
        name: str, title: str, command: tuple[str, ...], ready: Callable[[float], Awaitable[bool]]
    ) -> Program:
        return Program(name=name, title=title, command=command, ready=ready, env=env, cwd=project)

    return [
        program(
            "actions",
            "动作服务",
            _python("followup.supervise.action_server", "--port", str(addresses.action_port)),
            actions_answer,
        ),
        rasa_program("rasa", addresses.rasa_port, model, project, env),
        program("worker", "后台任务", _python("followup.talk.worker"), worker_lives),
        program("web", "网页服务", _python("followup.web"), web_answers),
    ]


def rasa_program(
    name: str, port: int, model: Path, project: Path, env: Mapping[str, str], *, title: str = RASA_TITLE, probe: bool = False
) -> Program:
    """Rasa with a model on a port. `probe`: it begins to listen only when it understands the known lines.

    Its stop signal is the one for ending at once; one that is replaced gets SIGUSR1 and ends after its last turn.
    """

    async def answers(_since: float) -> bool:
        return await responds(f"http://127.0.0.1:{port}/webhooks/rest/")

    command = _python("followup.supervise.rasa_server", "--model", str(model), "--port", str(port), *(["--probe"] if probe else []))
    return Program(
        name=name, title=title, command=command, ready=answers, env=_environment(env), cwd=project,
        drain_signal=signal.SIGUSR1, drain_seconds=_LONGEST_DRAIN,
    )  # fmt: skip


def settled(rasa: Program) -> Program:
    """Rasa that is live by now: when it dies it shall come back, whatever anybody writes into the probe meanwhile."""
    return replace(rasa, title=RASA_TITLE, command=tuple(part for part in rasa.command if part != "--probe"))


def _python(module: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", module, *arguments)


def _environment(env: Mapping[str, str]) -> dict[str, str]:
    return {
        **env,
        "RASA_TELEMETRY_ENABLED": "false",
        "PYTHONUNBUFFERED": "1",
        "PYTHONUTF8": "1",
        # Some container images forbid Python to keep what it compiled: TensorFlow would be compiled at every start.
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONWARNINGS": "ignore::DeprecationWarning",
        "TF_CPP_MIN_LOG_LEVEL": "2",
        # glibc keeps an arena per thread; two are enough here and save some 100 MB over the processes.
        "MALLOC_ARENA_MAX": "2",
    }
