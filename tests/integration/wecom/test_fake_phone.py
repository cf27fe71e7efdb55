"""The page of `followup fake-wecom`, before a platform whose callbacks go to our own web application."""

from __future__ import annotations

import asyncio

from aiohttp.test_utils import TestClient, TestServer

from followup.channels.wecom.fake_phone import PhonePage
from followup.channels.wecom.words import words


async def test_what_is_done_on_the_phone_arrives_and_the_answer_is_shown(firm, talk):
    async def new_param(script: str) -> str:
        return await firm.talk_link(talk)

    app = firm.fake.app()
    page = PhonePage(firm.fake, {"demo": "演示"}, new_param)
    page.add_to(app)
    async with TestClient(TestServer(app)) as phone:
        assert "不是真的微信" in await (await phone.get("/")).text()
        assert (await phone.post("/phone", data={"act": "say", "text": "x"})).status == 415
        acts = [{"act": "scan", "text": "demo"}, {"act": "say", "text": "方便"}, {"act": "recall"}, {"act": "voice"}]
        acts += [{"act": "take"}, {"act": "servicer", "text": "我是小张。"}, {"act": "end"}, {"act": "enter"}]
        for number, act in enumerate(acts):
            assert (await phone.post("/phone", json=act)).status == 200
            for _ in range(100):
                await asyncio.sleep(0.05)
                if len(firm.fake.answers) > number and not page.busy:
                    break
            await firm.work()
        screen = await (await phone.get("/phone")).json()
    who = "wmTrialPhone0"
    rows = await firm.rows(case_id=talk.case_id)
    assert [(row.text, row.error) for row in rows if row.direction == "in"] == [("方便", "recalled"), ("［语音］", None)]
    assert words().voice in firm.screen(who) and screen["broken"] == [] and screen["state"] == 4
    assert [row.text for row in rows if row.status == "sent"][-1] == "我是小张。"


def test_without_an_account_the_command_says_how(tmp_path, monkeypatch):
    from click.testing import CliRunner

    from followup.cli.fake_wecom import fake_wecom

    monkeypatch.delenv("FOLLOWUP_WECOM", raising=False)
    said = CliRunner().invoke(fake_wecom, ["--home", str(tmp_path)])
    assert said.exit_code == 1 and "export FOLLOWUP_WECOM=demo" in said.output
