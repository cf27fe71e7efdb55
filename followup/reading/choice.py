"""Choices: by number ("第一个", "选B"), by the option's own word, by another way to say it.

The longest wording that is found wins ("朋友圈" before "朋友"); an option that is denied
("不是朋友介绍的") does not count; "都行" is an answer of its own ("choice:any", value None).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from followup.reading.model import STRONG, WEAK, Asked, Heard, Reading
from followup.reading.numerals import to_int
from followup.reading.text import close_up, core, has_words, normalise, words_of

_ANY_WORDS = re.compile(r"都行|都可以|都成|都好|都ok|随便|随意|无所谓|任意|你(?:们)?(?:定|安排|看着办|决定|推荐)|哪个都|怎么都|看你(?:们)?|听你(?:们)?的|不挑|没要求")
_ALL = re.compile(r"都(?:有|是|要|选|用|做|知道|去|想)|全(?:都|部|要|选)|所有的?|三个都|两个都|四个都|以上(?:都|全)")
_NONE = re.compile(r"都不是|都没有|都不|都没|没有一个|以上都不")
_INDEX = re.compile(
    r"(?:选项?|第)(?P<a>\d{1,2}|[一二两三四五六七八九十])(?:个|项|种|条)?|(?P<b>\d{1,2}|[一二三四五六七八九])号?(?:个|项)?(?=$|[,、和跟与还]|吧)|(?:选项?)?(?<![a-z])(?P<c>[a-h])(?![a-z])(?:项|选项)?"
)
_INDEX_ONLY = re.compile(r"(?:我?(?:选|要|就|是|那|算)*)(?:(?:选项?|第)?(?:\d{1,2}|[一二两三四五六七八九十])(?:个|项|种|条|号)?|[a-h]项?)(?:[,、 ]?(?:和|跟|与|还有|以及)?(?:第)?(?:(?:\d{1,2}|[一二两三四五六七八九十])(?:个|项|种|条|号)?|[a-h]项?))*(?:都要|都选|都有|都行)?(?:吧|的|啊|呀)?")
_LAST = re.compile(r"最后(?:一)?(?:个|项|种)|后(?:一个|面那个|者)")
_DENY = re.compile(r"(?:不是|不要|没有?|不选|不用|不想要?|不去|除了|别|非|不算|不太是|并非|不喜欢|没在|不在)(?:通过|因为|从|在|用|看|听|什么|选|是|要|有|的|过)*$")
_DENY_AFTER = re.compile(r"^[\u4e00-\u9fff]{0,3}?(?:不要|不行|不好|不是|不选|不去|没有|不考虑)")
_TIME = re.compile(r"(?:(?:今天|明天|后天|大后天|周末|周|星期|礼拜|上午|下午|中午|晚上|早上|改天)[一二三四五六日天]?)+")
_NO_TIME_AFTER = re.compile(r"^[\u4e00-\u9fff]{0,4}?(?:没空|没有空|没时间|没有时间|不方便|不得空|有事|要上班|来不了|去不了|不能来|不来|抽不出|走不开|不在)")
_TAKEN_BACK = re.compile(r"(?:不对|说错了?|错了|口误|哦不|噢不|啊不|更正|改成|还是(?=选|要|第))")


@dataclass(frozen=True)
class _Hit:
    option: int
    start: int
    end: int
    how: str


def read_choice(asked: Asked, heard: Heard) -> Reading | None:
    """The option's value (a list when several may be chosen); None when no option is meant."""
    if not asked.options:
        return _other(asked, heard)
    text = core(heard.text) or close_up(normalise(heard.text))
    text = _TAKEN_BACK.split(text)[-1].strip(" ,.") or text
    hits = _by_words(asked, text)
    if hits:
        return _answer(asked, [hit.option for hit in hits], hits[0].how)
    indexes = _by_number(asked, text)
    if indexes:
        return _answer(asked, indexes, "number", STRONG if len(text) > 1 or text.isdigit() else WEAK)
    if asked.multiple and _ALL.search(text) and not _NONE.search(text):
        return _answer(asked, list(range(len(asked.options))), "all")
    if _ANY_WORDS.search(text) and not _NONE.search(text):
        return Reading(None, "choice:any", WEAK)
    if asked.multiple and _NONE.search(text):
        return Reading([], "choice:none", WEAK)
    return _other(asked, heard)


def _answer(asked: Asked, found: list[int], how: str, fit: str = STRONG) -> Reading:
    values = [asked.options[index].value for index in dict.fromkeys(found)]
    return Reading(values if asked.multiple else values[0], f"choice:{how}", fit)


def _other(asked: Asked, heard: Heard) -> Reading | None:
    """Free words as an answer of their own, where the question takes them."""
    if not asked.other or not has_words(heard.text):
        return None
    words = words_of(heard.text)
    return Reading([words] if asked.multiple else words, "choice:other", WEAK)


def _by_words(asked: Asked, text: str) -> list[_Hit]:
    """Options named in the text, not denied; longer wordings first, none inside another."""
    wordings = []
    for index, option in enumerate(asked.options):
        for how, words in (("word", (option.value,)), ("synonym", option.say)):
            for word in words:
                plain = core(word) or close_up(normalise(word))
                if plain:
                    wordings.append((plain, index, how))
    found: list[_Hit] = []
    taken = [False] * len(text)
    for plain, index, how in sorted(wordings, key=lambda entry: (-len(entry[0]), entry[1])):
        if len(plain) == 1 and plain.isascii() and plain != text:
            continue
        for match in re.finditer(re.escape(plain), text):
            if any(taken[match.start(): match.end()]):
                continue
            taken[match.start(): match.end()] = [True] * len(plain)
            if not _denied(text, match.start(), match.end()):
                found.append(_Hit(index, match.start(), match.end(), how))
    return sorted(found, key=lambda hit: hit.start)


def _denied(text: str, start: int, end: int) -> bool:
    clause_start = max(text.rfind(mark, 0, start) for mark in ",.;!? ") + 1
    if _TIME.fullmatch(text[start:end]) and _NO_TIME_AFTER.match(text[end:]):
        return True  # "明天没空" does not take tomorrow
    return bool(_DENY.search(text[clause_start:start]) or _DENY_AFTER.match(text[end:]))


def _by_number(asked: Asked, text: str) -> list[int]:
    if _LAST.search(text):
        return [len(asked.options) - 1]
    plain = re.sub(r"[\s,.]+", ",", text)
    if not _INDEX_ONLY.fullmatch(plain) and not re.search(r"第[一二三四五六七八九十\d]+(?:个|项|种|条)|选项?[\da-h一二三四五六]", plain):
        return []
    found = []
    for match in _INDEX.finditer(plain):
        index = ord(match["c"]) - ord("a") if match["c"] else (to_int(match["a"] or match["b"]) or 0) - 1
        if 0 <= index < len(asked.options) and not _denied(plain, match.start(), match.end()):
            found.append(index)
    return found
