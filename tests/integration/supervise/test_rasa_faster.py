"""The answers of actions are still checked, only the schema is not checked again with each; connections are kept."""

import json
import random

import jsonschema
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from rasa.core.actions.action import RemoteAction
from rasa.core.policies.rule_policy import RulePolicy
from rasa.shared.core.events import Event, SlotSet, UserUttered
from rasa.shared.utils import common
from rasa.utils.endpoints import EndpointConfig

from followup.supervise import rasa_faster


@pytest.fixture
def action(monkeypatch: pytest.MonkeyPatch) -> RemoteAction:
    monkeypatch.setattr(RemoteAction, "_validate_action_result", RemoteAction._validate_action_result)
    monkeypatch.setattr(Event, "resolve_by_type", staticmethod(Event.resolve_by_type))
    monkeypatch.setattr(EndpointConfig, "session", EndpointConfig.session)
    monkeypatch.setattr(RulePolicy, "_get_possible_keys", RulePolicy._get_possible_keys)
    rasa_faster.install()
    return RemoteAction("action_probe", None)


def test_a_good_answer_is_taken_without_checking_the_schema(
    action: RemoteAction, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jsonschema, "validate", pytest.fail)
    assert action._validate_action_result({"events": [{"event": "slot", "name": "answer", "value": None}], "responses": []})


@pytest.mark.parametrize("answer", [{"events": "none"}, {"events": [{"event": 7}]}, {"events": [{"event": []}]}, {"events": [{"event": "slot", "name": "您好"}]}, {"events": ["您好"]}, {"responses": ["您好"]}, []])
def test_a_wrong_answer_is_refused_without_repeating_it(action: RemoteAction, answer: dict[str, object]) -> None:
    with pytest.raises(jsonschema.ValidationError, match="action_probe answered in a wrong form") as error:
        action._validate_action_result(answer)
    assert "您好" not in str(error.value.message)


@pytest.mark.usefixtures("action")
def test_an_events_class_is_looked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Event.from_parameters({"event": "slot", "name": "answer", "value": 1}) == SlotSet("answer", 1)
    assert Event.resolve_by_type("user") is UserUttered
    monkeypatch.setattr(common, "all_subclasses", pytest.fail)
    assert Event.from_parameters({"event": "slot", "name": "answer", "value": 2}) == SlotSet("answer", 2)
    assert Event.resolve_by_type("user") is UserUttered


@pytest.mark.usefixtures("action")
def test_an_event_that_nobody_knows_is_still_refused() -> None:
    with pytest.raises(ValueError, match="nobody"):
        Event.resolve_by_type("nobody")
    assert Event.resolve_by_type("nobody", SlotSet) is SlotSet


@pytest.mark.usefixtures("action")
async def test_calls_go_by_one_connection_and_by_a_new_one_when_that_was_closed() -> None:
    callers = []

    async def answer(request: web.Request) -> web.Response:
        assert request.transport is not None
        callers.append(request.transport.get_extra_info("peername"))
        response = web.json_response({"events": [], "responses": []})
        if len(callers) == 3:
            response.force_close()
        return response

    app = web.Application()
    app.router.add_post("/webhook", answer)
    async with TestServer(app) as server:
        endpoint = EndpointConfig(str(server.make_url("/webhook")))
        for _ in range(5):
            assert await endpoint.request(json={}) == {"events": [], "responses": []}
        async with endpoint.session() as kept:
            await kept.close()
        assert await endpoint.request(json={}) == {"events": [], "responses": []}
    assert callers[0] == callers[1] == callers[2] != callers[3] == callers[4] != callers[5]


def _a_state(chance: random.Random, values: list[object], *, of_rule: bool) -> dict[str, object]:
    """Few names and values, so that many fit; a state without an action before it is a beginning."""
    state: dict[str, object] = {}
    if chance.random() < 0.8:
        state["user"] = {"intent": chance.choice(values)} | ({"entities": chance.choice([["time"], ["time", "score"]])} if chance.random() < 0.2 else {})
    if chance.random() < 0.5:
        state["slots"] = {chance.choice("ab"): chance.choice([[1.0], [0.0, 1.0], "should_not_be_set", *([[]] if of_rule else [()])])}
    if chance.random() < 0.4:
        state["active_loop"] = {"name": chance.choice(["followup_form", "should_not_be_set"])}
    if chance.random() < 0.8:
        state["prev_action"] = {"action_name": chance.choice(["action_listen", "followup_form"])}
    return state


def _as_in_a_talk(state: dict[str, object]) -> dict[str, object]:
    return {kind: {name: tuple(value) if isinstance(value, list) else value for name, value in part.items()} for kind, part in state.items()}  # type: ignore[attr-defined]


@pytest.mark.usefixtures("action")
@pytest.mark.parametrize("seed", range(20))
def test_the_rules_that_fit_are_those_that_rasa_finds(seed: int) -> None:
    chance, policy = random.Random(seed), RulePolicy.__new__(RulePolicy)
    found = 0
    for _ in range(20):
        rules = {json.dumps([_a_state(chance, ["consent", "deny", None], of_rule=True) for _ in range(chance.randint(1, 4))]): "action_listen" for _ in range(60)}
        talk = [_as_in_a_talk(_a_state(chance, ["consent", "deny"], of_rule=False)) for _ in range(chance.randint(0, 5))]
        if talk and chance.random() < 0.3:
            talk[-1]["user"] = {"text": "还可以"}
        wanted = RulePolicy._get_possible_keys.original(policy, rules, talk)
        assert RulePolicy._get_possible_keys(policy, rules, talk) == wanted
        found += 0 < len(wanted) < len(rules)
    assert found
