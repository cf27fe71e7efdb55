"""The answers of actions are still checked, only the schema is not checked again with each; connections are kept."""

import jsonschema
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from rasa.core.actions.action import RemoteAction
from rasa.shared.core.events import Event, SlotSet, UserUttered
from rasa.shared.utils import common
from rasa.utils.endpoints import EndpointConfig

from followup.supervise import rasa_faster


@pytest.fixture
def action(monkeypatch: pytest.MonkeyPatch) -> RemoteAction:
    monkeypatch.setattr(RemoteAction, "_validate_action_result", RemoteAction._validate_action_result)
    monkeypatch.setattr(Event, "resolve_by_type", staticmethod(Event.resolve_by_type))
    monkeypatch.setattr(EndpointConfig, "session", EndpointConfig.session)
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
