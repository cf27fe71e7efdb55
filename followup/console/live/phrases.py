"""What a colleague may tap instead of typing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from followup.console.labels import labels
from followup.console.transcripts.questions import Questions
from followup.dialogue.state import TalkState
from followup.dialogue.wording import Wording

_EXTRA = {"department": "相关部门", "due": "两个工作日"}
_UNFILLED = re.compile(r"\{[a-z_:]+\}")


def quick_phrases(questions: Questions, customer: str, title: str) -> list[tuple[str, list[str]]]:
    """(name of the group, sentences) in the talk's own wording; one that cannot be filled in is left out."""
    script = questions.script
    if script is None:
        return []
    wording = Wording(script, TalkState("", script.id, {**questions.variables, "customer": customer, "title": title}))
    found = []
    for group, paths in _groups().items():
        sentences = [one for path in paths for one in _sentences(script.wording, path)]
        filled = [wording.fill(one, **_EXTRA) for one in sentences]
        if usable := list(dict.fromkeys(one for one in filled if not _UNFILLED.search(one))):
            found.append((labels()["phrase_groups"][group], usable))
    return found


def _sentences(wording: Mapping[str, Any], path: str) -> list[str]:
    node: Any = wording
    for key in path.split("."):
        node = node.get(key) if isinstance(node, Mapping) else None
    if isinstance(node, str):
        return [node]
    return [one for one in node if isinstance(one, str)] if isinstance(node, list) else []


@lru_cache(maxsize=1)
def _groups() -> dict[str, list[str]]:
    return YAML(typ="safe").load(Path(__file__).with_name("phrases.yml").read_text(encoding="utf-8"))
