"""One spelling for what customers type: for reading only, the customer's own text is never changed.

`fold` keeps a map back to the original characters (entities, clauses); `normalise` goes further and is what the
classifier reads, in training and in use alike. Both work on a bounded cut, so a message of 10,000 characters costs
no more than one of 400.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import zhconv

MAX_CHARS = 400
"""Longest text that is read. What people want is said at the beginning or at the end of a long message."""

_HEAD = 260
_GAP = "\n"

EMOJI_GROUPS: dict[str, str] = {
    "👍": "👍👏💪💯🌟⭐✌🤟👊",
    "👌": "👌🆗✅✔🤝🫡🙆",
    "😊": "😊🙂😄😁😀😃😆😂🤣☺😉😋😍🥰😘🤗😎🌹❤♥💕💖💗🥳🎉😇😌🌷💐😜😝😛",
    "🙏": "🙏🙇",
    "😡": "😡😠🤬👿😤💢🖕👎😾💩🤮",
    "😞": "😞😢😭😔😟🙁☹😣😖😩😫😥😓😰💔😿🤦😒🙄😑😕🥲",
    "👋": "👋",
}
"""Emoji by what they say; the key stands for all of its group."""

STICKER_GROUPS: dict[str, str] = {
    "👍": "强 鼓掌 胜利 赞 拳头 棒 得意",
    "👌": "OK ok 好的 握手",
    "😊": "微笑 愉快 呲牙 憨笑 偷笑 玫瑰 爱心 可爱 太阳 笑脸 嘿哈 破涕为笑 大笑 害羞 色 庆祝",
    "🙏": "抱拳 合十 拜托 谢谢",
    "😡": "发怒 咒骂 弱 便便 炸弹 菜刀 怒 抓狂 鄙视",
    "😞": "流泪 大哭 难过 委屈 心碎 快哭了 捂脸 叹气 苦涩 尴尬 白眼 撇嘴",
    "👋": "再见 挥手",
}
"""The chat programs' own bracketed stickers, `[强]`, by what they say."""

_EMOJI = {char: key for key, chars in EMOJI_GROUPS.items() for char in chars}
_STICKERS = {name: key for key, names in STICKER_GROUPS.items() for name in names.split()}
_STICKER = re.compile(r"[\[【]([A-Za-z\u4e00-\u9fff]{1,4})[\]】]")
_TOKENS = "".join(EMOJI_GROUPS)

# An emoji's companions: variation selectors, joiner, skin tones.
_COMPANIONS = re.compile("[\ufe0e\ufe0f\u200d\U0001f3fb-\U0001f3ff]")
_SPACES = re.compile(r"\s+")
_PUNCTUATION = re.compile(r"[^\w\s" + _TOKENS + r"%.:?!,+-]+")
_ENDS = re.compile(r"^[\s,.:;+-]+|[\s,.:;+-]+$")

# Doubled by speech recognition, never by grammar: 我我现在 -> 我现在. (看看, 慢慢, 谢谢 are words and stay.)
_STUTTER = re.compile(r"([我你您他她它在是就的了有不没这那要嗯呃啊哦额唉哎对好行可能会还也都和跟给个吗吧呢呀嘛])\1+")
_LONG_RUN = re.compile(r"(\D)\1{2,}")
_DOUBLED_WORD = re.compile(r"([^\d\s]{2,8})[,\s]?\1+")
_FILLERS = re.compile(r"^(?:(?:嗯+|呃+|额+|啊+|哎+|唉+|喔+|哦+|噢+|诶+|那个|就是说|怎么说呢|emm+|em|那什么)[,.!?\s]*)+")
_DIGITS = re.compile(r"\d+")

# Numbers that chat has made words ("bye-bye", "great", "boo-hoo", "ha-ha", "I love you"), alone or before a particle.
_NUMBER_WORD = re.compile(r"(?:88|886|6{3,}|5{3,}|233+|520|1314|5201314)(?=[啦咯了喽哦喔啊呀哈\s,.!?]*$)")


@dataclass(frozen=True)
class Folded:
    """A folded text and, for each of its characters, the place of its origin."""

    text: str
    origins: tuple[int, ...]
    """Index into the original text of each folded character, plus one past the end."""

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Original `[start, end)` of the folded `[start, end)`; end > start."""
        return self.origins[start], self.origins[end - 1] + 1


@lru_cache(maxsize=8192)
def _fold_char(char: str) -> str:
    """Simplified, half-width, lower case; a space for a control character; nothing for an invisible one."""
    folded = unicodedata.normalize("NFKC", char)
    if _COMPANIONS.match(char) or unicodedata.category(char) == "Cf":
        return ""
    if unicodedata.category(char) in ("Cc", "Cs", "Co", "Cn"):
        return " "
    return zhconv.convert(folded, "zh-hans").lower()


def fold(text: str) -> Folded:
    """Fold character by character, so that every place can be found again in the original."""
    chars: list[str] = []
    origins: list[int] = []
    for index in _read_places(len(text)):
        for char in _GAP if index is None else _fold_char(text[index]):
            chars.append(char)
            origins.append(_HEAD if index is None else index)
    origins.append(len(text))
    return Folded("".join(chars), tuple(origins))


def _read_places(length: int) -> list[int | None]:
    """Places of the characters that are read; None stands for the gap of an overlong text."""
    if length <= MAX_CHARS:
        return list(range(length))
    return [*range(_HEAD), None, *range(length - (MAX_CHARS - _HEAD), length)]


def cut(text: str) -> str:
    """The part of a text that is read: all of it, or its beginning and end."""
    if len(text) <= MAX_CHARS:
        return text
    return text[:_HEAD] + _GAP + text[-(MAX_CHARS - _HEAD) :]


def simplify(text: str) -> str:
    """Cut, half-width, Simplified, lower case, no control or invisible characters; punctuation stays."""
    text = unicodedata.normalize("NFKC", _COMPANIONS.sub("", cut(text)))
    kept = "".join(_clean(char) for char in text)
    return _SPACES.sub(" ", zhconv.convert(kept, "zh-cn").lower()).strip()


def _clean(char: str) -> str:
    category = unicodedata.category(char)
    if category == "Cf":
        return ""
    return " " if category in ("Cc", "Cs", "Co", "Cn") else char


@lru_cache(maxsize=512)
def normalise(text: str) -> str:
    """What the classifier reads. May be empty (blank, or nothing but signs without a meaning of their own).

    Emoji and stickers become the sign of their group, runs and doubled words are said once, leading fillers go
    when something follows, digits become 0 (their number kept up to four): which number it is, is for the reader.
    A reply that is nothing but a number word of the chats (88, 666) keeps it: 88 says goodbye, 95 is a score.
    """
    text = _STICKER.sub(_sticker, simplify(text))
    text = "".join(_EMOJI.get(char, char) for char in text)
    text = text.replace("。", ".").replace("、", ",").replace("~", "")
    text = _PUNCTUATION.sub(" ", text)
    text = _LONG_RUN.sub(r"\1\1", text)
    text = _STUTTER.sub(r"\1", text)
    text = _DOUBLED_WORD.sub(r"\1", text)
    text = _ENDS.sub("", _SPACES.sub(" ", text))
    text = _FILLERS.sub("", text) or text
    return text if _NUMBER_WORD.match(text) else _DIGITS.sub(lambda match: "0" * min(len(match[0]), 4), text)


def _sticker(match: re.Match[str]) -> str:
    return _STICKERS.get(match[1], match[0])
