"""`followup api-keys make|list|revoke`: keys of customer systems, where no console is at hand."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import click

from followup.cli.chinese import ChineseGroup
from followup.cli.options import home_option, settings_from
from followup.cli.work import in_database
from followup.console.labels import labels

T = TypeVar("T")


@click.group(cls=ChineseGroup)
def keys() -> None:
    """客户系统（CRM）接口的密钥。"""


@keys.command("make")
@click.argument("name")
@home_option
def make(name: str, home: Path | None) -> None:
    """新建一个密钥，NAME 写给哪个系统用。"""
    from followup import clock
    from followup.api.keys import make as make_key
    from followup.console.audit import audit

    async def work(session) -> str:  # type: ignore[no-untyped-def]
        key, secret = await make_key(session, name, None, clock.now())
        await audit(session, None, "key.make", "key", key.id, name=key.name, source="cli")
        return secret

    click.echo(f"{_run(home, work)}\n只显示这一次，请马上保存。")


@keys.command("list")
@home_option
def list_(home: Path | None) -> None:
    """列出密钥。"""
    from followup.api.keys import every_key
    from followup.console.show import moment

    for key in _run(home, every_key):
        state = f"{moment(key.revoked_at)}停用" if key.revoked_at else "在用"
        click.echo(f"{key.id}\t{key.name}\t{key.hint}…\t{state}\t最近使用：{moment(key.last_used_at)}")


@keys.command("revoke")
@click.argument("number", type=int)
@home_option
def revoke(number: int, home: Path | None) -> None:
    """停用一个密钥，NUMBER 是 list 里的编号。"""
    from followup import clock
    from followup.api.keys import revoke as revoke_key
    from followup.console.audit import audit

    async def work(session) -> str:  # type: ignore[no-untyped-def]
        key = await revoke_key(session, number, clock.now())
        await audit(session, None, "key.revoke", "key", key.id, name=key.name, source="cli")
        return key.name

    click.echo(f"“{_run(home, work)}”的密钥已经停用。")


def _run(home: Path | None, work: Callable[..., Awaitable[T]]) -> T:
    """`work` in one transaction."""
    from followup.api.keys import KeyProblem

    try:
        return in_database(settings_from(home), work)
    except KeyProblem as error:
        raise click.ClickException(labels()["key_errors"][error.key]) from None
