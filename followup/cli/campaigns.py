"""`followup campaigns …`: what the console does with campaigns, where no console is at hand."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from followup import clock
from followup.cli import draws
from followup.cli.chinese import ChineseGroup
from followup.cli.options import home_option, settings_from
from followup.cli.work import in_database
from followup.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from followup.campaigns.ledger import LedgerRow
    from followup.store.campaign_models import Campaign

T = TypeVar("T")
_PAGE = 500


@click.group(cls=ChineseGroup)
def campaigns() -> None:
    """回访任务：新建、启动、暂停、取消、台账。"""


@campaigns.command("list")
@home_option
def list_(home: Path | None) -> None:
    """列出所有回访任务。"""
    from sqlalchemy import select

    from followup.campaigns import ledger
    from followup.campaigns.labels import label
    from followup.store.campaign_models import Campaign

    async def work(session: AsyncSession) -> list[tuple[Campaign, dict[str, int]]]:
        found = list(await session.scalars(select(Campaign).order_by(Campaign.id)))
        stages = await ledger.stage_counts(session, [one.id for one in found])
        return [(one, stages[one.id]) for one in found]

    rows = _run(settings_from(home), work)
    if not rows:
        click.echo("还没有回访任务。")
    for one, stages in rows:
        click.echo(f"{one.id}\t{label(one.status, 'campaign_status')}\t{one.name}\t{one.script_id}\t{sum(stages.values())} 条{_why(one)}")


@campaigns.command()
@click.argument("campaign", type=int)
@click.option("--json", "as_json", is_flag=True, help="只输出任务的设置（JSON），可以改好以后用 new 新建")
@home_option
def show(campaign: int, as_json: bool, home: Path | None) -> None:
    """显示一个任务：状态、设置、各步的人数、抽样记录。"""
    from followup.campaigns import ledger
    from followup.campaigns.labels import label
    from followup.store.campaign_models import Campaign

    async def work(session: AsyncSession) -> tuple[Any, ...]:
        found = await session.get(Campaign, campaign)
        if found is None:
            raise click.ClickException(_sentence("no_campaign"))
        return found, await ledger.counts(session, campaign), await ledger.draws(session, campaign)

    one, counts, draws = _run(settings_from(home), work)
    definition = json.dumps(one.definition, ensure_ascii=False, indent=2)
    if as_json:
        click.echo(definition)
        return
    click.echo(f"{one.id} {one.name}（{label(one.status, 'campaign_status')}，第 {one.version} 版）{_why(one)}")
    click.echo(definition)
    for draw in draws:
        for stratum in draw.strata:
            click.echo(f"{ledger.moment(draw.at)} {label(draw.kind, 'draws')}，种子 {draw.seed}，“{stratum['name']}”抽中 {stratum['drawn']} 位")
    _counts(counts)


@campaigns.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False, readable=True))
@click.option("--name", default="", help="任务名称（默认用文件名）")
@click.option("--demo", is_flag=True, help="演示任务，只联系演示客户")
@home_option
def new(file: Path, name: str, demo: bool, home: Path | None) -> None:
    """用设置文件（YAML 或 JSON）新建一个草稿。"""
    from followup.campaigns import actions

    raw = _read(file)

    async def work(session: AsyncSession) -> Campaign:
        made = await actions.create(session, name or file.stem, raw, clock.now(), is_demo=demo)
        await _audit(session, "campaign.create", made)
        return made

    click.echo(f"已建立草稿 {_run(settings_from(home), work).id}。核对以后，用 followup campaigns start 启动。")


@campaigns.command("dry-run")
@click.argument("campaign", type=int)
@click.option("--days", default=31, show_default=True, type=click.IntRange(1, 400), help="列出多少天")
@home_option
def dry_run(campaign: int, days: int, home: Path | None) -> None:
    """假如现在启动，哪天会联系多少位客户。什么也不发送。"""
    from followup.campaigns import actions, parse
    from followup.campaigns.advice import advice
    from followup.campaigns.labels import reason_said
    from followup.store.campaign_models import Campaign

    async def work(session: AsyncSession) -> tuple[Any, ...]:
        found = await session.get(Campaign, campaign)
        if found is None:
            raise click.ClickException(_sentence("no_campaign"))
        made = parse.definition(found.definition)
        return made, await actions.preview(session, made, clock.now(), seed=found.seed, is_demo=found.is_demo)

    made, result = _run(settings_from(home), work)
    click.echo(f"符合条件的客户 {result.customers} 位，抽中 {result.drawn} 位，首次联系 {result.contacts} 次。")
    for day in result.days[:days]:
        rules = "，".join(f"{rule} {count} 位" for rule, count in day.by_rule.items())
        click.echo(f"{day.day.isoformat()}\t{day.count}\t{rules}" + ("\t超过这天能发的数量，会顺延" if day.count > day.room else ""))
    if len(result.days) > days:
        click.echo(f"……还有 {len(result.days) - days} 天。")
    for reason, count in result.suppressed.items():
        click.echo(f"不联系 {count} 次：{reason_said(reason)}")
    for problem in advice(made):
        click.echo(f"请注意：{problem}")


@campaigns.command()
@click.argument("campaign", type=int)
@home_option
def start(campaign: int, home: Path | None) -> None:
    """启动一个草稿。"""
    from followup.campaigns import actions

    settings = settings_from(home)
    one = _act(settings, "campaign.start", _with_channels(settings, lambda session, ways: actions.start(session, campaign, clock.now(), ways)))
    click.echo(f"“{one.name}”已启动。")


@campaigns.command()
@click.argument("campaign", type=int, required=False)
@click.option("--all", "every", is_flag=True, help="所有进行中的任务，例如恢复备份以后")
@click.option("--reason", default="", help="为什么暂停")
@home_option
def pause(campaign: int | None, every: bool, reason: str, home: Path | None) -> None:
    """暂停：马上停止发送，排队的也不发。"""
    from followup.campaigns import actions

    if (campaign is not None) == every:
        raise click.UsageError("请写明任务的编号，或者用 --all 暂停所有进行中的任务。")
    settings = settings_from(home)
    found = [campaign] if campaign is not None else _run(settings, _running)
    for number in found:
        one = _act(settings, "campaign.pause", partial(actions.pause, campaign_id=number, why=reason))
        click.echo(f"“{one.name}”已暂停。")
    if not found:
        click.echo("没有进行中的任务。")


@campaigns.command()
@click.argument("campaign", type=int)
@home_option
def resume(campaign: int, home: Path | None) -> None:
    """恢复一个已暂停的任务。"""
    from followup.campaigns import actions

    settings = settings_from(home)
    one = _act(settings, "campaign.resume", _with_channels(settings, lambda session, ways: actions.resume(session, campaign, ways)))
    click.echo(f"“{one.name}”已恢复。")


@campaigns.command()
@click.argument("campaign", type=int)
@click.option("--reason", required=True, help="为什么取消，会留在任务里")
@home_option
def cancel(campaign: int, reason: str, home: Path | None) -> None:
    """取消：不能恢复；已经收到邀请的客户仍然可以打开。"""
    from followup.campaigns import actions

    one = _act(settings_from(home), "campaign.cancel", lambda session: actions.cancel(session, campaign, reason, clock.now()))
    click.echo(f"“{one.name}”已取消。")


@campaigns.command("ledger")
@click.argument("campaign", type=int)
@click.option("--stage", default="", help="只列这一步的，例如 sent、suppressed")
@click.option("--rows", "with_rows", is_flag=True, help="列出每一条（制表符分隔）")
@click.option("--entry", type=int, help="一条记录的经过")
@home_option
def ledger_(campaign: int, stage: str, with_rows: bool, entry: int | None, home: Path | None) -> None:
    """台账：每一步有多少，或者每一条、一条的经过。"""
    from followup.campaigns import ledger
    from followup.campaigns.labels import label, reason_said

    settings = settings_from(home)
    if entry is not None:

        async def history(session: AsyncSession) -> list[ledger.Step]:
            try:
                return await ledger.history(session, entry)
            except LookupError:
                raise click.ClickException(f"没有第 {entry} 条记录。") from None

        for step in _run(settings, history):
            click.echo(f"{ledger.moment(step.at) if step.at else '—'}\t{step.text}")
        return
    if not with_rows:

        async def counts(session: AsyncSession) -> ledger.Counts:
            return await ledger.counts(session, campaign)

        _counts(_run(settings, counts))
        return

    async def rows(session: AsyncSession) -> list[LedgerRow]:
        found: list[LedgerRow] = []
        while page := await ledger.rows(session, campaign, stage=stage, after=found[-1].entry_id if found else 0, limit=_PAGE):
            found += page
        return found

    for row in _run(settings, rows):
        due = ledger.moment(row.due_at) if row.due_at else ""
        stage_name, reason = label(row.stage, "stages"), reason_said(row.reason)
        click.echo("\t".join((str(row.entry_id), str(row.contact_id), row.name, row.rule, row.stratum, due, stage_name, reason)))


campaigns.add_command(draws.draw)


# —— parts ———————————————————————————————————————————————————————————


def _counts(counts: Any) -> None:
    from followup.campaigns.labels import label

    click.echo(f"客户 {counts.customers} 位，联系 {counts.total} 条：")
    for stage, count in counts.by("stage").items():
        click.echo(f"  {label(stage, 'stages')}\t{count}")


def _why(one: Campaign) -> str:
    from followup.campaigns.labels import why_paused

    return f"\t{why_paused(one.why)}" if one.why else ""


def _sentence(key: str) -> str:
    from followup.campaigns.labels import sentence

    return sentence(key, "start_errors")


def _with_channels(settings: Settings, act: Callable[[AsyncSession, frozenset[str]], Awaitable[Any]]) -> Callable[[AsyncSession], Awaitable[Any]]:
    """`act` with the channels that something can be sent by now."""

    async def acting(session: AsyncSession) -> Any:
        from followup.channels.notifiers import channels_of
        from followup.channels.wechat.book import stored_accounts

        return await act(session, channels_of(settings, await stored_accounts(session, settings.signing_secret())))

    return acting


def _read(file: Path) -> dict[str, Any]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        raw = YAML(typ="safe").load(file.read_text(encoding="utf-8-sig"))  # JSON is YAML too
    except (YAMLError, UnicodeDecodeError) as error:
        raise click.ClickException(f"文件 {file} 读不出来：{error}") from None
    if not isinstance(raw, dict):
        raise click.ClickException(f"文件 {file} 里应当是一个任务的设置。")
    return raw


async def _audit(session: AsyncSession, action: str, one: Campaign) -> None:
    from followup.console.audit import audit

    await audit(session, None, action, "campaign", one.id, source="cli")


async def _running(session: AsyncSession) -> list[int]:
    from sqlalchemy import select

    from followup.store.campaign_models import Campaign

    return list(await session.scalars(select(Campaign.id).where(Campaign.status == "running").order_by(Campaign.id)))


def _act(settings: Settings, action: str, act: Callable[[AsyncSession], Awaitable[Campaign]]) -> Campaign:
    async def work(session: AsyncSession) -> Campaign:
        one = await act(session)
        await _audit(session, action, one)
        return one

    return _run(settings, work)


def _run(settings: Settings, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
    """`work` in one transaction; what is wrong is told, each on its line."""
    from followup.campaigns.actions import CampaignError
    from followup.campaigns.parse import DefinitionErrors

    try:
        return in_database(settings, work)
    except DefinitionErrors as error:
        raise click.ClickException("\n".join(f"{problem.path}：{problem}" for problem in error.problems)) from None
    except CampaignError as error:
        raise click.ClickException(str(error)) from None
