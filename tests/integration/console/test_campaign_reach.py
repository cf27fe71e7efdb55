"""Whom a campaign could reach: reckoned set by set, it is what is asked of each customer before a message."""

from __future__ import annotations

from itertools import product

from sqlalchemy import func, select, text

from followup.campaigns.definition import Audience
from followup.channels.wechat.notifier_address import has_address
from followup.console.campaigns import queries
from followup.contacts import consent
from followup.contacts.parse import OPENID_FIELD
from followup.store.campaign_models import Consent
from followup.store.database import Database
from followup.store.models import Contact, DoNotContact
from followup.store.records import blocked
from followup.store.wechat_models import WechatUser


async def everybody(database: Database) -> None:
    """Customers with every number, mailbox and OpenID there may be, who agreed, took it back or were never asked; some on the list."""
    async with database.session() as session:
        for number, (phone, email, openid, said) in enumerate(
            product(("13{:09d}", "0755{:08d}", None), ("c{}@example.com", None), ("o{}", None), ((True,), (True, False), (False, True), ()))
        ):
            contact = Contact(name=f"客户{number}", phone=phone and phone.format(20_000_000 + number), email=email and email.format(number))
            contact.fields = {OPENID_FIELD: openid.format(number)} if openid else {}
            session.add(contact)
            await session.flush()
            session.add_all(Consent(contact_id=contact.id, channel=channel, given=given, source="合同") for given in said for channel in ("sms", "email", "wechat"))
            if number % 5 == 1:
                session.add(WechatUser(account="a", openid=f"w{number}", contact_id=contact.id, follows=number % 10 == 1))
            match number % 11:
                case 1:
                    session.add(DoNotContact(contact_id=contact.id, source="staff"))
                case 2:
                    session.add(DoNotContact(phone=contact.phone or "13900000000", source="staff"))
                case 3:
                    session.add(DoNotContact(email=contact.email or "x@example.com", source="staff"))
                case 4:
                    session.add(DoNotContact(contact_id=contact.id, source="staff", lifted_at=func.now()))
                case 5 | 6 as kind:
                    digest = await session.scalar(select(func.phone_digest(contact.phone or "13900000001")))
                    session.add(DoNotContact(phone_digest=digest, source="erased" if kind == 5 else "customer"))
            await session.flush()


async def one_by_one(database: Database) -> queries.Reach:
    async with database.session() as session:
        contacts = list(await session.scalars(select(Contact)))
        stopped = set(await session.scalars(select(Contact.id).where(blocked(Contact.id, Contact.phone))))
        at_wechat = set(await session.scalars(select(Contact.id).where(has_address())))
        free = [one for one in contacts if one.id not in stopped]
        agreed = {channel: await consent.allowed(session, [one.id for one in free], channel) for channel in ("sms", "email", "wechat")}
    ways = {
        "sms": sum(one.id in agreed["sms"] and (one.phone or "").startswith("1") for one in free),
        "email": sum(one.id in agreed["email"] and bool(one.email) for one in free),
        "wechat": sum(one.id in agreed["wechat"] and one.id in at_wechat for one in free),
        "link": len(free),
    }
    return queries.Reach(len(contacts), len(stopped), ways)


async def test_it_is_what_is_asked_of_each_customer(database: Database) -> None:
    await everybody(database)
    expected = await one_by_one(database)
    assert all(expected.ways.values()) and expected.blocked
    async with database.session() as session:
        assert await queries.reach(session, Audience(), is_demo=False) == expected
        await session.execute(text("DELETE FROM do_not_contact WHERE phone_digest IS NOT NULL"))
    expected = await one_by_one(database)
    async with database.session() as session:
        assert await queries.reach(session, Audience(), is_demo=False) == expected


async def test_of_nobody_it_is_nothing(database: Database) -> None:
    async with database.session() as session:
        assert await queries.reach(session, Audience(), is_demo=False) == queries.Reach(0, 0, {"sms": 0, "email": 0, "wechat": 0, "link": 0})
