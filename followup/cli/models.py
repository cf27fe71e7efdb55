"""`followup models …`: train, compare, promote and roll back, where no console is at hand."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from followup.cli.chinese import ChineseGroup
from followup.cli.options import home_option, settings_from
from followup.cli.work import in_database
from followup.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from followup.store.database import Database
    from followup.training.jobs import Progress

T = TypeVar("T")
_LISTED = 20


@click.group(cls=ChineseGroup)
def models() -> None:
    """模型：列出、训练、比较、上线、退回。"""


@models.command("list")
@home_option
def list_(home: Path | None) -> None:
    """列出各版模型，以及每台机器现在用的是哪一版。"""
    from followup.training import deploy

    async def work(session: AsyncSession) -> tuple[list[Any], list[Any]]:
        return await deploy.versions(session), await deploy.servers(session)

    found, servers = _run(settings_from(home), work)
    if not found:
        click.echo("还没有训练过模型，现在用的是语料文件的模型。用 followup models train 训练一版。")
    for one in found:
        marks = [one.state_label, *(["应在线上"] if one.wanted else []), *([f"{one.live_on} 台在用"] if one.live_on else [])]
        figures = f"\t正确率 {one.accuracy:.1%}，改对 {one.better} 句，改错 {one.worse} 句" if one.accuracy is not None else ""
        examples = f"\t例句 {one.trained_on['examples']} 句" if "examples" in one.trained_on else ""
        click.echo(f"第 {one.id} 版\t{_moment(one.created_at)}\t{'、'.join(marks)}\t{one.source_label}{examples}{figures}")
        if one.error:
            click.echo(f"  {one.error}")
    for server in servers:
        serves = f"第 {server.version} 版" if server.version else "语料文件的模型"
        click.echo(f"机器 {server.name}：{serves}，{server.state_label if server.alive else '没有在运行'}" + (f"。{server.error}" if server.error else ""))


@models.command()
@home_option
def train(home: Path | None) -> None:
    """训练一版新模型，并与线上的比较。按 Ctrl-C 取消。"""
    from followup.supervise.postgres import PostgresError, database
    from followup.training.labels import Refused

    settings = settings_from(home)
    try:
        with database(settings) as url:
            last = asyncio.run(_train(settings, url))
    except (PostgresError, Refused) as error:
        raise click.ClickException(str(error)) from None
    if last.error:
        raise click.ClickException(last.error)
    click.echo(f"第 {last.version} 版：{last.state_label}。用 followup models compare {last.version} 看比较的结果。")


async def _train(settings: Settings, url: str) -> Progress:
    from followup.store.database import Database
    from followup.store.migrate import upgrade
    from followup.supervise.health import worker_beats
    from followup.training import jobs

    await asyncio.to_thread(upgrade, url)
    database = Database(url, pool_size=2)
    here: asyncio.Task[None] | None = None
    try:
        works = await worker_beats(url, 60.0)
        async with database.session() as session:
            version = await (jobs.queue_training(session, None) if works else jobs.new_version(session, None))
        if not works:  # nobody would take the job
            here = asyncio.create_task(jobs.attend(database, version, {"FOLLOWUP_HOME": str(settings.home)}))
        try:
            return await _follow(database)
        except asyncio.CancelledError:
            async with database.session() as session:
                await jobs.cancel(session, None, version)
            raise
    finally:
        if here is not None:
            here.cancel()
            await asyncio.gather(here, return_exceptions=True)
        await database.close()


async def _follow(database: Database) -> Progress:
    from followup.training import jobs

    shown, began = "", time.monotonic()
    while True:
        async with database.session() as session:
            now = await jobs.progress(session)
        assert now is not None
        if now.phase_label != shown and now.under_way:
            shown = now.phase_label
            click.echo(f"{time.monotonic() - began:4.0f} 秒  {now.percent:3d}%  {shown}")
        if not now.under_way:
            return now
        await asyncio.sleep(0.5)


@models.command()
@click.argument("version", type=int)
@home_option
def compare(version: int, home: Path | None) -> None:
    """显示一版模型与当时线上模型的比较：正确率、改变了的句子、走不通的会话。"""
    from followup.training import deploy

    told = _run(settings_from(home), lambda session: deploy.report(session, version))
    if told is None:
        raise click.ClickException(f"第 {version} 版没有比较的结果。")
    against = f"第 {told['compared_with']} 版" if told["compared_with"] else "（没有可比的模型）"
    click.echo(f"第 {version} 版与{against}比较：")
    _show_set("固定测试句", told["frozen"])
    _show_set("同事标注过的客户原话", told["corrected"])
    if told["speed"]:
        click.echo(f"听懂一句话用时：{told['speed']['live_ms']:.2f} 毫秒 → {told['speed']['candidate_ms']:.2f} 毫秒")
    talks = told["talks"]
    click.echo(f"重走会话 {talks['played']} 场，走不通 {len(talks['broken'])} 场，原来就走不通 {len(talks['failing'])} 场")
    for talk in talks["broken"][:_LISTED]:
        click.echo(f"  {talk['talk']}：{talk['why'].splitlines()[1] if chr(10) in talk['why'] else talk['why']}")
    click.echo("不能直接上线：" if told["blocked"] else "可以上线。")
    for reason in told["blocked"]:
        click.echo(f"  {reason}")


def _show_set(title: str, figures: dict[str, Any]) -> None:
    if not figures["lines"]:
        click.echo(f"{title}：没有")
        return
    live, now = figures["live"], figures["candidate"]
    pairs = (("正确率", "accuracy"), ("各意图平均", "macro_recall"), ("把握的误差", "calibration_error"))
    shown = (f"{name} {f'{live[key]:.3f} → ' if live else ''}{now[key]:.3f}" for name, key in pairs)
    click.echo(f"{title} {figures['lines']} 句：{'，'.join(shown)}")
    for intent in figures["intents"]:
        (before, after), (heard, hears) = intent["recall"], intent["precision"]
        if before is not None and (before, heard) != (after, hears):
            click.echo(f"  {intent['intent']}（{intent['lines']} 句）：召回 {before:.3f} → {after:.3f}，准确 {heard:.3f} → {hears:.3f}")
    for flip in figures["flips"]:
        mark = {True: "改对", False: "改错", None: "都不对"}[flip["better"]]
        was, now_read = flip["live"], flip["candidate"]
        click.echo(f"  {mark}  {flip['text']}（{flip['intent']}）：{was[0]} {was[1]:.2f} → {now_read[0]} {now_read[1]:.2f}")


@models.command()
@click.argument("version", type=int)
@click.option("--reason", default="", help="原因；比较没有通过的版本必须写")
@home_option
def promote(version: int, reason: str, home: Path | None) -> None:
    """让一版模型上线。正在进行的会话不受影响。"""
    from followup.training import deploy

    _run(settings_from(home), lambda session: deploy.promote(session, None, version, reason))
    click.echo(f"第 {version} 版将在各台机器上接手，用 followup models list 查看。")


@models.command()
@click.option("--reason", required=True, help="原因")
@home_option
def rollback(reason: str, home: Path | None) -> None:
    """退回上一个在线上的版本。"""
    from followup.training import deploy, versions

    async def work(session: AsyncSession) -> int:
        await deploy.rollback(session, None, reason)
        present = await versions.wanted(session)
        assert present is not None
        return present.version

    click.echo(f"将退回第 {_run(settings_from(home), work)} 版，用 followup models list 查看。")


def _moment(at: Any) -> str:
    from followup.settings import SHANGHAI

    return str(at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M"))


def _run(settings: Settings, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
    """`work` in one transaction; what is refused is told in a line."""
    from followup.training.labels import Refused

    try:
        return in_database(settings, work)
    except Refused as error:
        raise click.ClickException(str(error)) from None
