"""No sentence that reaches a customer contains a forbidden phrase 服务忌语 (quality: b9e91 6, 8035c), wherever it is written.

What is in a file counts as said unless its key is known to hold something else, so that a new key is not forgotten.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from ruamel.yaml import YAML

from followup.dialogue import season
from followup.dialogue.appoint import spoken
from followup.knowledge.load import company_values, load_topics
from followup.scripts.forbidden import Forbidden, from_rows, said_in
from followup.scripts.load import content, script_files
from followup.settings import PROJECT_DIR, SHANGHAI
from followup.talk.apology import load_apology

Sentences = Iterator[tuple[str, str]]
"""Where it is written, and what is said."""

_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_NAME = re.compile(r"\{([a-z][a-z0-9_]*)\}")
# Words of the customer, names for the staff, notes for the author: never said.
_NOT_SAID = {"id", "name", "trade", "source", "version", "schedule", "variables", "words", "unless", "yes", "no", "ticket",
             "department", "ask_if", "if", "takes", "also_reads", "aspect", "hours", "probe_if", "type"}  # fmt: skip


def phrases() -> list[Forbidden]:
    path = PROJECT_DIR / "data" / "lexicon" / "forbidden.yml"
    return from_rows(YAML(typ="safe").load(path.read_text(encoding="utf-8")))


def in_scripts() -> Sentences:
    """Every script with the shared wording under it, as it is written and with its demo values filled in."""
    for path in script_files():
        revision = content(path.stem)
        demo = {name: str(spec.get("demo", "")) for name, spec in revision["script"].get("variables", {}).items()}
        for part in ("script", "wording"):
            for where, text in _strings(revision[part], f"{path.stem}/{part}"):
                yield where, text
                yield where, _NAME.sub(lambda name: demo.get(name[1], "客户"), text)


def in_knowledge() -> Sentences:
    """Every answer, as it is written, with the sample values, and with this company's own."""
    own = company_values()
    for topic in load_topics().values():
        demo = {name: variable.demo or "" for name, variable in topic.variables.items()}
        for sentence in (sentence for answer in topic.answers for sentence in answer.say):
            for values in ({}, demo, {**demo, **own}):
                yield topic.name, _NAME.sub(lambda name: values.get(name[1], "客户"), sentence)


def of_the_day() -> Sentences:
    """Festivals, times of day, seasons, weather."""
    yield from (("data/calendar", sentence) for sentence in season.sentences())


def on_the_pages() -> Sentences:
    """Wording of the customers' pages, their templates and scripts, and the apology."""
    yield "apology", load_apology()
    web = PROJECT_DIR / "followup" / "web"
    yield from _strings(YAML(typ="safe").load((web / "wording.yml").read_text(encoding="utf-8")), "wording.yml")
    files = [*sorted((web / "templates").glob("*.html")), *sorted((web / "static" / "js").glob("*.js"))]
    for path in files:
        for line in path.read_text(encoding="utf-8").splitlines():
            for text in re.split(r"<[^>]*>|[\"'`]", line):
                if _CHINESE.search(text):
                    yield path.name, text


def as_times() -> Sentences:
    """Times read back, which are put together in Python."""
    now = datetime(2026, 11, 23, 10, tzinfo=SHANGHAI)
    yield from (("appoint", spoken(now + timedelta(minutes=30 * n), now)) for n in range(48 * 10))


SOURCES: dict[Callable[[], Sentences], int] = {in_scripts: 1500, in_knowledge: 50, of_the_day: 20, on_the_pages: 30, as_times: 300}
"""Where sentences come from, and how many there are at least: a source that dries up is a test that checks nothing."""


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.__name__)
def test_no_sentence_contains_a_forbidden_phrase(source: Callable[[], Sentences]) -> None:
    where = {text: place for place, text in source()}
    known = phrases()
    assert [(where[text], one.phrase, text) for text in where for one in said_in(text, known)] == []
    assert len(where) >= SOURCES[source]


def test_a_phrase_in_any_key_of_a_script_would_be_found() -> None:
    raw = {"questions": [{"id": "a", "ask": "好吗？", "new_key": {"deep": ["这是规定"]}, "options": [{"value": "甲", "say": ["这是规定"]}]}]}
    assert [text for _, text in _strings(raw, "")] == ["好吗？", "这是规定", "甲"]


def test_the_sources_hold_what_customers_read() -> None:
    assert any("中秋节快乐" == text for _, text in of_the_day())
    assert any("系统暂时没能处理好" in text for _, text in on_the_pages())
    assert any("工作日之内给您回复" in text for _, text in in_scripts())
    assert any("7天之内可以退换货" in text for _, text in in_knowledge())


def _strings(node: Any, where: str, key: str = "") -> Sentences:
    if isinstance(node, str):
        yield where, node
    elif isinstance(node, list):
        for item in node:
            # Of an option its value is said, on a button; its words are the customer's.
            inner = {"value": item.get("value")} if key == "options" and isinstance(item, dict) else item
            yield from _strings(inner, where, key)
    elif isinstance(node, dict):
        for name, item in node.items():
            if name not in _NOT_SAID:
                yield from _strings(item, f"{where}/{name}", name)
