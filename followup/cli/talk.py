"""`followup talk SCRIPT`: hold one talk in the terminal, through the real Rasa and actions."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import asynccontextmanager
from typing import AsyncIterator

import click

from followup.cli.chinese import ChineseCommand
from followup.scripts import load
from followup.settings import load_settings
from followup.store.database import Database
from followup.store.records import TranscriptLine
from followup.supervise import runfile
from followup.talk.inbox import EmptyMessage
from followup.talk.rasa_client import RasaClient
from followup.talk.trial import Trial


@click.command(cls=ChineseCommand)
@click.argument("script", metavar="话术编号")
@click.option("--var", "variables", multiple=True, metavar="名称=值", help="改一个变量，例如 --var company=某某公司；可写多次")
@click.option("--say", "says", multiple=True, metavar="话", help="客户说的话，按先后写多次；不写就在终端里问")
@click.option("--json", "as_json", is_flag=True, help="最后输出 JSON，不打印对话")
def talk(script: str, variables: tuple[str, ...], says: tuple[str, ...], as_json: bool) -> None:
    """试走一场回访：真实的 Rasa 与动作服务，客户由您来扮演。服务已在运行时就用它，否则临时启动一套。"""
    try:
        load.find(script)
    except load.UnknownScript:
        known = "、".join(path.stem for path in load.script_files())
        raise click.UsageError(f"没有“{script}”这个话术。现有：{known}") from None
    asyncio.run(_talk(script, _pairs(variables), says, as_json))


def _pairs(variables: tuple[str, ...]) -> dict[str, str]:
    pairs = {}
    for item in variables:
        name, equals, value = item.partition("=")
        if not equals or not name.strip():
            raise click.UsageError(f"--var 要写成“名称=值”，这里是“{item}”。")
        pairs[name.strip()] = value
    return pairs


async def _talk(script: str, variables: dict[str, str], says: tuple[str, ...], as_json: bool) -> None:
    async with _running() as (database, rasa):
        trial = await Trial.open(database, rasa, script, variables)
        _show(await trial.start(), as_json)
        if says:
            for text in says:
                if not as_json:
                    click.echo(f"客户：{text}")
                await _say(trial, text, as_json)
        else:
            await _interactive(trial, as_json)
        result = await trial.result()
        if as_json:
            click.echo(json.dumps(result.as_json(), ensure_ascii=False, indent=2))
        else:
            click.echo(f"\n结果：{result.outcome or '进行中'}")


async def _interactive(trial: Trial, quiet: bool) -> None:
    while True:
        try:
            text = await asyncio.to_thread(input, "客户：")
        except EOFError:
            return
        if text.strip() in ("/exit", "/quit"):
            return
        await _say(trial, text, quiet)
        if (await trial.result()).outcome:
            return


async def _say(trial: Trial, text: str, quiet: bool) -> None:
    try:
        _show(await trial.say(text), quiet)
    except EmptyMessage:
        click.echo("（空消息，没有发送）", err=True)


def _show(lines: list[TranscriptLine], quiet: bool) -> None:
    for line in [] if quiet else lines:
        choices = f"　［{' ｜ '.join(line.quick_replies)}］" if line.quick_replies else ""
        click.echo(f"助手：{line.text}{choices}")


@asynccontextmanager
async def _running() -> AsyncIterator[tuple[Database, RasaClient]]:
    """A running stack of this data directory, else a temporary one."""
    from followup.supervise.progress import Progress
    from followup.supervise.stack import Stack

    settings = load_settings()
    running = runfile.read(settings.home)
    if running is not None:
        async with _clients(settings.database_url or running.database_url, running.rasa_url) as clients:
            yield clients
        return
    progress = Progress(sys.stderr)
    async with Stack.temporary(worker=False, web=False, step=progress.step) as stack:
        async with _clients(stack.database_url, stack.rasa_url) as clients:
            yield clients


@asynccontextmanager
async def _clients(database_url: str, rasa_url: str) -> AsyncIterator[tuple[Database, RasaClient]]:
    database = Database(database_url)
    try:
        async with RasaClient(rasa_url) as rasa:
            yield database, rasa
    finally:
        await database.close()
