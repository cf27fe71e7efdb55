"""`followup train`: a model of the present training data."""

import asyncio
import time
from pathlib import Path

import click

from followup.cli.chinese import ChineseCommand
from followup.cli.options import home_option, settings_from
from followup.supervise.model import TrainingError, model_path
from followup.supervise.model import train as train_model


@click.command(cls=ChineseCommand)
@click.option("--force", is_flag=True, help="语料没有变化也重新训练")
@home_option
def train(force: bool, home: Path | None) -> None:
    """按现有语料训练模型，保存到 models/。语料没有变化时直接使用已有的模型。"""
    settings = settings_from(home)
    if not force and model_path(settings.project_dir).exists():
        click.echo(f"语料没有变化，模型已是最新：{model_path(settings.project_dir)}")
        return
    click.echo("正在训练模型，约需一分钟……")
    began = time.monotonic()
    try:
        path = asyncio.run(train_model(settings.project_dir, settings.home / "log" / "train.log", force=force))
    except TrainingError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"训练完成，用时 {time.monotonic() - began:.0f} 秒：{path}")
