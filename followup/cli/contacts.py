"""`followup contacts import FILE`: customers from a CSV or XLSX file."""

import asyncio
import hashlib
from pathlib import Path

import click

from followup import clock
from followup.cli.chinese import ChineseGroup
from followup.cli.options import home_option, settings_from
from followup.contacts import columns
from followup.contacts.groups import read_groups
from followup.contacts.parse import CHANNELS, Agreed, BadRow, Choices, ContactsFile, parse_table
from followup.contacts.save import Saved, Source
from followup.contacts.table import ContactsFileError, Table, read_table
from followup.supervise.postgres import PostgresError, database

_MOST_SHOWN = 50


@click.group(cls=ChineseGroup)
def contacts() -> None:
    """导入客户名单。"""


@contacts.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False, readable=True))
@click.option("--group", "groups", multiple=True, help="给全部客户加上的分组，可以写几次")
@click.option("--consent", "channels", multiple=True, type=click.Choice(CHANNELS), help="全部客户同意用哪种方式联系，可以写几次")
@click.option("--source", default="", help="在哪里同意的，例如“购买合同”；用 --consent 时要写")
@click.option("--text-version", default="", help="客户同意的是哪一版文本，例如“2026-01”")
@click.option("--skip-bad", is_flag=True, help="跳过有问题的行，导入其余的行（默认：有一行不对就都不导入）")
@click.option("--bad-rows", type=click.Path(path_type=Path, dir_okay=False), help="把有问题的行写成 XLSX，改好后可以再导入")
@click.option("--dry-run", is_flag=True, help="只检查，不导入")
@home_option
def import_(
    file: Path,
    groups: tuple[str, ...],
    channels: tuple[str, ...],
    source: str,
    text_version: str,
    skip_bad: bool,
    bad_rows: Path | None,
    dry_run: bool,
    home: Path | None,
) -> None:
    """从 CSV 或 XLSX 文件导入客户。

    第一行是表头，必须有“姓名”，还要有“电话”（或“手机号”“邮箱”“客户编号”）；日期的列统一成 2026-03-05 这样的写法，
    其余各列原样保存，供话术使用。CSV 的编码可以是 UTF-8、GBK 或 UTF-16。电话、客户编号或 OpenID 相同的客户合并为一位。
    """
    settings = settings_from(home)
    if channels and not source.strip():
        raise click.ClickException("写了 --consent，还要用 --source 写明客户在哪里同意的，例如：--source 购买合同")
    data = file.read_bytes()
    try:
        table = read_table(data)
        choices = Choices(columns.guess(table), read_groups("、".join(groups)), Agreed(channels, source.strip(), text_version.strip()))
        parsed = parse_table(table, choices, clock.now().date())
    except ContactsFileError as error:
        raise click.ClickException(str(error)) from None
    for note in table.notes:
        click.echo(note)
    _columns(table, choices)
    _show(parsed.bad)
    if parsed.stopped:
        click.echo(f"有 {parsed.stopped} 行写明了不能联系（免打扰、不同意、已故，或者未满 18 岁），导入时会列入免打扰名单。")
    if dry_run or (parsed.bad and not skip_bad):
        _write_bad(bad_rows, table, parsed.bad)
        _stop(parsed, dry_run)
        return
    record = Source(
        "cli", hashlib.sha256(data).hexdigest(), len(table.rows), file.name, parsed.merged, choices.groups, table.header, parsed.bad
    )
    try:
        with database(settings) as url:
            earlier, saved = asyncio.run(_save(url, parsed, record, table, skip_bad))
    except PostgresError as error:
        raise click.ClickException(str(error)) from None
    _show(saved.bad)
    _write_bad(bad_rows, table, (*parsed.bad, *saved.bad))
    if saved.import_id is None:
        raise click.ClickException(f"有 {len(saved.bad)} 行需要修改，一位客户也没有导入。")
    if earlier:
        click.echo(f"提醒：内容完全相同的文件在 {earlier} 已经导入过。")
    parts = [f"新增 {saved.created} 位", f"更新 {saved.updated} 位"]
    if saved.unchanged:
        parts.append(f"没有变化 {saved.unchanged} 位")
    if parsed.merged:
        parts.append(f"合并重复 {parsed.merged} 行")
    if skipped := len(parsed.bad) + len(saved.bad):
        parts.append(f"跳过 {skipped} 行")
    click.echo(f"导入完成：{'，'.join(parts)}。")
    if saved.blocked:
        click.echo(f"其中 {saved.blocked} 位在免打扰名单上，不会联系。")


def _columns(table: Table, choices: Choices) -> None:
    names = columns.use_labels()
    told = "，".join(f"{cell or '（空）'}→{names[use]}" for cell, use in zip(table.header, choices.uses, strict=True) if use != columns.Use.TEXT)
    click.echo(f"各列的意思：{told}；其余各列按原名保存。")


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


def _write_bad(path: Path | None, table: Table, bad: tuple[BadRow, ...]) -> None:
    if path is None or not bad:
        return
    from followup.contacts.xlsx import bad_sheet

    path.touch(mode=0o600)
    path.write_bytes(bad_sheet(table.header, bad))
    click.echo(f"有问题的 {len(bad)} 行写在 {path}，改好后可以直接导入这个文件。", err=True)


async def _save(url: str, parsed: ContactsFile, record: Source, table: Table, skip_bad: bool) -> tuple[str, Saved]:
    from followup.console.show import moment
    from followup.contacts.save import earlier_import, save_contacts
    from followup.store.database import Database
    from followup.store.migrate import upgrade

    await asyncio.to_thread(upgrade, url)
    store = Database(url)
    try:
        async with store.session() as session:
            earlier = await earlier_import(session, record.digest)
            told = moment(earlier.at) if earlier else ""  # what is saved below takes the row out of the session
            cells = {row.line: row.cells for row in table.rows}
            saved = await save_contacts(session, parsed.contacts, record, clock.now(), skip_bad=skip_bad, cells=cells, stops=parsed.stops)
            return told, saved
    finally:
        await store.close()
