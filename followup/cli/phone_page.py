"""What `followup fake-wechat` and `followup fake-wecom` share: a page like a phone, served on this machine until Ctrl-C."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Protocol

import click
from aiohttp import web

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from followup.settings import Settings

NewTalk = Callable[[str], Awaitable[str]]
"""Script -> what a customer comes in with (a scene, a link's parameter)."""
Ticket = Callable[["AsyncSession", str], Awaitable[str]]
"""(session, case) -> what a customer of this case comes in with."""


class Account(Protocol):
    """Whose API is asked."""

    @property
    def name(self) -> str: ...
    @property
    def api(self) -> str: ...


class Fake(Protocol):
    """The platform that is played."""

    def app(self) -> web.Application: ...
    async def close(self) -> None: ...


def must_be_played(account: Account, variable: str, platform: str, port: int) -> None:
    """Refuse to play what a real account talks to. Raises click.ClickException."""
    if not account.api.startswith(("http://127.0.0.1:", "http://localhost:")):
        name = variable.format(account.name.upper())
        raise click.ClickException(f"账号“{account.name}”用的是真的{platform}。请先把 {name} 设为 http://127.0.0.1:{port}，两个终端都要设置。")


def serve(running: AbstractAsyncContextManager[web.Application], port: int, told: str) -> None:
    """Serve until Ctrl-C; `told` is what is said before the address. Raises click.ClickException for a port that is taken."""
    asyncio.run(_serve(running, port, told))


async def _serve(running: AbstractAsyncContextManager[web.Application], port: int, told: str) -> None:
    async with running as app:
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
        except OSError:
            raise click.ClickException(f"端口 {port} 已被占用，请用 --port 换一个。") from None
        click.echo(f"{told}：http://127.0.0.1:{port} （按 Ctrl-C 结束）", err=True)
        try:
            await asyncio.Event().wait()
        finally:
            await runner.cleanup()


@asynccontextmanager
async def phone(
    settings: Settings, fake: Fake, ticket: Ticket, add_page: Callable[[web.Application, dict[str, str], NewTalk | None], None]
) -> AsyncIterator[web.Application]:
    """The fake with its page: `add_page(app, {script: title}, new talk)`; there are new talks where a database is known."""
    from followup.scripts import load
    from followup.store.database import Database
    from followup.supervise import runfile
    from followup.talk.rasa_client import RasaClient
    from followup.talk.trial import Trial

    running = runfile.read(settings.home)
    url = settings.database_url or (running.database_url if running is not None else None)
    database = Database(url) if url else None

    async def new_talk(script: str) -> str:
        assert database is not None
        async with RasaClient(settings.rasa_url) as rasa:  # not asked for anything here
            case_id = (await Trial.open(database, rasa, script)).case_id
        async with database.session() as session:
            return await ticket(session, case_id)

    scripts = {path.stem: load.load_script(path.stem) for path in load.script_files()}
    titles = {name: script.name for name, script in scripts.items() if not script.customer_led}
    app = fake.app()
    add_page(app, titles, new_talk if database is not None else None)
    try:
        yield app
    finally:
        await fake.close()
        if database is not None:
            await database.close()
