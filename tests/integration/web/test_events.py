import asyncio
import json

import aiohttp
import psycopg
import pytest
from sqlalchemy import text

from followup import clock
from followup.store.models import Message
from followup.talk import links
from followup.web import events, talks
from followup.web.keys import FANOUT
from tests.integration.web.test_messages import new_id, send
from tests.integration.web.web_talk import make_talk


class Events:
    """Reads an event stream as a browser does."""

    def __init__(self, response) -> None:
        self.response = response

    async def next(self) -> dict:
        """The next event: {"event", "id", "data"}; pings and states are skipped."""
        while True:
            event = await self.any()
            if event["event"] == "message":
                return event

    async def any(self) -> dict:
        event = {"event": "message", "id": None, "data": None}
        async with asyncio.timeout(60):
            while line := (await self.response.content.readline()).decode().rstrip("\n"):
                name, _, value = line.partition(": ")
                if name == "data":
                    event["data"] = json.loads(value)
                elif name:
                    event[name] = value
        return event


async def listen(client, **options) -> Events:
    response = await client.get("/chat/events", **options)
    assert response.status == 200
    assert response.headers["Content-Type"].startswith("text/event-stream")
    stream = Events(response)
    assert (await stream.any())["event"] == "ping"
    return stream


async def test_what_was_said_before_is_replayed_with_its_ids(client, talk):
    ids = [await talk.say(words) for words in ("一", "二")]
    stream = await listen(client)
    received = [await stream.next() for _ in ids]
    assert [int(event["id"]) for event in received] == ids == [event["data"]["id"] for event in received]


async def test_a_reply_arrives_when_it_is_written(client, talk):
    stream = await listen(client)
    await talk.say("请问您满意吗？", "很满意", "一般")
    data = (await stream.next())["data"]
    assert (data["text"], data["quick_replies"], data["direction"]) == ("请问您满意吗？", ["很满意", "一般"], "out")


async def test_the_customers_own_words_reach_another_device(client, talk):
    stream = await listen(client)
    client_msg_id = new_id()
    await send(client, "我用手机说的", client_msg_id)
    data = (await stream.next())["data"]
    assert (data["direction"], data["text"], data["client_msg_id"]) == ("in", "我用手机说的", client_msg_id)


@pytest.mark.parametrize("how", ["header", "query"])
async def test_after_a_break_only_what_was_missed_comes(client, talk, how):
    first, second = await talk.say("一"), await talk.say("二")
    options = {"headers": {"Last-Event-ID": str(first)}} if how == "header" else {"params": {"after": str(first)}}
    stream = await listen(client, **options)
    assert int((await stream.next())["id"]) == second


async def test_a_line_that_took_its_id_first_and_commits_last_is_not_lost(client, talk, database):
    stream = await listen(client)
    async with database.session() as slow:
        low = await write(slow, talk.case_id, "先写的")
        high = await talk.say("后写的")
        assert int((await stream.next())["id"]) == high
        await slow.execute(text("SELECT pg_notify('followup_out', :case)"), {"case": talk.case_id})
    event = await stream.next()
    assert (int(event["id"]), event["data"]["text"]) == (low, "先写的")
    assert low < high


async def write(session, case_id: str, words: str) -> int:
    row = Message(
        case_id=case_id,
        direction="out",
        channel="web",
        channel_message_id=words,
        text=words,
        status="queued",
        created_at=clock.now(),
    )
    session.add(row)
    await session.flush()
    return row.id


@pytest.mark.parametrize("after", ["-1", "abc", "9" * 30, "1; DROP TABLE messages"])
async def test_a_nonsense_position_starts_from_the_beginning(client, talk, after):
    said = await talk.say("一")
    stream = await listen(client, headers={"Last-Event-ID": after})
    assert int((await stream.next())["id"]) == said


async def test_another_customers_message_id_shows_nothing_of_theirs(client, talk, database):
    stranger = await make_talk(database)
    theirs = await stranger.say("别人的话")
    ours = await talk.say("自己的话")
    stream = await listen(client, headers={"Last-Event-ID": str(theirs - 1)})
    event = await stream.next()
    assert (int(event["id"]), event["data"]["text"]) == (ours, "自己的话")


async def test_the_page_learns_that_a_turn_is_being_worked_on(client, talk, database):
    stream = await listen(client)
    assert (await stream.any())["data"]["typing"] is True  # the opening's trigger waits
    async with database.session() as session:
        for row in await talk.rows("system"):
            row = await session.merge(row)
            row.status = "handled"
    await talk.say("您好")
    await stream.next()
    state = await stream.any()
    assert (state["event"], state["data"]["typing"]) == ("state", False)


async def test_a_line_that_was_given_up_is_named(client, talk, database):
    await send(client, "这句没处理好")
    [row] = await talk.rows("in")
    async with database.session() as session:
        (await session.merge(row)).status = "failed"
    stream = await listen(client)
    await stream.next()
    assert (await stream.any())["data"]["failed"] == [row.id]


async def test_a_line_that_is_still_open_is_shown_to_be_alive(client, talk, monkeypatch):
    monkeypatch.setattr(events, "HEARTBEAT_SECONDS", 0.05)
    stream = await listen(client)
    assert (await stream.any())["event"] == "state"
    assert (await stream.any())["event"] == "ping"


async def test_a_revoked_link_ends_an_open_stream(client, talk, database, monkeypatch):
    monkeypatch.setattr(events, "HEARTBEAT_SECONDS", 0.05)
    stream = await listen(client)
    async with database.session() as session:
        await links.revoke_links(session, talk.case_id)
    while (event := await stream.any())["event"] != "signed-out":
        assert event["event"] in ("state", "ping")


async def test_more_streams_than_a_person_has_devices_are_refused(client, talk):
    streams = [await listen(client) for _ in range(12)]
    assert (await client.get("/chat/events")).status == 429
    assert len(streams) == 12


async def test_notifications_come_again_after_the_database_hung_up(client, talk, database, server):
    stream = await listen(client)
    async with database.engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE query LIKE 'LISTEN%' AND datname = current_database()"
            )
        )
    await talk.say("断开时说的")
    async with asyncio.timeout(60):
        await server.app[FANOUT].listening.wait()
        assert (await stream.next())["data"]["text"] == "断开时说的"


async def test_a_page_is_hung_up_on_when_the_database_fails_and_hears_all_when_it_comes_again(client, talk, monkeypatch):
    stream = await listen(client)
    look = talks.look

    async def fails(*_, **__):
        monkeypatch.setattr(talks, "look", look)
        raise psycopg.OperationalError("the server closed the connection")

    monkeypatch.setattr(talks, "look", fails)
    await talk.say("听得到吗")
    with pytest.raises(aiohttp.ClientError):
        async with asyncio.timeout(60):
            await stream.response.content.read()
    assert (await (await listen(client)).next())["data"]["text"] == "听得到吗"
