"""The programs that make up the product, and how to see that each answers."""

import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from followup.supervise.health import responds, worker_beats
from followup.supervise.keeper import Program


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
    env = {
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

    async def actions_answer(_since: float) -> bool:
        return await responds(f"{addresses.action_url}/health")

    async def rasa_answers(_since: float) -> bool:
        return await responds(f"{addresses.rasa_url}/webhooks/rest/")

    async def worker_lives(since: float) -> bool:
        return await worker_beats(database_url, since)

    async def web_answers(_since: float) -> bool:
        # Any answer: /healthz is 503 as long as Rasa is away, which is no reason to restart the web.
        return await responds(f"{addresses.web_url}/healthz", expect=None)

    def python(module: str, *arguments: str) -> tuple[str, ...]:
        return (sys.executable, "-m", module, *arguments)

    def program(
        name: str, title: str, command: tuple[str, ...], ready: Callable[[float], Awaitable[bool]]
    ) -> Program:
        return Program(name=name, title=title, command=command, ready=ready, env=env, cwd=project)

    return [
        program(
            "actions",
            "动作服务",
            python("followup.supervise.action_server", "--port", str(addresses.action_port)),
            actions_answer,
        ),
        program(
            "rasa",
            "Rasa 对话引擎",
            python(
                *("followup.supervise.rasa_server", "--model", str(model), "--port", str(addresses.rasa_port))
            ),
            rasa_answers,
        ),
        program("worker", "后台任务", python("followup.talk.worker"), worker_lives),
        program("web", "网页服务", python("followup.web"), web_answers),
    ]
