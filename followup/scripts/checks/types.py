"""Each question type has what it needs and nothing that means nothing for it."""

from __future__ import annotations

from typing import Iterator, Mapping

from followup.reading import Asked, Heard, read
from followup.scripts.walk import shown
from followup.scripts.checks import facts
from followup.scripts.checks.conditions import check_wanted
from followup.scripts.checks.facts import RawQuestion
from followup.scripts.checks.finding import Document, Finding, NodePath
from followup.scripts.checks.structure import nearest
from followup.scripts.compute import COMPUTATIONS

# Keys with a meaning for some types only.
_ONLY_FOR: Mapping[str, tuple[str, ...]] = {
    "options": ("choice",),
    "multiple": ("choice",),
    "other": ("choice",),
    "yes": ("yes_no", "confirm"),
    "no": ("yes_no", "confirm"),
    "low": ("number", "score"),
    "high": ("number", "score"),
    "total": ("quantity_of", "compute"),
    "price": ("compute",),
    "compute": ("compute",),
    "of": ("compute",),
    "before": ("compute",),
    "say": ("tell", "compute"),
    "apart": ("tell",),
}
_STEP_KEYS = ("id", "type", "ask_if", "say", "compute", "of", "before", "total", "price", "ticket", "apart")


def check_types(document: Document) -> Iterator[Finding]:
    """What a question or step must have, may have, and how its parts fit together."""
    for number, question in enumerate(document.data["questions"]):
        here: NodePath = ("questions", number)
        yield from _misplaced(document, here, question)
        if facts.is_step(question):
            yield from _step(document, here, question)
            continue
        if "ask" not in question:
            yield document.error(here, f"题目“{question['id']}”没有问句", "ask: 请问……？")
        if question.get("required") and question.get("optional"):
            yield document.error((*here, "optional"), "一道题不能既必须回答又可以不答", "required 和 optional 只留一个")
        if question["type"] == "choice":
            yield from _choice(document, here, question)
        yield from _limits(document, here, question)
        yield from _acknowledge(document, here, question)
        yield from _ends(document, here, question)
        yield from _ticket(document, here, question)
        yield from _probing(document, here, question)
        yield from _word_lists(document, here, question)
        yield from _buttons(document, here, question)


def check_variable_use(document: Document) -> Iterator[Finding]:
    """`total`, `price` and `before` name declared variables; no variable takes a built-in name."""
    declared = document.data["variables"]
    for name in declared:
        if name in (*facts.BUILT_IN_VARIABLES, facts.ANSWER_VARIABLE, *facts.COMPUTED_VARIABLES):
            yield document.error(
                ("variables", name), f"“{name}”是内置变量，不用说明", f"删掉这一行，或者换一个名字，例如 {name}_text"
            )
    for number, question in enumerate(document.data["questions"]):
        for key in ("total", "price", "before"):
            if key in question and question[key] not in declared:
                near = nearest(question[key], declared)
                advice = near or "variables 里的一个变量"
                yield document.error(("questions", number, key), f"“{key}”用的变量“{question[key]}”没有说明过", advice)


def _misplaced(document: Document, here: NodePath, question: RawQuestion) -> Iterator[Finding]:
    kind = question["type"]
    for key in question:
        if kind not in _ONLY_FOR.get(key, (kind,)):
            yield document.error((*here, key), f"“{key}”不能用在 {kind} 题里", f"只用于 {'、'.join(_ONLY_FOR[key])}")
        elif facts.is_step(question) and key not in _STEP_KEYS:
            yield document.error((*here, key), f"“{key}”不能用在 {kind} 里，它只说话，不等回答", "删掉这个键")


def _step(document: Document, here: NodePath, question: RawQuestion) -> Iterator[Finding]:
    if "if" in question.get("ticket", {}):
        yield document.error((*here, "ticket", "if"), "只说话的一步没有回答，ticket 里不能写 if", "条件写在 ask_if 里")
    if question["type"] == "tell":
        if "say" not in question:
            yield document.error(here, f"“{question['id']}”没有要说的话", "say: ……")
        return
    rule = question.get("compute")
    if rule not in COMPUTATIONS:
        message = f"没有“{rule}”这条计算规则" if rule else f"“{question['id']}”没有写计算规则"
        near = nearest(rule or "", COMPUTATIONS) or "、".join(COMPUTATIONS)
        yield document.error((*here, "compute"), message, f"compute: {near}")
        return
    keys, needed = facts.COMPUTATION_NEEDS.get(rule, ((), ()))
    for key in keys:
        if key not in question:
            yield document.error(here, f"计算规则“{rule}”需要“{key}”", f"{key}: 变量名")
    if rule in facts.SHARE_OF and "of" not in question:
        yield document.error(here, f"计算规则“{rule}”需要“of”", "of: [前面题目的编号, ...]")
    elif rule not in facts.SHARE_OF and "of" in question:
        yield document.error((*here, "of"), f"计算规则“{rule}”不用“of”", f"删掉，of 只用于 {'、'.join(facts.SHARE_OF)}")
    if rule == "score_change" and len(facts.as_list(question.get("of"))) > 1:
        yield document.error((*here, "of"), "前后比较只能用一道题", f"of: [{facts.as_list(question['of'])[0]}]")
    before = {q["id"]: q["type"] for q in document.data["questions"][: int(here[1])]}
    for name in needed:
        if before.get(name) != "quantity_of":
            yield document.error(
                (*here, "compute"),
                f"计算规则“{rule}”要用前面的 quantity_of 题“{name}”",
                f"在前面加上 id: {name}、type: quantity_of 的题目",
            )


def _choice(document: Document, here: NodePath, question: RawQuestion) -> Iterator[Finding]:
    options = question.get("options", [])
    fewest = 1 if question.get("other") else 2
    if len(options) < fewest:
        where = (*here, "options") if "options" in question else here
        yield document.error(where, "选择题至少要有两个选项", "options: [第一项, 第二项]，或者加上 other: true")
    heard: dict[str, str] = {}
    for index, option in enumerate(options):
        value = option if isinstance(option, str) else option["value"]
        words = [value, *(facts.as_list(option.get("say")) if isinstance(option, dict) else [])]
        for word in dict.fromkeys(words):
            if word in heard:
                message = f"“{word}”已经属于选项“{heard[word]}”，听到时分不清是哪一项"
                yield document.error((*here, "options", index), message, "只留在一个选项里")
            heard.setdefault(word, value)


def _limits(document: Document, here: NodePath, question: RawQuestion) -> Iterator[Finding]:
    if question["type"] not in ("number", "score"):
        return
    low, high = facts.bounds(question)
    if low is None or high is None:
        lacking = "low" if low is None else "high"
        yield document.error(
            here, f"数字题“{question['id']}”没有写范围，缺少“{lacking}”", "low: 1 和 high: 30 这样两行"
        )
    elif low >= high:
        where = (*here, "low" if "low" in question else "high")
        yield document.error(where, f"最小值{low}不小于最大值{high}", "low 比 high 小")


def _acknowledge(document: Document, here: NodePath, question: RawQuestion) -> Iterator[Finding]:
    given = question.get("acknowledge")
    if not isinstance(given, dict):
        return
    known = [*_named(question), facts.ANSWERED, facts.NOTHING, facts.SKIPPED]
    for key in given:
        if key not in known and not _is_its_number(question, key):
            near = nearest(key, known) or "、".join(known)
            yield document.error((*here, "acknowledge", key), f"回应里的“{key}”不是这一题的答案", near)


def _ends(document: Document, here: NodePath, question: RawQuestion) -> Iterator[Finding]:
    """Answers that end the talk can be given, and are not probed instead."""
    known = [*_named(question), facts.ANSWERED, facts.SKIPPED]
    if question.get("multiple"):  # a list of answers is never one value
        known = [facts.ANSWERED, facts.SKIPPED]
    probed = [shown(value) for value in question.get("probe_if", _probed_anyway(question))]
    for key in question.get("ends", {}):
        where = (*here, "ends", key)
        if key not in known and not _is_its_number(question, key):
            near = nearest(key, known) or "、".join(known)
            yield document.error(where, f"ends 里的“{key}”不是这一题的答案", near)
        elif key in probed:
            yield document.error(where, f"“{key}”既要追问原因，又要结束谈话", "probe_if 和 ends 只留一处")


def _ticket(document: Document, here: NodePath, question: RawQuestion) -> Iterator[Finding]:
    wanted = question.get("ticket", {}).get("if")
    yield from check_wanted(document, (*here, "ticket", "if"), question, wanted)


def _named(question: RawQuestion) -> list[str]:
    """Its possible values as they are written; free words and numbers cannot be listed."""
    return [shown(value) for value in facts.named_values(question) or ()]


def _is_its_number(question: RawQuestion, key: str) -> bool:
    """A number is written as the key itself."""
    if question["type"] not in ("score", "number") or not key.isdigit():
        return False
    low, high = facts.bounds(question)
    return (low is None or int(key) >= low) and (high is None or int(key) <= high)


def _probed_anyway(question: RawQuestion) -> tuple[str, ...]:
    return facts.SATISFIED_NOT if question["type"] in ("scale3", "scale5") else ()


def _probing(document: Document, here: NodePath, question: RawQuestion) -> Iterator[Finding]:
    """`probe_unless` may stand without probing: it keeps thanks from coming before an apology."""
    yield from check_wanted(document, (*here, "probe_if"), question, question.get("probe_if"))
    asked = question.get("probes", ["reason", "improve"])
    if asked == ["improve"]:
        yield document.error((*here, "probes"), "没有问原因，不能先问怎样改进", "[reason, improve]")
    for kind in ("reason", "improve"):
        if f"ask_{kind}" in question and kind not in asked:
            yield document.error((*here, f"ask_{kind}"), f"probes 里没有 {kind}，“ask_{kind}”用不上", "只留一处")
    for key in ("probes", "ask_reason", "ask_improve"):
        if key in question and not facts.probes(question):
            yield document.error(
                (*here, key), f"这一题不追问，“{key}”用不上", "加上 probe_if: [要追问的值]，或者删掉它"
            )


def _buttons(document: Document, here: NodePath, question: RawQuestion) -> Iterator[Finding]:
    """A choice shows its options; a button of any other question must be an answer to it."""
    if "buttons" not in question:
        return
    kind = question["type"]
    if kind == "choice":
        yield document.error((*here, "buttons"), "选择题的按钮就是选项，不用另写", "删掉 buttons，改 options")
        return
    low, high = facts.bounds(question)
    own = {key: tuple(facts.as_list(question.get(key))) for key in ("yes", "no")}
    asked = Asked(kind, low=low, high=high, **own)
    for index, text in enumerate(question["buttons"]):
        # Where words are free, and for times that depend on today, nothing is to be checked.
        if kind not in ("open", "datetime", "date") and read(asked, Heard(text)) is None:
            yield document.error((*here, "buttons", index), f"按钮“{text}”听不出是哪个回答", "换成这一题能听懂的说法")


def _word_lists(document: Document, here: NodePath, question: RawQuestion) -> Iterator[Finding]:
    lists = [
        ((*here, "options", i, "say"), o.get("say"))
        for i, o in enumerate(question.get("options", []))
        if isinstance(o, dict)
    ]
    lists += [((*here, key), question.get(key)) for key in ("yes", "no", "buttons")]
    both = [word for word in facts.as_list(question.get("no")) if word in facts.as_list(question.get("yes"))]
    for word in both:
        yield document.error((*here, "no"), f"“{word}”同时写在 yes 和 no 里", "只留在一处")
    for flag, spec in question.get("listen_for", {}).items():
        lists += [((*here, "listen_for", flag, key), spec.get(key)) for key in ("words", "unless")]
    for where, words in lists:
        for word in facts.as_list(words):
            if "，" in word or "、" in word:
                parts = ", ".join(word.replace("、", "，").split("，"))
                yield document.error(where, f"“{word}”会被当成一个词，里面是全角的逗号或顿号", f"[{parts}]（半角逗号）")
