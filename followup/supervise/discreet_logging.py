"""Logging without customers' words; each line names the talk and the message it is about, as text or as JSON (FOLLOWUP_LOG=json).

Rasa logs the text of a message with each failure, and database errors carry the values of the statement. Kept are: what
happened, where in the code, and of which kind an error is; not its text, nor any value that could be somebody's.
"""

import json
import logging
import os
import sys
import traceback
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import TracebackType
from typing import Any

_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
# Names of things in the code, never of people.
_HARMLESS = {"event", "level", "timestamp", "action_name", "policy_name", "intent_name", "slot_name", "form_name"}

_about: ContextVar[Mapping[str, str | int]] = ContextVar("about", default={})

_ExcInfo = tuple[type[BaseException] | None, BaseException | None, TracebackType | None]


@contextmanager
def about(**ids: str | int) -> Iterator[None]:
    """Every line that is logged in the block says so: `talk` (a case id), `message` (its number)."""
    token = _about.set({**_about.get(), **ids})
    try:
        yield
    finally:
        _about.reset(token)


class DiscreetFormatter(logging.Formatter):
    """A traceback keeps its frames and the error's type, and loses the error's text."""

    def formatException(self, ei: Any) -> str:  # noqa: N802
        return frames(ei)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        return " ".join([super().formatMessage(record), *(f"{name}={value}" for name, value in _about.get().items())])


class JsonFormatter(DiscreetFormatter):
    """One object a line: timestamp, level, logger, message, and talk, message_id, error where there are such."""

    def format(self, record: logging.LogRecord) -> str:
        ids = {"message_id" if name == "message" else name: value for name, value in _about.get().items()}
        error = {"error": self.formatException(record.exc_info)} if record.exc_info else {}
        line = {"timestamp": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"), "level": record.levelname.lower(), "logger": record.name, "message": record.getMessage()}
        return json.dumps({**line, **ids, **error}, ensure_ascii=False)


def frames(exc_info: _ExcInfo) -> str:
    """The calls that led to an error, and its type."""
    kind, _, trace = exc_info
    return "".join(traceback.format_tb(trace)) + (kind.__name__ if kind is not None else "")


def discreet(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: drops every value that is not known to be harmless."""
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()
    elif isinstance(error, BaseException):
        error = (type(error), error, error.__traceback__)
    kept = {key: value for key, value in event.items() if key in _HARMLESS or isinstance(value, (bool, int, float))}
    if error:
        kept["error"] = frames(error)
    return kept


def configure() -> None:
    """For a process with the standard library's logging only."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter() if os.environ.get("FOLLOWUP_LOG") == "json" else DiscreetFormatter(_FORMAT))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


def configure_structlog() -> None:
    """For Rasa, which uses both. To be called before Rasa logs anything: loggers keep what they began with."""
    import structlog

    configure()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%Y-%m-%d %H:%M:%S"),
            discreet,
            *_rendered(),
        ],
        logger_factory=structlog.PrintLoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )


def _rendered() -> list[Any]:
    """The last steps of structlog: the same two forms as above."""
    import structlog

    if os.environ.get("FOLLOWUP_LOG") != "json":
        return [structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"])]
    renamed = structlog.processors.EventRenamer("message")
    return [renamed, structlog.processors.JSONRenderer(ensure_ascii=False)]
