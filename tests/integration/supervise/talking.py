"""A customer whose browser does not give up: sends again until it is taken, and looks for the reply in the history."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import aiohttp

from followup.scripts import load
from followup.store import records
from followup.store.database import Database
from followup.talk.links import create_link

SCRIPT = "auto_loan_satisfaction"
REPLIES = ("方便", "朋友介绍的", "价格挺满意的", "期限很满意", "服务很满意", "没有了")
_PATIENCE_SECONDS = 150.0


async def new_talk(database: Database) -> tuple[str, str]:
    """A case of the script and the token that opens it."""
    script = load.load_script(SCRIPT)
    async with database.session() as session:
        revision = await records.save_revision(session, script.id, str(script.version), load.content(script.id))
        contact = await records.create_contact(session, name="张", title="女士", is_demo=True)
        case_id = await records.create_case(session, contact, revision, script.demo_variables(), is_demo=True)
        return case_id, await create_link(session, case_id, valid_for=timedelta(hours=1))


class Browser:
    def __init__(self, http: aiohttp.ClientSession, base: str) -> None:
        self._http = http
        self._base = base

    @classmethod
    @asynccontextmanager
    async def opening(cls, base: str, token: str) -> AsyncIterator["Browser"]:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
            browser = cls(http, base)
            async with http.post(f"{base}/c/{token}/start", allow_redirects=False) as response:
                assert response.status == 303
            await browser.reply_after(0)
            yield browser

    async def send(self, text: str) -> int:
        """The message's id. It has the same client id in every try, as a browser's has."""
        body = {"client_msg_id": secrets.token_hex(8), "text": text}
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while True:
                try:
                    async with self._http.post(f"{self._base}/chat/messages", json=body) as response:
                        if response.status == 202:
                            return int((await response.json())["id"])
                        assert response.status >= 500, await response.text()
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(0.05)

    async def reply_after(self, message_id: int) -> list[dict[str, Any]]:
        """The bot's lines after this message, once it has finished."""
        end = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < end:
            try:
                async with self._http.get(f"{self._base}/chat/history", params={"after": str(message_id)}) as response:
                    history = await response.json()
                    lines = [line for line in history["messages"] if line["direction"] == "out"]
                    if lines and not history["typing"]:
                        return lines
            except (aiohttp.ClientError, ValueError):
                pass
            await asyncio.sleep(0.05)
        raise AssertionError(f"no reply to message {message_id}")
