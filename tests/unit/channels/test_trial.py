"""FOLLOWUP_SMS=fake."""

from pathlib import Path

import pytest

from followup.channels import Invitation, Refused
from followup.channels.trial import KEPT, TrialSms, path_of, trial_messages

INVITATION = Invitation(7, "13800138000", "", "2345CDFG", "演示商城", "张女士", "小汇", "first")


async def test_the_message_can_be_read_here_and_nowhere_else(tmp_path: Path) -> None:
    accepted = await TrialSms(tmp_path, "https://hf.example").send(INVITATION)
    (message,) = trial_messages(tmp_path)
    assert accepted.provider_id == "fake-7" and message.delivery_id == 7
    assert message.text.startswith("【演示商城】") and "https://hf.example/s" in message.text and "2345-CDFG" in message.text
    assert path_of(tmp_path).stat().st_mode & 0o777 == 0o600


async def test_it_refuses_what_a_carrier_refuses(tmp_path: Path) -> None:
    with pytest.raises(Refused):
        await TrialSms(tmp_path, "").send(Invitation(7, "010-1234567", "", "2345CDFG", "", "", "", "first"))
    assert trial_messages(tmp_path) == []


async def test_only_the_last_ones_are_kept_newest_first(tmp_path: Path) -> None:
    sms = TrialSms(tmp_path, "")
    for number in range(2 * KEPT + 5):
        await sms.send(Invitation(number, "13800138000", "", "2345CDFG", "", "", "", "first"))
    kept = trial_messages(tmp_path)
    assert len(kept) == KEPT and kept[0].delivery_id == 2 * KEPT + 4
    assert len(path_of(tmp_path).read_text().splitlines()) <= 2 * KEPT
