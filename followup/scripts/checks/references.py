"""Names that point somewhere: conditions, flags, variables, computations, keys of the shared wording."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Iterator, Mapping

from followup.scripts.walk import shown
from followup.scripts.checks import facts
from followup.scripts.checks.facts import RawQuestion
from followup.scripts.checks.finding import Document, Finding, NodePath
from followup.scripts.checks.paths import walk_all
from followup.scripts.checks.structure import nearest


def check_names(document: Document, path: Path, folder: Path) -> Iterator[Finding]:
    """The id is the file's name, the trade its folder's; ids are not used twice or reserved."""
    data = document.data
    if data["id"] != path.stem:
        yield document.error(("id",), f"编号“{data['id']}”与文件名“{path.name}”不一致", f"id: {path.stem}")
    inside = folder.resolve() in path.resolve().parents
    if inside and path.resolve().parent != folder.resolve() and data["trade"] != path.parent.name:
        yield document.error(
            ("trade",), f"行业“{data['trade']}”与所在文件夹“{path.parent.name}”不一致", f"trade: {path.parent.name}"
        )
    used: dict[str, int] = {}
    for number, question in enumerate(data["questions"]):
        here: NodePath = ("questions", number)
        names = [((*here, "id"), question["id"])]
        names += [((*here, "listen_for", flag), flag) for flag in question.get("listen_for", {})]
        for where, name in names:
            if name in facts.RESERVED_IDS:
                yield document.error(where, f"“{name}”是保留字，不能用作编号", f"{name}_question，或者换一个词")
            is_flag = where[-2] == "listen_for"
            # The same flag may be heard at several questions; an id is one question's alone.
            if name in used and not (is_flag and used[name] < 0):
                line = abs(used[name])
                yield document.error(where, f"编号“{name}”重复了，第{line}行已经用过", f"{name}_2，或者换一个词")
            used.setdefault(name, -document.line(where) if is_flag else document.line(where))


def check_conditions(document: Document) -> Iterator[Finding]:
    """Conditions look at earlier questions and flags, and at values these can have."""
    questions = document.data["questions"]
    for number, question in enumerate(questions):
        here: NodePath = ("questions", number)
        yield from _condition(document, (*here, "ask_if"), question.get("ask_if", {}), questions, number)
        yield from _flag(document, here, questions, number)
        yield from _also_reads(document, here, questions, number)
    for outcome, closing in document.data.get("closing", {}).items():
        for index, item in enumerate(closing if isinstance(closing, list) else []):
            if isinstance(item, dict):
                where = ("closing", outcome, index, "if")
                yield from _condition(document, where, item["if"], questions, len(questions))
        if isinstance(closing, list) and all(isinstance(item, dict) for item in closing):
            yield document.error(
                ("closing", outcome), "每一句结束语都带条件，条件都不满足时就没有话说", "最后加一句不带 if 的"
            )


def _condition(
    document: Document, path: NodePath, condition: Mapping[str, Any], questions: list[RawQuestion], before: int
) -> Iterator[Finding]:
    """`before`: only steps in front of this position have an answer by then."""
    by_id = {question["id"]: position for position, question in enumerate(questions)}
    flags = _flags(questions, before)
    for key, value in condition.items():
        where = (*path, key)
        name, _, part = key.partition(".")
        if name in flags and not part:
            yield from _values(document, where, key, value, facts.FLAG_VALUES, with_answered=False)
        elif name not in by_id:
            later = name in _flags(questions, len(questions))
            near = nearest(name, [*by_id, *flags])
            message = f"“{name}”这个标记要到后面才有" if later else f"条件里的“{name}”不是前面的题目，也不是标记"
            yield document.error(where, message, near or "前面某一题的编号")
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
        allowed = (True, False) if fields[part] is bool else None
        yield from _values(document, where, key, value, allowed, number=fields[part] is float)
    elif kind in ("number", "score"):
        yield from _values(document, where, key, value, None, number=True, limits=facts.bounds(question))
    elif facts.named_values(question) is not None:
        yield from _values(document, where, key, value, facts.named_values(question))
    else:
        # Free words are never matched word for word by an author's guess.
        yield from _values(document, where, key, value, ())


def _values(
    document: Document,
    where: NodePath,
    key: str,
    value: Any,
    allowed: tuple[Any, ...] | None,
    with_answered: bool = True,
    number: bool = False,
    limits: tuple[float | None, float | None] = (None, None),
) -> Iterator[Finding]:
    special = (facts.ANSWERED, facts.SKIPPED) if with_answered else ()
    for wanted in facts.as_list(value):
        if wanted in special:
            if isinstance(value, list):
                yield document.error(where, f"“{wanted}”不能放在列表里", f"{key}: {wanted}")
            continue
        if allowed is not None and any(wanted == one and type(wanted) is type(one) for one in allowed):
            continue
        if allowed is None and number and isinstance(wanted, (int, float)) and not isinstance(wanted, bool):
            low, high = limits
            if (low is None or wanted >= low) and (high is None or wanted <= high):
                continue
            yield document.error(where, f"“{key}”不会是{wanted}", f"{low}到{high}之间的数")
            continue
        names = "、".join(shown(one) for one in (*(allowed or (("一个数字",) if number else ())), *special))
        yield document.error(where, f"“{key}”的答案里没有“{shown(wanted)}”", names)


def _flags(questions: list[RawQuestion], before: int) -> set[str]:
    return {flag for question in questions[:before] for flag in question.get("listen_for", {})}


def _flag(document: Document, here: NodePath, questions: list[RawQuestion], number: int) -> Iterator[Finding]:
    flag = questions[number].get("probe_unless")
    known = _flags(questions, number + 1)
    if flag is not None and flag not in known:
        near = nearest(flag, known)
        yield document.error(
            (*here, "probe_unless"), f"没有“{flag}”这个标记", near or "这一题或前面的题 listen_for 里的标记"
        )


def _also_reads(document: Document, here: NodePath, questions: list[RawQuestion], number: int) -> Iterator[Finding]:
    later = [question["id"] for question in questions[number + 1 :] if not facts.is_step(question)]
    earlier = [question["id"] for question in questions[: number + 1]]
    for name in facts.as_list(questions[number].get("also_reads")):
        if name in later:
            continue
        message = f"“{name}”不在后面，到这里已经问过了" if name in earlier else f"also_reads 里的“{name}”不是题目"
        yield document.error((*here, "also_reads"), message, nearest(name, later) or "后面某一题的编号")


def check_reachable(document: Document) -> Iterator[Finding]:
    """No step whose condition can never hold."""
    ways = walk_all(document.data["questions"])
    for number, question in enumerate(document.data["questions"]):
        if question["id"] not in ways.reachable:
            where = ("questions", number, "ask_if")
            yield document.error(
                where, f"“{question['id']}”永远问不到，它的条件不可能同时满足", "改正 ask_if，或者删掉这一题"
            )


def check_overrides(document: Document, shared: Mapping[str, Any]) -> Iterator[Finding]:
    """`wording:` overrides only what the shared wording has, in the same shape."""
    yield from _override(document, ("wording",), document.data.get("wording", {}), shared)


def _override(
    document: Document, path: NodePath, own: Mapping[str, Any], shared: Mapping[str, Any]
) -> Iterator[Finding]:
    for key, value in own.items():
        where = (*path, key)
        below = shared.get(key)
        if key not in shared:
            near = nearest(key, shared)
            yield document.error(
                where, f"公共话术里没有“{'.'.join(map(str, where[1:]))}”", near or f"只能用 {'、'.join(shared)}"
            )
        elif isinstance(below, dict) != isinstance(value, dict):
            wanted = "映射（键: 内容）" if isinstance(below, dict) else "一句话，或者 [几句话]"
            yield document.error(where, f"“{key}”的写法与公共话术不同", wanted)
        elif isinstance(value, dict):
            yield from _override(document, where, value, below)
        elif not isinstance(value, (str, list)) or not value:
            yield document.error(where, f"“{key}”没有写内容", "一句话，或者 [几句话]")
