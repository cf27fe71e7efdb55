"""From the queued delivery to the talk: engine, invitation, provider, code typed, report."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime

import pytest_asyncio

from followup.campaigns.queue import AGAIN
from followup.campaigns.send import send_batch
from followup.channels.account import SmsAccount
from followup.channels.aliyun import Aliyun
from followup.channels.invite import Invite
from followup.channels.notifiers import make_notifiers
from followup.channels.trial import trial_messages
from followup.settings import SHANGHAI, Settings
from followup.store.campaign_models import Campaign, Delivery
from tests.fakes.aliyun import KEY_ID, KEY_SECRET, FakeAliyun
from tests.fakes.smtp import FakeSmtp
from tests.integration.campaigns.conftest import SCRIPT, GIVEN, NEXT_DAY
from followup.campaigns import parse
from followup.campaigns.definition import Definition
from tests.integration.channels.conftest import PHONE, Mailman, Sent, make_sent

AT = datetime(2026, 11, 24, 10, 30, tzinfo=SHANGHAI)
ACCOUNT = SmsAccount("aliyun", KEY_ID, KEY_SECRET, "演示商城", {"first": "SMS_1"})


@pytest_asyncio.fixture
async def carrier() -> AsyncIterator[FakeAliyun]:
    fake = FakeAliyun()
    await fake.start()
    yield fake
    await fake.close()


@pytest_asyncio.fixture
async def queued(database) -> Sent:
    """A delivery that stands in the queue."""
    sent = await make_sent(database, "", None, "sending")
    await sent.change(Delivery, sent.delivery_id, status="queued", sending_at=None, done_at=None, day=AT.date())
    async with database.session() as session:
        from followup.store.campaign_models import CampaignEntry

        entry = await session.get_one(CampaignEntry, sent.entry_id)
        entry.channel, entry.tries, entry.sent_at, entry.not_after = "", 0, None, datetime(2026, 12, 30, tzinfo=SHANGHAI)
        campaign = await session.get_one(Campaign, entry.campaign_id)
        campaign.definition = parse.as_json(Definition(SCRIPT, (NEXT_DAY,), variables=GIVEN))
    return sent


async def sends(sent: Sent, notifier: object, settings: Settings, at: datetime = AT) -> str:
    done = await send_batch(sent.database, {"sms": notifier}, Invite(settings), at)
    return done.became.get(sent.delivery_id, "not in the queue")


async def test_a_short_message_brings_the_customer_into_the_talk(queued, carrier, settings, visitor) -> None:
    assert await sends(queued, Aliyun(ACCOUNT, carrier.url), settings) == "accepted"
    (message,) = carrier.taken
    assert (message.to, message.ours) == (PHONE, str(queued.delivery_id))
    answer = await visitor.post("/s", data={"code": message.variables["code"].lower()}, allow_redirects=False)
    assert answer.status == 303
    assert [row.text for row in await queued.talk.rows("system")] == ["/start_followup"]
    assert await Mailman(visitor, "aliyun").reports(queued, provider_id=message.provider_id) == 200
    assert (await queued.delivery).status == "delivered"


async def test_a_message_nobody_knows_of_is_never_sent_again_and_its_report_settles_it(queued, carrier, settings, visitor) -> None:
    carrier.fails = ["after"]
    notifier = Aliyun(ACCOUNT, carrier.url)
    assert await sends(queued, notifier, settings) == "unknown"
    assert await sends(queued, notifier, settings) == "not in the queue"
    assert len(carrier.taken) == carrier.asked == 1
    assert await Mailman(visitor, "aliyun").reports(queued, provider_id=carrier.taken[0].provider_id) == 200
    delivery, entry = await queued.delivery, await queued.entry
    assert (delivery.status, entry.state, entry.reason) == ("delivered", "sent", "")


async def test_an_empty_account_pauses_the_campaign_and_loses_nobody(queued, carrier, settings) -> None:
    carrier.balance = 0
    assert await sends(queued, Aliyun(ACCOUNT, carrier.url), settings) == "suppressed"
    entry = await queued.entry
    campaign = await queued.row(Campaign, entry.campaign_id)
    assert (campaign.status, campaign.why, entry.state) == ("paused", "provider:isv.AMOUNT_NOT_ENOUGH", "waiting")


async def test_a_busy_carrier_is_asked_later_with_another_code(queued, carrier, settings) -> None:
    carrier.fails = ["isv.BUSINESS_LIMIT_CONTROL"]
    notifier = Aliyun(ACCOUNT, carrier.url)
    assert await sends(queued, notifier, settings) == "queued"
    assert await sends(queued, notifier, settings, AT + AGAIN[0]) == "accepted"
    assert len(carrier.taken) == 1


async def test_after_an_opt_out_by_short_message_nothing_is_sent(queued, carrier, settings, visitor) -> None:
    await Mailman(visitor, "aliyun").passes_on("TD")
    assert await sends(queued, Aliyun(ACCOUNT, carrier.url), settings) == "suppressed"
    assert carrier.asked == 0


async def test_the_trial_works_without_any_account(queued, settings, visitor) -> None:
    settings = replace(settings, sms=SmsAccount("fake", templates={"first": "demo"}))
    assert await sends(queued, make_notifiers(settings)["sms"], settings) == "accepted"
    (message,) = trial_messages(settings.home)
    code = re.search(r"服务码 (\S+) ", message.text)
    assert code is not None
    assert (await visitor.post("/s", data={"code": code[1]}, allow_redirects=False)).status == 303


async def test_a_letter_brings_the_customer_into_the_talk_or_off_the_list(queued, settings, visitor) -> None:
    from followup.store.campaign_models import Consent
    from followup.store.models import Contact

    post_office = FakeSmtp()
    await post_office.start()
    async with queued.database.session() as session:
        session.add(Consent(contact_id=queued.contact_id, channel="email", given=True, source="测试"))
    await queued.change(Contact, queued.contact_id, email="zhang@example.com")
    await queued.change(Delivery, queued.delivery_id, channel="email")
    settings = replace(settings, smtp_url=f"smtp://127.0.0.1:{post_office.port}", mail_from="客户回访 <us@example.com>")
    email = make_notifiers(settings)["email"]
    assert (await send_batch(queued.database, {"email": email}, Invite(settings), AT)).became == {queued.delivery_id: "accepted"}
    (letter,) = post_office.letters
    await post_office.close()
    body = letter.get_body(("plain",))
    assert body is not None
    link = re.search(r"https?://\S+(/c/\S+)", body.get_content())
    assert link is not None and (await visitor.get(link[1])).status == 200
    page = letter["List-Unsubscribe"].strip("<>").removeprefix(settings.public_url)
    assert (await visitor.post(page, data={"List-Unsubscribe": "One-Click"})).status == 200
    assert len(await queued.standing_blocks()) == 1


def test_what_is_not_set_up_is_no_channel(tmp_path) -> None:
    assert set(make_notifiers(Settings(home=tmp_path))) == {"link"}
