"""`followup user add NAME --role ROLE`: accounts of the console."""

import asyncio
import sys
from pathlib import Path

import click

from followup.cli.chinese import ChineseGroup
from followup.cli.options import home_option, settings_from
from followup.console.labels import labels
from followup.supervise.postgres import PostgresError, database

ROLES = labels()["roles"]


@click.group(cls=ChineseGroup)
def user() -> None:
    """管理后台账号。"""


@user.command("add")
@click.argument("name")
@click.option(
    "--role",
    type=click.Choice(list(ROLES)),
    required=True,
    help="角色：" + "、".join(f"{role}（{label}）" for role, label in ROLES.items()),
)
@click.option("--password-stdin", is_flag=True, help="从标准输入读取密码（一行），供脚本使用")
@home_option
def add(name: str, role: str, password_stdin: bool, home: Path | None) -> None:
    """新建一个账号。

    会提示输入密码；直接按回车则自动生成一个，只显示这一次，本人登录后需要修改。
    """
    from followup.console.accounts import AccountError

    settings = settings_from(home)
    given = _password(password_stdin)
    try:
        with database(settings) as url:
            password = asyncio.run(_add(url, name, role, given))
    except PostgresError as error:
        raise click.ClickException(str(error)) from None
    except AccountError as error:
        raise click.ClickException(labels()["account_errors"][error.key]) from None
    click.echo(f"已新建账号“{name.strip()}”，角色：{ROLES[role]}。")
    if not given:
        click.echo(f"密码：{password}（只显示这一次，请妥善保存）")


def _password(from_stdin: bool) -> str:
    """The password that was given; empty: one is to be made up."""
    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
        if not password:
            raise click.ClickException(labels()["account_errors"]["short_password"])
        return password
    if not sys.stdin.isatty():
        return ""
    password = click.prompt("密码（直接回车则自动生成）", hide_input=True, default="", show_default=False)
    if password and click.prompt("再输入一次", hide_input=True, default="", show_default=False) != password:
        raise click.ClickException("两次输入的密码不一致，没有新建账号。")
    return password


async def _add(url: str, name: str, role: str, password: str) -> str:
    from followup.console import accounts
    from followup.store.database import Database
    from followup.store.migrate import upgrade

    await asyncio.to_thread(upgrade, url)
    store = Database(url)
    try:
        async with store.session() as session:
            return (await accounts.create(session, name, role, password))[1]
    finally:
        await store.close()
