"""`followup up`: the whole product in one terminal."""

from pathlib import Path

import click

from followup.cli.chinese import ChineseCommand
from followup.cli.options import home_option, settings_from


@click.command(cls=ChineseCommand)
@home_option
@click.option(
    "--port", type=click.IntRange(1, 65535), help="网页端口（默认取环境变量 FOLLOWUP_PORT，否则为 8080）"
)
def up(home: Path | None, port: int | None) -> None:
    """启动全部服务，按 Ctrl-C 停止。

    第一次启动会安装网页组件、建立数据库、训练模型，并准备几位演示客户；之后半分钟左右即可就绪。
    """
    from followup.supervise.up import run_up

    if code := run_up(settings_from(home, port)):
        raise click.exceptions.Exit(code)
