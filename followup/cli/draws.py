"""`followup campaigns draw`: the list of a campaign's draws, and drawing again to see that it comes to the same."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from followup.cli.options import home_option, settings_from
from followup.cli.work import in_database

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from followup.campaigns.redraw import Lot

_MOST_NAMED = 10


@click.command("draw")
@click.argument("what", metavar="任务编号或名单文件")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="把名单写进这个 CSV 文件")
@home_option
def draw(what: str, out: Path | None, home: Path | None) -> None:
    """重抽一遍：按种子和比例再抽一次，和记录比对。给任务编号就从数据库里取名单，给文件就只用文件。"""
    from followup.campaigns import redraw

    if what.isascii() and what.isdigit():
        lots, rule = _stored(int(what), home)
    else:
        lots, rule = _written(Path(what)), ""
    if out is not None:
        out.write_text("\ufeff" + redraw.as_csv(lots, rule), encoding="utf-8")
        click.echo(f"名单已写入 {out}，{len(lots)} 位客户。")
    if not lots:
        click.echo("还没有抽过。")
        return
    wrong = 0
    for one in redraw.again(lots):
        result = "一致" if not one.wrong else f"不一致的客户 {len(one.wrong)} 位：{'、'.join(map(str, one.wrong[:_MOST_NAMED]))}"
        click.echo(f"抽样 {one.number}，“{one.stratum}”：{one.members} 位参加，抽中 {one.drawn} 位，{result}")
        wrong += len(one.wrong)
    for one in redraw.top_ups(lots):
        click.echo(f"“{one.stratum}”补抽 {one.drawn} 位，按签号从小到大；签号在前而没有补抽的 {one.passed_over} 位，当时已经免打扰、缺资料或者过了时间。")
    if wrong:
        raise click.ClickException(f"重抽的结果和名单不一致，共 {wrong} 位。")
    click.echo("重抽的结果和名单完全一致。")


def _stored(campaign_id: int, home: Path | None) -> tuple[list[Lot], str]:
    from followup.campaigns import redraw
    from followup.campaigns.labels import sentence
    from followup.store.campaign_models import Campaign

    async def work(session: AsyncSession) -> tuple[list[Lot], str]:
        campaign = await session.get(Campaign, campaign_id)
        if campaign is None:
            raise click.ClickException(sentence("no_campaign", "start_errors"))
        return await redraw.read(session, campaign_id), sentence("rule", "redraw", campaign=campaign.name, seed=campaign.seed)

    return in_database(settings_from(home), work)


def _written(file: Path) -> list[Lot]:
    from followup.campaigns import redraw

    try:
        return redraw.from_csv(file.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"文件 {file} 读不出来：{error}") from None
    except redraw.NotAList as error:
        raise click.ClickException(str(error)) from None
