"""Names that point somewhere: ids, flags, questions before and after, keys of the shared wording."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Iterator, Mapping

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


def check_links(document: Document) -> Iterator[Finding]:
    """Flags, later questions and earlier ones that a question names outside its condition."""
    questions = document.data["questions"]
    for number in range(len(questions)):
        here: NodePath = ("questions", number)
        yield from _flag(document, here, questions, number)
        yield from _also_reads(document, here, questions, number)
        yield from _of(document, here, questions, number)


def _flag(document: Document, here: NodePath, questions: list[RawQuestion], number: int) -> Iterator[Finding]:
    flag = questions[number].get("probe_unless")
    known = facts.flags(questions[: number + 1])
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


def _of(document: Document, here: NodePath, questions: list[RawQuestion], number: int) -> Iterator[Finding]:
    step = questions[number]
    wanted = facts.SHARE_OF.get(step.get("compute", ""), ())
    earlier = {question["id"]: question for question in questions[:number]}
    fitting = [name for name, question in earlier.items() if question["type"] in wanted]
    for name in facts.as_list(step.get("of")) if wanted else []:
        where = (*here, "of")
        if name not in earlier:
            message = f"of 里的“{name}”不是前面的题目，这时还没有答案"
            yield document.error(where, message, nearest(name, fitting) or "前面某一题的编号")
        elif name not in fitting:
            kinds = "、".join(wanted)
            yield document.error(where, f"“{step['compute']}”只能用 {kinds} 题，“{name}”是 {earlier[name]['type']}", kinds)
        elif earlier[name]["type"] == "score" and facts.bounds(earlier[name]) != (1, 10):
            yield document.error(where, f"“{name}”不是1到10分，得分率算不出来", "去掉这一题的 low 和 high")


def check_reachable(document: Document) -> Iterator[Finding]:
    """No step whose condition can never hold."""
    ways = walk_all(document.data["questions"], facts.from_outside(document.data))
    for number, question in enumerate(document.data["questions"]):
        if question["id"] not in ways.reachable:
            where = ("questions", number, "ask_if")
            yield document.error(
                where,
                f"“{question['id']}”永远问不到，它的条件不可能满足，或者谈话在前面都结束了",
                "改正 ask_if 或前面的 ends，或者删掉这一题",
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
