"""Several dialogue acts in one reply ("还行,就是有点贵,我现在在开车"), in text order, and the one that leads.

A reply is cut where a new clause may begin, and the best way to read it is searched: as a whole or in parts. A part
is worth what the classifier is sure of; each cut costs something, and a cut without punctuation more. So one thing
said with a comma stays whole, and three things said in a row come apart. Pure, given a classifier.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import Callable, Sequence

from followup.nlu import LEADING_MIN, NOT_UNDERSTOOD_BELOW
from followup.nlu.model import Guess
from followup.nlu.normalise import MAX_CHARS, Folded, fold
from followup.nlu.optout import is_opt_out

Classify = Callable[[Sequence[str]], list[list[Guess]]]
"""Rankings, best first, of several texts at once."""

DO_NOT_CONTACT = "do_not_contact"
NOTHING_SAID = "out_of_scope"
"""Intent, at confidence 0, of a reply without anything to read (blank, signs only)."""

_UNKNOWN_WORTH = 0.7
"""What a part's confidence is worth to a division where the reply as a whole knows nothing of such a thing."""

MAX_PIECES = 7
"""A reply of more clauses is a story: what it says in passing is no act of its own."""

CLAUSE_MIN = 0.5
"""A part below this confidence is no act; its words stay with the act before it."""

_STRONG_CUT, _WEAK_CUT = 0.2, 0.25  # price of a cut in log-confidence, with and without punctuation

PRIORITY: tuple[str, ...] = (
    # Ends every contact; then what makes each further word wrong or dangerous.
    DO_NOT_CONTACT,
    "wrong_person",
    "complain",
    "driving",
    "in_meeting",
    "dining",
    "unwell",
    "resting",
    # Somebody else shall speak, or nobody at all.
    "request_human",
    "third_person",
    "refuse",
    # Later. A time is worth more than "busy"; both are kept as acts.
    "propose_time",
    "call_later",
    "busy",
    "wait",
    # A rude customer who is driving is let go, one who only swears is reminded.
    "abuse",
    # The talk itself.
    "correct",
    "go_back",
    "ask_repeat",
    "not_understood",
    # Questions to us are answered before the script goes on.
    "ask_privacy",
    "ask_source",
    "bot_challenge",
    "ask_who",
    "ask_purpose",
    "ask_duration",
    "faq",
    "objection",
    # Answers: the most telling one first.
    "dissatisfied",
    "suggest",
    "give_score",
    "neutral",
    "satisfied",
    "inform",
    "nothing_to_add",
    "skip",
    "deny",
    "consent",
    "goodbye",
    "thank",
    "greet",
    "out_of_scope",
)
"""Which act leads, first first. A retrieval intent counts by its base name; an unknown one comes last."""

_RANK = {name: place for place, name in enumerate(PRIORITY)}

# A talk that ends here is safe; one that goes on is not. These lead whatever the reply as a whole resembles.
_HARD = frozenset(PRIORITY[: PRIORITY.index("third_person") + 1])
_HARD_SURE = 0.8
"""So sure such a part is heard though the reply as a whole hides it: "我在开车" at the end of a story."""

_STILL_TALKING = frozenset({"busy", "resting", "wait"})
"""What a later "你讲吧" takes back; somebody who drives is let go all the same."""

WHOLE_MIN = 0.7
"""What the reply as a whole says leads over its own parts when it is this certain."""

_COURTESY = frozenset({"thank", "greet"})
"""Said beside everything else, and seldom what a reply is about."""

# Only worth an act when said alone or with full confidence: shreds of other sentences look like them.
_SLIGHT = frozenset({"wait", "consent", "deny", "out_of_scope", "not_understood", "ask_repeat", "greet", "correct", "go_back"})
_SLIGHT_MIN = 0.8

# A stretch may not swallow a clause that surely says something else, unless the stretch is one of those that take
# content in ("刚才说错了,应该是不满意"), or tells a story ("因为我在开会所以没去成").
_SURE, _SWALLOWED, _HARD_WEIGHT = 0.85, 0.5, 1.5
_TAKES_CONTENT = frozenset({"correct", "go_back", "third_person"})
_STORY = re.compile(r"因为|由于|那天|当时|上次|那次|昨天|前天|之前|上周|上个?月|去年|[那每]时候")

_PUNCTUATION = re.compile(r"[\s,.!?;:~…。，！？；：、]+")
_TRAIL = re.compile(_PUNCTUATION.pattern + "$")
# Words of manners that open a clause and are none: the clause goes on behind them.
_MANNERS = re.compile(r"(?:不好意思|抱歉|对不起|对不住|麻烦|请问|其实|反正|哎呀|真的|老实说|说实话)[啊哈呀了]?")
_CONNECTIVES = "但是|不过|可是|但|只不过|只是|然后|而且|另外|还有|所以|因为"
_STRONG_BEGIN = re.compile(rf"(?<=[^我你他她它这那也不都\s])(?:就是(?!说)|{_CONNECTIVES})(?=..)")
_WEAK_BEGIN = re.compile(
    r"(?:我(?:现在|正|在|要|马上|先|这会儿?|这边|还有|得|开会|开车|开着|上班|上课|吃饭|忙)|现在|正在|这会儿|谢谢|多谢|感谢|辛苦|(?<!次)再见|拜拜|等一下|等会儿?"
    r"|明天|后天|(?<!天)(?:下午|晚上)|你们?(?:是|能|别|不要|怎么|到底)|别再|不要再|先这样|没有了|没了|有点|能不能|(?<![和的有么没何])(?:建议|希望)|还行|挺好)"
)
_LEADING_CONNECTIVE = re.compile(rf"^(?:就是(?=有|太|价|服|速|态|不|没)|{_CONNECTIVES})")


@dataclass(frozen=True)
class Act:
    """One thing the customer does in a reply."""

    intent: str
    """Full name, `faq/eat_pear`."""
    confidence: float
    text: str
    """The customer's own words, untouched."""


@dataclass(frozen=True)
class _Piece:
    """A clause as a stretch of the folded text; `strong` when punctuation or a connective stands before it."""

    start: int
    end: int
    strong: bool


@dataclass(frozen=True)
class Reading:
    """How a reply was understood: its acts in text order, and the ranking of the text as a whole."""

    acts: tuple[Act, ...]
    ranking: tuple[Guess, ...]

    @property
    def leading(self) -> Act:
        """The act that decides what happens next, among those that are certain enough to decide.

        `PRIORITY` decides, except that "你讲吧" at the end takes back a soft interruption, and that a sure reading of
        the whole reply knows better than the order which of its parts it is about ("没有了，您忙"). A part that the
        whole knows nothing of ("贷款材料交了又交|没完没了") is kept as an act, and leads only where no other can.
        """
        telling = [act for act in self.acts if act.intent not in _COURTESY] or self.acts
        certain = [act for act in telling if act.confidence >= LEADING_MIN] or telling
        known = _known(self.ranking, len({act.intent for act in self.acts}))
        told = [act for act in telling if _borne_out(act, known)]
        certain = [act for act in certain if act in told] or told or certain
        first = min(certain, key=lambda act: _RANK.get(act.intent.split("/")[0], len(_RANK)))
        if first.intent in _STILL_TALKING and self.acts[-1].intent == "consent" and self.acts[-1] in certain:
            return self.acts[-1]
        whole = self.ranking[0]
        if whole.confidence < WHOLE_MIN or whole.intent in _COURTESY or first.intent in _HARD:
            return first
        return next((act for act in certain if act.intent == whole.intent), first)


def read_acts(text: str, classify: Classify) -> Reading:
    """Find the acts of one reply. A blank reply is one act of `NOTHING_SAID` at confidence 0."""
    folded = fold(text)
    pieces = _pieces(folded)
    if not pieces:
        nothing = Guess(NOTHING_SAID, 0.0)
        return Reading((Act(NOTHING_SAID, 0.0, text),), (nothing,))
    spans = _spans(len(pieces)) if len(pieces) <= MAX_PIECES and len(text) <= MAX_CHARS else []
    words = [_words(folded, text, pieces[i].start, pieces[j].end) for i, j in spans]
    whole, *parts = classify([text, *words])
    best = {span: _best(ranking, part, whole) for span, ranking, part in zip(spans, parts, words)}
    acts = _acts(folded, text, pieces, best, _known(whole, len(pieces))) if spans else []
    if len(acts) < 2:
        only = acts[0] if acts and _says_more(acts[0], whole[0]) else whole[0]
        acts = [Act(only.intent, only.confidence, text)]
    return _forbid(text, Reading(tuple(acts), tuple(whole)))


def _known(whole: Sequence[Guess], parts: int) -> set[str]:
    """Base names of the intents that the reply as a whole knows of: what is truly said in one of n parts is among its first 2n - 1 guesses.

    Other parts only resemble something when torn out of their reply ("贷款材料交了又交|没完没了" adds nothing).
    """
    return {guess.intent.split("/")[0] for guess in whole[: 2 * parts - 1]}


def _borne_out(part: Act | Guess, known: set[str]) -> bool:
    """Whether a part is more than a likeness: the whole knows of it, or it surely says what must not be missed."""
    return part.intent.split("/")[0] in known or part.intent in _HARD and part.confidence >= _HARD_SURE


def _says_more(act: Act, whole: Guess) -> bool:
    """One clear clause among unclear ones says more than a whole that is not understood."""
    return act.intent not in _SLIGHT | _COURTESY and act.confidence >= _SURE and whole.confidence < NOT_UNDERSTOOD_BELOW


def _pieces(folded: Folded) -> list[_Piece]:
    """The clauses of a text, without the punctuation around them."""
    text = folded.text
    begins: dict[int, bool] = {match.start(): False for match in _WEAK_BEGIN.finditer(text)}
    begins |= {match.start(): True for match in _STRONG_BEGIN.finditer(text)}
    begins |= {match.end(): True for match in _PUNCTUATION.finditer(text)}
    begins[0] = True
    places = sorted(place for place in begins if place < len(text))
    pieces: list[_Piece] = []
    for place, until in zip(places, [*places[1:], len(text)]):
        if pieces and _MANNERS.fullmatch(text, pieces[-1].start, pieces[-1].end):
            place = pieces.pop().start
        end = place + len(_TRAIL.sub("", text[place:until]))
        if end == place:
            continue
        if not begins[place] and pieces and pieces[-1].end - pieces[-1].start < 2:
            pieces[-1] = replace(pieces[-1], end=end)  # one character alone is no clause: 我|现在 stays 我现在
        else:
            pieces.append(_Piece(place, end, begins[place]))
    return pieces


def _spans(count: int) -> list[tuple[int, int]]:
    """All stretches [first, last] of pieces except the whole text when it is a single piece."""
    return [(i, j) for i in range(count) for j in range(i, count)] if count > 1 else []


def _best(ranking: list[Guess], words: str, whole: list[Guess]) -> Guess:
    """A part's intent. What cannot be taken back needs the opt-out rule or the whole reply, not a shred ("别打断")."""
    if ranking[0].intent != DO_NOT_CONTACT or whole[0].intent == DO_NOT_CONTACT or is_opt_out(words):
        return ranking[0]
    return ranking[1]


def _words(folded: Folded, text: str, start: int, end: int) -> str:
    start_in_text, end_in_text = folded.span(start, end)
    return _LEADING_CONNECTIVE.sub("", text[start_in_text:end_in_text]) or text[start_in_text:end_in_text]


def _acts(folded: Folded, text: str, pieces: list[_Piece], best: dict[tuple[int, int], Guess], known: set[str]) -> list[Act]:
    """The acts of the best division; none when no part of it is certain."""
    found = [(span, best[span]) for span in _divide(pieces, best, known, story=bool(_STORY.search(folded.text)))]
    kept = [(span, guess) for span, guess in found if guess.confidence >= _needed(guess, len(found))]
    acts: list[Act] = []
    begin = 0
    for (span, guess), following in zip(kept, [*kept[1:], None]):
        end = len(text) if following is None else folded.origins[pieces[following[0][0]].start]
        words = text[begin:end].strip(" ,，.。;；、\n\t")
        begin = end
        if acts and acts[-1].intent == guess.intent:
            last = acts[-1]
            acts[-1] = Act(last.intent, max(last.confidence, guess.confidence), f"{last.text},{words}")
        else:
            acts.append(Act(guess.intent, guess.confidence, words))
    return acts


def _needed(guess: Guess, parts: int) -> float:
    """Confidence a part must have to count as an act."""
    return _SLIGHT_MIN if guess.intent in _SLIGHT and parts > 1 else CLAUSE_MIN


def _swallowed(start: int, end: int, best: dict[tuple[int, int], Guess]) -> float:
    """How many clauses of [start, end] surely say something else than the stretch; one that would end the talk weighs more."""
    whole = best[start, end].intent
    if whole in _TAKES_CONTENT:
        return 0
    own = (best[place, place] for place in range(start, end + 1))
    others = [act.intent for act in own if act.intent not in _SLIGHT | {whole} and act.confidence >= _SURE]
    return sum(_HARD_WEIGHT if intent in _HARD else 1.0 for intent in others)


def _divide(pieces: list[_Piece], best: dict[tuple[int, int], Guess], known: set[str], story: bool) -> list[tuple[int, int]]:
    """The division of the pieces into stretches with the highest total worth (dynamic programming)."""
    worth = [0.0] + [-math.inf] * len(pieces)
    came_from = [0] * (len(pieces) + 1)
    for end in range(1, len(pieces) + 1):
        for start in range(end):
            cut = 0.0 if start == 0 else (_STRONG_CUT if pieces[start].strong else _WEAK_CUT)
            guess = best[start, end - 1]
            confidence = max(guess.confidence if _borne_out(guess, known) else _UNKNOWN_WORTH * guess.confidence, 1e-3)
            value = worth[start] + (end - start) * math.log(confidence) - cut
            if not story:
                value -= _SWALLOWED * _swallowed(start, end - 1, best)
            if value > worth[end]:
                worth[end], came_from[end] = value, start
    spans = []
    end = len(pieces)
    while end:
        spans.append((came_from[end], end - 1))
        end = came_from[end]
    return spans[::-1]


def _forbid(text: str, reading: Reading) -> Reading:
    """The opt-out rule goes before the model: its act has confidence 1."""
    if not is_opt_out(text):
        return reading
    forbidden = Act(DO_NOT_CONTACT, 1.0, text)
    acts = [replace(act, intent=DO_NOT_CONTACT, confidence=1.0) if is_opt_out(act.text) else act for act in reading.acts]
    if not any(act.intent == DO_NOT_CONTACT for act in acts):
        acts.insert(0, forbidden)
    return replace(reading, acts=tuple(acts))
