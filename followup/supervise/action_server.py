"""The action server: `python -m followup.supervise.action_server --port N`.

Rasa SDK's own start listens on every address and lets every web site call it; this one listens on loopback only and
sends no CORS headers. It must never import TensorFlow or Rasa itself: that would cost 0.5 GB and ten seconds.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from rasa_sdk.endpoint import create_app

from followup.supervise import discreet_logging, lightly

if TYPE_CHECKING:
    from sanic import Sanic


async def _watch(app: "Sanic[Any, Any]", _loop: object) -> None:
    """Answers to business questions are those in force: what was published since the start is noticed."""
    from actions.context import database
    from followup.store.published import watch

    app.add_task(watch(database()))
    lightly.rest_collector()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    port = parser.parse_args().port
    discreet_logging.configure()
    app = create_app("actions", cors_origins=[])
    app.register_listener(_watch, "after_server_start")
    app.run("127.0.0.1", port, workers=1, access_log=False, motd=False)


if __name__ == "__main__":
    main()
