"""`followup fake-wecom`: a 微信客服 on this machine, with a page like a phone, to try the channel without an account."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click
from aiohttp import web

from followup.channels.wecom.account import Account
from followup.cli.chinese import ChineseCommand
from followup.cli.options import home_option, settings_from
from followup.cli.phone_page import must_be_played, phone, serve
from followup.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

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
    must_be_played(account, "FOLLOWUP_WECOM_{}_API", "企业微信", port)
    serve(_running(settings, account), port, "微信客服演示已经打开")


def _running(settings: Settings, account: Account) -> AbstractAsyncContextManager[web.Application]:
    from followup.channels.wecom.fake import FakeWecom
    from followup.channels.wecom.fake_phone import PhonePage
    from followup.channels.wecom.receive import PURPOSE, SCENE
    from followup.talk import links

    async def param(session: "AsyncSession", case_id: str) -> str:
        return SCENE + await links.create_link(session, case_id, valid_for=timedelta(days=1), purpose=PURPOSE)

    fake = FakeWecom(account, f"http://127.0.0.1:{settings.port}/wecom/{account.name}")
    return phone(settings, fake, param, lambda app, titles, new_talk: PhonePage(fake, titles, new_talk).add_to(app))
