"""A canary of one customer in every column that can hold a word of or about them, and in our files: after erasing it is nowhere.

Which columns: those that followup/rights/columns.py says are emptied (a test there compares it with the schema), each with words of its own,
in rows of the customer; and, where names are looked for in what stays (names of groups and files), the customer's own name.
"""

from __future__ import annotations

import asyncio
import json
import zlib
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import func, select

from followup.channels.trial import path_of
from followup.contacts.parse import OPENID_FIELD
from followup.rights import logfiles
from followup.rights.columns import ERASED
from followup.rights.erase import who_is
from followup.store.campaign_models import ApiKey, ApiRequest, Import, Upload
from followup.store.database import Database
from followup.store.dry_run_models import DryRunRow
from followup.store.inbox_models import InboxClaim, TrainingDecision, WordMark
from followup.store.models import Contact, User
from followup.store.staff_models import InspectionSample
from followup.store.training_models import ExampleChange
from followup.store.wechat_models import WechatReceived, WechatUser
from followup.store.wechat_notice_models import WechatInvitation, WechatReport, WechatSubscription
from followup.store.wecom_models import WechatLogin, WecomReceived, WecomSent, WecomUser
from tests.integration.console.written_talks import Said, Written, write_talk
from tests.integration.rights.test_erase import NAME, NOW, PHONE, erased, everything, places, written

BIRD = "金丝雀"
MAIL, NUMBER, OPENID = "jinxiu@example.com", "CRM-778899", "oJinXiuOpenId42"
# Ids and codes that are checked, or that lead from one row to another: nobody can write a word there.
NO_WORDS = {
    "status", "decision", "state", "stage", "todo", "kind", "case_id", "claimed_case_id", "sender_id", "sent", "tries", "rows", "queue_name", "task_name", "lock", "queueing_lock", "type_name", "channel", "openid", "unionid",
    "key", "digest", "token_hash", "purpose", "acts", "groups", "file_name", "filters", "imports.bad", "detail", "talk_facts.answers",
}  # fmt: skip


async def everywhere(database: Database) -> Written:
    """What `written` writes, and a row about the customer in every other table that can have one."""
    talk = await written(database)
    async with database.session() as session:
        contact = await session.get_one(Contact, talk.contact_id)
        contact.fields = {**contact.fields, OPENID_FIELD: OPENID}
        contact.groups = ["VIP", f"{NAME}的亲友"]
        user = (await session.scalars(select(User.id))).first()
        line = talk.messages[1]
        wechat = WechatUser(account="shop", openid=OPENID, contact_id=contact.id, case_id=talk.case_id)
        wecom = WecomUser(account="corp", open_kfid="kf", external_userid=OPENID, contact_id=contact.id, case_id=talk.case_id)
        open_change = ExampleChange(by_user_id=user, kind="add", text=f"{BIRD}住在幸福里三栋", intent="complain", message_id=line)
        key = ApiKey(name="CRM", key_hash="0" * 64, hint="fu_", user_id=user, created_at=NOW)
        session.add_all([wechat, wecom, open_change, key])
        await session.flush()
        session.add_all([
            WechatReceived(account="shop", key=f"{OPENID}1", user_id=wechat.id), WechatInvitation(user_id=wechat.id, case_id=talk.case_id), WechatSubscription(user_id=wechat.id, template="t"),
            WechatReport(account="shop", number=f"{OPENID}2", user_id=wechat.id, code="", at=NOW), WechatLogin(nonce=f"{OPENID}3", account="shop", case_id=talk.case_id, expires_at=NOW),
            WecomReceived(account="corp", key=f"{OPENID}4", user_id=wecom.id), WecomSent(account="corp", msgid=f"{OPENID}5", rows=[line], user_id=wecom.id),
            TrainingDecision(message_id=line, decision="intent", intent="complain", change_id=open_change.id, by_user_id=user), InboxClaim(message_id=line, user_id=user, until=NOW),
            WordMark(by_user_id=user, message_id=line, words=f"{BIRD}后备厢", meaning="complain"),
            Import(source="console", file_name=f"{NAME}.xlsx", digest="1" * 64, rows=3, created=1, updated=0, merged=0, groups=["VIP", f"{NAME}家"], bad=[{"line": 2, "reason": f"邮箱“{MAIL}”已登记"}, {"line": 3, "reason": f"编号 {NUMBER} 重复"}, {"line": 4, "reason": "没有电话"}]),
            Upload(file_name=f"{NAME}.csv", digest="2" * 64, content=zlib.compress(f"{BIRD}{NAME}".encode()), choices={"samples": [[BIRD]]}, checked={"preview": [NAME]}, user_id=user, at=NOW),
            ApiRequest(api_key_id=key.id, key=f"{BIRD}-1", digest="3" * 64, status=200, answer=json.dumps({"name": NAME}), at=NOW),
            InspectionSample(seed=2, wanted=1, filters={"customer": NAME, "script": "demo"}, user_id=user),
        ])  # fmt: skip
    return talk


def plant(url: str, talk: Written) -> dict[str, str]:
    """Words of its own into every text and JSON column of every row there is of the erased ones; column -> the words. The only customer is the one."""
    planted = {}
    with psycopg.connect(url, autocommit=True) as connection:
        kinds = dict(connection.execute("SELECT table_name || '.' || column_name, data_type FROM information_schema.columns WHERE table_schema = 'public'").fetchall())
        connection.execute("SET session_replication_role = replica")  # counted facts would be made of canaries, and the log would refuse
        for table, columns in ERASED.items():
            for column in columns:
                if {column, f"{table}.{column}"} & NO_WORDS:
                    continue
                words = f"{BIRD}{len(planted)}号"
                value = f"to_jsonb('{words}'::text)" if kinds[f"{table}.{column}"] == "jsonb" else f"'{words}' || right({column}, 0)"
                if f"{table}.{column}" in ("tickets.words", "cases.variables", "contacts.fields", "tickets.data", "messages.quick_replies", "procrastinate_jobs.args"):
                    value = f"jsonb_build_object('x', '{words}') || {column}" if table in ("cases", "contacts", "procrastinate_jobs") or column == "data" else f"jsonb_build_array('{words}')"
                try:
                    done = connection.execute(f'UPDATE "{table}" SET "{column}" = coalesce({value}, \'{words}\')' if "json" not in kinds[f"{table}.{column}"] else f'UPDATE "{table}" SET "{column}" = {value}')
                except (psycopg.errors.CheckViolation, psycopg.errors.UniqueViolation, psycopg.errors.StringDataRightTruncation):
                    continue
                if done.rowcount:
                    planted[f"{table}.{column}"] = words
        assert connection.execute("SELECT count(*) FROM contacts").fetchone() == (1,) and talk.contact_id
    return planted


async def test_a_canary_in_every_column_is_found_nowhere_after_erasing(database: Database, database_url: str) -> None:
    talk = await everywhere(database)
    planted = plant(database_url, talk)
    found = places(database_url, tuple(planted.values()))
    assert set(planted) <= found and len(planted) >= 45, sorted(planted)
    assert {place.split(".")[0] for place in found} >= {"contacts", "cases", "messages", "answers", "tickets", "notes", "staff_notes", "annotations", "consents", "deliveries", "audit_log" if "audit_log.detail" in planted else "contacts"}
    await erased(database, talk.contact_id)
    assert places(database_url, (BIRD,)) == set()


async def test_names_and_numbers_are_found_in_nothing_that_stays(database: Database, database_url: str) -> None:
    talk = await everywhere(database)
    assert places(database_url, (OPENID,)) >= {"wechat_users.openid", "wechat_received.key", "wecom_sent.msgid", "wechat_logins.nonce"}
    await erased(database, talk.contact_id)
    assert places(database_url, (NAME, PHONE, MAIL, NUMBER, OPENID, BIRD)) == set()
    async with database.session() as session:
        stay = (await session.scalars(select(Import).order_by(Import.id.desc()))).first()
        assert stay is not None and stay.groups == ["VIP"] and stay.bad == [{"line": 4, "reason": "没有电话"}] and stay.rows == 3
        assert (await session.get_one(Contact, talk.contact_id)).groups == ["VIP"]
        assert {json.dumps(one) for one in await session.scalars(select(InspectionSample.filters))} >= {'{"script": "demo"}'}
        for packed in (Upload, ApiRequest, DryRunRow):  # what a search in the dump could not see
            assert await session.scalar(select(func.count()).select_from(packed)) == 0


async def test_what_a_trainer_has_handed_in_stays_and_what_is_open_goes(database: Database, database_url: str) -> None:
    talk = await everywhere(database)
    async with database.session() as session:
        user = (await session.scalars(select(User.id))).first()
        session.add(ExampleChange(by_user_id=user, kind="add", text="后备厢刮花了", intent="complain", message_id=talk.messages[1], state="handed_in", commit="abc"))
    await erased(database, talk.contact_id)
    async with database.session() as session:
        assert [(one.text, one.state) for one in await session.scalars(select(ExampleChange))] == [("后备厢刮花了", "handed_in")]
        assert await session.scalar(select(func.count()).select_from(WordMark)) == 0


async def test_another_customers_words_stay(database: Database, database_url: str) -> None:
    talk = await everywhere(database)
    other = await write_talk(database, [Said("别人的话")], name="赵敏", phone="13500001111")
    await erased(database, talk.contact_id)
    assert places(database_url, ("别人的话",)) >= {"messages.text"}
    async with database.session() as session:
        assert (await session.get_one(Contact, other.contact_id)).name == "赵敏"


async def test_no_file_of_ours_names_the_customer_afterwards(database: Database, tmp_path: Path) -> None:
    talk = await everywhere(database)
    line = {"at": "", "to": PHONE, "text": f"{NAME}您好", "delivery": 1}
    files = {"log/web.log": PHONE, "log/rasa.log.3": f"x {MAIL} y", "log/deep/train.log": json.dumps(NAME), "demo/sms.jsonl": json.dumps(line, ensure_ascii=False), "log/actions.log": f"{NUMBER} {OPENID}"}
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text + "\n", encoding="utf-8")
    assert path_of(tmp_path).is_file()
    async with database.session() as session:
        known = (await who_is(session, talk.contact_id)).known
    assert await asyncio.to_thread(logfiles.blank_home, tmp_path, known) == 7
    for name, text in files.items():
        left = (tmp_path / name).read_bytes()
        assert len(left) == len(text.encode()) + 1
        for word in (NAME, PHONE, MAIL, NUMBER, OPENID):
            assert word.encode() not in left and json.dumps(word)[1:-1].encode() not in left, name
    assert json.loads((tmp_path / "demo/sms.jsonl").read_text("utf-8"))["delivery"] == 1


def test_the_search_sees_bytes_and_every_schema(database_url: str) -> None:
    """The proof would be worth little if its dump left something out."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE hidden (data bytea, words text[]); INSERT INTO hidden VALUES ('x', ARRAY['" + BIRD + "'])")
        connection.execute("CREATE SCHEMA other; CREATE TABLE other.place (word text); INSERT INTO other.place VALUES ('" + BIRD + "')")
    assert places(database_url, (BIRD,)) == {"hidden.words", "place.word"}
    assert {name.partition(".")[0] for name in everything(database_url)} >= {"procrastinate_jobs", "procrastinate_events", "events", "messages", "hidden"}


@pytest.mark.parametrize("days", [0, 1])
async def test_retention_leaves_no_canary_of_a_talk_either(database: Database, database_url: str, days: int) -> None:
    from followup.rights import retention

    await write_talk(database, [Said(f"{BIRD}很久以前的话")], name="钱多多", phone="13900000001", at=NOW - timedelta(days=30))
    await retention.erase_old(database, NOW, days)
    assert (places(database_url, (BIRD,)) == set()) is bool(days)
