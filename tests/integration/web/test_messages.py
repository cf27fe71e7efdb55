import asyncio
import json
import uuid
from datetime import timedelta

import pytest
from sqlalchemy import text as sql

from followup import clock
from followup.talk import links
from followup.web import talks
from followup.web.keys import DATABASE, LIMITER
from followup.web.session import Session
from tests.integration.budget import counted


def new_id() -> str:
    return str(uuid.uuid4())


async def send(client, text, client_msg_id=None, **headers):
    body = {"client_msg_id": client_msg_id or new_id(), "text": text}
    return await client.post("/chat/messages", json=body, headers=headers)


async def test_a_message_is_stored_and_its_turn_is_scheduled(client, talk):
    answer = await send(client, "方便")
    assert answer.status == 202
    [row] = await talk.rows("in")
    assert (await answer.json()) == {"id": row.id}
    assert (row.text, row.status, row.channel) == ("方便", "received", "web")


async def test_the_same_message_twice_is_one_message_with_one_answer(client, talk):
    client_msg_id = new_id()
    answers = [await (await send(client, "方便", client_msg_id)).json() for _ in range(3)]
    assert answers[0] == answers[1] == answers[2]
    assert len(await talk.rows("in")) == 1


async def test_the_same_message_at_the_same_time_is_one_message(client, talk):
    client_msg_id = new_id()
    answers = await asyncio.gather(*(send(client, "方便", client_msg_id) for _ in range(8)))
    assert {answer.status for answer in answers} == {202}
    assert len({(await answer.json())["id"] for answer in answers}) == 1
    assert len(await talk.rows("in")) == 1


@pytest.mark.parametrize(
    "text",
    [
        "😀👍🏽",
        "<script>alert(1)</script><img src=x onerror=alert(1)>",
        "'; DROP TABLE messages; --",
        "/restart",
        '/do_not_contact{"x": 1}',
        "第一行\n第二行",
        "长" * 2000,
    ],
)
async def test_what_people_write_is_kept_as_it_is(client, talk, text):
    assert (await send(client, text)).status == 202
    assert [row.text for row in await talk.rows("in")] == [text]


async def test_control_characters_and_broken_unicode_do_no_harm(client, talk):
    body = '{"client_msg_id": "%s", "text": "不\\u0000\\u0007满\\ud800意"}' % new_id()
    answer = await client.post("/chat/messages", data=body, headers={"Content-Type": "application/json"})
    assert answer.status == 202
    assert [row.text for row in await talk.rows("in")] == ["不满意"]


async def test_a_message_of_control_characters_only_is_empty(client, talk):
    answer = await send(client, "\0\x07")
    assert (answer.status, "还没有写内容" in (await answer.json())["error"]) == (400, True)
    assert await talk.rows("in") == []


async def test_ten_thousand_characters_are_asked_to_be_shorter(client, talk):
    body = json.dumps({"client_msg_id": new_id(), "text": "长" * 10_000})  # as \uXXXX: 60 KB
    answer = await client.post("/chat/messages", data=body, headers={"Content-Type": "application/json"})
    assert (answer.status, "2000" in (await answer.json())["error"]) == (413, True)
    assert await talk.rows("in") == []


async def test_a_body_beyond_all_measure_is_not_read(client):
    answer = await client.post("/chat/messages", data=b"x" * 1_000_000)
    assert answer.status == 413
    assert (await answer.json())["error"]


async def test_without_a_session_nothing_is_taken(visitor, talk):
    answer = await send(visitor, "方便")
    assert (answer.status, "链接" in (await answer.json())["error"]) == (401, True)


async def test_a_forged_session_is_none(visitor, talk):
    answer = await send(visitor, "方便", Cookie=f"followup_session={talk.case_id}")
    assert answer.status == 401


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"}],
)
async def test_another_sites_page_cannot_speak_for_the_customer(client, talk, headers):
    assert (await send(client, "不要再联系我", **headers)).status == 403
    assert await talk.rows("in") == []


async def test_a_tab_of_another_talk_cannot_speak_in_this_one(client, talk):
    assert (await send(client, "方便", **{"X-Followup-Talk": "0" * 16})).status == 409
    assert await talk.rows("in") == []


async def test_a_revoked_link_ends_the_session(client, talk):
    await talk.revoke()
    assert (await send(client, "方便")).status == 410
    assert (await client.get("/chat/history")).status == 410
    assert (await client.get("/chat/events")).status == 410
    assert (await client.get("/chat")).status == 410
    assert await talk.rows("in") == []


async def test_a_new_link_does_not_bring_the_sessions_of_a_revoked_one_back(client, talk, database):
    await talk.revoke()
    async with database.session() as session:
        await links.create_link(session, talk.case_id, valid_for=timedelta(days=1))
    assert (await send(client, "方便")).status == 410


async def test_a_link_made_by_a_machine_whose_clock_is_ahead_works(visitor, talk, database):
    async with database.session() as session:
        await session.execute(sql("UPDATE access_tokens SET created_at = now() + interval '1 minute'"))
    await visitor.post(f"/c/{talk.token}/start", allow_redirects=False)
    assert (await send(visitor, "方便")).status == 202


async def test_a_flood_is_slowed_down_with_a_time_to_wait(client, talk, monkeypatch):
    monkeypatch.setattr(client.server.app[LIMITER], "_per_second", 0.001)  # on whatever machine
    answers = [await send(client, f"第{n}条") for n in range(25)]
    slowed = [answer for answer in answers if answer.status == 429]
    assert slowed and int(slowed[0].headers["Retry-After"]) >= 1
    assert len(await talk.rows("in")) == len(answers) - len(slowed)


async def test_history_shows_both_sides_in_order_and_no_triggers(client, talk):
    await talk.say("请问您现在方便吗？", "方便", "现在不方便")
    client_msg_id = new_id()
    await send(client, "方便", client_msg_id)
    data = await (await client.get("/chat/history")).json()
    first, second = data["messages"]
    assert (first["direction"], first["text"], first["quick_replies"]) == (
        "out",
        "请问您现在方便吗？",
        ["方便", "现在不方便"],
    )
    assert (second["direction"], second["text"], second["client_msg_id"]) == ("in", "方便", client_msg_id)
    assert first["id"] < second["id"]
    assert data["typing"] is True


async def test_what_a_page_has_shown_has_left_the_outbox(client, talk):
    await talk.say("您好")
    await client.get("/chat/history")
    assert [row.status for row in await talk.rows("out")] == ["sent"]


async def test_history_of_a_stranger_is_not_shown(visitor, talk):
    assert (await visitor.get("/chat/history")).status == 401
    assert (await visitor.get("/chat/events")).status == 401
    answer = await visitor.get("/chat")
    assert (answer.status, "链接" in await answer.text()) == (401, True)


async def test_unknown_pages_and_methods_are_answered_in_chinese(visitor):
    answer = await visitor.get("/nothing")
    assert (answer.status, "没有这个页面" in await answer.text()) == (404, True)
    assert (await visitor.delete("/chat/messages")).status == 405


async def test_a_database_error_is_said_kindly_and_its_text_does_not_reach_the_log(client, talk, database, caplog):
    async with database.session() as session:
        await session.execute(sql("ALTER TABLE messages RENAME TO messages_gone"))
    answer = await send(client, "我的身份证号是一二三")
    assert (answer.status, "稍后再试" in (await answer.json())["error"]) == (503, True)
    assert "POST /chat/messages failed" in caplog.text
    assert "身份证" not in caplog.text and talk.case_id not in caplog.text


async def test_taking_a_message_is_one_statement(client, talk):
    await send(client, "方便")
    with counted(client.app[DATABASE].engine.sync_engine) as spent:
        assert (await send(client, "有点贵")).status == 202
    spent.within(statements=1, commits=1)


async def test_a_page_asks_for_its_state_and_its_lines_by_one_statement(client, talk):
    await send(client, "方便")
    who = Session(talk.case_id, clock.now())
    async with client.app[DATABASE].straight() as connection:
        with counted(client.app[DATABASE].engine.sync_engine) as spent:
            found = await talks.look(connection, who, 0)
        spent.within(statements=1, commits=0)
    assert found is not None
    state, [line] = found
    assert (state, line.text) == (talks.TurnState(typing=True, failed=()), "方便")
