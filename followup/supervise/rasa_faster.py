"""Four changes to Rasa in place: what it spends most of a turn on is done once.

Rasa 3.6 checks every answer of the action server against a JSON schema, and with each answer the schema itself, which
never changes: 25 ms for each action, five of six parts of a turn (measured with the scripts here, jsonschema 4).

For each event that it reads it collects all classes of events anew: a third of the time that loading a conversation takes.

For each action it opens a connection of its own to the action server.

For each prediction it reads every rule against every state of the talk, twice; the rules are mostly made of the same few states.
"""

import asyncio
import json
from contextlib import nullcontext
from functools import lru_cache
from itertools import islice
from typing import Any
from weakref import WeakKeyDictionary

from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector
from jsonschema import ValidationError
from jsonschema.validators import validator_for
from rasa.core.actions.action import RemoteAction
from rasa.core.policies.rule_policy import RulePolicy
from rasa.shared.core.constants import PREVIOUS_ACTION, USER
from rasa.shared.core.events import Event
from rasa.shared.nlu.constants import TEXT
from rasa.utils.endpoints import DEFAULT_REQUEST_TIMEOUT, EndpointConfig

KEPT_SECONDS = 2.0
"""Less than Sanic's five, after which the action server hangs up: a call must not meet that."""


def install() -> None:
    """Check the schema now, and each answer against it later, as before; find each event's class once; keep connections.

    A second call does nothing.
    """
    _find_events_once()
    _keep_connections()
    _look_rules_up_once()
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


def _look_rules_up_once() -> None:
    """Each rule is read once a process; each state of the rules is compared once with each state of a talk."""
    if getattr(RulePolicy._get_possible_keys, "looks_up_once", False):
        return
    matches = RulePolicy._does_rule_match_state

    @lru_cache(maxsize=4096)
    def states_of(rule_key: str) -> tuple[str, ...]:
        """The rule's states, the last one first, each as its JSON: equal ones are compared together."""
        return tuple(json.dumps(state, sort_keys=True) for state in reversed(RulePolicy._rule_key_to_state(rule_key)))

    read = lru_cache(maxsize=4096)(json.loads)

    @lru_cache(maxsize=1024)
    def known(_state: str) -> dict[str, bool]:
        """What was found for a state of the talk: the same ones come again, with each prediction and with other customers."""
        return {}

    def fits(of_rule: str, state: dict[str, Any]) -> bool:
        """As `RulePolicy._is_rule_applicable`, for one state of a rule."""
        wanted = read(of_rule)
        if not wanted.get(PREVIOUS_ACTION) or not state.get(PREVIOUS_ACTION):
            return not wanted.get(PREVIOUS_ACTION) and not state.get(PREVIOUS_ACTION)
        return bool(matches(wanted, state))

    def possible_keys(self: RulePolicy, lookup: dict[str, str], states: list[dict[str, Any]]) -> set[str]:
        possible = [(key, states_of(key)) for key in lookup]
        longest = max((len(of_rule) for _, of_rule in possible), default=0)
        for number, state in enumerate(islice(reversed(states), longest)):  # what lies further back is looked at by no rule
            # What the customer said is not kept.
            found = {} if TEXT in state.get(USER, {}) else known(repr(state))
            fitting = []
            for one in possible:
                if number < len(one[1]):
                    of_rule = one[1][number]
                    fit = found.get(of_rule)
                    if fit is None:
                        fit = found[of_rule] = fits(of_rule, state)
                    if not fit:
                        continue
                fitting.append(one)
            possible = fitting
        return {key for key, _ in possible}

    possible_keys.looks_up_once = True  # type: ignore[attr-defined]
    possible_keys.original = RulePolicy._get_possible_keys  # type: ignore[attr-defined]
    RulePolicy._get_possible_keys = possible_keys


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
