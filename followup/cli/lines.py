"""`followup nlu` and `followup read TYPE`: lines on standard input, JSON lines on standard output."""

import json
import sys
from collections.abc import Iterator

import click

from followup.cli.chinese import ChineseCommand


@click.command(cls=ChineseCommand)
def nlu() -> None:
    """逐行识别意图：标准输入每行一句话，标准输出每行一个 JSON。"""
    from followup.nlu.lines import parse_lines

    for result in parse_lines(_lines()):
        _print(result)


@click.command(cls=ChineseCommand)
@click.argument("type_", metavar="TYPE")
def read(type_: str) -> None:
    """逐行读取答案：TYPE 是题目类型，如 scale3、score、quantity_of、datetime。

    标准输入每行一句话，标准输出每行一个 JSON。datetime 的每行写成“参照时刻（ISO 格式）<制表符>原话”。
    """
    from followup.reading.lines import read_line

    for line in _lines():
        try:
            _print(read_line(type_, line))
        except ValueError as error:
            raise click.ClickException(str(error)) from None


def _lines() -> Iterator[str]:
    for line in sys.stdin:
        yield line.rstrip("\r\n")


def _print(result: object) -> None:
    # Flushed line by line: whoever writes a line into a pipe waits for its answer.
    sys.stdout.write(json.dumps(result, ensure_ascii=False) + "\n")
    sys.stdout.flush()
