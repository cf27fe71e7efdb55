"""`python -m tests.e2e.examples`: docs/zh/examples/<trade>.md, the talks of tests/e2e/talks/people as they were held.

A talk file holds only what the customer writes and what must hold; what the assistant says on these pages comes from playing it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from followup.scripts.draw import OUTCOMES
from followup.scripts.load import SCRIPTS_DIR
from followup.scripts.model import Script
from followup.store.records import TranscriptLine
from followup.talk.trial import CUSTOMER, TITLE, TrialResult
from tests.e2e.dialogue_file import DialogueFile
from tests.e2e.in_process import script_of
from tests.e2e.play import TALKS_DIR, play

PEOPLE = TALKS_DIR / "people"
PAGES = SCRIPTS_DIR.parents[1] / "docs" / "zh" / "examples"
TRADES = {
    "bank": "银行",
    "car-sales": "汽车销售",
    "car-service": "汽车服务",
    "cosmetics": "化妆品",
    "decoration": "装修",
    "e-commerce": "电商",
    "finance": "金融",
    "hospital": "医院",
    "housekeeping": "家政",
    "insurance": "保险",
    "optician": "眼镜店",
    "service": "售后服务",
}
_TICKETS = {"dissatisfaction": "不满意", "complaint": "投诉", "request": "请求", "question": "疑问", "compensation": "赔偿"}
_COMPUTED = {"yes_share": "落实度", "score_share": "满意度", "compensation_by_share": "赔偿金额", "score_change": "与上次相比"}
_DIRECTIONS = {"better": "比上次好", "same": "与上次一样", "worse": "不如上次", "unknown": "上次没有评价"}
_WEEKDAYS = "一二三四五六日"
_PARTS = {range(0, 6): "凌晨", range(6, 12): "上午", range(12, 14): "中午", range(14, 18): "下午", range(18, 24): "晚上"}
_EXACT = ("minute", "hour")


def page(trade: str) -> str:
    """The page of one trade. Raises TalkFailed when a talk does not go as its file says."""
    lines = [
        f"# 对话示例：{TRADES[trade]}",
        "",
        "客户的话是事先写好的，助手的话、记下的答案和工单都是系统当场给出的，没有改动；姓名、号码和单位都是演示用的。",
        "话术或语料改动以后，执行 `make examples` 重新生成。",
        "",
    ]
    for path in talk_files(trade):
        played = play(path)
        if played.failure is not None:
            raise played.failure
        lines += [*_talk(played.file, played.result), ""]
    return "\n".join(lines)


def talk_files(trade: str) -> list[Path]:
    """The trade's talks, in a stable order."""
    return sorted((PEOPLE / trade).glob("*.yml"))


def index() -> str:
    """docs/zh/examples/README.md: the trades and their talks."""
    lines = ["# 对话示例", "", "每个行业至少三场，客户有爱聊的、话少的、带着气来的，也有问长问短的；助手的话都是系统当场说的。", ""]
    for trade, name in TRADES.items():
        lines += [f"## [{name}]({trade}.md)", ""]
        lines += [f"- {DialogueFile.load(path).raw['talk']}" for path in talk_files(trade)]
        lines.append("")
    return "\n".join(lines)


def _talk(file: DialogueFile, result: TrialResult) -> Iterator[str]:
    script = script_of(file.raw["script"])
    yield f"## {file.raw['talk']}"
    yield ""
    yield f"{file.raw['person']}话术：[{script.name}](../../../data/scripts/{script.trade}/{script.id}.yml)。"
    yield ""
    yield from _said(result.transcript, _called(file))
    yield ""
    yield from _answers(script, file, result)
    yield from _tickets(result)
    yield f"**结果**：{OUTCOMES.get(result.outcome or '', '还没谈完')}{_callback(result)}。"


def _called(file: DialogueFile) -> str:
    variables = file.raw.get("variables", {})
    return f"{variables.get('customer', CUSTOMER)}{variables.get('title', TITLE)}" or "客户"


def _said(lines: list[TranscriptLine], customer: str) -> Iterator[str]:
    before: datetime | None = None
    for line in lines:
        if line.at != before:
            yield from [] if before is None else [">"]
            yield f"> *{_moment(line.at)}*"
            before = line.at
        yield ">"
        yield f"> **{'助手' if line.direction == 'out' else customer}**：{line.text}"


def _answers(script: Script, file: DialogueFile, result: TrialResult) -> Iterator[str]:
    if not result.answers:
        return
    variables = {**script.demo_variables(), "customer": CUSTOMER, "title": TITLE, **file.raw.get("variables", {})}
    yield from ["| 问题 | 记下的答案 | 客户的原话 |", "|---|---|---|"]
    for question, answer in result.answers.items():
        yield f"| {_asked(script, question, variables)} | {shown(answer['value'])} | {_cell(answer['text'])} |"
    yield ""


def _asked(script: Script, question_id: str, variables: Mapping[str, Any]) -> str:
    """What the question asks, in one sentence; a computed result goes by its name."""
    question = script.question(question_id)
    if question.compute:
        return f"{_COMPUTED[question.compute]}（计算得出）"
    sentences = [part for part in question.ask.replace("？", "？\n").replace("。", "。\n").split("\n") if part.strip()]
    asking = next((part for part in sentences if part.endswith("？")), question.ask)
    return _cell(asking.strip().format_map(_Left(variables)))


class _Left(dict[str, Any]):
    """Template variables; what a talk fills in later stays as it is."""

    def __missing__(self, key: str) -> str:
        return "{" + key + "}"


def shown(value: Any) -> str:
    """A stored answer as somebody reads it."""
    if value is None:
        return "（没有回答）"
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, list):
        return "、".join(shown(one) for one in value)
    if not isinstance(value, Mapping):
        return _cell(str(value))
    if "precision" in value:
        return _time(value)
    if "bad" in value:
        return _quantity(value)
    if "direction" in value:
        return _DIRECTIONS[value["direction"]]
    if "percent" in value:
        return f"{value['percent']}%（{value['items']}项）"
    return _cell(str(dict(value)))


def _quantity(value: Mapping[str, Any]) -> str:
    if value["bad"] is None:  # only the share was said
        return "一半或者更多" if value["at_least_half"] else "不到一半"
    total = f"，共{value['total']}个" if value["total"] else ""
    return f"坏{value['bad']}个{total}" + (f"，赔偿{value['amount']}元" if "amount" in value else "")


def _time(value: Mapping[str, Any]) -> str:
    start, end = datetime.fromisoformat(value["start"]), datetime.fromisoformat(value["end"])
    if value["precision"] in _EXACT:
        return _moment(start)
    if value["precision"] == "day_part":
        return _day(start) + next(name for hours, name in _PARTS.items() if start.hour in hours)
    return _day(start) if start.date() == end.date() else f"{_day(start)}到{_day(end)}"


def _moment(at: datetime) -> str:
    return f"{_day(at)}{at:%H:%M}"


def _day(at: datetime) -> str:
    return f"{at.month}月{at.day}日（周{_WEEKDAYS[at.weekday()]}）"


def _tickets(result: TrialResult) -> Iterator[str]:
    for ticket in result.tickets:
        words = _cell(ticket["reason"]).replace("<br>", "；")
        yield f"**工单**：{_TICKETS[ticket['kind']]}，转{ticket['department']}，{_moment(datetime.fromisoformat(ticket['due']))}以前处理。{words}"
        yield ""


def _callback(result: TrialResult) -> str:
    at = (result.callback or {}).get("at")
    return f"，{_moment(datetime.fromisoformat(at))}再联系" if at and result.outcome == "appointed" else ""


def _cell(text: str) -> str:
    return text.strip().replace("|", "\\|").replace("\n", "<br>")


def main() -> None:
    """Write all pages."""
    PAGES.mkdir(parents=True, exist_ok=True)
    for trade in TRADES:
        (PAGES / f"{trade}.md").write_text(page(trade), encoding="utf-8")
    (PAGES / "README.md").write_text(index(), encoding="utf-8")


if __name__ == "__main__":
    main()
