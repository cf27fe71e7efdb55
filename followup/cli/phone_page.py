"""What `followup fake-wechat` and `followup fake-wecom` share: a page like a phone, served on this machine until Ctrl-C."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar
from urllib.parse import urlsplit

import click
from aiohttp import web

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from followup.settings import Settings
    from followup.store.database import Database

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


A = TypeVar("A", bound=Account)


class Fake(Protocol):
    """The platform that is played."""

    def app(self) -> web.Application: ...
    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Played(Generic[A]):
    """A platform that can be played here."""

    called: str
    """In Chinese."""
    variable: str
    """Of an account's address, with {} for its name."""
    how: str
    """How to get an account for a trial, with {web}, where the product answers, and {port}."""
    port: int
    stored: Callable[..., Awaitable[tuple[A, ...]]]
    """Reads the console's accounts: (session, secret, but=names)."""


def account_to_play(settings: Settings, platform: Played[A], fixed: Iterable[A], name: str | None) -> A:
    """The account `name`, or the first one that asks this machine; `fixed`: the environment's, which come before the console's.

    Raises click.ClickException, with how to get one where there is none.
    """
    given = tuple(fixed)
    known = [*given, *asyncio.run(_of_the_console(settings, platform, [one.name for one in given]))]
    wanted = [account for account in known if name in (None, account.name)]
    if not wanted:
        raise click.ClickException(platform.how.format(web=web_url(settings), port=platform.port))
    account = next((account for account in wanted if is_played(account)), wanted[0])
    must_be_played(account, platform.variable, platform.called, platform.port)
    return account


async def _of_the_console(settings: Settings, platform: Played[A], but: list[str]) -> tuple[A, ...]:
    """None where nothing runs: there is no console to be asked."""
    from sqlalchemy.exc import SQLAlchemyError

    database = _database(settings)
    if database is None:
        return ()
    try:
        async with database.session() as session:
            return await platform.stored(session, settings.signing_secret(), but=but)
    except (SQLAlchemyError, OSError) as error:
        raise click.ClickException(f"连接不上数据库（{type(error).__name__}）。请先运行 followup up。") from None
    finally:
        await database.close()


def _database(settings: Settings) -> Database | None:
    from followup.store.database import Database
    from followup.supervise import runfile

    running = runfile.read(settings.home)
    url = settings.database_url or (running.database_url if running is not None else None)
    return Database(url) if url else None


def web_url(settings: Settings) -> str:
    """Where the product answers on this machine: as it runs, which may be another port than the environment's."""
    from followup.supervise import runfile

    running = runfile.read(settings.home)
    return (running.web_url if running is not None else None) or f"http://127.0.0.1:{settings.port}"


def is_played(account: Account) -> bool:
    """Whether it asks this machine, not a real platform."""
    return account.api.startswith(("http://127.0.0.1:", "http://localhost:"))


def must_be_played(account: Account, variable: str, platform: str, port: int) -> None:
    """Refuse to play what a real account talks to. Raises click.ClickException."""
    if not is_played(account):
        name = variable.format(account.name.upper())
        raise click.ClickException(
            f"账号“{account.name}”用的是真的{platform}。请另外添加一个演示用的账号：在后台里把“接口地址”选为“演示”；"
            f"写在环境变量里的，把 {name} 设为 http://127.0.0.1:{port}，两个终端都要设置。"
        )


def port_of(account: Account, asked: int | None, usual: int) -> int:
    """Where the account expects the platform, unless another port is asked for."""
    return asked or urlsplit(account.api).port or usual


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
    settings: Settings, fake: Fake, ticket: Ticket, add_page: Callable[[web.Application, dict[str, str], NewTalk | None], Any]
) -> AsyncIterator[web.Application]:
    """The fake with its page: `add_page(app, {script: title}, new talk)`; there are new talks where a database is known."""
    from followup.scripts import load
    from followup.talk.rasa_client import RasaClient
    from followup.talk.trial import Trial

    database = _database(settings)

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
