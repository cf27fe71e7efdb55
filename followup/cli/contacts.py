"""`followup contacts import FILE`: customers from a CSV file."""

import asyncio
from pathlib import Path

import click

from followup.cli.chinese import ChineseGroup
from followup.cli.options import home_option, settings_from
from followup.contacts.parse import BadRow, ContactsFile, parse_contacts
from followup.contacts.table import ContactsFileError
from followup.supervise.postgres import PostgresError, database

_MOST_SHOWN = 50


@click.group(cls=ChineseGroup)
def contacts() -> None:
    """导入客户名单。"""


@contacts.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False, readable=True))
@click.option("--skip-bad", is_flag=True, help="跳过有问题的行，导入其余的行（默认：有一行不对就都不导入）")
@click.option("--dry-run", is_flag=True, help="只检查，不导入")
@home_option
def import_(file: Path, skip_bad: bool, dry_run: bool, home: Path | None) -> None:
    """从 CSV 文件导入客户。

    第一行是表头，必须有“姓名”和“电话”（或“手机号”），可以有“称谓”“性别”；其余各列原样保存，供话术使用。
    编码可以是 UTF-8 或 GBK。电话相同的客户合并为一位。
    """
    settings = settings_from(home)
    try:
        parsed = parse_contacts(file.read_bytes())
    except ContactsFileError as error:
        raise click.ClickException(str(error)) from None
    _show(parsed.bad)
    if dry_run or (parsed.bad and not skip_bad):
        _stop(parsed, dry_run)
        return
    try:
        with database(settings) as url:
            created, updated, bad = asyncio.run(_save(url, parsed, skip_bad))
    except PostgresError as error:
        raise click.ClickException(str(error)) from None
    _show(bad)
    if bad and not skip_bad:
        raise click.ClickException(f"有 {len(bad)} 行需要修改，一位客户也没有导入。")
    skipped = len(parsed.bad) + len(bad)
    parts = [f"新增 {created} 位", f"更新 {updated} 位"]
    if parsed.merged:
        parts.append(f"合并重复 {parsed.merged} 行")
    if skipped:
        parts.append(f"跳过 {skipped} 行")
    click.echo(f"导入完成：{'，'.join(parts)}。")


def _stop(parsed: ContactsFile, dry_run: bool) -> None:
    good = f"可以导入 {len(parsed.contacts)} 位客户"
    if not parsed.bad:
        click.echo(f"检查通过，{good}。")
        return
    hint = "" if dry_run else "改好后重新导入，或加上 --skip-bad 跳过这些行。"
    raise click.ClickException(f"有 {len(parsed.bad)} 行需要修改，其余{good}；这次一位也没有导入。{hint}")


def _show(bad: tuple[BadRow, ...]) -> None:
    for row in bad[:_MOST_SHOWN]:
        click.echo(str(row), err=True)
    if len(bad) > _MOST_SHOWN:
        click.echo(f"……还有 {len(bad) - _MOST_SHOWN} 行。", err=True)


class _Refused(Exception):
    """Leaves the transaction, so that nothing of it is kept."""


async def _save(url: str, parsed: ContactsFile, skip_bad: bool) -> tuple[int, int, tuple[BadRow, ...]]:
    from followup.contacts.save import save_contacts
    from followup.store.database import Database
    from followup.store.migrate import upgrade

    await asyncio.to_thread(upgrade, url)
    store = Database(url)
    try:
        async with store.session() as session:
            saved = await save_contacts(session, parsed.contacts)
            if saved.bad and not skip_bad:
                raise _Refused
    except _Refused:
        pass
    finally:
        await store.close()
    return saved.created, saved.updated, saved.bad
