"""`followup scripts list`, `check`, `new` and `draw`."""

import json
from pathlib import Path

import click

from followup.cli.chinese import ChineseGroup


@click.group(cls=ChineseGroup)
def scripts() -> None:
    """查看、检查、新写话术。"""


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
    from followup.cli.findings import show
    from followup.scripts.check import check_all, check_file

    show([finding for file in files for finding in check_file(file)] if files else check_all(), as_json=as_json)


@scripts.command("new")
@click.argument("script_id", metavar="编号")
@click.option("--trade", required=True, metavar="行业", help="所在的文件夹，例如 car-service")
@click.option("--name", default="", metavar="名称", help="给同事看的中文名称")
def new(script_id: str, trade: str, name: str) -> None:
    """新写一份话术：生成一个带说明、能直接试谈的文件，不会覆盖已有的文件。"""
    from followup.scripts.new import CannotStart, start_script

    try:
        path = start_script(script_id, trade, name)
    except CannotStart as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"已经写好 {_shown(path)}，把里面的话换成您自己的，然后：")
    click.echo(f"  followup scripts check {_shown(path)}\n  followup talk {script_id}")


@scripts.command("draw")
@click.argument("script_id", metavar="编号")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="文件", help="写到文件里；以 .svg 结尾时画成图片")
def draw(script_id: str, out: Path | None) -> None:
    """画出一份话术的流程：题目、分支、追问和结束，Mermaid 格式或 SVG 图片。"""
    from followup.scripts.draw import mermaid
    from followup.scripts.draw_svg import svg
    from followup.scripts.load import UnknownScript, load_script

    try:
        script = load_script(script_id)
    except UnknownScript:
        raise click.ClickException(f"没有编号是“{script_id}”的话术，用 followup scripts list 查看全部") from None
    text = svg(script) if out is not None and out.suffix.lower() == ".svg" else mermaid(script)
    if out is None:
        click.echo(text, nl=False)
        return
    out.write_text(text, encoding="utf-8")
    click.echo(f"已经画好 {_shown(out)}")


def _shown(path: Path) -> str:
    """The path as one would type it here."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
