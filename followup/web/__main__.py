"""`python -m followup.web`: serve customers on FOLLOWUP_BIND:FOLLOWUP_PORT until SIGTERM or Ctrl-C."""

from __future__ import annotations

import logging
import sys

from aiohttp import web

from followup.settings import SettingsError, load_settings
from followup.supervise import discreet_logging, lightly
from followup.web.app import make_app
from followup.web.assets import are_installed
from followup.web.security import DiscreetAccessLogger

_SHUTDOWN_SECONDS = 5.0
_SILENCE_SECONDS = 75.0
"""A connection that has sent no whole request for so long is closed. Longer than proxies keep theirs (nginx: 60 s)."""


def main() -> int:
    # A request aiohttp cannot read is logged with its error, whose text holds the offending bytes.
    discreet_logging.configure()
    try:
        settings = load_settings()
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    if settings.database_url is None:
        print("请设置 DATABASE_URL；或者用 followup up 启动，它会带上内置数据库。", file=sys.stderr)
        return 2
    if not are_installed():
        logging.error("the front-end parts are missing, the chat page will stay empty: python -m followup.web.assets")
    app = make_app(settings)
    lightly.use_fast_loop()
    lightly.rest_collector()
    web.run_app(
        app,
        host=settings.bind,
        port=settings.port,
        access_log_class=DiscreetAccessLogger,
        access_log=logging.getLogger("followup.web.access"),
        keepalive_timeout=_SILENCE_SECONDS,
        shutdown_timeout=_SHUTDOWN_SECONDS,
        print=None,
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
