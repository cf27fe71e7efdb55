"""One spelling for everything the readers look at. The words that are stored stay as they were typed."""

from __future__ import annotations

import re
import unicodedata

import zhconv

LONGEST = 600  # readers look at no more characters than this; answers are short

_CJK_GAP = re.compile(r"(?<=[\u4e00-\u9fff])[ ]+(?=[\u4e00-\u9fff])")
_CONTROL = re.compile(r"[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060\ufeff\ufe0f]+")
_SPACES = re.compile(r"\s+")
_MARKS = str.maketrans({"。": ".", "、": "、", "–": "-", "—": "-", "−": "-", "～": "~", "⁄": "/", "“": '"', "”": '"'})
_FILLER = re.compile(
    r"^(?:[\s,.、!?~…]|嗯+|呃+|额+|啊+|哦+|噢+|唔+|诶+|欸+|哎+|那个|这个(?=[嗯呃额,])|就是说?(?=[嗯呃额,])|怎么说呢?|我想想|我看看)+"
)
_TRAIL = re.compile(r"[\s,.、!?~…;:]+$")


def normalise(text: str) -> str:
    """NFKC, simplified characters, lower case, single spaces, no control characters, ASCII punctuation."""
    text = _CONTROL.sub(" ", text[: LONGEST * 4])
    text = unicodedata.normalize("NFKC", text)[:LONGEST]
    text = zhconv.convert(text, "zh-cn").translate(_MARKS).lower()
    return _SPACES.sub(" ", text).strip()


def close_up(text: str) -> str:
    """Normalised text without the spaces that speech recognition puts between Chinese words."""
    return _CJK_GAP.sub("", text)


def core(text: str) -> str:
    """Normalised text without leading fillers and trailing punctuation."""
    text = close_up(normalise(text))
    return _TRAIL.sub("", _FILLER.sub("", text))


def words_of(text: str) -> str:
    """The customer's words, stripped, for storing: control characters gone, nothing else changed."""
    return _CONTROL.sub(" ", text).strip()


def has_words(text: str) -> bool:
    """Whether there is any letter, digit or Chinese character (an emoji alone has no words)."""
    return any(unicodedata.category(c)[0] in "LN" for c in text)
