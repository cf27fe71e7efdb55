"""Every check finds the damage it is for, and nothing in a database that is sound."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from followup import clock
from followup.reconcile.checks import CHECKS, Check
from followup.reconcile.run import words

from followup.store.database import Database
from tests.integration.web.web_talk import make_talk

from .conftest import Sound

# Where the schema itself forbids the damage, its guards are taken away first: a restore may have lost them.
_SAID = "(SELECT id FROM messages WHERE text = '价格有点贵' AND direction = 'in')"
_THEIR_TALK = "(SELECT case_id FROM messages WHERE text = '价格有点贵' AND direction = 'in')"
_OTHER_TALK = "(SELECT case_id FROM messages WHERE text = '别再联系我' AND direction = 'in')"
_FAILED = "(SELECT id FROM messages WHERE text = '还在吗')"
_ENTRY = "(SELECT min(id) FROM campaign_entries WHERE case_id IS NOT NULL)"
_DELIVERY = "(SELECT min(id) FROM deliveries)"
_LINE = """INSERT INTO messages (case_id, direction, channel, channel_message_id, text, status, in_reply_to, created_at, handled_at)
    SELECT {case}, 'out', '{channel}', '{key}', '你好', '{status}', {to}, now(), now() - interval '1 hour'"""


def _copy(table: str, where: str, **changed: str) -> str:
    """A second row like the first of those that match."""
    cut = " ".join(f"- '{column}'" for column in ("id", *changed))
    own = " || ".join([f"jsonb_build_object('id', (SELECT max(id) + 1 FROM {table}))", *(f"jsonb_build_object('{c}', {v})" for c, v in changed.items())])
    return f"""INSERT INTO {table} SELECT new.* FROM (SELECT * FROM {table} WHERE {where} ORDER BY id LIMIT 1) AS old,
        jsonb_populate_record(NULL::{table}, to_jsonb(old) {cut} || {own}) AS new"""


def _without(*indexes: str) -> list[str]:
    """Unique constraints and indexes are gone."""
    return [f"ALTER TABLE {index.split('.')[0]} DROP CONSTRAINT {index.split('.')[1]}" if "." in index else f"DROP INDEX {index}" for index in indexes]


DAMAGE: dict[str, list[str]] = {
    "waits_without_job": [f"UPDATE messages SET status = 'received' WHERE id = {_SAID}", "DELETE FROM procrastinate_jobs"],
    "no_such_state": [f"UPDATE messages SET status = 'lost' WHERE id = {_SAID}"],
    "handled_without_reply": [f"DELETE FROM messages WHERE in_reply_to = {_SAID}"],
    "handled_without_turn": [f"DELETE FROM events WHERE message_id = {_SAID}"],
    "put_aside_without_reason": [f"UPDATE messages SET error = 'said to a colleague' WHERE id = {_SAID}"],
    "failed_unseen": [f"DELETE FROM notes WHERE message_id = {_FAILED}"],
    "line_of_no_talk": ["ALTER TABLE messages DROP CONSTRAINT messages_case_id_fkey", _LINE.format(case="repeat('0', 32)", channel="web", key="x", status="sent", to="NULL")],
    "reply_to_nothing": [_LINE.format(case=_OTHER_TALK, channel="web", key="x", status="sent", to=_SAID)],
    "replied_twice": [_copy("messages", f"in_reply_to = {_SAID}", channel="'sms'")],
    "not_what_was_said": [f"DELETE FROM messages WHERE in_reply_to = {_SAID} AND channel_message_id LIKE '%-2'"],
    "turn_of_no_message": [f"UPDATE events SET message_id = 999999 WHERE message_id = {_SAID}"],
    "line_being_sent_for_ever": [_LINE.format(case=_THEIR_TALK, channel="wechat:shop", key="x", status="sending", to="NULL")],
    "line_without_job": [_LINE.format(case=_THEIR_TALK, channel="wechat:shop", key="x", status="queued", to="NULL")],
    "answer_twice": [*_without("answers_valid_idx"), "UPDATE answers SET superseded = false"],
    "ticket_twice": ["UPDATE tickets SET words = words || words"],
    "note_twice": [*_without("notes.notes_case_id_kind_topic_message_id_key"), _copy("notes", "kind = 'remark'")],
    "callback_twice": [_copy("callbacks", "true", message_id=_SAID)],
    "of_another_talk": [f"UPDATE answers SET case_id = {_OTHER_TALK}"],
    "attempts_do_not_count_up": ["UPDATE attempts SET number = 7"],
    "end_does_not_fit": ["UPDATE cases SET outcome = NULL WHERE status = 'waiting'"],
    "script_does_not_fit": ["UPDATE script_revisions SET script_id = 'coffee' WHERE script_id = 'tea'"],
    "invited_after_opt_out": [
        f"UPDATE deliveries SET contact_id = (SELECT contact_id FROM cases WHERE id = {_OTHER_TALK}), sending_at = now() + interval '1 minute' WHERE id = {_DELIVERY}"
    ],
    "spoken_to_after_opt_out": [
        f"UPDATE messages SET error = NULL WHERE case_id = {_OTHER_TALK} AND direction = 'system'",
        _LINE.format(case=_OTHER_TALK, channel="web", key="x", status="sent", to=f"(SELECT id FROM messages WHERE case_id = {_OTHER_TALK} AND direction = 'system')"),
        "UPDATE messages SET created_at = now() + interval '1 minute' WHERE channel_message_id = 'x'",
    ],
    "delivery_without_end": [f"UPDATE deliveries SET done_at = NULL WHERE id = {_DELIVERY}"],
    "delivery_being_sent_for_ever": [f"UPDATE deliveries SET status = 'sending', done_at = NULL WHERE id = {_DELIVERY}"],
    "deliveries_do_not_count_up": [f"UPDATE deliveries SET number = 3 WHERE id = {_DELIVERY}"],
    "delivery_to_another": [f"UPDATE deliveries SET contact_id = (SELECT contact_id FROM cases WHERE id = {_THEIR_TALK}) WHERE id = {_DELIVERY}"],
    "entry_without_its_delivery": [f"UPDATE campaign_entries SET state = 'queued' WHERE id = {_ENTRY}"],
    "delivery_without_its_entry": [f"UPDATE deliveries SET status = 'queued', done_at = NULL WHERE id = {_DELIVERY}"],
    "sent_and_not_in_the_ledger": [f"UPDATE campaign_entries SET sent_at = NULL WHERE id = {_ENTRY}"],
    "entry_forgotten": [f"UPDATE campaign_entries SET state = 'waiting', next_at = NULL WHERE id = {_ENTRY}"],
    "sums_do_not_agree": [f"UPDATE cases SET outcome = 'sold' WHERE id = (SELECT case_id FROM campaign_entries WHERE id = {_ENTRY})"],
}


async def test_a_sound_database_passes_and_is_counted(sound: Sound) -> None:
    report = await sound.report()
    assert report.findings == () and report.sound
    assert report.held == len(CHECKS)
    looked_at = {table for table, count in report.counts.items() if count}
    assert looked_at == set(report.counts), "a table without a row proves nothing"


@pytest.mark.parametrize("key", [check.key for check in CHECKS])
async def test_damage_is_found(sound: Sound, key: str) -> None:
    await sound.do(*DAMAGE[key])
    assert key in await sound.found()


async def test_what_is_young_may_still_be_under_way(sound: Sound) -> None:
    await sound.do(*DAMAGE["waits_without_job"])
    assert "waits_without_job" not in [found.key for found in (await sound.report(grace=3600)).findings]


async def test_a_job_of_a_dead_worker_is_none(sound: Sound) -> None:
    at_it = "UPDATE procrastinate_jobs SET status = 'doing', worker_id = worker.id FROM procrastinate_workers AS worker"
    await sound.do(f"UPDATE messages SET status = 'received' WHERE id = {_SAID}", "INSERT INTO procrastinate_workers DEFAULT VALUES", at_it)
    assert "waits_without_job" not in await sound.found()
    await sound.do("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 minute'")
    assert "waits_without_job" in await sound.found()


async def test_a_finding_says_where(sound: Sound) -> None:
    await sound.do(f"DELETE FROM messages WHERE in_reply_to = {_FAILED}")
    where = (await sound.connection.execute(text(f"SELECT id, case_id FROM messages WHERE id = {_FAILED}"))).one()
    (found,) = (await sound.report()).findings
    assert (found.key, found.count) == ("failed_unseen", 1)
    assert (found.rows[0].id, found.rows[0].case_id) == (str(where.id), where.case_id)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.key)
async def test_no_table_is_read_through_for_each_row_of_another(sound: Sound, check: Check) -> None:
    """What is asked again for every row must have an index to go by. Small tables may be read through; a hashed list is read once."""
    values = {name: value for name, value in {"at": clock.now(), "grace": timedelta(0)}.items() if f":{name}" in check.sql}
    await sound.connection.execute(text("SET LOCAL enable_seqscan = off"))  # so that one is left only where there is no other way
    plan = (await sound.connection.execute(text(f"EXPLAIN (FORMAT JSON) {check.sql}"), values)).scalar_one()[0]["Plan"]
    assert _read_through(plan, set(), again=False) == set()


def _read_through(node: dict[str, Any], hashed: set[str], *, again: bool) -> set[str]:
    """The tables that the plan reads whole, below anything that it does once for every row."""
    hashed = hashed | {name for key in ("Filter", "Join Filter", "Hash Cond") for name in re.findall(r"hashed (SubPlan \d+)", str(node.get(key)))}
    if node.get("Parent Relationship") == "SubPlan" and node.get("Subplan Name") not in hashed:
        again = True
    by_the_row = re.search(r"= \(*[a-z_]+\.", node.get("Index Cond", ""))  # an index may also be read from end to end
    whole = node["Node Type"] in ("Seq Scan", "Index Scan", "Index Only Scan") and not by_the_row
    found = {node["Relation Name"]} if again and whole and node["Relation Name"] not in _SMALL else set()
    return found.union(*(_read_through(below, hashed, again=again) for below in node.get("Plans", ())))


_SMALL = {"procrastinate_workers"}


async def test_the_command_says_it_in_chinese_and_by_its_exit_code(database: Database, run_command) -> None:
    code, out = await run_command(database)
    assert code == 0 and f"核对了 {len(CHECKS)} 项，全部相符。" in out
    talk = await make_talk(database)
    async with database.session() as session:
        await session.execute(text(_LINE.format(case=f"'{talk.case_id}'", channel="web", key="7-1", status="sent", to="NULL")))
    code, out = await run_command(database)
    assert code == 1 and words()["reply_to_nothing"].title in out and talk.case_id in out and "1 项不符" in out
    code, out = await run_command(database, "--json")
    read = json.loads(out)
    assert code == 1 and not read["sound"] and [found["key"] for found in read["findings"]] == ["reply_to_nothing"]
    assert read["counts"]["cases"] == read["counts"]["messages"] == 1
