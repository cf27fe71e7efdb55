"""The page of `followup fake-wechat`, before a platform whose messages go to our own web application."""

from __future__ import annotations

import asyncio

from aiohttp.test_utils import TestClient, TestServer

from followup.channels.wechat.fake_phone import PhonePage
from followup.channels.wechat.scene import create_scene
from followup.channels.wechat.words import words
from tests.fakes.wechat import FakeWechat
from tests.integration.wechat.conftest import SEALED, rows
from tests.integration.web.web_talk import make_talk


async def test_what_is_typed_on_the_phone_arrives_and_the_answer_is_shown(wechat, database):
    from datetime import timedelta

    talk = await make_talk(database)

    async def new_scene(script: str) -> str:
        async with database.session() as session:
            return await create_scene(session, talk.case_id, valid_for=timedelta(days=1))

    fake = FakeWechat(SEALED, str(wechat.client.make_url("/wechat/sealed")))
    app = fake.app()
    PhonePage(fake, {"demo": "演示"}, new_scene).add_to(app)
    async with TestClient(TestServer(app)) as phone:
        assert "不是真的微信" in await (await phone.get("/")).text()
        assert (await phone.post("/phone", data={"act": "say", "text": "x"})).status == 415
        acts = ({"act": "scan", "text": "demo"}, {"act": "say", "text": "方便"}, {"act": "voice"})
        for act, arrived in zip(acts, ("/start_followup", "方便", "［语音］")):
            assert (await phone.post("/phone", json=act)).status == 200
            async with asyncio.timeout(60):
                while arrived not in [row.text for row in await rows(database)]:
                    await asyncio.sleep(0.02)
        async with asyncio.timeout(60):
            while (screen := await (await phone.get("/phone")).json())["seen"][-1]["from"] != "firm":
                await asyncio.sleep(0.02)
    await fake.close()
    assert [(row.text, row.case_id) for row in await rows(database, direction="in")] == [("方便", talk.case_id), ("［语音］", talk.case_id)]
    assert screen["seen"][-1] == {"from": "firm", "text": words().voice, "how": "passive", "choices": []}
    assert screen["broken"] == []
