"""`python -m followup.scripts.coverage`: which documented thing is where, and which talks test it (docs/coverage.md).

The list of ids with their sources is docs/coverage.yml; talks are tests/e2e/talks/**, found by `script:` and `covers:`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Iterator

from ruamel.yaml import YAML

from followup.scripts.checks.conditions import all_of
from followup.scripts.draw import condition_text
from followup.scripts.load import SCRIPTS_DIR, find, load_script, script_files
from followup.scripts.model import Script

ROOT = SCRIPTS_DIR.parents[1]
LIST = ROOT / "docs" / "coverage.yml"
REPORT = ROOT / "docs" / "coverage.md"
TALKS = ROOT / "tests" / "e2e" / "talks"
KNOWLEDGE = ROOT / "data" / "knowledge"


@dataclass(frozen=True)
class Row:
    """One documented thing."""

    id: str
    source: str
    what: str = ""
    topic: str = ""
    """Knowledge topic that answers it."""


@dataclass(frozen=True)
class Talk:
    """A talk that is held as a test."""

    path: Path
    title: str
    script: str
    covers: tuple[str, ...]

    @property
    def link(self) -> str:
        return f"[{self.title}](../{self.path.relative_to(ROOT)})"


class Coverage:
    """What there is, read once. `folder` and `talks` only differ in tests."""

    @cached_property
    def listed(self) -> dict[str, list[Row]]:
        """Section (scripts, situations, answers) -> its rows."""
        raw = _yaml(LIST)
        return {section: [Row(**{k: str(v) for k, v in row.items()}) for row in rows] for section, rows in raw.items()}

    @cached_property
    def talks(self) -> list[Talk]:
        """All talks, in the order of their files."""
        return [_talk(path) for path in sorted(TALKS.rglob("*.yml"))]

    @cached_property
    def scripts(self) -> set[str]:
        """Ids of the scripts there are."""
        return {path.stem for path in script_files()}

    @cached_property
    def topics(self) -> dict[str, Path]:
        """Knowledge topic -> its file."""
        return {str(topic): path for path in sorted(KNOWLEDGE.glob("*.yml")) for topic in _yaml(path)}

    def of_script(self, script_id: str) -> list[Talk]:
        return [talk for talk in self.talks if talk.script == script_id]

    def covering(self, row_id: str) -> list[Talk]:
        return [talk for talk in self.talks if row_id in talk.covers]

    def missing(self) -> dict[str, list[str]]:
        """Section -> ids without script or without a talk."""
        lacking = [r.id for r in self.listed["scripts"] if r.id not in self.scripts or not self.of_script(r.id)]
        return {
            "scripts": lacking,
            "situations": [row.id for row in self.listed["situations"] if not self.covering(row.id)],
            "answers": [row.id for row in self.listed["answers"] if not self.covering(row.id)],
        }

    def unknown(self) -> list[str]:
        """Ids in `covers:` that nothing lists, and scripts of talks that do not exist: slips of the pen."""
        known = {row.id for rows in self.listed.values() for row in rows}
        wrong = [f"{talk.path.name}: {name}" for talk in self.talks for name in talk.covers if name not in known]
        return wrong + [f"{talk.path.name}: {talk.script}" for talk in self.talks if talk.script not in self.scripts]


def branches(script: Script) -> list[str]:
    """Every place where talks part, in words: conditions, endings, probing, computed results."""
    found: dict[str, None] = {}
    for question in script.questions:
        for one in all_of(question.ask_if) if question.ask_if else []:
            found[f"{condition_text(one, script)} → {question.id}"] = None
        for value, ending in question.ends.items():
            found[f"{condition_text({question.id: value}, script)} → 结束（{ending.outcome}）"] = None
        if question.probe_if:
            found[f"{condition_text({question.id: list(question.probe_if)}, script)} → 追问"] = None
        if question.type == "compute":
            found[f"{question.id}：按 {question.compute} 计算"] = None
    return list(found)


def report(coverage: Coverage) -> str:
    """docs/coverage.md as text."""
    return "\n".join([*_head(coverage), *_scripts(coverage), *_others(coverage), ""])


def _head(coverage: Coverage) -> Iterator[str]:
    missing = coverage.missing()
    yield "# 资料覆盖情况"
    yield ""
    yield "由 `make coverage` 从 [coverage.yml](coverage.yml)、话术和试谈文件生成，请不要手工修改。每一次试谈都是一个自动测试。"
    yield ""
    names = {"scripts": "话术", "situations": "中途情形", "answers": "业务问答"}
    for section, name in names.items():
        total, lacking = len(coverage.listed[section]), missing[section]
        yield f"- {name}：共 {total} 条，{total - len(lacking)} 条有试谈" + (
            f"；还缺：{'、'.join(f'`{row}`' for row in lacking)}" if lacking else ""
        )
    yield ""


def _scripts(coverage: Coverage) -> Iterator[str]:
    yield "## 话术"
    yield ""
    yield "| 编号 | 出处 | 文件 | 题目 | 分支 | 试谈 |"
    yield "|---|---|---|---|---|---|"
    there = [row for row in coverage.listed["scripts"] if row.id in coverage.scripts]
    for row in coverage.listed["scripts"]:
        if row not in there:
            yield f"| {row.id} | {row.source} | **还没有** | | | |"
            continue
        script, path = load_script(row.id), find(row.id).relative_to(ROOT)
        asked = sum(not question.is_step for question in script.questions)
        figures = f"{asked} | {len(branches(script))} | {len(coverage.of_script(row.id)) or '**还没有**'}"
        yield f"| [{row.id}](#{row.id}) | {row.source} | [{path.name}](../{path}) | {figures} |"
    for row in there:
        yield from _script(load_script(row.id), coverage)


def _script(script: Script, coverage: Coverage) -> Iterator[str]:
    yield ""
    yield f"### {script.id}"
    yield ""
    asked = "、".join(f"`{question.id}`" for question in script.questions if not question.is_step)
    yield f"{script.name}。题目：{asked}。"
    if parted := branches(script):
        yield ""
        yield "分支："
        yield ""
        yield from (f"- {_plain(branch)}" for branch in parted)
    yield ""
    yield "试谈："
    yield ""
    yield from (f"- {talk.link}" for talk in coverage.of_script(script.id))


def _others(coverage: Coverage) -> Iterator[str]:
    for section, title in (("situations", "谈话中途的情形"), ("answers", "业务问答")):
        yield ""
        yield f"## {title}"
        yield ""
        yield "| 编号 | 情形 | 出处 | 在哪里 | 试谈 |"
        yield "|---|---|---|---|---|"
        for row in coverage.listed[section]:
            talks = "<br>".join(talk.link for talk in coverage.covering(row.id)) or "**还没有**"
            yield f"| {row.id} | {row.what} | {row.source} | {_where(row, section, coverage)} | {talks} |"


def _where(row: Row, section: str, coverage: Coverage) -> str:
    if section == "situations":
        return "[公共话术](../data/scripts/_shared.yml)"
    if row.topic in coverage.topics:
        path = coverage.topics[row.topic].relative_to(ROOT)
        return f"[{path.name}](../{path}) `{row.topic}`"
    return "记下来请同事答复，不猜测"


def _plain(text: str) -> str:
    return text.replace("<", "&lt;").replace(">", "&gt;")


def _talk(path: Path) -> Talk:
    raw = _yaml(path)
    covers = raw.get("covers", [])
    return Talk(path, str(raw["talk"]), str(raw["script"]), tuple(covers if isinstance(covers, list) else [covers]))


def _yaml(path: Path) -> Any:
    return YAML(typ="safe").load(path.read_text(encoding="utf-8"))


if __name__ == "__main__":
    REPORT.write_text(report(Coverage()), encoding="utf-8")
    print(f"已经写好 {REPORT.relative_to(ROOT)}")
