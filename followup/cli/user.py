"""`followup user add NAME --role ROLE`: accounts of the console."""

import asyncio
import secrets
import sys
from pathlib import Path

import click

from followup.cli.chinese import ChineseGroup
from followup.cli.options import home_option, settings_from
from followup.supervise.postgres import PostgresError, database

ROLES = {"admin": "管理员", "supervisor": "主管", "agent": "坐席", "trainer": "训练师", "auditor": "审计（只读）"}
_SHORTEST_PASSWORD = 8


class NameTaken(ValueError):
    """There is an account of this name."""


@click.group(cls=ChineseGroup)
def user() -> None:
    """管理后台账号。"""


@user.command("add")
@click.argument("name")
@click.option(
    "--role",
    type=click.Choice(list(ROLES)),
    required=True,
    help="角色：" + "、".join(f"{role}({label})" for role, label in ROLES.items()),
)
@click.option("--password-stdin", is_flag=True, help="从标准输入读取密码（一行），供脚本使用")
@home_option
def add(name: str, role: str, password_stdin: bool, home: Path | None) -> None:
    """新建一个账号。

    会提示输入密码；直接按回车则自动生成一个，只显示这一次。
    """
    settings = settings_from(home)
    name = name.strip()
    if not name or len(name) > 40 or not name.isprintable():
        raise click.ClickException("账号名应为 1 到 40 个字，不能有控制字符。")
    password, generated = _password(password_stdin)
    try:
        with database(settings) as url:
            asyncio.run(_add(url, name, role, password))
    except PostgresError as error:
        raise click.ClickException(str(error)) from None
    except NameTaken:
        raise click.ClickException(f"账号“{name}”已经存在，请换一个名字。") from None
    click.echo(f"已新建账号“{name}”，角色：{ROLES[role]}。")
    if generated:
        click.echo(f"密码：{password}（只显示这一次，请妥善保存）")


def _password(from_stdin: bool) -> tuple[str, bool]:
    """The password, and whether it was made up here."""
    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    elif sys.stdin.isatty():
        password = click.prompt("密码（直接回车则自动生成）", hide_input=True, default="", show_default=False)
        if password and click.prompt("再输入一次", hide_input=True, default="", show_default=False) != password:
            raise click.ClickException("两次输入的密码不一致，没有新建账号。")
    else:
        password = ""
    if not password and not from_stdin:
        return secrets.token_urlsafe(12), True
    if len(password) < _SHORTEST_PASSWORD:
        raise click.ClickException(f"密码太短，至少要 {_SHORTEST_PASSWORD} 位。")
    return password, False


async def _add(url: str, name: str, role: str, password: str) -> None:
    from argon2 import PasswordHasher
    from sqlalchemy.exc import IntegrityError

    from followup.store.database import Database
    from followup.store.migrate import upgrade
    from followup.store.models import User

    await asyncio.to_thread(upgrade, url)
    store = Database(url)
    try:
        async with store.session() as session:
            session.add(User(name=name, password_hash=PasswordHasher().hash(password), role=role))
    except IntegrityError:
        raise NameTaken(name) from None
    finally:
        await store.close()
