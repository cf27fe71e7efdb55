"""Three changes to Rasa in place: what it spends most of a turn on is done once.

Rasa 3.6 checks every answer of the action server against a JSON schema, and with each answer the schema itself, which
never changes: 25 ms for each action, five of six parts of a turn (measured with the scripts here, jsonschema 4).

For each event that it reads it collects all classes of events anew: a third of the time that loading a conversation takes.

For each action it opens a connection of its own to the action server.
"""

import asyncio
from contextlib import nullcontext
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector
from jsonschema import ValidationError
from jsonschema.validators import validator_for
from rasa.core.actions.action import RemoteAction
from rasa.shared.core.events import Event
from rasa.utils.endpoints import DEFAULT_REQUEST_TIMEOUT, EndpointConfig

KEPT_SECONDS = 2.0
"""Less than Sanic's five, after which the action server hangs up: a call must not meet that."""


def install() -> None:
    """Check the schema now, and each answer against it later, as before; find each event's class once; keep connections.

    A second call does nothing.
    """
    _find_events_once()
    _keep_connections()
    if getattr(RemoteAction._validate_action_result, "checks_schema_once", False):
        return
    schema = RemoteAction.action_response_format_spec()
    kind = validator_for(schema)
    kind.check_schema(schema)
    validator = kind(schema)
    of_event = {one["properties"]["event"]["const"]: kind(one) for one in schema["properties"]["events"]["items"]["oneOf"]}

    def is_right(result: dict[str, Any]) -> bool:
        """Each event by the one form that its name allows, instead of by each of the twenty-three."""
        events, responses = result.get("events", []), result.get("responses", [])
        named = isinstance(events, list) and all(isinstance(event, dict) and str(event.get("event")) in of_event for event in events)
        said = isinstance(responses, list) and all(isinstance(response, dict) for response in responses)
        return named and said and all(of_event[event["event"]].is_valid(event) for event in events)

    def validate(self: RemoteAction, result: dict[str, Any]) -> bool:
        if isinstance(result, dict) and is_right(result):
            return True
        for error in validator.iter_errors(result):
            # Without the instance: it holds what the customer said.
            raise ValidationError(f"action {self.name()} answered in a wrong form at {error.json_path}")
        return True

    validate.checks_schema_once = True  # type: ignore[attr-defined]
    RemoteAction._validate_action_result = validate


def _find_events_once() -> None:
    find = Event.resolve_by_type
    if hasattr(find, "cache_info"):
        return

    @lru_cache(maxsize=256)
    def resolve(type_name: str, default: type[Event] | None = None) -> type[Event] | None:
        return find(type_name, default)

    Event.resolve_by_type = staticmethod(resolve)


def _keep_connections() -> None:
    """One session for all calls of an event loop; an endpoint with a password keeps to sessions of its own."""
    open_one = EndpointConfig.session
    if getattr(open_one, "keeps_connections", False):
        return
    kept: WeakKeyDictionary[asyncio.AbstractEventLoop, ClientSession] = WeakKeyDictionary()

    def session(self: EndpointConfig) -> Any:
        if self.basic_auth:
            return open_one(self)
        loop = asyncio.get_running_loop()
        if loop not in kept or kept[loop].closed:
            kept[loop] = ClientSession(
                connector=TCPConnector(limit=0, keepalive_timeout=KEPT_SECONDS), cookie_jar=DummyCookieJar(),
                timeout=ClientTimeout(total=DEFAULT_REQUEST_TIMEOUT),
            )  # fmt: skip
        return nullcontext(kept[loop])  # whoever asked does not close it

    session.keeps_connections = True  # type: ignore[attr-defined]
    EndpointConfig.session = session
