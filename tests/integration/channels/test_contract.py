"""What every notifier promises, whoever carries the message: taken once, refused for certain, or nobody knows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
import pytest_asyncio

from followup.channels import Accepted, Invitation, Notifier, Refused, Unclear
from followup.channels.account import SmsAccount
from followup.channels.aliyun import Aliyun
from followup.channels.email import Email
from followup.channels.tencent import Tencent
from followup.mail import MailServer
from tests.fakes import aliyun, tencent
from tests.fakes.aliyun import FakeAliyun
from tests.fakes.smtp import FakeSmtp
from tests.fakes.tencent import FakeTencent

PATIENCE = 0.6
"""Seconds; the fakes' slow answers take five."""
US = "https://hf.example.cn"


@dataclass
class Way:
    """A notifier, its provider, and how the contract's situations are called there."""

    name: str
    notifier: Notifier
    fake: Any
    to: str
    nobody: str
    """An address the provider cannot reach, but that looks like one."""
    codes: dict[str, str]
    """Kind of refusal -> what the provider says."""

    @property
    def taken(self) -> int:
        return len(self.fake.letters if self.name == "email" else self.fake.taken)

    def invitation(self, number: int = 1, **changed: Any) -> Invitation:
        made = Invitation(number, self.to, f"{US}/c/abc", "2345CDFG", "演示商城", "张女士", "小汇", "first", f"{US}/u/xyz")
        return replace(made, **changed)


async def _aliyun() -> Way:
    fake = FakeAliyun()
    await fake.start()
    account = SmsAccount("aliyun", aliyun.KEY_ID, aliyun.KEY_SECRET, "演示商城", {"first": "SMS_1", "reminder": "SMS_2"})
    codes = {
        "permanent": "isv.MOBILE_NUMBER_ILLEGAL", "throttled": "isv.BUSINESS_LIMIT_CONTROL", "temporary": "isp.SYSTEM_ERROR",
        "ours": "isv.SMS_TEMPLATE_ILLEGAL",
    }  # fmt: skip
    return Way("aliyun", Aliyun(account, fake.url, total=PATIENCE), fake, "13800000001", "12345678901", codes)


async def _tencent() -> Way:
    fake = FakeTencent()
    await fake.start()
    templates = {"first": "1001", "reminder": "1002"}
    account = SmsAccount("tencent", tencent.KEY_ID, tencent.KEY_SECRET, "演示商城", templates, tencent.APP_ID)
    codes = {
        "permanent": "FailedOperation.PhoneNumberParseFail", "blocked": "FailedOperation.PhoneNumberInBlacklist",
        "throttled": "LimitExceeded.PhoneNumberOneHourLimit", "temporary": "FailedOperation.ContainSensitiveWord",
        "ours": "FailedOperation.SignatureIncorrectOrUnapproved",
    }  # fmt: skip
    return Way("tencent", Tencent(account, fake.url, total=PATIENCE), fake, "13800000001", "12345678901", codes)


async def _email() -> Way:
    fake = FakeSmtp()
    await fake.start()
    server = MailServer("127.0.0.1", fake.port, "us", "secret", False, False, "客户回访 <followup@example.com>")
    codes = {"permanent": "rcpt 550 5.1.1 no such user", "temporary": "rcpt 451 4.7.1 greylisted", "ours": "login"}
    return Way("email", Email(server, timeout=PATIENCE), fake, "zhang@example.com", "zhang@@example", codes)


@pytest_asyncio.fixture(params=[_aliyun, _tencent, _email], ids=["aliyun", "tencent", "email"])
async def way(request: pytest.FixtureRequest) -> AsyncIterator[Way]:
    made = await request.param()
    yield made
    await made.fake.close()


async def refused(way: Way, invitation: Invitation | None = None) -> Refused:
    with pytest.raises(Refused) as caught:
        await way.notifier.send(invitation or way.invitation())
    return caught.value


async def test_what_is_taken_has_the_providers_own_number(way: Way) -> None:
    accepted = await way.notifier.send(way.invitation())
    assert isinstance(accepted, Accepted) and accepted.provider_id
    assert way.taken == 1


async def test_two_messages_are_two_messages(way: Way) -> None:
    first, second = [await way.notifier.send(way.invitation(number)) for number in (1, 2)]
    assert (way.taken, first.provider_id != second.provider_id) == (2, True)


@pytest.mark.parametrize("kind", ["permanent", "blocked", "throttled", "temporary", "ours"])
async def test_a_refusal_says_whose_fault_it_is(way: Way, kind: str) -> None:
    if kind not in way.codes:
        pytest.skip("this provider has no such answer")
    way.fake.fails = [way.codes[kind]]
    error = await refused(way)
    assert (error.kind, way.taken) == (kind, 0)
    assert error.code


async def test_after_a_refusal_the_next_message_goes_out(way: Way) -> None:
    way.fake.fails = [way.codes["temporary"]]
    await refused(way)
    assert await way.notifier.send(way.invitation())
    assert way.taken == 1


async def test_an_address_that_cannot_be_one_costs_no_request(way: Way) -> None:
    error = await refused(way, way.invitation(to=way.nobody))
    assert (error.kind, way.fake.asked) == ("permanent", 0)


async def test_a_provider_that_is_not_there_is_asked_later(way: Way) -> None:
    await way.fake.close()
    assert (await refused(way)).kind == "temporary"


@pytest.mark.parametrize("fate", ["after", "slow", "garbage"])
async def test_nobody_knows_whether_a_request_without_an_answer_was_taken(way: Way, fate: str) -> None:
    way.fake.fails = [fate]
    way.fake.taken_anyway = True
    with pytest.raises(Unclear):
        await way.notifier.send(way.invitation())
    assert (way.taken, way.fake.asked) == (1, 1), "it must not be sent again by itself"


async def test_a_connection_cut_before_anything_was_taken_is_never_called_sent(way: Way) -> None:
    way.fake.fails = ["before"]
    with pytest.raises((Refused, Unclear)) as caught:
        await way.notifier.send(way.invitation())
    assert not isinstance(caught.value, Refused) or caught.value.kind == "temporary"
    assert (way.taken, way.fake.asked) == (0, 1)


async def test_neither_key_nor_number_stands_in_what_is_logged(way: Way, caplog: pytest.LogCaptureFixture) -> None:
    for fate in ("", way.codes["ours"], "garbage"):
        way.fake.fails = [fate]
        try:
            await way.notifier.send(way.invitation())
        except (Refused, Unclear) as error:
            assert not any(word in f"{error!r} {error}" for word in (way.to, "secret", "2345CDFG"))
            break
    assert not any(word in caplog.text for word in (way.to, "2345CDFG"))
    assert "secret" not in repr(way.notifier)
