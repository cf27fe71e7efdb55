"""`followup reconcile`: whether the records still fit together; for after a crash or a restore."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from followup.cli.chinese import ChineseCommand
from followup.cli.options import home_option, settings_from
from followup.supervise.postgres import PostgresError, database

if TYPE_CHECKING:
    from followup.reconcile.run import Report


@click.command(cls=ChineseCommand)
@click.option("--grace", type=click.IntRange(0), default=120, help="等待不到这么多秒的，视为正在处理（默认 120）")
@click.option("--json", "as_json", is_flag=True, help="按 JSON 格式输出")
@home_option
def reconcile(grace: int, as_json: bool, home: Path | None) -> None:
    """核对数据：每条消息都有回复，答案、工单不重不漏，免打扰之后没有再联系，台账的数目相符。

    只读，不改动数据。恢复备份、机器故障之后请运行一次。全部相符时退出码为 0，否则为 1。
    """
    from sqlalchemy.exc import DBAPIError

    try:
        with database(settings_from(home)) as url:
            report = asyncio.run(_report(url, timedelta(seconds=grace)))
    except PostgresError as error:
        raise click.ClickException(str(error)) from None
    except DBAPIError as error:
        raise click.ClickException(f"数据库用不了：{type(error.orig).__name__}。请确认数据库在运行，并已执行 followup migrate。") from None
    if as_json:
        click.echo(json.dumps({"sound": report.sound, **asdict(report)}, ensure_ascii=False, indent=2))
    else:
        _show(report)
    if not report.sound:
        raise click.exceptions.Exit(1)


async def _report(url: str, grace: timedelta) -> Report:
    from followup import clock
    from followup.reconcile.run import reconcile as run
    from followup.store.database import Database

    store = Database(url, pool_size=1)
    try:
        return await run(store, clock.now(), grace=grace)
    finally:
        await store.close()


def _show(report: Report) -> None:
    from followup.reconcile.run import tables, words

    for found in report.findings:
        said = words()[found.key]
        click.echo(f"✗ {said.title}：{found.count} 处")
        for row in found.rows:
            click.echo(f"    编号 {row.id}" + (f"，回访 {row.case_id}" if row.case_id and row.case_id != row.id else ""))
        if found.count > len(found.rows):
            click.echo("    ……")
        click.echo(f"    {said.advice}")
    counted = "，".join(f"{tables()[table]} {count}" for table, count in report.counts.items())
    click.echo(f"共有：{counted}。")
    if report.sound:
        click.echo(f"核对了 {report.held} 项，全部相符。")
    else:
        click.echo(f"核对了 {report.held} 项，{len(report.findings)} 项不符。")
