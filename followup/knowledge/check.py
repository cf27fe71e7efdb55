"""Check knowledge files before anybody is answered by them; every finding in Chinese, with line and what to write instead."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Any, Iterator, Mapping

from followup.knowledge.load import COMPANY, KNOWLEDGE_DIR, topic_files
from followup.scripts.checks import facts, sentences
from followup.scripts.checks.finding import Document, Finding
from followup.scripts.checks.lines import read_file
from followup.scripts.checks.structure import check_structure, nearest
from followup.scripts.forbidden import Forbidden, from_rows
from followup.scripts.load import SCRIPTS_DIR, load_all, script_files
from ruamel.yaml import YAML

_HERE = Path(__file__).parent
_SCHEMA, _COMPANY_SCHEMA = _HERE / "schema.json", _HERE / "schema_company.json"
_DATA = KNOWLEDGE_DIR.parent
EXAMPLES = _DATA / "nlu" / "faq.yml"
ENOUGH_EXAMPLES = 40
"""Training examples below which a topic is not reliably understood."""
_INTENT = re.compile(r"^- intent: faq/(\w+)\s*$")
_CONDITIONS = ("asked", "not_asked")


def check_all(folder: Path = KNOWLEDGE_DIR, examples: Path = EXAMPLES) -> list[Finding]:
    """Findings for the company's values and every topic of a folder, in the order of files and lines."""
    company = [folder / COMPANY] if (folder / COMPANY).exists() else []
    return [finding for path in [*company, *topic_files(folder)] for finding in check_file(path, examples)]


def check_file(path: Path | str, examples: Path = EXAMPLES) -> list[Finding]:
    """Findings for one topic, or for `_company.yml`, by line. Never raises for what is in the file."""
    path = Path(path)
    document, found = read_file(path, _shown(path))
    if document is not None:
        found += _company(document, path) if path.name == COMPANY else _topic(document, path, examples)
    return sorted(set(found))


def training_examples(path: Path = EXAMPLES) -> dict[str, int]:
    """Topic -> number of training examples."""
    counts: dict[str, int] = {}
    topic = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if match := _INTENT.match(line):
            topic = match[1]
            counts.setdefault(topic, 0)
        elif topic and line.startswith("    - "):
            counts[topic] += 1
    return counts


def _topic(document: Document, path: Path, examples: Path) -> list[Finding]:
    if not isinstance(document.data, dict):
        return [document.error((), "这个文件不是业务问答", "从 topic: 开始，一行一个键，见 docs/zh/knowledge.md")]
    if found := check_structure(document, _SCHEMA):
        return found  # what follows relies on the structure
    own = [
        sentences.Sentence(("answers", number, "say"), text)
        for number, entry in enumerate(document.data["answers"])
        for text in _list(entry["say"])
    ]
    declared = document.data.get("variables", {})
    return [
        *_name(document, path),
        *_understood(document, path, examples),
        *_trades(document),
        *_never_said(document),
        *sentences.check_variables(document, own, [*declared, *_script_variables()]),
        *_needs(document, declared),
        *sentences.check_forbidden(document, own, _phrases()),
        *sentences.check_print(document, own),
    ]


def _name(document: Document, path: Path) -> Iterator[Finding]:
    topic = document.data["topic"]
    if topic != path.stem:
        yield document.error(("topic",), f"主题“{topic}”与文件名“{path.stem}”不同", f"topic: {path.stem}")


def _understood(document: Document, path: Path, examples: Path) -> Iterator[Finding]:
    known = training_examples(examples)
    where = f"在 {_shown(examples)} 里"
    count = known.get(path.stem, 0)
    if path.stem not in known:
        near = nearest(path.stem, known)
        advice = f"{where}加上 - intent: faq/{path.stem} 和至少{ENOUGH_EXAMPLES}句客户的问法" + (f"；已有的是 {near}" if near else "")
        yield document.error(("topic",), f"没有 faq/{path.stem} 这个意图，助手听不出客户在问这个", advice)
    elif count < ENOUGH_EXAMPLES:
        yield document.error(("topic",), f"faq/{path.stem} 的语料只有{count}句", f"{where}补到{ENOUGH_EXAMPLES}句以上")


def _trades(document: Document) -> Iterator[Finding]:
    known = sorted({path.parent.name for path in script_files(SCRIPTS_DIR)})
    for number, entry in enumerate(document.data["answers"]):
        for trade in entry.get("trades", []):
            if trade not in known:
                near = nearest(trade, known)
                yield document.error(("answers", number, "trades"), f"没有“{trade}”这个行业", near or f"其中之一：{'、'.join(known)}")


def _never_said(document: Document) -> Iterator[Finding]:
    """An earlier answer of the same trade that always fits leaves the later one unsaid."""
    earlier: list[tuple[int, Mapping[str, Any]]] = []
    for number, entry in enumerate(document.data["answers"]):
        for before, other in earlier:
            shared = _both(entry, other)
            if shared and _always_before(other, entry):
                yield document.error(
                    ("answers", number),
                    f"{shared}的答案重复了：第{before + 1}条总是先合适，这一条说不到",
                    "并成一条，或者给前面那一条加上 asked（问到哪些词才用）",
                )
                break
        earlier.append((number, entry))


def _both(entry: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """Trades of `entry` that `other` answers for too, in words; empty when some trade is left for `entry`."""
    mine, theirs = entry.get("trades"), other.get("trades")
    if theirs is None:
        return "、".join(mine) if mine else "各行业"
    return "、".join(mine) if mine and set(mine) <= set(theirs) else ""


def _always_before(other: Mapping[str, Any], entry: Mapping[str, Any]) -> bool:
    if not _variables(other) <= _variables(entry):
        return False
    if all(entry.get(key) == other.get(key) for key in _CONDITIONS):
        return True
    return not any(other.get(key) for key in _CONDITIONS)


def _variables(entry: Mapping[str, Any]) -> set[str]:
    named = {name for text in _list(entry["say"]) for name in sentences.Sentence((), text).variables}
    return named.union(entry.get("needs", []))


def _needs(document: Document, declared: Mapping[str, Any]) -> Iterator[Finding]:
    used: set[str] = set()
    for number, entry in enumerate(document.data["answers"]):
        used |= _variables(entry)
        for name in entry.get("needs", []):
            if name not in declared:
                yield document.error(
                    ("answers", number, "needs"), f"变量“{name}”没有说明过", f"在 variables 里加上 {name}: {{label: 名称}}"
                )
    for name in declared:
        if name not in used:
            yield document.remind(("variables", name), f"变量“{name}”没有用到", "删掉，或者写进句子里")


def _company(document: Document, path: Path) -> list[Finding]:
    if not isinstance(document.data, dict):
        return [document.error((), "这个文件里没有 values", "values: {}")]
    if found := check_structure(document, _COMPANY_SCHEMA):
        return found
    known = {name for topic in topic_files(path.parent) for name in (_yaml(topic).get("variables") or {})}
    return [
        document.error(("values", name), f"没有哪个主题用到变量“{name}”", nearest(name, known) or "删掉这一行")
        for name in document.data["values"]
        if name not in known
    ]


def _list(node: Any) -> list[str]:
    return node if isinstance(node, list) else [node]


@lru_cache(maxsize=1)
def _script_variables() -> frozenset[str]:
    """Variables of the talks themselves, e.g. {product}: known where the script has them."""
    return frozenset(facts.BUILT_IN_VARIABLES).union(*(script.demo_variables() for script in load_all()))


@lru_cache(maxsize=1)
def _phrases() -> tuple[Forbidden, ...]:
    rows = YAML(typ="safe").load((_DATA / "lexicon" / "forbidden.yml").read_text(encoding="utf-8"))
    return tuple(from_rows(rows))


def _yaml(path: Path) -> dict[str, Any]:
    """Its own faults are told when the file itself is checked."""
    try:
        data = YAML(typ="safe").load(path.read_text(encoding="utf-8-sig"))
    except Exception:
        return {}
    return data if isinstance(data, dict) else {}


def _shown(path: Path) -> str:
    """The path as an author sees it: from the working directory when it lies below."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
