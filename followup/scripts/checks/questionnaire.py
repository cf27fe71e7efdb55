"""Questionnaire design 问卷设计 (catalogue D; 8035c 第三章): reminders, never errors."""

from __future__ import annotations

import re
from typing import Iterator

from followup.scripts.checks import facts
from followup.scripts.checks.conditions import all_of
from followup.scripts.checks.facts import RawQuestion
from followup.scripts.checks.finding import Document, Finding, NodePath
from followup.scripts.checks.paths import Ways, walk_all
from followup.scripts.checks.sentences import Sentence

MOST_QUESTIONS = 9
"""Fewer than ten questions are asked where it can be (58741)."""
MOST_MINUTES = 3
"""A follow-up takes three minutes at most, complaints excepted (58741)."""

_FRAME_SECONDS = 20  # opening, consent and closing

# Each alternative suggests the answer the firm would like to hear.
_LEADING = re.compile(
    r"是不是(?:很|非常|挺|特别|十分)?(?:满意|喜欢|不错|好|方便|专业|周到)"
    r"|(?:应该|想必|一定|肯定|相信您?)(?:会|都|是|也|很|挺|非常|比较)*(?:满意|喜欢|不错|愉快)"
    r"|(?:满意|喜欢|不错|很好|没问题|周到)(?:吧|对吗|对吧|是吧|没错吧)[？?]"
    r"|难道|不会不|没有什么?(?:不满|问题)吧"
)  # fmt: skip
# A second question that only helps with the first, or leaves the customer free, is no second topic.
_SOFT = re.compile(
    r"^(?:比如|例如|像是|如果|要是|若|方便的话|不方便|有的话|没有的话|或者|还是|也欢迎|可以的话|是.{1,12}还是)"
)
_TWO_TOPICS = re.compile(
    r"(?:对|觉得)[^，。？]*?([^，。？对的]{1,8}(?:和|及|以及|与|、)[^，。？是]{1,8}?)(?:是否|都|还|是不是)?(?:满意|怎么样|如何)"
)


def check_questionnaire(document: Document, sentences: list[Sentence]) -> Iterator[Finding]:
    """All reminders on how the questions are put and in which order."""
    yield from _length(document, walk_all(document.data["questions"], facts.from_outside(document.data)))
    yield from _order(document)
    for number, question in enumerate(document.data["questions"]):
        if not facts.is_step(question):
            yield from _question(document, ("questions", number), question)
    if "source" not in document.data:
        yield document.remind(("id",), "没有写出处，日后无法与资料核对", "source: 哪份资料的哪一段")
    yield from _unused_variables(document, sentences)


def _length(document: Document, ways: Ways) -> Iterator[Finding]:
    if not ways.complete:
        return
    said = document.data.get("length", {})
    most, minutes = ways.most_questions, (ways.longest_seconds + _FRAME_SECONDS) / 60
    if most > MOST_QUESTIONS:
        yield document.remind(
            ("questions",), f"一次谈话最多会问到{most}道题", f"不超过{MOST_QUESTIONS}道，其余的分到别的回访里"
        )
    if minutes > MOST_MINUTES:
        yield document.remind(
            ("questions",), f"最长的一条路大约要{minutes:.1f}分钟", f"不超过{MOST_MINUTES}分钟，减少或简化题目"
        )
    if said.get("minutes", 0) > MOST_MINUTES:
        yield document.remind(
            ("length", "minutes"), f"打算用{said['minutes']}分钟，客户会不耐烦", f"minutes: {MOST_MINUTES}"
        )
    elif "minutes" in said and minutes > said["minutes"] + 0.5:
        yield document.remind(
            ("length", "minutes"),
            f"对客户说{said['minutes']}分钟，最长大约要{minutes:.1f}分钟",
            f"minutes: {round(minutes + 0.4)}",
        )
    if "questions" in said and most > said["questions"]:
        yield document.remind(
            ("length", "questions"), f"写的是{said['questions']}道题，最多会问到{most}道", f"questions: {most}"
        )


def _order(document: Document) -> Iterator[Finding]:
    questions: list[RawQuestion] = document.data["questions"]
    for number, question in enumerate(questions):
        # A question with a condition follows up another and belongs beside it.
        later = [q for q in questions[number + 1 :] if not facts.is_step(q) and "ask_if" not in q]
        where = ("questions", number)
        if question["type"] in facts.PERSONAL_TYPES and any(q["type"] not in facts.PERSONAL_TYPES for q in later):
            yield document.remind(where, f"“{question['id']}”问的是个人信息，后面还有别的题", "个人信息放到最后问")
        closed = next((q["id"] for q in later if q["type"] in facts.CLOSED_TYPES), "")
        if question["type"] == "open" and "ask_if" not in question and closed:
            yield document.remind(
                where, f"开放题“{question['id']}”在封闭题“{closed}”前面", "选择、打分这类好答的题放前面，开放题放后面"
            )


def _question(document: Document, here: NodePath, question: RawQuestion) -> Iterator[Finding]:
    ask = question.get("ask", "")
    where = (*here, "ask")
    if _several(ask):
        yield document.remind(where, "一句话里问了不止一个问题", "一道题只问一件事，另一个问题另写一题")
    elif question["type"] in ("scale3", "scale5", "score") and (match := _TWO_TOPICS.search(ask)):
        yield document.remind(
            where, f"“{match[1]}”是两件事，客户可能一个满意、一个不满意", "分成两道题，或者换成一个统称"
        )
    if match := _LEADING.search(ask):
        yield document.remind(where, f"“{match[0]}”带有诱导，客户会顺着说好", "请问您对……是否满意？")
    if question["type"] in ("scale3", "scale5", "score", "choice") and "on_unclear" not in question:
        yield document.remind(
            here, f"“{question['id']}”没有写 on_unclear，没听懂时只能原样再问", "on_unclear: 更简单、带例子的问法"
        )
    if question["type"] in ("scale3", "scale5") and facts.probes(question) and "department" not in question:
        yield document.remind(
            here, f"“{question['id']}”没有写 department，不满意的工单不知道交给谁", "department: 负责的部门"
        )


def _several(ask: str) -> bool:
    """More than one real question: soft additions do not count."""
    asked = [part.strip() for part in re.findall(r"[^。！？?]*[？?]", ask)]
    return len([part for part in asked if not _SOFT.match(part)]) > 1


def _unused_variables(document: Document, sentences: list[Sentence]) -> Iterator[Finding]:
    used = {name for sentence in sentences for name in sentence.variables}
    used |= {q[key] for q in document.data["questions"] for key in ("total", "price", "before") if key in q}
    conditions = [question.get("ask_if", {}) for question in document.data["questions"]]
    closings = [closing for closing in document.data.get("closing", {}).values() if isinstance(closing, list)]
    conditions += [item["if"] for closing in closings for item in closing if isinstance(item, dict)]
    used |= {key for condition in conditions for one in all_of(condition) for key in one}
    for name in document.data["variables"]:
        if name not in used:
            yield document.remind(("variables", name), f"变量“{name}”没有用到", "删掉，或者在句子里写 {" + name + "}")
