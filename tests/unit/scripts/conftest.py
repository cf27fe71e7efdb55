"""A small folder of scripts to check: one valid script, its shared wording, a list of forbidden phrases."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Callable

import pytest

from followup.scripts.check import Finding, check_file

HEAD = """\
id: sample
name: 样例回访
trade: demo
version: 1
source: 样例资料第一段
variables:
  company: {label: 公司名称, demo: 演示公司}
  agent: {label: 助手称呼, demo: 小演}
opening: 您好！我是{company}的智能助手{agent}，请问您现在方便吗？
about: 想了解一下您的感受
"""
QUESTIONS = """\
- id: service
  ask: 您对我们的服务是否满意？
  type: scale3
  department: 客户服务部
  on_unclear: 很满意、一般，还是不满意呢？
- id: ideas
  ask: 您有什么建议吗？
  type: open
"""
SHARED = """\
closing: {completed: "再见！", refused: "打扰您了，再见！"}
busy: {ask_when: 请问您什么时间方便呢？, driving: 请您注意行车安全。}
answers: {ask_who: "我是{company}的智能助手{agent}。"}
"""
FORBIDDEN = """\
- {phrase: 这是规定, instead: 我帮您看看还有什么办法, source: 服务忌语 6.3}
- {phrase: 什么, instead: 请您再说一遍，好吗？, whole: true}
"""

Check = Callable[..., list[Finding]]


@pytest.fixture
def told() -> Callable[..., bool]:
    """Whether exactly this was told: level, a piece of the message, a piece of the advice, optionally the line."""

    def was_told(findings: list[Finding], level: str, message: str, instead: str = "", line: int | None = None) -> bool:
        return any(
            f.level == level and message in f.message and instead in f.instead and line in (None, f.line)
            for f in findings
        )

    return was_told


@pytest.fixture
def scripts_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "scripts"
    (folder / "demo").mkdir(parents=True)
    (folder / "_shared.yml").write_text(SHARED, encoding="utf-8")
    (tmp_path / "lexicon").mkdir()
    (tmp_path / "lexicon" / "forbidden.yml").write_text(FORBIDDEN, encoding="utf-8")
    return folder


@pytest.fixture
def valid_text() -> str:
    """A script the checker has nothing to say about."""
    return f"{HEAD}questions:\n{QUESTIONS}"


@pytest.fixture
def check_text(scripts_folder: Path) -> Check:
    """Findings for a whole file's text."""

    def check(text: str, name: str = "demo/sample.yml") -> list[Finding]:
        path = scripts_folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return check_file(path, scripts_folder)

    return check


@pytest.fixture
def check(check_text: Check) -> Check:
    """Findings for the valid script with other questions, further top-level lines, or some of its text replaced."""

    def check_it(questions: str = QUESTIONS, more: str = "", swap: tuple[str, str] = ("", "")) -> list[Finding]:
        text = f"{HEAD}{dedent(more)}questions:\n{dedent(questions)}"
        if swap[0]:
            assert swap[0] in text
            text = text.replace(*swap)
        return check_text(text)

    return check_it
