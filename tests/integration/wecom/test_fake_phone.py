"""The page of `followup fake-wecom`, before a platform whose callbacks go to our own web application."""

from __future__ import annotations

import asyncio

from aiohttp.test_utils import TestClient, TestServer

from followup.channels.wechat.seal import seal
from followup.channels.wecom.fake_phone import PhonePage
from followup.channels.wecom.words import words
from followup.cli.fake_wecom import _platform
from followup.cli.phone_page import account_to_play
from followup.settings import Settings
from followup.store.database import Database
from followup.store.wecom_account_models import WecomAccount


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
    who = page.customer
    rows = await firm.rows(case_id=talk.case_id)
    assert [(row.text, row.error) for row in rows if row.direction == "in"] == [("方便", "recalled"), ("［语音］", None)]
    assert words().voice in firm.screen(who) and screen["broken"] == [] and screen["state"] == 4
    assert [row.text for row in rows if row.status == "sent"][-1] == "我是小张。"


def test_without_an_account_the_command_says_how(tmp_path, monkeypatch):
    from click.testing import CliRunner

    from followup.cli.fake_wecom import fake_wecom

    for name in ("FOLLOWUP_WECOM", "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    said = CliRunner().invoke(fake_wecom, ["--home", str(tmp_path)])
    assert said.exit_code == 1 and "/console/wechat/wecom/new" in said.output and "export FOLLOWUP_WECOM=demo" in said.output


def test_an_account_of_the_console_is_found(database_url, tmp_path):
    settings = Settings(home=tmp_path, database_url=database_url, secret="t" * 40)
    sealed = seal("t" * 40, "wecom:trial", {"secret": "s" * 32, "token": "tok", "aes_key": "B" * 42 + "A"})

    async def add() -> None:
        database = Database(database_url)
        async with database.session() as session:
            session.add(WecomAccount(name="trial", title="", corp_id="ww0000000000000000", kfids=["wkDemo"], api="http://127.0.0.1:8091", sealed=sealed))
        await database.close()

    asyncio.run(add())
    found = account_to_play(settings, _platform(), (), None)
    assert (found.name, found.secret, found.kfids) == ("trial", "s" * 32, ("wkDemo",))


async def test_what_fails_is_written_on_the_page(firm):
    async def broken(script: str) -> str:
        raise RuntimeError("no database")

    app = firm.fake.app()
    page = PhonePage(firm.fake, {"demo": "演示"}, broken)
    page.add_to(app)
    async with TestClient(TestServer(app)) as phone:
        await phone.post("/phone", json={"act": "scan", "text": "demo"})
        while page.busy:
            await asyncio.sleep(0.01)
        screen = await (await phone.get("/phone")).json()
        assert screen["seen"] == [] and "没有做成" in screen["broken"][-1]
        assert all([(await phone.get(part)).status == 200 for part in ("/phone.css", "/phone.js")])
