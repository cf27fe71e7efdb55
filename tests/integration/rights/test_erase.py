"""Erasing a customer: nothing that says who it was stays anywhere; what is counted stays as it was."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import func, select, text

from followup.campaigns import parse
from followup.campaigns.definition import Definition, Rule
from followup.console import accounts
from followup.console.audit import audit, entry_of
from followup.console.permissions import Staff
from followup.rights import block, retention
from followup.rights.erase import NoSuchCustomer, NotNow, erase_customer, who_is
from followup.rights.export import export_customer
from followup.rights.left import GONE
from followup.settings import SHANGHAI
from followup.store import records
from followup.store.campaign_models import Campaign, CampaignEntry, Consent, Delivery, Import
from followup.store.database import Database
from followup.store.models import (
    AccessToken,
    Answer,
    Callback,
    Case,
    Contact,
    DoNotContact,
    Message,
    Note,
    RasaEvent,
    Ticket,
)
from followup.store.records import UnknownCase
from followup.store.staff_models import Annotation, AnswerCorrection, Inspection, InspectionSample, StaffNote, TicketEvent
from followup.talk import links
from followup.talk.inbox import accept
from tests.integration.console.written_talks import Said, Written, write_talk

NAME, PHONE = "欧阳锦绣", "13977771234"
PLATE = "京A8B7C6"
WORDS = ("师傅把后备厢刮花了", "住在幸福里三栋", "要求赔三百块")
SECRETS = (NAME, PHONE, PLATE, *WORDS, "坐席记下的私事", "更正的私事", "找物业协商了", "标注里的话", "质检里的话", "客户亲口说别打", "客户档案里的字", "jinxiu@example.com", "CRM-778899", "短信平台说的话", "合同第八页")
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=SHANGHAI)


async def written(database: Database) -> Written:
    """A talk with something about the customer in every place that can hold it."""
    talk = await write_talk(
        database,
        [
            Said("方便", "consent"),
            Said(f"不满意，{WORDS[0]}", "dissatisfied", answers=[("satisfaction", "不满意"), ("satisfaction.reason", WORDS[0])]),
            Said(f"{WORDS[1]}，车牌{PLATE}，{WORDS[2]}，电话{PHONE}", "inform"),
        ],
        name=NAME,
        phone=PHONE,
        variables={"company": "演示公司", "plate": PLATE, "client": NAME, "agent": "小客"},
        ticket="complaint",
        outcome="complained",
    )
    async with database.session() as session:
        user, _ = await accounts.create(session, "主管甲", "supervisor", "a long enough one")
        contact = await session.get_one(Contact, talk.contact_id)
        contact.fields = {"车牌": PLATE, "备注": "客户档案里的字"}
        contact.email, contact.external_id = "jinxiu@example.com", "CRM-778899"
        ticket = (await session.scalars(select(Ticket))).one()
        ticket.reason, ticket.solution = WORDS[0], "找物业协商了"
        ticket.words, ticket.data = [{"message_id": talk.messages[1], "text": WORDS[0]}], {"wanted": WORDS[2], "amount": 300}
        session.add(TicketEvent(ticket_id=ticket.id, user_id=user.id, kind="noted", detail={"text": "找物业协商了"}))
        session.add(Note(case_id=talk.case_id, kind="third_contact", topic=PHONE, text=f"打{PHONE}"))
        session.add(Callback(case_id=talk.case_id, at=NOW + timedelta(days=1), reason="busy", words=WORDS[1]))
        session.add(StaffNote(case_id=talk.case_id, user_id=user.id, text="坐席记下的私事"))
        session.add(Annotation(message_id=talk.messages[1], intent="complain", comment="标注里的话", user_id=user.id))
        session.add(AnswerCorrection(answer_id=talk.answers["satisfaction"], before="满意", after="不满意", reason="更正的私事", user_id=user.id))
        session.add(Consent(contact_id=talk.contact_id, channel="sms", given=True, source="合同第八页"))
        session.add(Delivery(case_id=talk.case_id, contact_id=talk.contact_id, number=1, kind="first", channel="sms", provider_id="x", error="短信平台说的话", day=NOW.date()))
        session.add(Import(source="cli", digest="0" * 64, rows=2, created=1, updated=0, merged=0, bad=[{"line": 3, "reason": f"电话已登记在“{NAME}”名下"}, {"line": 4, "reason": "没有电话"}]))
        sample = InspectionSample(seed=1, wanted=1, user_id=user.id)
        session.add(sample)
        await session.flush()
        session.add(Inspection(sample_id=sample.id, case_id=talk.case_id, comment="质检里的话", total=80))
        session.add(DoNotContact(contact_id=talk.contact_id, phone=PHONE, reason="customer", words="客户亲口说别打", message_id=talk.messages[2]))
        data = json.dumps({"event": "user", "text": WORDS[0], "name": NAME})
        session.add(RasaEvent(sender_id=talk.case_id, type_name="user", message_id=talk.messages[1], data=data))
        await links.create_link(session, talk.case_id, valid_for=timedelta(days=1), asked_for_by_customer=True)
        await session.execute(
            text("SELECT procrastinate_defer_jobs_v1(ARRAY[ROW('turns', 'run_turn', 0, NULL, NULL, CAST(:args AS jsonb), NULL)::procrastinate_job_to_defer_v1])"),
            {"args": json.dumps({"case_id": talk.case_id})},
        )
        staff = Staff(user.id, user.name, user.role, "")
        await audit(session, staff, "answer.correct", "answer", talk.answers["satisfaction"], case=talk.case_id, before=WORDS[0])
        await audit(session, staff, "talks.export", rows=1, filters={"customer": NAME})
        await audit(session, staff, "user.create", "user", user.id, name=user.name)
    return talk


async def erased(database: Database, contact_id: int, *, at: datetime = NOW) -> None:
    async with database.session() as session:
        entry = entry_of(None, "customer.erase", "contact", contact_id, reason="客户要求")
        session.add(entry)
        await session.flush()
        await erase_customer(session, contact_id, entry.id, at)


def everything(url: str) -> dict[str, str]:
    """table.column -> all its values as one text; every column of every table there is."""
    with psycopg.connect(url) as connection:
        columns = connection.execute(
            "SELECT table_schema, table_name, column_name FROM information_schema.columns JOIN information_schema.tables"
            " USING (table_schema, table_name) WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        assert len(columns) > 150
        dump = {}
        for schema, table, column in columns:
            query = f'SELECT string_agg("{column}"::text, chr(10)) FROM "{schema}"."{table}"'
            dump[f"{table}.{column}"] = connection.execute(query).fetchone()[0] or ""
    return dump


def places(url: str, words: tuple[str, ...]) -> set[str]:
    """Where any of the words occurs, also written as JSON writes it in ASCII."""
    forms = {form for word in words for form in (word, json.dumps(word)[1:-1])}
    return {place for place, values in everything(url).items() if any(form in values for form in forms)}


async def test_nothing_that_says_who_it_was_is_found_in_any_column_of_any_table(database: Database, database_url: str) -> None:
    talk = await written(database)
    before = places(database_url, SECRETS)
    # The test would prove little if it looked for what was never there.
    assert {place.split(".")[0] for place in before} >= {
        *("contacts", "cases", "messages", "answers", "answer_corrections", "tickets", "ticket_events", "notes", "callbacks"),
        *("staff_notes", "annotations", "inspections", "do_not_contact", "events", "audit_log"),
    }
    await erased(database, talk.contact_id)
    assert places(database_url, SECRETS) == set()


async def test_no_row_of_the_job_queue_or_link_leads_to_the_talk(database: Database) -> None:
    talk = await written(database)
    await erased(database, talk.contact_id)
    async with database.session() as session:
        jobs = text("SELECT count(*) FROM procrastinate_jobs WHERE args ->> 'case_id' = :case")
        assert await session.scalar(jobs, {"case": talk.case_id}) == 0
        assert await session.scalar(select(func.count()).select_from(AccessToken)) == 0


async def test_what_is_counted_stays(database: Database) -> None:
    talk = await written(database)
    async with database.session() as session:
        before = await _figures(session)
    await erased(database, talk.contact_id)
    async with database.session() as session:
        assert await _figures(session) == before
        answers = {one.question_id: one.value for one in await session.scalars(select(Answer))}
        assert answers == {"satisfaction": "不满意", "satisfaction.reason": GONE}
        case = await session.get_one(Case, talk.case_id)
        assert case.variables == {"company": "演示公司", "agent": "小客"}
        assert (await session.scalars(select(Ticket))).one().data == {"amount": 300}
        assert (await session.scalars(select(Inspection))).one().total == 80
        assert (await session.scalars(select(Import))).one().bad == [{"line": 4, "reason": "没有电话"}]


async def _figures(session: Any) -> Any:
    messages = (await session.execute(select(Message.direction, Message.intent, Message.created_at).order_by(Message.id))).all()
    cases = (await session.execute(select(Case.script_id, Case.outcome, Case.created_at, Case.ended_at, Case.last_message_at))).all()
    tickets = (await session.execute(select(Ticket.kind, Ticket.severity, Ticket.department, Ticket.created_at))).all()
    graded = (await session.execute(select(Answer.question_id, Answer.superseded).order_by(Answer.id))).all()
    return messages, cases, tickets, graded


async def test_an_erased_customer_is_not_contacted_when_the_number_is_imported_again(database: Database) -> None:
    talk = await written(database)
    await erased(database, talk.contact_id)
    async with database.session() as session:
        again = await records.create_contact(session, name=NAME, phone=PHONE)
        other = await records.create_contact(session, name="别人", phone="13977771235")
        assert await records.is_blocked(session, again)
        assert not await records.is_blocked(session, other)
        revision = (await session.get_one(Case, talk.case_id)).revision_id
        case_id = await records.create_case(session, again, revision)
        with pytest.raises(links.DoNotContact):
            await links.create_link(session, case_id, valid_for=timedelta(days=1))
        with pytest.raises(block.BlockError, match="already"):
            await block.block_phone(session, PHONE, "名单", None, NOW)


async def test_who_asked_for_nothing_may_be_a_customer_again(database: Database) -> None:
    talk = await write_talk(database, name=NAME, phone=PHONE)
    await erased(database, talk.contact_id)
    async with database.session() as session:
        assert not await records.is_blocked(session, await records.create_contact(session, name=NAME, phone=PHONE))


async def test_a_visitor_who_gave_the_number_is_erased_too_and_in_other_talks_only_the_number_goes(
    database: Database, database_url: str
) -> None:
    talk = await written(database)
    await write_talk(database, [Said("我要投诉师傅")], name="", phone=PHONE, is_anonymous=True, claimed=talk)
    wife = await write_talk(database, [Said(f"找我先生吧，打{PHONE}")], name="赵敏", phone="13500001111")
    async with database.session() as session:
        session.add(Answer(case_id=wife.case_id, question_id="p", value=PHONE, words=f"打{PHONE}", how="phone:mobile"))
        session.add(Ticket(case_id=wife.case_id, topic="t", kind="request", severity=4, department="d", reason="", data={"to": int(PHONE), "l": [int(PHONE), f"a,{PHONE},b"]}, due_at=NOW))
    await erased(database, talk.contact_id)
    assert places(database_url, (PHONE, "我要投诉师傅")) == set()
    async with database.session() as session:
        assert (await session.get_one(Contact, wife.contact_id)).name == "赵敏"
        lines = [line.text for line in await records.transcript(session, wife.case_id)]
        assert f"找我先生吧，打{GONE}" in lines


async def test_erasing_waits_for_the_turn_that_is_under_way(database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    talk = await written(database)
    monkeypatch.setattr("followup.rights.erase.LONGEST_WAIT", "200ms")
    with psycopg.connect(database_url, autocommit=True) as turn:
        turn.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", (f"turn:{talk.case_id}",))
        with pytest.raises(NotNow):
            await erased(database, talk.contact_id)
        async with database.session() as session:
            assert (await session.get_one(Contact, talk.contact_id)).name == NAME
        monkeypatch.setattr("followup.rights.erase.LONGEST_WAIT", "20s")
        waiting = asyncio.create_task(erased(database, talk.contact_id))
        # What the turn still writes before it lets go.
        async with database.session() as session:
            session.add(Note(case_id=talk.case_id, kind="after", text=WORDS[0]))
        assert not waiting.done()
        turn.execute("SELECT pg_advisory_unlock_all()")
        await waiting
    assert places(database_url, SECRETS) == set()


async def test_nothing_can_be_written_behind_an_erasure(database: Database, database_url: str) -> None:
    from followup.dialogue.effects import StoreAnswer
    from followup.store.effects import apply

    talk = await written(database)
    await erased(database, talk.contact_id)
    async with database.session() as session:
        with pytest.raises(UnknownCase):
            await accept(session, talk.case_id, "web", "late", WORDS[0])
    async with database.session() as session:
        late = StoreAnswer("satisfaction", WORDS[0], WORDS[0], "open:words")
        assert not await apply(session, talk.case_id, talk.messages[1], [late], NOW)
    assert places(database_url, SECRETS) == set()


async def test_a_customer_is_erased_once(database: Database) -> None:
    talk = await written(database)
    await erased(database, talk.contact_id)
    with pytest.raises(NoSuchCustomer):
        await erased(database, talk.contact_id)
    with pytest.raises(NoSuchCustomer):
        async with database.session() as session:
            await who_is(session, 10**12)


async def test_the_audit_log_forgets_only_what_an_erasure_it_records_covers(database: Database, database_url: str) -> None:
    talk = await written(database)
    forged = "UPDATE audit_log SET detail = jsonb_build_object('erased', (SELECT max(id) FROM audit_log)) WHERE action = 'answer.correct'"
    with psycopg.connect(database_url) as connection, pytest.raises(psycopg.errors.RaiseException, match="only grows"):
        connection.execute(forged)
    await erased(database, talk.contact_id)
    # Also afterwards: the entry of the erasure is there, but not of this transaction.
    with psycopg.connect(database_url) as connection, pytest.raises(psycopg.errors.RaiseException, match="only grows"):
        connection.execute("UPDATE audit_log SET detail = '{\"erased\": 1}' WHERE action = 'user.create'")
    with psycopg.connect(database_url) as connection:
        rows = dict(connection.execute("SELECT action, detail FROM audit_log").fetchall())
    assert rows["answer.correct"].keys() == rows["talks.export"].keys() == {"erased"}
    assert rows["user.create"] == {"name": "主管甲"}
    assert rows["customer.erase"] == {"reason": "客户要求"}


async def test_the_export_holds_everything_that_is_erased_afterwards(database: Database) -> None:
    talk = await written(database)
    async with database.session() as session:
        exported = await export_customer(session, talk.contact_id)
    whole = json.dumps(exported.data, ensure_ascii=False)
    assert [word for word in SECRETS if word not in whole] == []
    html = exported.as_zip(NOW, "主管甲")
    assert html[:2] == b"PK"
    assert "token_hash" not in whole


# —— retention ————————————————————————————————————————————————————————————


async def test_old_talks_lose_their_content_and_new_ones_keep_it(database: Database, database_url: str) -> None:
    await written(database)  # its ticket is open
    old = await write_talk(database, [Said("很久以前的话")], name="钱多多", phone="13900000001", at=NOW - timedelta(days=1100))
    new = await write_talk(database, [Said("最近的话")], name="孙小美", phone="13900000002", at=NOW - timedelta(days=1000))
    async with database.session() as session:
        (await session.get_one(Contact, old.contact_id)).created_at = NOW - timedelta(days=1101)
    assert await retention.erase_old(database, NOW, 1095) == 1
    assert places(database_url, ("很久以前的话", "钱多多", "13900000001")) == set()
    assert places(database_url, ("最近的话",)) >= {"messages.text"}
    async with database.session() as session:
        assert (await session.get_one(Case, old.case_id)).erased_at == NOW
        assert (await session.get_one(Case, new.case_id)).erased_at is None
        actions = (await session.execute(text("SELECT detail FROM audit_log WHERE action = 'retention.erase'"))).all()
    assert [detail for (detail,) in actions] == [{"talks": 1}]
    assert await retention.erase_old(database, NOW, 1095) == 0


async def test_nothing_is_erased_where_no_period_is_set_or_a_ticket_is_open(database: Database) -> None:
    await written(database)
    await write_talk(database, [Said("很久以前的话")], name="钱多多", phone="13900000001", at=NOW - timedelta(days=4000))
    assert await retention.erase_old(database, NOW, 0) == 0
    later = NOW + timedelta(days=400)
    assert await retention.erase_old(database, later, 300) == 1  # not the one with the open ticket


async def test_a_campaign_with_a_shorter_period_forgets_its_own_talks_sooner(database: Database) -> None:
    talks = [await write_talk(database, at=NOW - timedelta(days=40), phone=f"1390000200{n}") for n in range(2)]
    async with database.session() as session:
        made = parse.as_json(Definition("fruit_order", (Rule("3天", "签收日期"),), keep_days=30))
        campaign = Campaign(name="短期", script_id="fruit_order", definition=made, seed=1)
        session.add(campaign)
        await session.flush()
        session.add(CampaignEntry(campaign_id=campaign.id, contact_id=talks[0].contact_id, rule="3天", state="closed", case_id=talks[0].case_id))
    assert await retention.erase_old(database, NOW, 1095) == 1
    async with database.session() as session:
        assert (await session.get_one(Case, talks[0].case_id)).erased_at == NOW
        assert (await session.get_one(Case, talks[1].case_id)).erased_at is None


async def test_many_old_talks_go_in_batches_and_one_that_is_being_held_waits(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    talks = [await write_talk(database, at=NOW - timedelta(days=2000 + n), phone=f"1390000100{n}") for n in range(5)]
    with psycopg.connect(database_url, autocommit=True) as turn:
        turn.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", (f"turn:{talks[0].case_id}",))
        assert await retention.erase_old(database, NOW, 1095) == 4
    assert await retention.erase_old(database, NOW, 1095) == 1


async def test_the_page_is_told_what_is_next(database: Database) -> None:
    await write_talk(database, at=NOW - timedelta(days=1080))
    async with database.session() as session:
        count, first = await retention.due_next(session, NOW, 1095, timedelta(days=30))
        assert (count, first.date()) == (1, (NOW + timedelta(days=15)).date())
        assert await retention.due_next(session, NOW, 0, timedelta(days=30)) == (0, None)


