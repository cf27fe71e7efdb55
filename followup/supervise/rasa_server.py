"""Rasa's server: `python -m followup.supervise.rasa_server --model FILE --port N`, from the project's directory.

What `rasa run` does, on loopback, without the HTTP API, CORS and telemetry, and with a check that `rasa run` lacks:
it ends instead of serving when the model was not loaded or the tracker store is not the one that was asked for
(Rasa falls back to an in-memory store with no more than a warning, and would lose every talk at its next restart).
"""

import argparse
import asyncio
import logging
import os
import sys

os.environ["RASA_TELEMETRY_ENABLED"] = "false"  # before the import: it is read there

from rasa.core.run import serve_application
from rasa.core.utils import AvailableEndpoints
from sanic import Sanic

from followup.supervise import discreet_logging, rasa_faster

_log = logging.getLogger(__name__)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--endpoints", default="endpoints.yml")
    parser.add_argument("--credentials", default="credentials.yml")
    options = parser.parse_args()
    discreet_logging.configure_structlog()
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    rasa_faster.install()
    endpoints = AvailableEndpoints.read_endpoints(options.endpoints)

    async def check(app: Sanic, _loop: asyncio.AbstractEventLoop) -> None:
        if problem := _problem(app, endpoints):
            _log.critical(problem)
            sys.stdout.flush()
            os._exit(3)  # Sanic would go on serving after an exception here

    serve_application(
        options.model,
        interface="127.0.0.1",
        port=options.port,
        credentials=options.credentials,
        enable_api=False,
        response_timeout=60,
        endpoints=endpoints,
        server_listeners=[(check, "after_server_start")],
    )


def _problem(app: Sanic, endpoints: AvailableEndpoints) -> str | None:
    """Why this server must not take messages, if so."""
    agent = app.ctx.agent
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


if __name__ == "__main__":
    main()
