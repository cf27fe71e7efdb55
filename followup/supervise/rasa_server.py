"""Rasa's server: `python -m followup.supervise.rasa_server --model FILE --port N`, from the project's directory.

What `rasa run` does, on loopback, without the HTTP API, CORS and telemetry, and with checks that `rasa run` lacks:
it ends instead of listening when the model was not loaded or the tracker store is not the one that was asked for
(Rasa falls back to an in-memory store with no more than a warning, and would lose every talk at its next restart), and
with `--probe` when the model does not understand the known lines of data/training.yml. TensorFlow is loaded only for a
model that needs it (no_tensorflow.py).

SIGUSR1: serve on until no turn is under way and none has come for a while, then end (a newer model has taken over).
"""

import argparse
import asyncio
import logging
import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from followup.supervise import no_tensorflow

os.environ["RASA_TELEMETRY_ENABLED"] = "false"  # before the import: it is read there
if __name__ == "__main__" and "--model" in sys.argv[:-1]:
    no_tensorflow.leave_out(sys.argv[sys.argv.index("--model") + 1])  # before the import, too

import rasa.core.run
from rasa.core.agent import Agent
from rasa.core.run import serve_application
from rasa.core.utils import AvailableEndpoints
from sanic import Sanic

from followup.supervise import discreet_logging, lightly, rasa_faster
from followup.supervise.programs import EXIT_PROBE_FAILED, EXIT_UNFIT
from followup.training.bounds import load_rules

_log = logging.getLogger(__name__)
QUIET_SECONDS = 1.5
"""Without a new turn for so long, nobody goes by the old address any more: who reads it posts at once."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--endpoints", default="endpoints.yml")
    parser.add_argument("--credentials", default="credentials.yml")
    parser.add_argument("--probe", action="store_true")
    options = parser.parse_args()
    discreet_logging.configure_structlog()
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    rasa_faster.install()
    endpoints = AvailableEndpoints.read_endpoints(options.endpoints)
    _check_before_listening(endpoints, load_rules(Path.cwd()).probe if options.probe else {})
    serve_application(
        options.model,
        interface="127.0.0.1",
        port=options.port,
        credentials=options.credentials,
        enable_api=False,
        response_timeout=60,
        endpoints=endpoints,
        server_listeners=[(_drain_on_signal, "after_server_start"), (_rest, "after_server_start")],
    )


def _check_before_listening(endpoints: AvailableEndpoints, probe: Mapping[str, str]) -> None:
    """Put the checks behind Rasa's loading of the model, which comes before the port is opened."""
    load = rasa.core.run.load_agent_on_start

    async def load_and_check(
        model: str, given: AvailableEndpoints, storage: str | None, app: Sanic, loop: asyncio.AbstractEventLoop
    ) -> Agent:
        try:
            agent = await load(model, given, storage, app, loop)
        except Exception:
            _log.critical("the model cannot be loaded", exc_info=True)
            _end(EXIT_UNFIT)
        if problem := _problem(agent, endpoints):
            _log.critical(problem)
            _end(EXIT_UNFIT)
        if problem := await _misread(agent, probe):
            _log.critical(problem)
            _end(EXIT_PROBE_FAILED)
        return agent

    rasa.core.run.load_agent_on_start = load_and_check


def _end(code: int) -> None:
    sys.stdout.flush()
    os._exit(code)  # Sanic would go on serving after an exception


def _problem(agent: Agent | None, endpoints: AvailableEndpoints) -> str | None:
    """Why this server must not take messages, if so."""
    if agent is None or not agent.is_ready():
        return "the model was not loaded"
    wanted = endpoints.tracker_store.type if endpoints.tracker_store else None
    if wanted and "." in wanted:
        store = agent.tracker_store
        while hasattr(store, "_tracker_store"):  # Rasa wraps it to go on when it fails
            store = store._tracker_store
        found = f"{type(store).__module__}.{type(store).__qualname__}"
        if found != wanted:
            return f"the tracker store is {found} instead of {wanted}"
    return None


async def _misread(agent: Agent, probe: Mapping[str, str]) -> str | None:
    """Which known line is not understood, if so. The lines are ours, no customer's."""
    for line, wanted in probe.items():
        parsed: dict[str, Any] = await agent.parse_message(line)
        intent = parsed.get("intent") or {}
        found = intent.get("full_name") or intent.get("name")
        if found != wanted or not parsed.get("acts"):
            return f"the probe {line!r} is read as {found} instead of {wanted}"
    return None


async def _rest(app: Sanic, loop: asyncio.AbstractEventLoop) -> None:
    lightly.rest_collector()


async def _drain_on_signal(app: Sanic, loop: asyncio.AbstractEventLoop) -> None:
    """Count the turns under way, and end on SIGUSR1 when there are none left."""
    agent = app.ctx.agent
    handle = agent.handle_message
    under_way = 0
    last = time.monotonic()

    async def counted(*arguments: Any, **named: Any) -> Any:
        nonlocal under_way, last
        under_way += 1
        try:
            return await handle(*arguments, **named)
        finally:
            under_way -= 1
            last = time.monotonic()

    async def drain() -> None:
        began = time.monotonic()
        while under_way or time.monotonic() - max(last, began) < QUIET_SECONDS:
            await asyncio.sleep(0.05)
        _log.info("no turn is under way any more")
        loop.stop()  # as for SIGTERM: Sanic closes what is open and ends

    agent.handle_message = counted
    loop.add_signal_handler(signal.SIGUSR1, lambda: setattr(app.ctx, "draining", loop.create_task(drain())))


if __name__ == "__main__":
    main()
