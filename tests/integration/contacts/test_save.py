"""Customers of a file before a real PostgreSQL: who is new, who is known, who contradicts; and all or nothing."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from followup.contacts import consent
from followup.contacts.parse import GivenConsent, NewContact
from followup.contacts.save import Saved, Source, earlier_import, save_contacts
from followup.settings import SHANGHAI
from followup.store.campaign_models import Consent, Import, ImportedContact
from followup.store.database import Database
from followup.store.models import Contact, DoNotContact

AT = datetime(2026, 11, 20, 10, tzinfo=SHANGHAI)
WANG = NewContact(2, "王芳", "女士", "13800138000", {"车型": "途观"}, external_id="C1")


async def save(database: Database, *contacts: NewContact, at: datetime = AT, skip_bad: bool = False, **source: Any) -> Saved:
    async with database.session() as session:
        record = Source("cli", "0" * 64, len(contacts), **source)
        return await save_contacts(session, contacts, record, at, skip_bad=skip_bad)


async def everybody(database: Database) -> list[Contact]:
    async with database.session() as session:
        return list(await session.scalars(select(Contact).order_by(Contact.id)))


async def test_a_new_customer_is_written_with_everything_and_the_import_knows_them(database: Database) -> None:
    saved = await save(database, NewContact(2, "王芳", "女士", "13800138000", {"车型": "途观"}, "w@example.com", "C1", "o1", ("VIP",)))
    (wang,) = await everybody(database)
    assert (wang.name, wang.title, wang.phone, wang.email, wang.external_id) == ("王芳", "女士", "13800138000", "w@example.com", "C1")
    assert wang.groups == ["VIP"] and wang.fields == {"车型": "途观", "微信OpenID": "o1"} and wang.updated_at == AT
    async with database.session() as session:
        assert (await session.scalars(select(ImportedContact.contact_id))).all() == [wang.id]
    assert (saved.created, saved.updated) == (1, 0)


async def test_the_same_again_changes_nothing_and_does_not_say_it_did(database: Database) -> None:
    await save(database, WANG)
    saved = await save(database, WANG, at=AT + timedelta(days=1))
    (wang,) = await everybody(database)
    assert (saved.created, saved.updated, saved.unchanged) == (0, 0, 1) and wang.updated_at == AT


@pytest.mark.parametrize(
    "again",
    [
        NewContact(9, "王芳", "", "13800138000", {"城市": "北京"}),
        NewContact(9, "王芳", "", "", {"城市": "北京"}, external_id="C1"),
    ],
    ids=["by phone", "by the firm's number"],
)
async def test_a_known_customer_is_completed(database: Database, again: NewContact) -> None:
    await save(database, WANG, at=AT)
    later = AT + timedelta(hours=1)
    assert (await save(database, again, at=later)).updated == 1
    (wang,) = await everybody(database)
    assert wang.fields == {"车型": "途观", "城市": "北京"} and wang.phone == "13800138000" and wang.updated_at == later


async def test_a_known_customer_is_found_by_openid(database: Database) -> None:
    await save(database, NewContact(2, "王芳", "", "13800138000", openid="o1"))
    await save(database, NewContact(2, "王芳", "", "", {"城市": "北京"}, openid="o1"))
    assert len(await everybody(database)) == 1


async def test_the_firms_number_brings_a_new_telephone_and_name(database: Database) -> None:
    await save(database, WANG)
    await save(database, NewContact(2, "王芳芳", "", "13900139000", external_id="C1"))
    (wang,) = await everybody(database)
    assert (wang.name, wang.phone) == ("王芳芳", "13900139000")


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (NewContact(5, "李强", "", "13800138000"), "电话已登记在“王芳”名下，与姓名“李强”不符"),
        (NewContact(5, "王芳", "", "13800138000", external_id="C9"), "电话已登记在客户编号“C1”名下"),
        (NewContact(5, "王芳", "", "13800138000", external_id="C2"), "属于不同的已登记客户"),
    ],
)
async def test_what_contradicts_is_told_and_nothing_is_written(database: Database, row: NewContact, words: str) -> None:
    await save(database, WANG, NewContact(3, "李强", "", "13900139000", external_id="C2"))
    saved = await save(database, NewContact(4, "赵敏", "", "13700137000"), row)
    assert saved.import_id is None and len(await everybody(database)) == 2
    (bad,) = saved.bad
    assert bad.line == 5 and words in bad.reason
    saved = await save(database, NewContact(4, "赵敏", "", "13700137000"), row, skip_bad=True)
    assert saved.created == 1 and len(await everybody(database)) == 3


async def test_two_rows_that_are_one_known_customer_are_told(database: Database) -> None:
    await save(database, WANG)
    saved = await save(database, NewContact(2, "王芳", "", "13800138000"), NewContact(3, "王芳", "", "", external_id="C1"))
    assert [str(bad) for bad in saved.bad] == ["第 3 行：与第 2 行是同一位已登记的客户，请合并成一行。"]


async def test_demo_customers_and_visitors_are_nobody_a_file_could_mean(database: Database) -> None:
    async with database.session() as session:
        session.add_all([Contact(name="演示", phone="13800138000", is_demo=True), Contact(name="访客", phone="13800138000", is_anonymous=True)])
    assert (await save(database, WANG)).created == 1


async def test_groups_are_added_and_none_is_lost(database: Database) -> None:
    await save(database, NewContact(2, "王芳", "", "13800138000", groups=("曾投诉",)))
    await save(database, NewContact(2, "王芳", "", "13800138000", groups=("VIP", "曾投诉")))
    assert (await everybody(database))[0].groups == ["曾投诉", "VIP"]


async def test_who_is_on_the_do_not_contact_list_is_counted(database: Database) -> None:
    async with database.session() as session:
        digest = await session.scalar(select(func.phone_digest("13700137000")))
        session.add_all([DoNotContact(phone="13800138000", source="staff"), DoNotContact(phone_digest=digest, source="staff")])
        session.add(DoNotContact(phone="13600136000", source="staff", lifted_at=AT))
    saved = await save(database, WANG, NewContact(3, "赵敏", "", "13700137000"), NewContact(4, "钱多", "", "13600136000"))
    assert saved.blocked == 2 and saved.created == 3


async def test_bad_rows_are_kept_with_the_header_in_front(database: Database) -> None:
    from followup.contacts.parse import BadRow

    await save(database, WANG, header=("姓名", "电话"), bad=(BadRow(3, "没有填写电话。", ("李强", "")),), skip_bad=True)
    async with database.session() as session:
        record = (await session.scalars(select(Import))).one()
        assert record.bad_count == 1 and record.bad[0]["cells"] == ["姓名", "电话"] and record.bad[1]["line"] == 3
        assert (await earlier_import(session, "0" * 64)).id == record.id  # type: ignore[union-attr]


def agreeing(given: bool = True, at: str = "", text: str = "v1") -> NewContact:
    return NewContact(2, "王芳", "", "13800138000", consents=(GivenConsent("sms", given, "购买合同", text, at),))


async def consents(database: Database) -> list[Consent]:
    async with database.session() as session:
        return list(await session.scalars(select(Consent).order_by(Consent.id)))


async def test_a_consent_is_kept_with_source_text_and_time_and_once(database: Database) -> None:
    for _ in range(2):
        await save(database, agreeing(at="2026-11-01 09:30"))
    (one,) = await consents(database)
    assert (one.channel, one.given, one.source, one.text_version) == ("sms", True, "购买合同", "v1")
    assert one.at == datetime(2026, 11, 1, 9, 30, tzinfo=SHANGHAI)
    async with database.session() as session:
        assert await consent.allowed(session, [one.contact_id], "sms") == {one.contact_id}
        assert await consent.allowed(session, [one.contact_id], "email") == set()


async def test_a_file_does_not_undo_what_the_customer_took_back_unless_the_consent_is_newer(database: Database) -> None:
    await save(database, agreeing())
    (one,) = await consents(database)
    async with database.session() as session:
        await consent.withdraw_all(session, one.contact_id, "会话", AT)
        await consent.withdraw_all(session, one.contact_id, "会话", AT)
    assert [row.given for row in await consents(database)] == [True, False]
    for again in (agreeing(text="v2"), agreeing(at="2026-11-01", text="v2")):
        await save(database, again, at=AT + timedelta(days=1))
    async with database.session() as session:
        assert await consent.standing(session, one.contact_id) == {"sms": False}
    await save(database, agreeing(at="2026-11-21"), at=AT + timedelta(days=2))
    async with database.session() as session:
        assert await consent.standing(session, one.contact_id) == {"sms": True}
