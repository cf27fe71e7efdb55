"""A starting file for a new topic, to be filled in by its author."""

from __future__ import annotations

import re
from pathlib import Path
from string import Template

from followup.knowledge.load import KNOWLEDGE_DIR

TEMPLATE = Path(__file__).with_name("template.yml")
_TOPIC = re.compile(r"[a-z][a-z_]*")
_TITLE = re.compile(r"[^\n:：#{}\[\]\"']+")


class CannotStart(ValueError):
    """The file cannot be begun; the message, in Chinese, says why."""


def start_topic(topic: str, title: str, folder: Path = KNOWLEDGE_DIR) -> Path:
    """Write data/knowledge/<topic>.yml and return its path. CannotStart when a name is wrong or taken."""
    if not _TOPIC.fullmatch(topic):
        raise CannotStart(f"主题“{topic}”只能用小写字母和下划线，以字母开头，例如 opening_hours")
    if not _TITLE.fullmatch(title):
        raise CannotStart(f"名称“{title}”里不要用冒号、井号、括号和引号，也不能空着")
    path = folder / f"{topic}.yml"
    if path.exists():
        raise CannotStart(f"主题“{topic}”已经有了：{path.name}，请直接修改，或者换一个名字")
    text = Template(TEMPLATE.read_text(encoding="utf-8")).substitute(topic=topic, title=title)
    with path.open("x", encoding="utf-8") as file:  # never over a file that somebody just made
        file.write(text)
    return path
