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
from followup.cli.phone_page import Played, account_to_play, phone, port_of, serve, web_url
from followup.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

PORT = 8090
HOW = """没有可以演示的公众号账号。
  1. 运行 followup up，在 {web}/console/wechat/new 添加一个：AppID 填 wx0000000000000000，AppSecret 填 0123456789abcdef0123456789abcdef，“接口地址”选“演示”。
  2. 再运行 followup fake-wechat。
不用后台也可以，在两个终端里都设置好这些变量，先后运行 followup up 和 followup fake-wechat：
  export FOLLOWUP_WECHAT=demo
  export FOLLOWUP_WECHAT_DEMO_KIND=service
  export FOLLOWUP_WECHAT_DEMO_APP_ID=wx0000000000000000
  export FOLLOWUP_WECHAT_DEMO_SECRET=0123456789abcdef0123456789abcdef
  export FOLLOWUP_WECHAT_DEMO_TOKEN=demotoken
  export FOLLOWUP_WECHAT_DEMO_AES_KEY=abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG
  export FOLLOWUP_WECHAT_DEMO_API=http://127.0.0.1:{port}"""


@click.command(name="fake-wechat", cls=ChineseCommand)
@click.option("--port", type=int, default=None, metavar="端口", help="演示页面的端口（默认是账号的接口地址里的，一般是 8090）")
@click.option("--account", "name", default=None, metavar="账号名", help="用哪一个账号演示（默认第一个演示用的）")
@home_option
def fake_wechat(port: int | None, name: str | None, home: Path | None) -> None:
    """在本机模拟微信公众平台，打开网页就能像客户那样聊天。没有公众号也能试用。"""
    settings = settings_from(home)
    account = account_to_play(settings, _platform(), settings.wechat, name)
    serve(_running(settings, account), port_of(account, port, PORT), "微信演示已经打开")


def _platform() -> Played[Account]:
    from followup.channels.wechat.book import stored_accounts

    return Played("微信", "FOLLOWUP_WECHAT_{}_API", HOW, PORT, stored_accounts)


def _running(settings: Settings, account: Account) -> AbstractAsyncContextManager[web.Application]:
    from followup.channels.wechat.fake import FakeWechat
    from followup.channels.wechat.fake_phone import PhonePage
    from followup.channels.wechat.scene import create_scene

    async def scene(session: "AsyncSession", case_id: str) -> str:
        return await create_scene(session, case_id, valid_for=timedelta(days=1))

    fake = FakeWechat(account, f"{web_url(settings)}/wechat/{account.name}")
    return phone(settings, fake, scene, lambda app, titles, new_talk: PhonePage(fake, titles, new_talk).add_to(app))
