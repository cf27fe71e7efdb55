"""`followup fake-wecom`: a 微信客服 on this machine, with a page like a phone, to try the channel without an account."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import click
from aiohttp import web

from followup.channels.wecom.account import Account
from followup.cli.chinese import ChineseCommand
from followup.cli.options import home_option, settings_from
from followup.settings import Settings

HOW = """要试用微信客服渠道，先在两个终端里都设置好这些变量：
  export FOLLOWUP_WECOM=demo
  export FOLLOWUP_WECOM_DEMO_CORP_ID=ww0000000000000000
  export FOLLOWUP_WECOM_DEMO_SECRET=0123456789abcdef0123456789abcdef
  export FOLLOWUP_WECOM_DEMO_TOKEN=demotoken
  export FOLLOWUP_WECOM_DEMO_AES_KEY=abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG
  export FOLLOWUP_WECOM_DEMO_KF=wkDemo
  export FOLLOWUP_WECOM_DEMO_API=http://127.0.0.1:{port}
然后一个终端运行 followup up，另一个终端运行 followup fake-wecom。"""


@click.command(name="fake-wecom", cls=ChineseCommand)
@click.option("--port", default=8091, metavar="端口", help="演示页面的端口（默认 8091）")
@click.option("--account", "name", default=None, metavar="账号名", help="FOLLOWUP_WECOM 里的哪一个（默认第一个）")
@home_option
def fake_wecom(port: int, name: str | None, home: Path | None) -> None:
    """在本机模拟企业微信的微信客服，打开网页就能像客户那样聊天。没有企业微信也能试用。"""
    settings = settings_from(home)
    accounts = [account for account in settings.wecom if name in (None, account.name)]
    if not accounts:
        raise click.ClickException(HOW.format(port=port))
    account = accounts[0]
    if not account.api.startswith(("http://127.0.0.1:", "http://localhost:")):
        variable = f"FOLLOWUP_WECOM_{account.name.upper()}_API"
        raise click.ClickException(f"账号“{account.name}”用的是真的企业微信。请先把 {variable} 设为 http://127.0.0.1:{port}，两个终端都要设置。")
    asyncio.run(_serve(settings, account, port))


async def _serve(settings: Settings, account: Account, port: int) -> None:
    async with _running(settings, account) as app:
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
        except OSError:
            raise click.ClickException(f"端口 {port} 已被占用，请用 --port 换一个。") from None
        click.echo(f"微信客服演示已经打开：http://127.0.0.1:{port} （按 Ctrl-C 结束）", err=True)
        try:
            await asyncio.Event().wait()
        finally:
            await runner.cleanup()


@asynccontextmanager
async def _running(settings: Settings, account: Account) -> AsyncIterator[web.Application]:
    from followup.channels.wecom.fake import FakeWecom
    from followup.channels.wecom.fake_phone import PhonePage
    from followup.channels.wecom.receive import PURPOSE, SCENE
    from followup.scripts import load
    from followup.store.database import Database
    from followup.supervise import runfile
    from followup.talk import links
    from followup.talk.rasa_client import RasaClient
    from followup.talk.trial import Trial

    running = runfile.read(settings.home)
    url = settings.database_url or (running.database_url if running is not None else None)
    database = Database(url) if url else None
    fake = FakeWecom(account, f"http://127.0.0.1:{settings.port}/wecom/{account.name}")

    async def new_param(script: str) -> str:
        assert database is not None
        async with RasaClient(settings.rasa_url) as rasa:  # not asked for anything here
            case_id = (await Trial.open(database, rasa, script)).case_id
        async with database.session() as session:
            return SCENE + await links.create_link(session, case_id, valid_for=timedelta(days=1), purpose=PURPOSE)

    scripts = {path.stem: load.load_script(path.stem) for path in load.script_files()}
    titles = {name: script.name for name, script in scripts.items() if not script.customer_led}
    app = fake.app()
    PhonePage(fake, titles, new_param if database is not None else None).add_to(app)
    try:
        yield app
    finally:
        await fake.close()
        if database is not None:
            await database.close()
