"""Conditions look at earlier questions, flags and variables, and at values these can have."""

from __future__ import annotations

import re
from typing import Any, Iterator, Mapping

from followup.scripts.checks import facts
from followup.scripts.checks.facts import RawQuestion
from followup.scripts.checks.finding import Document, Finding, NodePath
from followup.scripts.checks.structure import nearest
from followup.scripts.walk import comparison, matches, negated, shown

_LOOKS_LIKE_COMPARISON = re.compile(r"^\s*[<>=≤≥＜＞≦≧]|^\s*(?:不少于|不超过|大于|小于|早于|晚于|至少|最多)")
_DATE = re.compile(r"\d{4}-\d\d-\d\d$")
_HOW_TO_COMPARE = '">= 5" 或者 ">= 2007-07-09"（加半角双引号，符号用 < <= > >=）'


def check_conditions(document: Document) -> Iterator[Finding]:
    """Every `ask_if` and every `if` of a closing."""
    questions = document.data["questions"]
    for number, question in enumerate(questions):
        path: NodePath = ("questions", number, "ask_if")
        yield from _any_of(document, path, question.get("ask_if", {}), number)
    for outcome, closing in document.data.get("closing", {}).items():
        for index, item in enumerate(closing if isinstance(closing, list) else []):
            if isinstance(item, dict):
                yield from _any_of(document, ("closing", outcome, index, "if"), item["if"], len(questions))
        if isinstance(closing, list) and all(isinstance(item, dict) for item in closing):
            yield document.error(
                ("closing", outcome), "每一句结束语都带条件，条件都不满足时就没有话说", "最后加一句不带 if 的"
            )


def all_of(condition: Any) -> list[Mapping[str, Any]]:
    """The mappings of a condition: one, or those of which one must hold."""
    return condition if isinstance(condition, list) else [condition]


def check_wanted(document: Document, where: NodePath, question: RawQuestion, wanted: Any) -> Iterator[Finding]:
    """Values of the question itself (`probe_if`, `ticket: {if: ...}`): possible ones, or comparisons for numbers."""
    for one in facts.as_list(wanted):
        named = facts.named_values(question)
        if named is not None:
            if not any(one == value and type(one) is type(value) for value in named):
                names = "、".join(shown(value) for value in named)
                yield document.error(where, f"这一题的答案里没有“{shown(one)}”", names)
        elif question["type"] in ("number", "score"):
            yield from _values(
                document, where, question["id"], one, None, special=(), number=True, limits=facts.bounds(question)
            )


def _any_of(document: Document, path: NodePath, condition: Any, before: int) -> Iterator[Finding]:
    listed = isinstance(condition, list)
    for index, one in enumerate(all_of(condition)):
        yield from _condition(document, (*path, index) if listed else path, one, before)


def _condition(document: Document, path: NodePath, condition: Mapping[str, Any], before: int) -> Iterator[Finding]:
    """`before`: only steps in front of this position have an answer by then."""
    questions: list[RawQuestion] = document.data["questions"]
    variables = document.data["variables"]
    by_id = {question["id"]: position for position, question in enumerate(questions)}
    flags = {*facts.flags(questions[:before]), *facts.flags_of_talk(document.data)}
    for key, value in condition.items():
        where = (*path, key)
        if (unwanted := negated(value)) is not None:
            where, value = (*where, "not"), unwanted
        name, _, part = key.partition(".")
        if name in flags and not part:
            if value is False:
                yield document.error(where, f"“{key}”是标记，只有听到这一种情况", f"{key}: {{not: true}}（没有听到）")
                continue
            yield from _values(document, where, key, value, facts.FLAG_VALUES, special=())
        elif name not in by_id and (name in variables or name in facts.CUSTOMER_VARIABLES) and not part:
            yield from _variable_value(document, where, key, value, variables.get(name, {}).get("demo"))
        elif name not in by_id:
            later = name in facts.flags(questions)
            near = nearest(name, [*by_id, *flags, *variables])
            wrong = f"条件里的“{name}”不是前面的题目，也不是标记或变量"
            message = f"“{name}”这个标记要到后面才有" if later else wrong
            yield document.error(where, message, near or "前面某一题的编号，或者 variables 里的变量")
        elif by_id[name] >= before:
            who = "这一题自己" if by_id[name] == before else "后面的题目"
            yield document.error(
                where, f"条件里的“{name}”是{who}，问到这里时还没有答案", "前面某一题的编号，或者调整题目的顺序"
            )
        else:
            yield from _question_value(document, where, key, part, value, questions[by_id[name]])


def _question_value(
    document: Document, where: NodePath, key: str, part: str, value: Any, question: RawQuestion
) -> Iterator[Finding]:
    kind = question["type"]
    fields = facts.FIELDS.get(kind, {})
    if kind == "tell":
        yield document.error(where, f"“{key}”只说话，没有答案，不能作条件", "前面某一题的编号")
    elif part and part not in fields:
        known = "、".join(f"{question['id']}.{field}" for field in fields) or question["id"]
        yield document.error(where, f"“{question['id']}”的答案里没有“{part}”这一项", known)
    elif part:
        allowed = (True, False) if fields[part] is bool else {"precision": facts.PRECISIONS, "direction": facts.DIRECTIONS}.get(part)
        date = part in ("start", "end")
        yield from _values(document, where, key, value, allowed, number=fields[part] is float, date=date)
    elif kind in ("number", "score"):
        yield from _values(document, where, key, value, None, number=True, limits=facts.bounds(question))
    elif facts.named_values(question) is not None:
        yield from _values(document, where, key, value, facts.named_values(question))
    else:
        # Free words are never matched word for word by an author's guess.
        yield from _values(document, where, key, value, (), date=kind == "date")


def _values(
    document: Document,
    where: NodePath,
    key: str,
    value: Any,
    allowed: tuple[Any, ...] | None,
    special: tuple[str, ...] = (facts.ANSWERED, facts.SKIPPED),
    number: bool = False,
    date: bool = False,
    limits: tuple[float | None, float | None] = (None, None),
) -> Iterator[Finding]:
    for wanted in facts.as_list(value):
        if wanted in special:
            if isinstance(value, list):
                yield document.error(where, f"“{wanted}”不能放在列表里", f"{key}: {wanted}")
        elif allowed is not None and any(wanted == one and type(wanted) is type(one) for one in allowed):
            continue
        elif (number or date) and comparison(wanted):
            yield from _comparison(document, where, key, wanted, number, limits)
        elif (number or date) and isinstance(wanted, str) and _LOOKS_LIKE_COMPARISON.match(wanted):
            yield document.error(where, f"“{wanted}”这样的比较读不出来", _HOW_TO_COMPARE)
        elif allowed is None and number and isinstance(wanted, (int, float)) and not isinstance(wanted, bool):
            low, high = limits
            if (low is not None and wanted < low) or (high is not None and wanted > high):
                yield document.error(where, f"“{key}”不会是{wanted}", f"{low}到{high}之间的数")
        else:
            known = allowed or (("一个数字",) if number else ("一个日期的比较",) if date else ())
            names = "、".join(shown(one) for one in (*known, *special))
            yield document.error(where, f"“{key}”的答案里没有“{shown(wanted)}”", names)


def _comparison(
    document: Document,
    where: NodePath,
    key: str,
    wanted: str,
    number: bool,
    limits: tuple[float | None, float | None] = (None, None),
) -> Iterator[Finding]:
    """A comparison of the right kind that can come true."""
    _, bound = comparison(wanted) or ("", "")
    if number and not _is_number(bound):
        yield document.error(where, f"“{key}”是数字，不能和“{bound}”比较", '">= 5"（加半角双引号）')
    elif not number and not _DATE.match(bound):
        yield document.error(where, f"“{key}”是日期，不能和“{bound}”比较", '">= 2007-07-09"（加半角双引号）')
    elif None not in limits and not any(matches(wanted, limit) for limit in limits):
        low, high = limits
        yield document.error(where, f"“{key}”在{low}到{high}之间，“{wanted}”不会成立", f"{low}到{high}之间的数")


def _variable_value(document: Document, where: NodePath, key: str, value: Any, demo: Any) -> Iterator[Finding]:
    """A variable is compared, or equals a text or number of the customer's data."""
    for wanted in facts.as_list(value):
        if isinstance(wanted, bool):
            yield document.error(where, f"“{key}”是变量，没有 {shown(wanted)} 这个值", f"{key}: 是（表格里写的那个词）")
        elif wanted in (facts.ANSWERED, facts.SKIPPED):
            if isinstance(value, list):
                yield document.error(where, f"“{wanted}”不能放在列表里", f"{key}: {wanted}")
        elif comparison(wanted):
            yield from _against_demo(document, where, key, wanted, demo)
        elif isinstance(wanted, str) and _LOOKS_LIKE_COMPARISON.match(wanted):
            yield document.error(where, f"“{wanted}”这样的比较读不出来", _HOW_TO_COMPARE)


def _against_demo(document: Document, where: NodePath, key: str, wanted: str, demo: Any) -> Iterator[Finding]:
    """The demo value tells what the variable holds: a number or a date."""
    _, bound = comparison(wanted) or ("", "")
    kind, holds = ("日期", _DATE.match(str(demo))) if _DATE.match(bound) else ("数字", _is_number(str(demo)))
    if kind == "数字" and not _is_number(bound):
        yield document.error(where, f"“{bound}”不是数字，也不是日期，不能比较", _HOW_TO_COMPARE)
    elif not holds:
        example = '"2010-03-15"' if kind == "日期" else "5"
        yield document.error(where, f"变量“{key}”的演示值“{demo}”不是{kind}，不能和“{bound}”比较", f"demo: {example}")


def _is_number(text: str) -> bool:
    return re.fullmatch(r"-?\d+(?:\.\d+)?", text) is not None
