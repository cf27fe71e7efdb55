"""How good an opinion is: a small word grammar over data/lexicon/opinions.yml and aspects.yml.

A word's own colour is changed by what stands before it, read backwards word by word:
- 很/非常 (intensifier) adds a step, 比较/还算 (mild) none, 倒是/勉强 (halved) leaves 一般;
- one negator turns it (不是很满意 -> -1), an intensifier before the negator makes it worse (很不满意 -> -2);
- two negators: 没什么不满意 -> 1 (full denial), 不是不满意 -> 0.
"X倒是X" (满意倒是满意) concedes and is 0. Words in a question or behind 如果 do not count.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from followup.reading.lexicon import ASPECTS, OPINIONS, load

VERY = 2
_CLAUSE = re.compile(r"[,.!;?~]+|\s+(?![a-z])")
_VAGUE = frozenset(("可以", "行", "行吧", "成", "ok"))  # an acknowledgement when a clearer word stands beside it
_TAKEN_BACK = re.compile(r"(?:不对|说错|错了|口误|哦不|噢不|啊不|更正|我是说|改成|改为|应该是)[了,. 啊呀哈是]*")
_QUESTION = re.compile(r"^(?:吗|么|没有?\?|呢\?|\?)")
_MORE = re.compile(r"^(?:一?[点些]儿?|一下)(?!都|也)")
_SATISFACTION = ("满意", "不满")
_IN_THE_END = re.compile(r"有时|有的|有些人|一半|后来|现在|最后|总体|整体|总的|总之|大体|处理(?:完|好)")
_SO_SO_FIRST = re.compile(r"(?:就|就是|感觉|觉得|算|算是|只能说|也就|反正|我|整体|总体|说实话|,)*一般般?(?:吧|呗|般|了|的)*(?:[,.!;~ ]|$)")
_CONCEDED = re.compile(r"(?P<word>[\u4e00-\u9fff]{1,3})(?:倒是|倒|也是|还是|是)(?P=word)")


@dataclass(frozen=True)
class Opinion:
    """One opinion word in its place. `level` -2..2; `overall`: a verdict (满意), not a single aspect (贵)."""

    level: int
    word: str
    overall: bool
    after_contrast: bool


@dataclass(frozen=True)
class Lexicon:
    levels: dict[str, int]  # fixed phrases
    colours: dict[str, int]  # +1, -1 words that take degree and negation
    aspects: frozenset[str]
    ignore: frozenset[str]
    longest: int
    before: tuple[tuple[str, str], ...]  # (word, intensifier|mild|halved|negator), longest first
    denial: frozenset[str]
    after: tuple[str, ...]
    contrast: re.Pattern[str]
    conditional: re.Pattern[str]
    wish: re.Pattern[str]


@lru_cache(maxsize=1)
def lexicon() -> Lexicon:
    """Both word lists as one, built once."""
    own, aspects = load(OPINIONS), load(ASPECTS)
    levels = {word: int(level) for level, words in own["phrases"].items() for word in map(str, words)}
    colours = {word: 1 for word in own["positive"]} | {word: -1 for word in own["negative"]}
    ignore = set(own["ignore"])
    of_aspects: dict[str, int] = {}
    for aspect in aspects.values():
        of_aspects |= {str(word): 1 for word in aspect.get("positive", ())}
        of_aspects |= {str(word): -1 for word in aspect.get("negative", ())}
        ignore |= {str(word) for word in aspect.get("ignore", ())}
    for degree in own["complaint_degrees"]:
        for adjective in own["complaint_adjectives"]:
            of_aspects.setdefault(degree + adjective, -1)
    before = [(w, "negator") for w in own["negators"]] + [
        (w, kind)
        for key, kind in (("intensifiers", "intensifier"), ("mild", "mild"), ("particles", "particle"), ("halved", "halved"))
        for w in own[key]
    ]
    every = [*levels, *colours, *of_aspects, *ignore]
    return Lexicon(
        levels, of_aspects | colours, frozenset(of_aspects) - levels.keys(), frozenset(ignore), max(map(len, every)),
        tuple(sorted(before, key=lambda pair: -len(pair[0]))), frozenset(own["full_denial"]),
        tuple(own["after_intensifiers"]), re.compile("|".join(own["contrast"])), re.compile("|".join(own["conditional"])),
        re.compile("|".join(own["wish"])),
    )


def opinions(text: str) -> list[Opinion]:
    """All opinions in a normalised text, in order; what was taken back (不对, 说错了) is left out."""
    text = _TAKEN_BACK.split(text)[-1] if _TAKEN_BACK.search(text) else text
    found: list[Opinion] = []
    contrasted = False
    for clause in _CLAUSE.split(text):
        clause_found, contrasted = _in_clause(clause, contrasted)
        found.extend(clause_found)
    return found


def level(text: str) -> tuple[int, str] | None:
    """The whole verdict, -2..2, and how it was found ("word" or "mixed"); None when there is no opinion.

    A verdict (满意, 一般) leads over remarks on aspects; praise with a fault, or a fault with praise, is 0.
    """
    found = opinions(text)
    if not found:
        return None
    if any(opinion.word not in _VAGUE for opinion in found):
        found = [opinion for opinion in found if opinion.word not in _VAGUE or opinion.level]
    if (plain := _said_outright(text, found)) is not None:
        return plain, "word"
    verdicts = [opinion.level for opinion in found if opinion.overall]
    faults = any(opinion.level < 0 for opinion in found)
    praise = any(opinion.level > 0 for opinion in found)
    if verdicts and not (faults and max(verdicts) > 0):
        return (max if min(verdicts) > 0 else min)(verdicts), "word"
    if faults and praise:
        return 0, "mixed"
    levels = [opinion.level for opinion in found]
    return (min(levels) if faults else max(levels)), "word"


def _said_outright(text: str, found: list[Opinion]) -> int | None:
    """ "不太满意" wins over every praise beside it, and "一般" said first over what it is explained with (58741 (5))."""
    unhappy = [opinion.level for opinion in found if opinion.word in _SATISFACTION and opinion.level < 0]
    if unhappy and not (_IN_THE_END.search(text) and any(o.word in _SATISFACTION and o.level > 0 for o in found)):
        return min(unhappy)
    return 0 if not unhappy and _SO_SO_FIRST.match(text) else None


def _in_clause(clause: str, contrasted: bool) -> tuple[list[Opinion], bool]:
    words = lexicon()
    conditional = words.conditional.search(clause)
    found: list[Opinion] = []
    done = at = 0
    conceded = _CONCEDED.search(clause)
    while at < len(clause):
        word = _word_at(clause, at)
        if word is None:
            at += 1
            continue
        end = at + len(word)
        if word in words.ignore:
            at = done = end
            continue
        gap = clause[done:at]
        contrasted = contrasted or bool(words.contrast.search(gap))
        asked = _QUESTION.match(clause[end:]) or (conditional and conditional.start() < at)
        wished = way_up(word) and (_MORE.match(clause[end:]) or words.wish.search(clause[:at]))
        if not asked and not wished:
            value = _value(word, gap, clause[end:])
            if conceded and conceded.start() <= at < conceded.end() and value > 0:
                value = 0
            found.append(Opinion(value, word, word not in words.aspects, contrasted))
        at = done = end
    return found, contrasted


def way_up(word: str) -> bool:
    """Whether the word alone is praise."""
    words = lexicon()
    return words.levels.get(word, 0) > 0 or words.colours.get(word, 0) > 0


def _word_at(clause: str, at: int) -> str | None:
    words = lexicon()
    for size in range(min(words.longest, len(clause) - at), 0, -1):
        word = clause[at: at + size]
        if word in words.ignore or word in words.levels or word in words.colours:
            return word
    return None


def _value(word: str, gap: str, tail: str) -> int:
    """The word's level with the modifiers before and behind it."""
    words = lexicon()
    negators, strong_before_negator, strong, halved = _modifiers(gap)
    strong = strong or tail.startswith(words.after)
    if word in words.levels:
        fixed = words.levels[word]
        if not negators:
            return max(-2, min(2, fixed + (1 if strong and fixed == 1 else 0) + (1 if strong and fixed == 0 and word in ("可以", "ok") else 0)))
        return -1 if fixed >= 0 else (1 if negators[-1] in words.denial else 0)
    colour = words.colours[word]
    if not negators:
        if halved:
            return 0 if colour > 0 else -1
        return colour * 2 if strong else colour
    if len(negators) % 2 == 1:
        if colour < 0:
            return 1 if negators[0] in words.denial or negators[0] in ("不", "不算", "不太", "不怎么") else 0
        return -2 if strong_before_negator else -1
    if colour < 0:
        return -1
    return 1 if negators[-1] in words.denial else 0


def _modifiers(gap: str) -> tuple[list[str], bool, bool, bool]:
    """Negators (nearest first), strong before a negator, strong next to the word, halved: read backwards."""
    negators: list[str] = []
    before_negator = strong = halved = mild = False
    while gap:
        found = next(((word, kind) for word, kind in lexicon().before if gap.endswith(word)), None)
        if found is None:
            break
        word, kind = found
        gap = gap[: -len(word)]
        if kind == "negator":
            negators.append(word)
        elif kind == "halved":
            halved = True
        elif kind == "mild":
            mild = True
        elif kind == "intensifier":
            if negators:
                before_negator = True
            else:
                strong = not mild
    return negators, before_negator, strong, halved
