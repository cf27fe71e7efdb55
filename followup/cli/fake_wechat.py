"""`followup fake-wechat`: a WeChat on this machine, with a page like a phone, to try the channel without an account."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click
from aiohttp import web

from followup.channels.wechat.account import Account
from followup.cli.chinese import ChineseCommand
from followup.cli.options import home_option, settings_from
from followup.cli.phone_page import must_be_played, phone, serve
from followup.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

HOW = """要试用微信渠道，先在两个终端里都设置好这些变量：
  export FOLLOWUP_WECHAT=demo
  export FOLLOWUP_WECHAT_DEMO_KIND=service
  export FOLLOWUP_WECHAT_DEMO_APP_ID=wx0000000000000000
  export FOLLOWUP_WECHAT_DEMO_SECRET=0123456789abcdef0123456789abcdef
  export FOLLOWUP_WECHAT_DEMO_TOKEN=demotoken
  export FOLLOWUP_WECHAT_DEMO_AES_KEY=abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG
  export FOLLOWUP_WECHAT_DEMO_API=http://127.0.0.1:{port}
然后一个终端运行 followup up，另一个终端运行 followup fake-wechat。"""


@click.command(name="fake-wechat", cls=ChineseCommand)
@click.option("--port", default=8090, metavar="端口", help="演示页面的端口（默认 8090）")
@click.option("--account", "name", default=None, metavar="账号名", help="FOLLOWUP_WECHAT 里的哪一个（默认第一个）")
@home_option
def fake_wechat(port: int, name: str | None, home: Path | None) -> None:
    """在本机模拟微信公众平台，打开网页就能像客户那样聊天。没有公众号也能试用。"""
    settings = settings_from(home)
    accounts = [account for account in settings.wechat if name in (None, account.name)]
    if not accounts:
        raise click.ClickException(HOW.format(port=port))
    account = accounts[0]
    must_be_played(account, "FOLLOWUP_WECHAT_{}_API", "微信", port)
    serve(_running(settings, account), port, "微信演示已经打开")


def _running(settings: Settings, account: Account) -> AbstractAsyncContextManager[web.Application]:
    from followup.channels.wechat.fake import FakeWechat
    from followup.channels.wechat.fake_phone import PhonePage
    from followup.channels.wechat.scene import create_scene

    async def scene(session: "AsyncSession", case_id: str) -> str:
        return await create_scene(session, case_id, valid_for=timedelta(days=1))

    fake = FakeWechat(account, f"http://127.0.0.1:{settings.port}/wechat/{account.name}")
    return phone(settings, fake, scene, lambda app, titles, new_talk: PhonePage(fake, titles, new_talk).add_to(app))
