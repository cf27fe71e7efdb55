"""`followup migrate`: the database's tables as this version needs them; for when the processes are started one by one."""

from pathlib import Path

import click

from followup.cli.chinese import ChineseCommand
from followup.cli.options import home_option, settings_from
from followup.supervise.postgres import PostgresError, database


@click.command(cls=ChineseCommand)
@home_option
def migrate(home: Path | None) -> None:
    """更新数据表。followup up 会自动完成这一步，分别启动各进程时才需要。"""
    from followup.store.migrate import upgrade

    try:
        with database(settings_from(home)) as url:
            upgrade(url)
    except PostgresError as error:
        raise click.ClickException(str(error)) from None
    click.echo("数据表已是最新。")
