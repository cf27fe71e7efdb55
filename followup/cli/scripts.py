"""`followup scripts list` and `followup scripts check`."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from followup.cli.chinese import ChineseGroup


@click.group(cls=ChineseGroup)
def scripts() -> None:
    """查看、检查话术。"""


@scripts.command("list")
@click.option("--json", "as_json", is_flag=True, help="以 JSON 输出")
def list_(as_json: bool) -> None:
    """列出全部话术。"""
    from followup.scripts import load

    found = [
        {
            "id": script.id,
            "name": script.name,
            "trade": script.trade,
            "version": script.version,
            "questions": sum(not question.is_step for question in script.questions),
        }
        for script in load.load_all()
    ]
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    for script in found:
        click.echo(f"{script['id']}\t{script['name']}\t第 {script['version']} 版\t{script['questions']} 题")


@scripts.command("check")
@click.argument("files", nargs=-1, metavar="[文件]...", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="以 JSON 输出")
def check(files: tuple[Path, ...], as_json: bool) -> None:
    """检查话术文件；不写文件名则检查全部。

    每个问题一行：文件、行号、错误或提醒、应该怎么写。有错误时退出码为 1，只有提醒时为 0。
    """
    from followup.scripts.check import check_all, check_file

    found = [finding for file in files for finding in check_file(file)] if files else check_all()
    errors = sum(finding.is_error for finding in found)
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in found], ensure_ascii=False, indent=2))
    else:
        for finding in found:
            click.echo(str(finding))
        reminders = len(found) - errors
        tail = f"{errors} 处错误，{reminders} 处提醒。" if found else "没有发现问题。"
        click.echo(f"检查完成：{tail}")
    if errors:
        raise click.exceptions.Exit(1)
