"""Set Chinese sentences as in print, however an author typed them.

Half-width punctuation beside Chinese characters becomes full-width, and the blanks that a folded YAML line
leaves between Chinese characters go. Numbers, times ("8:30") and Latin words stay as they are.
"""

from __future__ import annotations

import re

_CJK = "\u4e00-\u9fff\u3000-\u303f\uff01-\uff0f\uff1a-\uff20“”‘’"
_FULL = {",": "，", ";": "；", ":": "：", "?": "？", "!": "！", "(": "（", ")": "）"}
_AFTER_CJK = re.compile(rf"(?<=[{_CJK}}}])((?:[ ]?[,;:?!])+)[ ]?")
_BEFORE_CJK = re.compile(r"(?<=[0-9A-Za-z])([,;?!])(?=[\u4e00-\u9fff])")
_BRACKETS = re.compile(r"\(([^()]*[\u4e00-\u9fff][^()]*)\)")
_BLANK = re.compile(rf"(?<=[{_CJK}}}])\s+(?=[{_CJK}{{])")


def polish(sentence: str) -> str:
    """The sentence with Chinese punctuation, one line, no stray blanks."""
    sentence = " ".join(sentence.split())
    while (inner := _BRACKETS.sub(r"（\1）", sentence)) != sentence:  # from the innermost pair outwards
        sentence = inner
    sentence = _AFTER_CJK.sub(lambda m: "".join(_FULL[sign] for sign in m.group(1).replace(" ", "")), sentence)
    sentence = _BEFORE_CJK.sub(lambda m: _FULL[m.group(1)], sentence)
    return _BLANK.sub("", sentence)


def polish_all(node: object) -> object:
    """`polish` applied to every string inside nested dicts and lists."""
    if isinstance(node, str):
        return polish(node)
    if isinstance(node, dict):
        return {key: polish_all(value) for key, value in node.items()}
    if isinstance(node, list):
        return [polish_all(item) for item in node]
    return node
