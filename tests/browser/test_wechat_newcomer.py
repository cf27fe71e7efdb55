"""Who has no account at all tries WeChat as docs/zh/wechat.md and docs/zh/wecom.md say, with the whole product and the phone page.

Takes a minute or two: runs with FOLLOWUP_LONG_TESTS=1.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect
from sqlalchemy import select

from followup.store.models import Answer, Case, Message
from tests.browser.console_login import log_in
from tests.browser.wechat_walk import SAID, WECHAT, WECOM, Kind, add_account, whole_talk
from tests.browser.whole_product import Product, whole_product

pytestmark = pytest.mark.skipif(not os.environ.get("FOLLOWUP_LONG_TESTS"), reason="takes minutes: make test-long")

ANSWERS = {"source": "朋友介绍", "price": "不满意", "term": "一般", "service": "很满意", "suggestions": "无"}
_STARTS_WITHIN = 60


@pytest_asyncio.fixture(loop_scope="session")
async def product(database_url: str, tmp_path: Path) -> AsyncIterator[Product]:
    async with whole_product(tmp_path, database_url) as product:
        yield product


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def played(product: Product, kind: Kind, port: int, database_url: str) -> AsyncIterator[None]:
    """The command of the documents, which finds the account of the console by itself."""
    env = {**os.environ, "PYTHONPATH": str(product.project), "FOLLOWUP_HOME": str(product.project.parent / "home"), "DATABASE_URL": database_url}
    log = product.project.parent / f"{kind.command}.log"
    with log.open("wb") as output:
        process = subprocess.Popen([sys.executable, "-m", "followup.cli", kind.command], cwd=product.project, env=env, stdout=output, stderr=output)
    try:
        async with asyncio.timeout(_STARTS_WITHIN):
            while True:
                assert process.poll() is None, log.read_text("utf-8", "replace")
                with suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                    break
                await asyncio.sleep(0.2)
        yield
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait, 30)


@pytest.mark.timeout(900)
async def test_an_account_of_the_console_and_the_phone_page_are_enough_for_a_whole_talk(devices, product, database, database_url):
    console = await log_in(await devices.new(), product, database, "admin", name="newcomer")
    for kind in (WECHAT, WECOM):
        port = free_port()
        await add_account(console, product.url, kind, port)
        async with played(product, kind, port, database_url):
            phone = await (await devices.new()).new_page()
            screen = await whole_talk(phone, port, kind)
            print(kind.command, *screen, sep="\n| ")
            await expect(phone.locator("#broken")).to_have_text("")
            await console.goto(product.url + kind.account_page)
            await console.get_by_role("button", name="检查").click()
            await expect(console.locator(".checks")).to_contain_text("已经取到 access_token")
        assert "祝您生活愉快" in screen[-1]
        channel = kind.command.removeprefix("fake-") + ":demo"
        async with database.session() as session:
            case_id = await session.scalar(select(Message.case_id).where(Message.channel == channel).limit(1))
            assert (await session.get_one(Case, case_id)).outcome == "completed"
            answers = await session.execute(select(Answer.question_id, Answer.value).where(Answer.case_id == case_id))
            assert {question: value for question, value in answers} == ANSWERS
            said = await session.scalars(select(Message.text).where(Message.case_id == case_id, Message.direction == "in").order_by(Message.id))
            assert list(said) == list(SAID)
            sent = await session.scalars(select(Message.status).where(Message.case_id == case_id, Message.direction == "out"))
            assert set(sent) == {"sent"}
