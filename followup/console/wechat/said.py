"""The sentences of labels.yml that say what is so and what to do, split by `|`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from followup.channels.wechat.ask import Failed
from followup.console.labels import labels

_IP = re.compile(r"invalid ip ([0-9a-fA-F.:]{2,45})")


@dataclass(frozen=True, slots=True)
class Said:
    """What is so, and what a colleague does about it (may be empty)."""

    what: str
    todo: str = ""


def said(group: str, key: object, **values: object) -> Said:
    """Raises KeyError for a sentence that nobody has written."""
    what, _, todo = labels()[group][str(key)].partition("|")
    return Said(what.format(**values), todo.format(**values))


def code_said(code: int) -> Said:
    """A code of WeChat's in Chinese; one that is not known is named, with where it is explained."""
    if str(code) in labels()["wechat_codes"]:
        return said("wechat_codes", code)
    return Said(f"微信返回错误 {code}", "在微信开发文档的“全局返回码”里查这个数字")


def refusal_said(failed: Failed) -> Said:
    """Why WeChat refused; for the white list, with the address WeChat names."""
    found = code_said(failed.code)
    ip = _IP.search(str(failed)) if failed.code in (40164, 89501, 89503) else None
    what = f"{found.what}（{failed.code}）。"
    todo = found.todo + (f"：{ip[1]}" if ip else "") + "。" if found.todo else ""
    return Said(what, todo)
