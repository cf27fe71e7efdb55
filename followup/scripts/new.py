"""A starting file for a new script, to be filled in by its author."""

from __future__ import annotations

import re
from pathlib import Path
from string import Template

from followup.scripts.load import SCRIPTS_DIR, script_files

TEMPLATE = Path(__file__).with_name("template.yml")
_ID = re.compile(r"[a-z][a-z0-9_]*")
_TRADE = re.compile(r"[a-z][a-z0-9-]*")
_ABOVE = re.compile(r"\A(?:[ \t]*(?:#.*)?\n)+")
LONGEST_ID, LONGEST_NAME = 60, 60
_NAME = re.compile(r"[^\n:：#{}\[\]\"']+")


class CannotStart(ValueError):
    """The file cannot be begun; the message, in Chinese, says why."""


def start_script(script_id: str, trade: str, name: str = "", folder: Path = SCRIPTS_DIR) -> Path:
    """Write data/scripts/<trade>/<id>.yml and return its path. CannotStart when a name is wrong or taken."""
    text = starting_text(script_id, trade, name)
    if taken := next((path for path in script_files(folder) if path.stem == script_id), None):
        raise CannotStart(f"编号“{script_id}”已经有了：{taken.parent.name}/{taken.name}，请换一个编号")
    path = folder / trade / f"{script_id}.yml"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("x", encoding="utf-8") as file:  # never over a file that somebody just made
        file.write(text)
    return path


def starting_text(script_id: str, trade: str, name: str = "", like: str = "") -> str:
    """The first text of a new script: the template's, or that of another script `like`. CannotStart when a name is wrong."""
    if not _ID.fullmatch(script_id) or len(script_id) > LONGEST_ID:
        raise CannotStart(f"编号“{script_id}”只能用小写字母、数字和下划线，以字母开头，最多 {LONGEST_ID} 个字")
    if not _TRADE.fullmatch(trade) or len(trade) > LONGEST_ID:
        raise CannotStart(f"行业“{trade}”只能用小写字母、数字和连字符，以字母开头，例如 car-service")
    if name and (not _NAME.fullmatch(name) or len(name) > LONGEST_NAME):
        raise CannotStart(f"名称“{name}”里不要用冒号、井号、括号和引号，最多 {LONGEST_NAME} 个字")
    if not like:
        return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(id=script_id, trade=trade, name=name or script_id)
    for key, value in (("id", script_id), ("name", name or script_id), ("trade", trade), ("version", "1")):
        like = re.sub(rf"(?m)^{key}:.*$", f"{key}: {value}", like, count=1)
    # What stands above the first key tells of the other script.
    return "# yaml-language-server: $schema=../../../followup/scripts/schema.json\n" + _ABOVE.sub("", like, count=1)
