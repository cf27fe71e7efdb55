"""Reports of short messages: twice, in any order, too early, forged; and what customers text back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from followup import clock
from followup.contacts.consent import standing
from followup.store.campaign_models import Delivery
from followup.store.models import Case
from tests.integration.channels.conftest import PHONE, Mailman, Sent, make_sent


async def test_a_message_that_arrived_is_delivered_once_however_often_it_is_told(mailman: Mailman, sent: Sent) -> None:
    for _ in range(3):
        assert await mailman.reports(sent) == 200
    delivery, entry = await sent.delivery, await sent.entry
    assert (delivery.status, entry.state, entry.reason) == ("delivered", "sent", "")
    assert delivery.delivered_at == entry.delivered_at
    assert delivery.delivered_at.isoformat().startswith("2026-03-10T")


async def test_a_message_that_did_not_arrive_makes_way_for_the_next_channel(mailman: Mailman, sent: Sent) -> None:
    assert await mailman.reports(sent, False, code="MK:0010") == 200
    delivery, entry = await sent.delivery, await sent.entry
    assert (delivery.status, delivery.error, entry.state) == ("failed", "MK:0010", "waiting")
    assert entry.next_at <= clock.now()


async def test_what_arrived_stays_arrived_when_an_older_failure_is_told_later(mailman: Mailman, sent: Sent) -> None:
    await mailman.reports(sent)
    await mailman.reports(sent, False, code="MK:0010")
    assert (await sent.delivery).status == "delivered"
    assert (await sent.entry).state == "sent"


async def test_a_failure_that_is_taken_back_is_an_arrival(mailman: Mailman, sent: Sent) -> None:
    await mailman.reports(sent, False, code="MK:0010")
    await mailman.reports(sent)
    assert (await sent.delivery).status == "delivered"
    assert (await sent.entry).delivered_at is not None


async def test_a_customer_who_is_in_the_talk_is_not_asked_on_another_channel(mailman: Mailman, sent: Sent) -> None:
    await sent.change(Case, sent.talk.case_id, opened_at=clock.now(), status="open")
    await mailman.reports(sent, False, code="MK:0010")
    assert (await sent.entry).state == "sent"


async def test_a_report_of_an_earlier_message_leaves_the_newer_one_alone(mailman: Mailman, sent: Sent) -> None:
    async with sent.database.session() as session:
        first = await session.get_one(Delivery, sent.delivery_id)
        session.add(
            Delivery(
                case_id=first.case_id, contact_id=first.contact_id, entry_id=first.entry_id, number=2, kind="reminder", channel="email",
                status="accepted", day=first.day,
            )  # fmt: skip
        )
    await mailman.reports(sent, False, code="MK:0010")
    assert ((await sent.delivery).status, (await sent.entry).state) == ("failed", "sent")


async def test_a_report_that_overtakes_our_own_note_is_told_again(mailman: Mailman, database) -> None:
    sent = await make_sent(database, "", None, "sending")
    assert await mailman.reports(sent) == 503
    assert (await sent.delivery).status == "sending"
    await sent.change(Delivery, sent.delivery_id, status="accepted", provider=mailman.provider, provider_id="9001^0")
    assert await mailman.reports(sent) == 200
    assert (await sent.delivery).status == "delivered"


@pytest.mark.parametrize("arrived", [True, False])
async def test_a_report_settles_what_nobody_knew(mailman: Mailman, database, arrived: bool) -> None:
    sent = await make_sent(database, mailman.provider, None, "unknown")
    assert await mailman.reports(sent, arrived, code="" if arrived else "MK:0010") == 200
    delivery, entry = await sent.delivery, await sent.entry
    assert (delivery.status, delivery.provider_id) == ("delivered" if arrived else "failed", "9001^0")
    assert (entry.state, entry.reason) == ("sent" if arrived else "waiting", "")
    assert entry.next_at is not None and (entry.sent_at is not None) == arrived


async def test_a_carriers_black_list_takes_the_consent_to_short_messages_back(mailman: Mailman, sent: Sent) -> None:
    await mailman.reports(sent, False, code="MBBLACK")
    async with sent.database.session() as session:
        assert await standing(session, sent.contact_id) == {"sms": False}
    assert await sent.standing_blocks() == [], "only the customer's own word puts somebody on the list"


async def test_a_report_of_somebody_elses_message_changes_nothing(mailman: Mailman, sent: Sent) -> None:
    strange = {"out_id": "999999", "biz_id": "1^1"} if mailman.provider == "aliyun" else {"sid": "1^1", "mobile": "13900000000"}
    assert await mailman.reports(sent, **strange) == 200
    assert (await sent.delivery).status == "accepted"


async def test_without_the_secret_nothing_is_taken(mailman: Mailman, sent: Sent) -> None:
    for secret in ("x" * 32, mailman.secret[:-1], "%F0%9F"):
        assert await Mailman(mailman.client, mailman.provider, secret).reports(sent) == 404
    assert (await sent.delivery).status == "accepted"


@pytest.mark.parametrize(
    "body", [[], {}, [[]], 7, "text", [{"phone_number": None}], [{"mobile": PHONE, "report_status": "PERHAPS", "sid": "9001^0"}],
             [{"phone_number": PHONE, "success": True}]],
)  # fmt: skip
async def test_what_says_nothing_is_no_report(mailman: Mailman, sent: Sent, body: object) -> None:
    assert await mailman.tells(body) == 200
    assert (await sent.delivery).status == "accepted"


async def test_what_cannot_be_read_is_refused(mailman: Mailman) -> None:
    for body in (b"{", b"\xff\xfe", b"[" * 100_000):
        answer = await mailman.client.post(f"/sms/{mailman.provider}/{mailman.secret}", data=body)
        assert answer.status == 400


async def test_several_reports_of_one_push_are_all_taken(mailman: Mailman, sent: Sent) -> None:
    noise = [mailman.report(sent, provider_id=f"{n}^9") | {"out_id": "0", "mobile": "13900000000"} for n in range(300)]
    assert await mailman.tells([*noise, mailman.report(sent)]) == 200
    assert (await sent.delivery).status == "delivered"


@pytest.mark.parametrize("words", ["T", "td", "ＴＤ", "退订", "R", " 退订。", "不要再给我发短信了"])
async def test_an_opt_out_blocks_the_number_at_once_and_once(mailman: Mailman, sent: Sent, words: str) -> None:
    for moment in (1, 1, 2):
        assert await mailman.passes_on(words, moment=moment) == 200
    (block,) = await sent.standing_blocks()
    assert (block.phone, block.source, block.words) == (PHONE, "customer", words.strip())
    async with sent.database.session() as session:
        assert await standing(session, sent.contact_id) == {"sms": False}
    assert await sent.notes() == []


async def test_a_number_nobody_knows_may_opt_out_too(mailman: Mailman, sent: Sent) -> None:
    await mailman.passes_on("退订", phone="+8613912345678" if mailman.provider == "aliyun" else "13912345678")
    assert [block.phone for block in await sent.standing_blocks()] == ["13912345678"]


async def test_an_opt_out_comes_before_the_reports_of_the_same_push(mailman: Mailman, sent: Sent) -> None:
    said = {"phone_number": PHONE, "mobile": PHONE, "content": "退订", "text": "退订", "send_time": "2026-03-10 10:05:00", "time": 1}
    await sent.change(Delivery, sent.delivery_id, status="sending", provider_id=None)
    assert await mailman.tells([mailman.report(sent), said]) == 503
    assert len(await sent.standing_blocks()) == 1


async def test_other_words_are_a_note_for_a_colleague_once(mailman: Mailman, sent: Sent) -> None:
    for moment in (1, 1, 2):
        await mailman.passes_on("你们的梨有一半是坏的", moment=moment)
    notes = await sent.notes()
    assert [(note.case_id, note.kind, note.text) for note in notes] == [(sent.talk.case_id, "sms_reply", "你们的梨有一半是坏的")] * 2
    assert await sent.standing_blocks() == []


async def test_words_from_a_number_that_was_never_written_to_are_kept_nowhere(mailman: Mailman, sent: Sent) -> None:
    assert await mailman.passes_on("你好", phone="13912345678") == 200
    assert await sent.notes() == []


async def test_a_report_is_not_older_than_its_message(mailman: Mailman, sent: Sent) -> None:
    future = (clock.now() + timedelta(days=2)).strftime("%Y-%m-%d %H:%M:%S")
    await mailman.reports(sent, **{"report_time" if mailman.provider == "aliyun" else "user_receive_time": future})
    assert (await sent.delivery).delivered_at <= clock.now()
