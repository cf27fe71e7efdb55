"""Replies that could not be delivered in a running WeChat talk: kept, shown, and the customer invited by the next way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest
import pytest_asyncio
from sqlalchemy import delete, select, update

from followup.channels.wechat.template import Notices
from followup.settings import SHANGHAI
from followup.store.campaign_models import Consent
from followup.store.models import Callback, Case, Message
from followup.store.wechat_models import WechatUser
from tests.integration.web.web_talk import make_talk
from tests.integration.wechat.campaigning import TEMPLATE, Shop, open_shop
from tests.integration.wechat.campaigning import OPENID


@pytest_asyncio.fixture
async def shop(request: pytest.FixtureRequest, database, tmp_path, monkeypatch) -> AsyncIterator[Shop]:
    """The customer talks to us by WeChat, and WeChat refuses our reply."""
    async with open_shop(database, tmp_path, monkeypatch, getattr(request, "param", Notices())) as shop:
        talk = await make_talk(database)
        async with database.session() as session:
            case = await session.get_one(Case, talk.case_id)
            case.status, case.opened_at, case.last_message_at, case.contact_id = "open", shop.at, shop.at, shop.customer
            (await session.scalars(select(WechatUser))).one().case_id = case.id
            said = Message(
                case_id=case.id, direction="in", channel="wechat:shop", channel_message_id="1", text="什么时候退款？", status="handled",
                created_at=shop.at,
            )  # fmt: skip
            session.add(said)
        shop.case_id = talk.case_id  # type: ignore[attr-defined]
        yield shop


async def reply(shop: Shop, text: str = "三天之内。", *, code: int = 45015, of: str = "in") -> None:
    """A turn's line, which WeChat refuses with this code; its first half too, where it is cut for being too long."""
    await shop.wrote()
    async with shop.database.session() as session:
        heard = await session.scalar(select(Message.id).where(Message.direction == of).order_by(Message.id.desc()))
        session.add(
            Message(
                case_id=shop.case_id, direction="out", channel="wechat:shop", channel_message_id=text, text=text, status="queued",  # type: ignore[attr-defined]
                in_reply_to=heard, created_at=shop.at,
            )  # fmt: skip
        )
    shop.fake.codes = [code] * (2 if code == 45002 else 1) if code else []
    await shop.sender.send(shop.case_id)  # type: ignore[attr-defined]


async def after(shop: Shop, **ahead: float) -> None:
    shop.move(shop.at + timedelta(**ahead))
    await shop.tidy()


async def outbox(shop: Shop) -> list[tuple[str, str | None]]:
    async with shop.database.session() as session:
        rows = await session.scalars(select(Message).where(Message.direction == "out").order_by(Message.id))
        return [(row.status, row.error) for row in rows]


@pytest.mark.parametrize("code", [45015, 45047])
async def test_a_reply_that_waits_brings_an_invitation_by_the_next_channel(shop, code):
    await reply(shop, code=code)
    assert await outbox(shop) == [("queued", str(code))]
    await after(shop, minutes=9)
    assert shop.texted == 0, "the customer may write meanwhile"
    await after(shop, minutes=1)
    assert shop.texted == 1 and shop.providers["sms"].sent[0].kind == "resume"
    assert await outbox(shop) == [("queued", str(code))], "it is kept, and shown as not delivered"
    for _ in range(3):
        await after(shop, hours=2)
    assert shop.texted == 1, "once for each silence"


@pytest.mark.parametrize("code", [43004, 50005, 40003, 45002, 48001])
async def test_so_does_one_that_will_never_be_sent(shop, code):
    await reply(shop, code=code)
    assert await outbox(shop) == [("failed", str(code))]
    await after(shop, minutes=10)
    assert shop.texted == 1


@pytest.mark.parametrize("code", [-1, 45009, 45011, 40001])
async def test_one_that_is_only_late_does_not(shop, code):
    shop.fake.codes = [code]
    await reply(shop, code=code)
    await after(shop, minutes=10)
    assert shop.texted == 0


async def test_who_writes_meanwhile_gets_it_here(shop):
    await reply(shop)
    shop.move(shop.at + timedelta(minutes=5))
    shop.fake.wait = 6.0
    await shop.fake.says(OPENID, "人呢")
    await shop.sender.send(shop.case_id)
    await after(shop, minutes=10)
    assert shop.texted == 0 and shop.phone.texts()[-1] == "三天之内。"


async def test_who_goes_on_by_the_web_page_does_not_read_it_twice(shop):
    await reply(shop)
    async with shop.database.session() as session:
        session.add(
            Message(case_id=shop.case_id, direction="in", channel="web", channel_message_id="w1", text="看到了", status="handled", created_at=shop.at)
        )
    await after(shop, minutes=10)
    assert shop.texted == 0 and await outbox(shop) == [("delivered", "read_elsewhere")]


@pytest.mark.parametrize("shop", [TEMPLATE], indirect=True)
async def test_a_template_message_comes_before_another_channel(shop):
    await reply(shop)
    await after(shop, minutes=10)
    assert [line["how"] for line in shop.phone.seen] == ["template"] and shop.texted == 0
    (_, _, number), *_ = shop.fake.notices.sent
    await shop.fake.notices.reports(OPENID, number, "failed: system failed")
    await after(shop, minutes=1)
    assert shop.texted == 1


async def test_nobody_is_invited_at_night(shop):
    shop.move(datetime(2026, 3, 10, 20, 55, tzinfo=SHANGHAI))
    await reply(shop)
    await after(shop, minutes=10)
    assert shop.texted == 0 and await shop.states() == []
    shop.move(datetime(2026, 3, 11, 8, 31, tzinfo=SHANGHAI))
    await shop.tidy()
    assert shop.texted == 1


async def test_nobody_without_consent_or_who_opted_out_is_invited(shop):
    async with shop.database.session() as session:
        await session.execute(delete(Consent).where(Consent.channel == "sms"))
    await reply(shop)
    await after(shop, minutes=10)
    assert await shop.states() == []


async def test_what_we_began_ourselves_needs_no_invitation(shop):
    async with shop.database.session() as session:
        session.add(
            Message(case_id=shop.case_id, direction="system", channel="system", channel_message_id="s", text="/silence", status="handled", created_at=shop.at)
        )
    await reply(shop, "您还在吗？", of="system")
    await after(shop, minutes=10)
    assert shop.texted == 0


async def test_a_talk_that_is_over_is_left_alone(shop):
    await reply(shop)
    async with shop.database.session() as session:
        await session.execute(update(Case).values(status="closed"))
    await after(shop, minutes=10)
    assert shop.texted == 0


async def test_a_call_back_whose_own_line_goes_here_is_no_second_message(shop):
    from followup.campaigns.callbacks import resume_due_callbacks

    await shop.wrote(timedelta(hours=2))
    shop.move(shop.at + timedelta(hours=1))
    async with shop.database.session() as session:
        await session.execute(update(Case).values(status="waiting"))
        session.add(Callback(case_id=shop.case_id, at=shop.at, status="booked", reason="busy", words="", created_at=shop.at))
        await session.execute(delete(Consent).where(Consent.channel == "sms"))
    async with shop.database.session() as session:
        assert await resume_due_callbacks(session, shop.at) == 1
    await shop.send_queued()
    assert await shop.states() == [("wechat", "accepted", "")] and shop.phone.seen == []


async def test_menus_the_account_has_no_right_to_become_numbers(shop):
    await shop.wrote()
    async with shop.database.session() as session:
        session.add(
            Message(
                case_id=shop.case_id, direction="out", channel="wechat:shop", channel_message_id="m", text="满意吗？", status="queued",
                quick_replies=["满意", "不满意"], created_at=shop.at,
            )  # fmt: skip
        )
    shop.fake.codes = [48001]
    await shop.sender.send(shop.case_id)
    assert "2 不满意" in shop.phone.texts()[-1] and await outbox(shop) == [("sent", None)]
