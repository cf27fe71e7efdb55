"""From the upload to the gate: whoever must not be contacted is not, however they come in."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from followup.campaigns.gate import standings
from followup.console.audit import entry_of
from followup.contacts import consent
from followup.contacts.parse import ContactsFile, parse_contacts
from followup.contacts.save import Saved, Source, save_contacts
from followup.rights.block import block_contact, block_phone, lift
from followup.rights.erase import erase_customer
from followup.settings import SHANGHAI
from followup.store.campaign_models import Consent
from followup.store.database import Database
from followup.store.models import Callback, Contact, DoNotContact, User
from followup.store.records import create_case, is_blocked, save_revision
from followup.talk.links import DoNotContact as Shut
from followup.talk.links import create_link

AT = datetime(2026, 11, 20, 10, tzinfo=SHANGHAI)
LATER = AT + timedelta(days=1)
AGREED = "姓名,手机号,邮箱,客户编号,微信OpenID,同意方式,同意来源,备注\n"


def parse(text: str, header: str = AGREED) -> ContactsFile:
    return parse_contacts((header + text).encode(), AT.date())


async def take(database: Database, text: str, *, at: datetime = AT, skip_bad: bool = True, header: str = AGREED) -> Saved:
    file = parse(text, header)
    async with database.session() as session:
        source = Source("cli", "0" * 64, len(file.contacts), bad=file.bad)
        return await save_contacts(session, file.contacts, source, at, skip_bad=skip_bad, stops=file.stops)


async def one(database: Database, name: str) -> Contact:
    async with database.session() as session:
        return (await session.scalars(select(Contact).where(Contact.name == name).order_by(Contact.id.desc()).limit(1))).one()


async def shut(database: Database, name: str) -> bool:
    """Whether the gate lets nothing through, and no link is made either."""
    contact = await one(database, name)
    async with database.session() as session:
        (standing,) = (await standings(session, [contact.id], AT.date())).values()
        revision = await save_revision(session, "tea", "1", {"id": "tea", "questions": []})
        case_id = await create_case(session, contact.id, revision)
        try:
            await create_link(session, case_id, valid_for=timedelta(days=1))
            linked = True
        except Shut:
            linked = False
    assert standing.blocked is not linked
    return standing.blocked


async def erase(database: Database, name: str) -> None:
    contact = await one(database, name)
    async with database.session() as session:
        entry = entry_of(None, "customer.erase", "contact", contact.id)
        session.add(entry)
        await session.flush()
        await erase_customer(session, contact.id, entry.id, AT)


async def entries(database: Database) -> list[DoNotContact]:
    async with database.session() as session:
        return list(await session.scalars(select(DoNotContact).order_by(DoNotContact.id)))


@pytest.mark.parametrize("written", ["+86 138-0013-8000", "0086 13800138000", "８６１３８００１３８０００", "138 0013 8000", "'13800138000", '"=""13800138000"""'])
async def test_a_blocked_mobile_number_is_known_however_it_is_written(database: Database, written: str) -> None:
    async with database.session() as session:
        await block_phone(session, "13800138000", "来电", None, AT)
    saved = await take(database, f"王芳,{written},,,,短信,合同,\n")
    assert saved.blocked == 1 and await shut(database, "王芳")


@pytest.mark.parametrize("written", ["010-62345678", "(010) 6234 5678", "+86 10 62345678", "0086-10-62345678", "０１０－６２３４５６７８", "86 010 62345678"])
async def test_a_blocked_landline_is_known_however_it_is_written(database: Database, written: str) -> None:
    async with database.session() as session:
        await block_phone(session, "01062345678", "来电", None, AT)
    await take(database, f"王芳,{written},,,,,,\n")
    assert await shut(database, "王芳")


@pytest.mark.parametrize(("written", "words"), [("010-62345678转801", "分机号"), ("010-62345678-801", "分机号"), ("0755 26001234 ext 12", "分机号"), ("13800138000/13900139000", "几个号码"), ("1٣800138000", "不是有效的")])
def test_a_number_that_is_none_of_ours_is_told_and_not_guessed(written: str, words: str) -> None:
    (bad,) = parse(f"王芳,{written},,,,,,\n").bad
    assert words in bad.reason


@pytest.mark.parametrize("remark", ["免打扰", "勿扰", "客户不同意回访", "已故"])
async def test_a_row_that_says_so_is_on_the_list_and_its_consents_are_taken_back(database: Database, remark: str) -> None:
    await take(database, "王芳,13800138000,,,,短信,合同,\n")
    assert not await shut(database, "王芳")
    saved = await take(database, f"王芳,13800138000,,,,短信,合同,{remark}\n", at=LATER)
    assert saved.blocked == 1 and await shut(database, "王芳")
    (entry,) = await entries(database)
    assert entry.source == "import" and remark in entry.reason and entry.contact_id == (await one(database, "王芳")).id
    async with database.session() as session:
        assert await consent.standing(session, entry.contact_id) == {"sms": False}
    await take(database, f"王芳,13800138000,,,,短信,合同,{remark}\n", at=LATER)
    assert len(await entries(database)) == 1


async def test_a_row_that_is_passed_over_still_stops_its_number(database: Database) -> None:
    await take(database, "王芳,13800138000,,,,短信,合同,\n李强,13900139000,,,,,,\n")
    # Another name, and none at all: rows that cannot be taken.
    await take(database, "王方,13800138000,,,,,,免打扰\n,13900139000,,,,,,请勿联系\n", at=LATER)
    assert await shut(database, "王芳") and await shut(database, "李强")


async def test_what_is_not_taken_stops_nobody(database: Database) -> None:
    saved = await take(database, "王芳,13800138000,,,,,,免打扰\n李强,1,,,,,,\n", skip_bad=False)
    assert not saved.written and await entries(database) == []


async def test_a_booked_call_back_of_who_is_stopped_is_off(database: Database) -> None:
    await take(database, "王芳,13800138000,,,,,,\n")
    contact = await one(database, "王芳")
    async with database.session() as session:
        revision = await save_revision(session, "tea", "1", {"id": "tea", "questions": []})
        case_id = await create_case(session, contact.id, revision)
        session.add(Callback(case_id=case_id, at=LATER, words="", reason="busy", status="booked"))
    await take(database, "王芳,13800138000,,,,,,勿扰\n", at=LATER)
    async with database.session() as session:
        assert (await session.scalars(select(Callback.status))).one() == "cancelled"


async def test_who_is_blocked_by_an_old_number_stays_so_with_a_new_one(database: Database) -> None:
    await take(database, "王芳,13800138000,,C1,,短信,合同,\n")
    async with database.session() as session:
        await block_phone(session, "13800138000", "来电", None, AT)
    await take(database, "王芳,13900139000,,C1,,短信,合同,\n", at=LATER)
    assert (await one(database, "王芳")).phone == "13900139000" and await shut(database, "王芳")


async def test_a_new_customer_with_a_blocked_ones_mailbox_gets_nothing_there(database: Database) -> None:
    await take(database, "王芳,13800138000,wang@example.com,,,邮件,合同,\n")
    async with database.session() as session:
        await block_contact(session, (await session.scalars(select(Contact.id))).one(), "退订", None, AT)
    saved = await take(database, "王小芳,13900139000,WANG@example.com,,,邮件,合同,\n", at=LATER)
    assert saved.blocked == 1 and await shut(database, "王小芳")


async def test_who_has_only_a_mailbox_is_one_customer_however_often_the_file_comes(database: Database) -> None:
    for at in (AT, LATER):
        await take(database, "王芳,,wang@example.com,,,邮件,合同,\n王芳,,Wang@Example.com,,,邮件,合同,\n", at=at)
    async with database.session() as session:
        assert len((await session.scalars(select(Contact.id))).all()) == 1
    saved = await take(database, "李强,,wang@example.com,,,,,\n", at=LATER)
    assert "邮箱已登记在“王芳”名下" in saved.bad[0].reason


@pytest.mark.parametrize(
    "row", ["王芳,13800138000,,,,短信,合同,\n", "王芳,,wang@example.com,,,邮件,合同,\n", "王芳,13900139000,,C1,,短信,合同,\n", "王芳,,,,o1,,,\n", "王芳,+86 138 0013 8000,,C9,,,,\n"]
)  # fmt: skip
async def test_an_erased_customer_does_not_come_back_by_a_list(database: Database, row: str) -> None:
    await take(database, "王芳,13800138000,wang@example.com,C1,o1,短信,合同,\n")
    await erase(database, "王芳")
    saved = await take(database, "李强,13700137000,,,,,,\n" + row, at=LATER)
    assert saved.created == 1 and len(saved.bad) == 1 and "要求删除过资料" in saved.bad[0].reason
    (entry,) = await entries(database)
    assert (entry.source, entry.contact_id, entry.phone, entry.email) == ("erased", None, None, None)
    assert not any(word in repr(vars(entry)) for word in ("13800138000", "wang@", "C1", "o1", "王芳"))


async def test_an_erased_customer_who_agrees_anew_is_let_in_by_lifting_the_entry(database: Database) -> None:
    await take(database, "王芳,13800138000,,,,短信,合同,\n")
    await erase(database, "王芳")
    async with database.session() as session:
        user = User(name="王主管", password_hash="", role="supervisor")
        session.add(user)
        await session.flush()
        (entry,) = await session.scalars(select(DoNotContact))
        await lift(session, entry.id, "本人重新办理业务", user.id, AT)
    assert (await take(database, "王芳,13800138000,,,,短信,合同,\n", at=LATER)).created == 1
    assert not await shut(database, "王芳")


async def test_who_asked_for_silence_and_for_deletion_stays_blocked_by_number_and_mailbox(database: Database) -> None:
    await take(database, "王芳,13800138000,wang@example.com,,,短信,合同,\n")
    contact = await one(database, "王芳")
    async with database.session() as session:
        await block_contact(session, contact.id, "来电", None, AT)
    await erase(database, "王芳")
    async with database.session() as session:
        (erased,) = await session.scalars(select(DoNotContact).where(DoNotContact.source == "erased"))
        erased.lifted_at = AT
    for row in ("王芳,13800138000,,,,短信,合同,\n", "王大芳,,wang@example.com,,,邮件,合同,\n"):
        saved = await take(database, row, at=LATER)
        assert saved.blocked == 1
    assert await shut(database, "王大芳")


async def test_a_consent_of_tomorrow_is_refused_and_a_refusal_is_not_undone(database: Database) -> None:
    header = "姓名,手机号,同意方式,同意来源,同意时间\n"
    file = parse_contacts((header + "王芳,13800138000,短信,合同,2027-01-01\n").encode(), AT.date())
    assert file.contacts == () and "在将来" in file.bad[0].reason
    await take(database, "王芳,13800138000,不同意,,\n", header=header)
    await take(database, "王芳,13800138000,短信,合同,\n", header=header, at=LATER)
    async with database.session() as session:
        assert [row.given for row in await session.scalars(select(Consent).where(Consent.channel == "sms"))] == [False]


async def test_customers_without_number_and_mailbox_have_nothing_in_common(database: Database) -> None:
    """Empty texts, as other systems write them, are no address that two customers share."""
    async with database.session() as session:
        stopped, other = (Contact(name=name, phone="", email="") for name in ("王一", "王二"))
        session.add_all([stopped, other])
        await session.flush()
        await block_contact(session, stopped.id, "本人要求", None, AT)
        assert await is_blocked(session, stopped.id)
        assert not await is_blocked(session, other.id)
