"""`followup figures survey` and `workshop`: the documents' forms over a period."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from followup import clock
from followup.cli.chinese import ChineseGroup
from followup.cli.options import home_option, settings_from
from followup.figures.talks import TalkAnswers
from followup.settings import SHANGHAI

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from followup.console.figures.forms import Made
    from followup.figures.monthly import Month


@click.group(cls=ChineseGroup)
def figures() -> None:
    """统计：满意度调查统计表、落实度和满意度、客户回访记录表、月度报告。"""


class _Day(click.ParamType):
    name = "日期"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(str(value).strip())
        except ValueError:
            self.fail(f"“{value}”不是日期，请写成 2026-11-01 这样。", param, ctx)


def _period(function: Callable[..., Any]) -> Callable[..., Any]:
    """`--from`, `--to`, `--out`, `--with-demo` and `--home`."""
    options = (
        click.option("--from", "first", type=_Day(), metavar="日期", help="从哪一天起（默认上个月1日）"),
        click.option("--to", "last", type=_Day(), metavar="日期", help="到哪一天为止（默认上个月最后一天）"),
        click.option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="文件", help="写成文件，文件名以 .xlsx 或 .pdf 结尾"),
        click.option("--with-demo", is_flag=True, help="把演示和试走的回访也算进去"),
        home_option,
    )
    for option in reversed(options):
        function = option(function)
    return function


@figures.command("survey")
@click.option("--script", "script_id", default="satisfaction_survey_form", metavar="编号", help="话术编号（默认 satisfaction_survey_form）")
@_period
def survey_(
    script_id: str, first: date | None, last: date | None, out: Path | None, with_demo: bool, home: Path | None
) -> None:
    """客户满意度调查统计表：每一项很满意、一般、不满意的份数和百分比，不满意的原因，其他意见。"""
    from followup.figures.forms import NoForm, survey_form, with_form
    from followup.figures.survey import survey
    from followup.figures.text import survey_text

    try:
        form = survey_form(script_id)
    except NoForm:
        raise click.ClickException(_no_form(script_id, with_form("blocks"))) from None
    days = _days(first, last)
    _check_out(out)
    counted = survey(form, _talks(home, script_id, *days, with_demo))
    if not counted.forms:
        raise click.ClickException(_nothing(script_id, days, with_demo))
    if out is None:
        click.echo(survey_text(counted, _shown(days)), nl=False)
        return
    from followup.console.figures.forms import Made

    _write(out, Made(survey=counted, period=_shown(days)))


@figures.command("workshop")
@click.option("--script", "script_id", default="workshop_service_satisfaction", metavar="编号", help="话术编号（默认 workshop_service_satisfaction）")
@_period
def workshop_(
    script_id: str, first: date | None, last: date | None, out: Path | None, with_demo: bool, home: Path | None
) -> None:
    """落实度和满意度：每一题、合计，以及按服务站分开。"""
    from followup.figures.forms import NoForm, rates_form, with_form
    from followup.figures.text import rates_text
    from followup.figures.workshop import rates

    try:
        form = rates_form(script_id)
    except NoForm:
        raise click.ClickException(_no_form(script_id, with_form("by"))) from None
    days = _days(first, last)
    _check_out(out)
    counted = rates(form, _talks(home, script_id, *days, with_demo))
    if not counted.total.talks:
        raise click.ClickException(_nothing(script_id, days, with_demo))
    if out is None:
        click.echo(rates_text(counted, _shown(days)), nl=False)
        return
    from followup.console.figures.forms import Made

    _write(out, Made(rates=counted, period=_shown(days)))


@figures.command("record")
@click.option("--script", "script_id", default="", metavar="编号", help="只要一份话术的（默认所有的回访）")
@_period
def record_(
    script_id: str, first: date | None, last: date | None, out: Path | None, with_demo: bool, home: Path | None
) -> None:
    """客户回访记录表：每次通话一行，七栏照资料里的规定。要写成文件。"""
    days = _days(first, last)
    if out is None:
        raise click.ClickException("回访记录表有七栏，屏幕上放不下。请加 --out 回访记录表.xlsx（或 .pdf）。")
    _check_out(out)
    from followup.console.figures import forms
    from followup.console.figures.filters import read

    query = {"script": script_id, "first": str(days[0]), "last": str(days[1]), "demo": "1" if with_demo else ""}

    async def made(session: AsyncSession) -> Made:
        return await forms.make(session, "record", read(query, days[1]))

    try:
        record = _read(home, made)
    except forms.TooMany as error:
        raise click.ClickException(f"这段时间超过 {error.most} 场回访，一次做不完。请缩小日期范围。") from None
    if not record.rows:
        hint = "" if with_demo else "演示和试走的回访没有算在内，要算上请加 --with-demo。"
        raise click.ClickException(f"{_shown(days)}没有打开过的回访。{hint}")
    _write(out, record)


class _Month(click.ParamType):
    name = "月份"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from followup.figures.monthly import Month

        month = value if isinstance(value, Month) else Month.parse(str(value).strip())
        if month is None:
            self.fail(f"“{value}”不是月份，请写成 2026-11 这样。", param, ctx)
        return month


@figures.command("monthly")
@click.option("--month", type=_Month(), metavar="月份", help="哪一个月，例如 2026-11（默认上个月）")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="文件", help="写成文件，文件名以 .xlsx 或 .pdf 结尾")
@click.option("--with-demo", is_flag=True, help="把演示和试走的回访也算进去")
@home_option
def monthly_(month: Month | None, out: Path | None, with_demo: bool, home: Path | None) -> None:
    """月度回访报告：回访情况、各项满意度、抱怨分析、投诉处理、流失原因、建议。每月3日前上报。"""
    from followup.console.figures import monthly
    from followup.console.figures.forms import Made
    from followup.figures.monthly import Month, monthly_paper
    from followup.figures.text import paper_text

    _check_out(out)
    wanted = month or Month(clock.now().astimezone(SHANGHAI).date().replace(day=1)).before
    paper = monthly_paper(_read(home, lambda session: monthly.month_figures(session, wanted, demo=with_demo)))
    if out is None:
        click.echo(paper_text(paper), nl=False)
    else:
        _write(out, Made(paper))


def _days(first: date | None, last: date | None) -> tuple[date, date]:
    """The period asked for; last month when nothing was said."""
    this_month = clock.now().astimezone(SHANGHAI).date().replace(day=1)
    end_of_last = this_month - timedelta(days=1)
    begin = first or (last or end_of_last).replace(day=1)
    end = last or (end_of_last if begin <= end_of_last else clock.now().astimezone(SHANGHAI).date())
    if begin > end:
        raise click.ClickException(f"开始的日期 {begin} 在结束的日期 {end} 之后，请调换过来。")
    return begin, end


def _shown(days: tuple[date, date]) -> str:
    return f"{days[0]} 至 {days[1]}"


def _check_out(out: Path | None) -> None:
    """Refuse before anything is read."""
    if out is not None and out.suffix.lower() not in (".xlsx", ".pdf"):
        raise click.ClickException(f"只能写成 .xlsx 或 .pdf 文件，请把“{out.name}”改成“{out.stem}.xlsx”。")


def _write(out: Path, made: Made) -> None:
    from followup.figures.pdf import TooLong

    try:
        out.write_bytes(made.pdf() if out.suffix.lower() == ".pdf" else made.xlsx())
    except TooLong:
        raise click.ClickException("行数太多，PDF 放不下。请写成 .xlsx，或者缩小日期范围。") from None
    except OSError as error:
        raise click.ClickException(f"写不了“{out}”：{error.strerror or error}。请换一个位置，或者先关上打开着的表格。") from None
    click.echo(f"已经写好 {out}，共 {made.rows} {made.unit}。")


def _no_form(script_id: str, known: list[str]) -> str:
    return f"话术“{script_id}”没有这种统计表。有的是：{'、'.join(known)}。"


def _nothing(script_id: str, days: tuple[date, date], with_demo: bool) -> str:
    hint = "" if with_demo else "演示和试走的回访没有算在内，要算上请加 --with-demo。"
    return f"{_shown(days)}，话术“{script_id}”没有可以统计的回答。{hint}"


def _talks(home: Path | None, script_id: str, first: date, last: date, demo: bool) -> list[TalkAnswers]:
    from followup.store.figures import talks_between

    return _read(home, lambda session: talks_between(session, script_id, first, last, demo=demo))


T = TypeVar("T")


def _read(home: Path | None, what: Callable[[AsyncSession], Awaitable[T]]) -> T:
    """What the database says, brought up to date first."""
    from followup.supervise.postgres import PostgresError, database

    try:
        with database(settings_from(home)) as url:
            return asyncio.run(_ask(url, what))
    except PostgresError as error:
        raise click.ClickException(str(error)) from None


async def _ask(url: str, what: Callable[[AsyncSession], Awaitable[T]]) -> T:
    from followup.store.database import Database
    from followup.store.migrate import upgrade

    await asyncio.to_thread(upgrade, url)
    store = Database(url)
    try:
        async with store.session() as session:
            return await what(session)
    finally:
        await store.close()
