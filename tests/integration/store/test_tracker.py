"""Rasa's tracker store, with Rasa itself: it fails closed, and keeps each turn once."""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest

pytest.importorskip("rasa")

from aiohttp import web
from aiohttp.test_utils import TestServer
from rasa.core.actions.action import ActionExecutionRejection, RemoteAction
from rasa.core.channels.channel import CollectingOutputChannel
from rasa.core.channels.rest import RestInput
from rasa.core.nlg import TemplatedNaturalLanguageGenerator
from rasa.core.tracker_store import FailSafeTrackerStore
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import (
    ActionExecuted,
    ActiveLoop,
    BotUttered,
    SessionStarted,
    SlotSet,
    UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.core.training_data.story_reader.yaml_story_reader import (
    YAMLStoryReader,
)
from rasa.shared.nlu.training_data.message import Message
from rasa.utils.endpoints import EndpointConfig

from followup.store.fail_closed import TurnAbandoned
from followup.store.tracker import TrackerStore
from followup.talk.wording import for_rasa
from tests.integration.budget import counted

SENDER = "0123456789abcdef0123456789abcdef"
NOWHERE = "postgresql://nobody@127.0.0.1:9/none"
DOMAIN = Domain.from_dict(
    {
        "intents": ["inform", "restart"],
        "slots": {
            name: {"type": "any", "mappings": [{"type": "custom"}]} for name in ("talk", "requested_slot")
        },
        "actions": ["action_respond"],
    }
)


def turn(message_id: int, text: str = "有点贵", *, reply: str | None = "对不起", direction: str = "in") -> list[Any]:
    events: list[Any] = [
        UserUttered(
            text,
            {"name": "inform", "confidence": 0.9},
            metadata={"message_id": message_id, "direction": direction},
        ),
        SlotSet("talk", {"question": message_id}),
    ]
    if reply is not None:
        events.append(BotUttered(reply))
    return [*events, ActionExecuted("action_listen")]


@pytest.fixture
def store(database_url: str, monkeypatch: pytest.MonkeyPatch) -> TrackerStore:
    monkeypatch.setenv("DATABASE_URL", database_url)
    return TrackerStore(domain=DOMAIN)


async def opened(store: TrackerStore, *events: Any) -> DialogueStateTracker:
    tracker = await store.get_or_create_tracker(SENDER, append_action_listen=False)
    for event in events:
        tracker.update(event, DOMAIN)
    return tracker


def stored(database_url: str) -> list[tuple[str, int | None]]:
    with psycopg.connect(database_url) as connection:
        return connection.execute("SELECT type_name, message_id FROM events ORDER BY id").fetchall()


async def test_a_conversation_comes_back_as_it_was_saved(store: TrackerStore) -> None:
    await store.save(await opened(store, ActionExecuted("action_session_start"), SessionStarted(), *turn(1)))
    tracker = await opened(store)
    assert [type(event).__name__ for event in tracker.events][-4:] == [
        "UserUttered",
        "SlotSet",
        "BotUttered",
        "ActionExecuted",
    ]
    assert tracker.get_slot("talk") == {"question": 1}
    assert tracker.latest_message is not None and tracker.latest_message.text == "有点贵"


async def test_only_new_events_are_written(store: TrackerStore, database_url: str) -> None:
    await store.save(await opened(store, *turn(1)))
    tracker = await opened(store, *turn(2))
    await store.save(tracker)
    await store.save(tracker)
    assert [row for row in stored(database_url) if row[0] == "user"] == [("user", 1), ("user", 2)]
    assert len(stored(database_url)) == 8


async def test_a_long_conversation_comes_back_as_its_last_messages_and_its_state(store: TrackerStore) -> None:
    opening = [ActionExecuted("action_listen"), ActiveLoop("followup_form"), SlotSet("requested_slot", "answer")]
    await store.save(await opened(store, *opening, *turn(1)))
    for number in range(2, 12):
        await store.save(await opened(store, *turn(number)))
    tracker = await opened(store)
    whole = await store.retrieve_full_tracker(SENDER)
    assert whole is not None
    said = [event.metadata["message_id"] for event in tracker.events if isinstance(event, UserUttered)]
    assert said == [10, 11] and len(tracker.events) < len(whole.events) / 2
    assert tracker.current_slot_values() == whole.current_slot_values()
    assert tracker.get_slot("requested_slot") == "answer" and tracker.get_slot("talk") == {"question": 11}
    assert tracker.active_loop_name == whole.active_loop_name == "followup_form"
    assert tracker.latest_message == whole.latest_message
    await store.save(await opened(store, *turn(12)))  # what was left out is not missed by the check for a conflict
    whole = await store.retrieve_full_tracker(SENDER)
    assert whole is not None
    assert [e.metadata["message_id"] for e in whole.events if isinstance(e, UserUttered)] == list(range(1, 13))


async def test_what_a_turn_loads_does_not_grow_with_the_conversation(store: TrackerStore) -> None:
    sizes = []
    for number in range(1, 31):
        await store.save(await opened(store, *turn(number)))
        sizes.append(len((await opened(store)).events))
    assert len(set(sizes[6:])) == 1 and sizes[-1] < 15


async def test_a_unix_socket_and_a_host_url_both_work(store: TrackerStore) -> None:
    assert await store.retrieve(SENDER) is None
    assert store.engine.url.drivername == "postgresql+psycopg"


async def test_a_tracker_that_cannot_be_loaded_does_not_make_the_customer_look_new() -> None:
    wrapped = FailSafeTrackerStore(TrackerStore(domain=DOMAIN, host=NOWHERE))
    with pytest.raises(TurnAbandoned):
        await wrapped.get_or_create_tracker(SENDER)


async def test_a_tracker_that_cannot_be_saved_is_not_kept_in_memory(store: TrackerStore, database_url: str) -> None:
    wrapped = FailSafeTrackerStore(store)
    tracker = await wrapped.get_or_create_tracker(SENDER, append_action_listen=False)
    for event in turn(1):
        tracker.update(event, DOMAIN)
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE events RENAME TO gone")
    with pytest.raises(TurnAbandoned):
        await wrapped.save(tracker)
    assert wrapped._fallback_tracker_store is None


async def test_the_same_message_is_stored_once(store: TrackerStore, database_url: str) -> None:
    await store.save(await opened(store, *turn(1)))
    with pytest.raises(TurnAbandoned):
        await store.save(await opened(store, *turn(1, reply="又一次")))
    assert [row for row in stored(database_url) if row[0] == "user"] == [("user", 1)]
    assert len(stored(database_url)) == 4


async def test_a_tracker_that_was_overtaken_is_refused_whole(store: TrackerStore, database_url: str) -> None:
    late = await opened(store, *turn(1), *turn(2))
    await store.save(await opened(store, *turn(3)))
    with pytest.raises(TurnAbandoned):
        await store.save(late)
    assert [row for row in stored(database_url) if row[0] == "user"] == [("user", 3)]


async def test_a_turn_that_said_nothing_to_the_customer_is_not_stored(store: TrackerStore, database_url: str) -> None:
    with pytest.raises(TurnAbandoned):
        await store.save(await opened(store, *turn(1, reply=None)))
    assert stored(database_url) == []


async def test_the_log_says_why_a_turn_was_not_stored(
    store: TrackerStore, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(TurnAbandoned):
        await store.save(await opened(store, *turn(1, "我住在和平路", reply=None)))
    await store.save(await opened(store, *turn(2)))
    late = await opened(store, *turn(3))
    await store.save(await opened(store, *turn(4)))
    with pytest.raises(TurnAbandoned):
        await store.save(late)
    with pytest.raises(TurnAbandoned):
        await store.save(await opened(store, *turn(2)))
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("followup.")]
    nothing_said, overtaken, twice = ours  # others may warn of their own in the meantime
    assert nothing_said == "turn abandoned: the tracker was not saved: nothing was said to the customer (UnfinishedTurn)"
    assert overtaken == (
        "turn abandoned: the tracker was not saved: the conversation went on since it was loaded (TrackerConflict)"
    )
    assert twice == "turn abandoned: the tracker could not be saved (UniqueViolation 23505)"


async def test_a_trigger_may_end_in_silence(store: TrackerStore, database_url: str) -> None:
    await store.save(await opened(store, *turn(1, reply=None, direction="system")))
    assert len(stored(database_url)) == 3


async def test_a_turn_that_does_not_come_to_its_end_is_not_stored(store: TrackerStore, database_url: str) -> None:
    with pytest.raises(TurnAbandoned):
        await store.save(await opened(store, *turn(1)[:-1]))
    assert stored(database_url) == []


async def test_conversations_are_kept_apart(store: TrackerStore) -> None:
    await store.save(await opened(store, *turn(1)))
    other = await store.get_or_create_tracker("f" * 32, append_action_listen=False)
    for event in turn(2):
        other.update(event, DOMAIN)
    await store.save(other)
    assert set(await store.keys()) == {SENDER, "f" * 32}
    assert len((await opened(store)).events) == 4


def test_without_a_database_rasa_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with pytest.raises(RuntimeError, match="DATABASE_URL"):
        TrackerStore(domain=DOMAIN)


async def run_action(url: str) -> Any:
    tracker = DialogueStateTracker.from_events(SENDER, turn(1), DOMAIN.slots)
    action = RemoteAction("action_respond", EndpointConfig(url))
    return await action.run(
        CollectingOutputChannel(), TemplatedNaturalLanguageGenerator(DOMAIN.responses), tracker, DOMAIN
    )


def answering(status: int, body: Any) -> web.Application:
    async def handle(_: web.Request) -> web.Response:
        return web.json_response(body, status=status)

    app = web.Application()
    app.router.add_post("/webhook", handle)
    return app


async def test_an_action_server_that_is_gone_abandons_the_turn(store: TrackerStore) -> None:
    with pytest.raises(TurnAbandoned):
        await run_action("http://127.0.0.1:9/webhook")


@pytest.mark.parametrize("status, body", [(500, {}), (404, {}), (200, {"events": "nonsense"})])
async def test_an_action_that_fails_abandons_the_turn(store: TrackerStore, status: int, body: Any) -> None:
    async with TestServer(answering(status, body)) as server:
        with pytest.raises(TurnAbandoned):
            await run_action(str(server.make_url("/webhook")))


async def test_a_form_that_rejects_a_turn_still_gives_it_to_the_rules(store: TrackerStore) -> None:
    async with TestServer(answering(400, {"action_name": "action_respond", "error": "no"})) as server:
        with pytest.raises(ActionExecutionRejection):
            await run_action(str(server.make_url("/webhook")))


async def test_an_action_that_works_is_left_alone(store: TrackerStore) -> None:
    body = {"events": [], "responses": [{"text": "好的"}]}
    async with TestServer(answering(200, body)) as server:
        (said,) = await run_action(str(server.make_url("/webhook")))
    assert said.text == "好的"


async def test_rasas_channel_answers_an_abandoned_turn_with_nothing() -> None:
    async def abandoned(_: Any) -> None:
        raise TurnAbandoned("for the test")

    class Request:
        json = {"sender": SENDER, "message": "有点贵", "metadata": {}}
        args: dict[str, Any] = {}

    blueprint = RestInput().blueprint(abandoned)
    receive = next(route.handler for route in blueprint._future_routes if route.uri == "/webhook")
    response = await receive(Request())
    assert (response.status, json.loads(response.body)) == (200, [])


def test_rasa_reads_a_command_but_not_what_we_make_of_it() -> None:
    def is_read_as_command(text: str) -> bool:
        return YAMLStoryReader.unpack_regex_message(Message({"text": text}), DOMAIN).get("intent") is not None

    assert is_read_as_command("/restart")
    assert not is_read_as_command(for_rasa("/restart"))
    assert not is_read_as_command(for_rasa(" \n/restart"))


async def test_a_turn_of_rasas_is_loaded_by_two_statements_and_stored_by_two_and_one_commit(store: TrackerStore) -> None:
    for number in range(1, 6):
        await store.save(await opened(store, *turn(number)))
    with counted(store.engine) as loading:
        tracker = await opened(store, *turn(6))
    loading.within(statements=2, commits=0)
    with counted(store.engine) as saving:
        await store.save(tracker)
    saving.within(statements=2, commits=1)
