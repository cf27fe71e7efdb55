"""`python -m tests.e2e.coverage`: which documented thing is where, and which talks walk it (docs/coverage.md).

The list of ids with their sources is docs/coverage.yml; talks are tests/e2e/talks/**. Every talk is played in this process
(`play`), and what counts is what it walked, not what its file says of it: only `covers:`, for situations and business
questions, is taken at its word. A talk that fails counts for nothing.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from followup.scripts.branches import Branch, branches
from followup.scripts.load import find, load_script, script_files
from followup.scripts.model import Script
from followup.settings import PROJECT_DIR
from tests.e2e.play import Played, play, talk_files

LIST = PROJECT_DIR / "docs" / "coverage.yml"
REPORT = PROJECT_DIR / "docs" / "coverage.md"
KNOWLEDGE = PROJECT_DIR / "data" / "knowledge"
ENOUGH_INTERRUPTIONS = 6
"""Different ones, at questions of the script's own."""


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
    played: Played

    @property
    def title(self) -> str:
        return str(self.played.file.raw["talk"])

    @property
    def script(self) -> str:
        return str(self.played.file.raw["script"])

    @property
    def covers(self) -> list[str]:
        named = self.played.file.raw.get("covers", [])
        return named if isinstance(named, list) else [named]

    @property
    def works(self) -> bool:
        return self.played.failure is None

    @property
    def link(self) -> str:
        return f"[{self.title}](../{self.path.relative_to(PROJECT_DIR)})"


class Coverage:
    """What there is, read and played once."""

    @cached_property
    def listed(self) -> dict[str, list[Row]]:
        """Section (scripts, situations, answers) -> its rows."""
        return {
            section: [Row(**{k: str(v) for k, v in row.items()}) for row in rows]
            for section, rows in self._list.items()
            if section != "interruptions"
        }

    @cached_property
    def interruption_names(self) -> dict[str, str]:
        """Intent (or `unclear`, `silence`) -> what it is called."""
        return {str(key): str(name) for key, name in self._list["interruptions"].items()}

    @cached_property
    def _list(self) -> dict[str, Any]:
        return _yaml(LIST)

    @cached_property
    def talks(self) -> list[Talk]:
        """All talks, in the order of their files."""
        return [Talk(path, play(path)) for path in talk_files()]

    @cached_property
    def scripts(self) -> set[str]:
        """Ids of the scripts there are."""
        return {path.stem for path in script_files()}

    @cached_property
    def topics(self) -> dict[str, Path]:
        """Knowledge topic -> its file."""
        return {path.stem: path for path in sorted(KNOWLEDGE.glob("*.yml")) if not path.name.startswith("_")}

    def of_script(self, script_id: str) -> list[Talk]:
        """The script's talks that work."""
        return [talk for talk in self.talks if talk.script == script_id and talk.works]

    def covering(self, row_id: str) -> list[Talk]:
        return [talk for talk in self.talks if row_id in talk.covers and talk.works]

    def walked(self, script: Script) -> dict[Branch, list[int]]:
        """Branch -> the talks that walk it, by their number among the script's talks; empty where there is none."""
        found: dict[Branch, list[int]] = {branch: [] for branch in branches(script)}
        for number, talk in enumerate(self.of_script(script.id), 1):
            for branch in talk.played.walked.branches & set(found):
                found[branch].append(number)
        return found

    def interrupted(self, script_id: str) -> dict[str, dict[str, list[int]]]:
        """Question -> what interrupted it -> the talks in which it did."""
        found: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        for number, talk in enumerate(self.of_script(script_id), 1):
            for question_id, kind in sorted(talk.played.walked.interruptions):
                found[question_id][kind].append(number)
        return found

    def kinds_of_interruption(self, script_id: str) -> set[str]:
        return {kind for kinds in self.interrupted(script_id).values() for kind in kinds}

    def missing(self) -> dict[str, list[str]]:
        """Section -> ids without script or without a talk that works."""
        lacking = [r.id for r in self.listed["scripts"] if r.id not in self.scripts or not self.of_script(r.id)]
        return {
            "scripts": lacking,
            "situations": [row.id for row in self.listed["situations"] if not self.covering(row.id)],
            "answers": [row.id for row in self.listed["answers"] if not self.covering(row.id)],
        }

    def unwalked(self, script_id: str) -> list[str]:
        """Branches of the script that no talk walks, in words."""
        walked = self.walked(load_script(script_id))
        return [f"{branch.step or '整场'}：{branch.text}" for branch, talks in walked.items() if not talks]

    def unknown(self) -> list[str]:
        """Ids in `covers:` that nothing lists: slips of the pen."""
        known = {row.id for rows in self.listed.values() for row in rows}
        return [f"{talk.path.name}: {name}" for talk in self.talks for name in talk.covers if name not in known]


def report(coverage: Coverage) -> str:
    """docs/coverage.md as text."""
    return "\n".join([*_head(coverage), *_scripts(coverage), *_others(coverage), ""])


def _head(coverage: Coverage) -> Iterator[str]:
    missing = coverage.missing()
    yield "# 资料覆盖情况"
    yield ""
    yield (
        "由 `make coverage` 生成，请不要手工修改：把 tests/e2e/talks 里的试谈全部走一遍，记下每一场实际走到的题目、分支和中途的打断。"
        "每一场试谈都是一个自动测试；没有通过的不算。资料的编号和出处在 [coverage.yml](coverage.yml)。"
    )
    yield ""
    names = {"scripts": "话术", "situations": "中途情形", "answers": "业务问答"}
    for section, name in names.items():
        total, lacking = len(coverage.listed[section]), missing[section]
        yield f"- {name}：共 {total} 条，{total - len(lacking)} 条有试谈" + (
            f"；还缺：{'、'.join(f'`{row}`' for row in lacking)}" if lacking else ""
        )
    there = [row.id for row in coverage.listed["scripts"] if row.id in coverage.scripts]
    total = sum(len(coverage.walked(load_script(name))) for name in there)
    lacking_branches = sum(len(coverage.unwalked(name)) for name in there)
    yield f"- 话术的分支：共 {total} 个，{total - lacking_branches} 个有试谈走到"
    yield f"- 试谈：共 {len(coverage.talks)} 场"
    yield ""


def _scripts(coverage: Coverage) -> Iterator[str]:
    yield "## 话术"
    yield ""
    yield "| 编号 | 出处 | 文件 | 题目 | 分支 | 打断的种类 | 试谈 |"
    yield "|---|---|---|---|---|---|---|"
    there = [row for row in coverage.listed["scripts"] if row.id in coverage.scripts]
    for row in coverage.listed["scripts"]:
        if row not in there:
            yield f"| {row.id} | {row.source} | **还没有** | | | | |"
            continue
        script, path = load_script(row.id), find(row.id).relative_to(PROJECT_DIR)
        asked = sum(not question.is_step for question in script.questions)
        walked = coverage.walked(script)
        done = sum(1 for talks in walked.values() if talks)
        parts = str(len(walked)) if done == len(walked) else f"**{done}/{len(walked)}**"
        kinds = len(coverage.kinds_of_interruption(row.id))
        talks = len(coverage.of_script(row.id)) or "**还没有**"
        yield f"| [{row.id}](#{row.id}) | {row.source} | [{path.name}](../{path}) | {asked} | {parts} | {kinds} | {talks} |"
    for row in there:
        yield from _script(load_script(row.id), coverage)


def _script(script: Script, coverage: Coverage) -> Iterator[str]:
    """One script: its questions with their branches and interruptions, each with the numbers of the talks below."""
    walked, interrupted = coverage.walked(script), coverage.interrupted(script.id)
    yield from ("", f"### {script.id}", "", f"{script.name}。数字是下面试谈的序号。", "")
    yield "| 题目 | 分支（走到它的试谈） | 在这一题打断（试谈） |"
    yield "|---|---|---|"
    for step in ["", *(question.id for question in script.questions)]:
        ways = [f"{_plain(b.text)}（{_numbers(talks)}）" for b, talks in walked.items() if b.step == step]
        kinds = interrupted.get(step, {}) if step else {}
        names = [f"{coverage.interruption_names.get(kind, kind)}（{_numbers(talks)}）" for kind, talks in kinds.items()]
        name = f"`{step}`" if step else "开头和结尾"
        yield f"| {name} | {'<br>'.join(ways)} | {'<br>'.join(names)} |"
    yield ""
    yield from (f"{number}. {talk.link}" for number, talk in enumerate(coverage.of_script(script.id), 1))


MOST_SHOWN = 8


def _numbers(talks: list[int]) -> str:
    if not talks:
        return "**还没有**"
    shown = "、".join(str(number) for number in talks[:MOST_SHOWN])
    return shown if len(talks) <= MOST_SHOWN else f"{shown}等{len(talks)}场"


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
        path = coverage.topics[row.topic].relative_to(PROJECT_DIR)
        return f"[{path.name}](../{path}) `{row.topic}`"
    return "记下来请同事答复，不猜测"


def _plain(text: str) -> str:
    return text.replace("<", "&lt;").replace(">", "&gt;").replace("|", "\\|")


def _yaml(path: Path) -> Any:
    return YAML(typ="safe").load(path.read_text(encoding="utf-8"))


def main() -> int:
    """Write the report, and say what is still missing; 1 when something is."""
    coverage = Coverage()
    REPORT.write_text(report(coverage), encoding="utf-8")
    print(f"已经写好 {REPORT.relative_to(PROJECT_DIR)}")
    failed = [talk for talk in coverage.talks if not talk.works]
    lacking = [f"没有通过：{talk.path.relative_to(PROJECT_DIR)}" for talk in failed]
    lacking += [f"没有试谈：{name}" for names in coverage.missing().values() for name in names]
    for row in coverage.listed["scripts"]:
        lacking += [f"没有走到：{row.id} {text}" for text in coverage.unwalked(row.id)]
        if len(kinds := coverage.kinds_of_interruption(row.id)) < ENOUGH_INTERRUPTIONS:
            lacking.append(f"打断太少：{row.id} 只有 {len(kinds)} 种")
    print("\n".join(lacking) or "每一条都有试谈")
    return 1 if lacking else 0


if __name__ == "__main__":
    sys.exit(main())
