"""Short messages of a trial, in the console."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from followup.channels import Invitation
from followup.channels.account import SmsAccount
from followup.channels.trial import TrialSms
from followup.settings import Settings
from tests.integration.console.conftest import text_of

PAGE = "/console/campaigns/demo-messages"


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    sms = SmsAccount("fake", templates={"first": "demo"})
    return Settings(home=tmp_path, database_url=database_url, secret="t" * 40, sms=sms)


async def test_they_are_shown_as_a_demo_and_not_with_the_whole_number(enter, settings) -> None:
    boss = await enter("supervisor")
    assert "还没有演示短信" in text_of(await (await boss.client.get(PAGE)).text())
    message = Invitation(7, "13800138000", "", "2345CDFG", "演示商城", "张女士", "小汇", "first")
    await TrialSms(settings.home, "https://hf.example").send(message)
    page = text_of(await (await boss.client.get(PAGE)).text())
    assert "2345-CDFG" in page and "演示" in page and "13800138000" not in page
    assert "短信不会真的发出" in text_of(await (await boss.client.get("/console/campaigns")).text())


async def test_a_code_opens_a_talk_and_is_not_for_everybody(enter) -> None:
    assert (await (await enter("agent")).client.get(PAGE)).status == 403


async def test_with_a_real_provider_there_is_no_such_page(enter, server, settings) -> None:
    from followup.web.keys import SETTINGS

    boss = await enter("supervisor")
    server.app._state[SETTINGS] = replace(settings, sms=None)
    assert (await boss.client.get(PAGE)).status == 404
    assert "演示方式" not in text_of(await (await boss.client.get("/console/campaigns")).text())
