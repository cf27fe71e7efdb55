"""`followup knowledge list`, `check` and `new`."""

import json
from pathlib import Path

import click

from followup.cli.chinese import ChineseGroup


@click.group(cls=ChineseGroup)
def knowledge() -> None:
    """查看、检查、新写业务问答。"""


@knowledge.command("list")
@click.option("--json", "as_json", is_flag=True, help="以 JSON 输出")
def list_(as_json: bool) -> None:
    """列出全部主题：哪些行业答得上来，哪些变量本公司还没有填。"""
    from followup.knowledge.load import company_values, load_topics

    values = company_values()
    found = [
        {
            "topic": topic.name,
            "title": topic.title,
            "source": topic.source,
            "trades": sorted({trade for entry in topic.answers for trade in entry.trades}),
            "demo": topic.demo,
            "not_filled": {name: one.label for name, one in topic.variables.items() if name not in values},
            "examples": list(topic.examples),
        }
        for topic in load_topics().values()
    ]
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    for topic in found:
        kind = "范例，尚未核对" if topic["demo"] else "正式"
        click.echo(f"{topic['topic']}\t{topic['title']}\t{'、'.join(topic['trades']) or '各行业'}\t{kind}")
        for name, label in topic["not_filled"].items():
            click.echo(f"  未填：{name}（{label}）")


@knowledge.command("check")
@click.argument("files", nargs=-1, metavar="[文件]...", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="以 JSON 输出")
def check(files: tuple[Path, ...], as_json: bool) -> None:
    """检查业务问答；不写文件名则检查全部。

    每个问题一行：文件、行号、错误或提醒、应该怎么写。有错误时退出码为 1，只有提醒时为 0。
    """
    from followup.cli.findings import show
    from followup.knowledge.check import check_all, check_file

    show([finding for file in files for finding in check_file(file)] if files else check_all(), as_json=as_json)


@knowledge.command("new")
@click.argument("topic", metavar="主题")
@click.option("--title", required=True, metavar="名称", help="给同事看的中文名称")
def new(topic: str, title: str) -> None:
    """新写一个主题：生成一个带说明的文件，不会覆盖已有的文件。"""
    from followup.knowledge.check import ENOUGH_EXAMPLES
    from followup.knowledge.new import CannotStart, start_topic

    try:
        path = start_topic(topic, title)
    except CannotStart as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"已经写好 data/knowledge/{path.name}，把里面的话换成您自己的。然后教助手听懂这个问题：")
    click.echo(f"  1. 在 data/nlu/faq.yml 里加上 - intent: faq/{topic} 和至少 {ENOUGH_EXAMPLES} 句客户真实的问法")
    click.echo(f"  2. 在 tests/nlu/replies.tsv 里另写至少 15 句不同的问法（每句后面用制表符隔开，写 faq/{topic}）")
    click.echo(f"  3. 在 docs/zh/intents.md 第六节加上 faq/{topic} 的一行，写明容易混淆的怎么判定")
    click.echo("  4. followup knowledge check，followup train，然后用 followup talk 试谈")
