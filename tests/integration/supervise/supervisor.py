"""A supervisor of nothing but Rasa: `python -m tests.integration.supervise.supervisor DATABASE_URL HOME [STEP]`.

It chooses and switches as `followup up` does, and kills itself at STEP; without one it ends when what is wanted was dealt with.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import nullcontext
from pathlib import Path

from followup.settings import load_settings
from followup.store.database import Database
from followup.store.training_models import ModelServer
from followup.supervise import address
from followup.supervise.address import Live
from followup.supervise.choose import choose
from followup.supervise.health import free_port, responds
from followup.supervise.keeper import Keeper, Program
from followup.supervise.logs import Redactor, RotatingLog
from followup.supervise.switch import Switch, machine_id
from followup.training import versions

FAKE = Path(__file__).with_name("fake_rasa.py")


def start(home: Path, model: Path, port: int) -> Keeper:
    async def answers(_since: float) -> bool:
        return await responds(f"http://127.0.0.1:{port}/")

    command = (sys.executable, "-I", "-S", str(FAKE), "--model", str(model), "--port", str(port))
    program = Program("rasa", "Rasa", command, answers, drain_signal=signal.SIGUSR1)
    keeper = Keeper(program, RotatingLog(home / "log" / "rasa.log", Redactor()), lambda line: None, give_up_after=1)
    keeper.start()
    return keeper


async def main(url: str, home: Path, kill_at: str) -> None:
    def at_step(step: str) -> None:
        if step == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    database = Database(url, pool_size=1)
    choice = await choose(load_settings({"FOLLOWUP_HOME": str(home)}), database, lambda title: nullcontext(), print)
    port = free_port()
    live = Live(f"http://127.0.0.1:{port}", str(choice.model), choice.version, choice.deployment, choice.code)
    address.write(home, live)
    serving = start(home, choice.model, port)
    await serving.wait_ready(60)
    print("live", choice.model.read_bytes().decode(), flush=True)
    async with database.session() as session:
        before = await session.get(ModelServer, machine_id(home))
    switch = Switch(
        database, home, choice.code, live, serving, lambda model, port, _: start(home, model, port), report=print, at_step=at_step
    )
    task = asyncio.create_task(switch.run())
    while True:
        async with database.session() as session:
            wanted = await versions.wanted(session)
            server = await session.get(ModelServer, machine_id(home))
        said = server is not None and (before is None or server.changed_at != before.changed_at)  # in this life
        if wanted and server and said and server.deployment_id == wanted.deployment and server.state != "starting":
            break  # said so, and not only done
        await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await switch.stop()
    await database.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else ""))
