"""What a customer said, as Rasa understood it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime

from followup.nlu import NOT_UNDERSTOOD_BELOW

FIRM = 0.7
"""An open question takes any words, so an interruption must be this certain to stand against it."""

NEVER_CONTACT = "do_not_contact"
ENDS_NOW = ("driving", "in_meeting", "dining", "unwell", "resting")
NOT_NOW = (*ENDS_NOW, "busy", "call_later", "propose_time")
WHO = ("wrong_person", "third_person")
QUESTIONS_TO_US = (
    "ask_who", "ask_purpose", "ask_source", "ask_duration", "ask_privacy", "bot_challenge", "faq",
)  # fmt: skip
ASKS_AGAIN = ("ask_repeat", "not_understood")
STEERING = ("correct", "go_back", "skip", "wait")
COURTESY = ("greet", "thank", "goodbye")
OTHER = ("refuse", "request_human", "complain", "abuse", "objection", "out_of_scope")
INTERRUPTIONS = frozenset(
    (NEVER_CONTACT, *NOT_NOW, *WHO, *QUESTIONS_TO_US, *ASKS_AGAIN, *STEERING, *COURTESY, *OTHER)
)
FEELINGS = ("satisfied", "neutral", "dissatisfied")
DOES_NOT_KNOW = ("不知道", "不清楚", "不记得", "记不得", "记不清", "忘了", "忘记了", "说不上来", "说不好", "没注意", "没留意")
_NOT_ON_A_GUESS = ("refuse", "goodbye", "wrong_person", "abuse", "complain")
"""No talk ends because a reply resembles one of these a little."""


@dataclass(frozen=True)
class Act:
    """One dialogue act in a reply: intent, its confidence, and the clause it stands in."""

    intent: str
    confidence: float
    text: str

    @property
    def base(self) -> str:
        """`faq` of `faq/how_to_eat`."""
        return self.intent.split("/")[0]


@dataclass(frozen=True)
class Reply:
    """One customer message."""

    text: str
    intent: str
    """Leading intent, full name (`faq/how_to_eat`)."""
    confidence: float
    acts: tuple[Act, ...]
    at: datetime
    """When it was said; aware, Asia/Shanghai."""
    message_id: int

    @property
    def base(self) -> str:
        return self.intent.split("/")[0]

    @property
    def sure(self) -> bool:
        """Whether the leading intent is more than a guess."""
        return self.confidence >= NOT_UNDERSTOOD_BELOW

    @property
    def interrupts(self) -> bool:
        """Whether the leading intent is an interruption, surely enough for what it does to the talk."""
        if self.base in _NOT_ON_A_GUESS and self.confidence < 0.5:
            return False
        return self.base in INTERRUPTIONS and self.sure

    def says(self, phrases: tuple[str, ...]) -> bool:
        """Whether the words hold one of these phrases."""
        return any(phrase in self.text for phrase in phrases)

    def has(self, *intents: str) -> Act | None:
        """The first act with one of these base intents, if it is more than a guess."""
        for act in self.acts:
            if act.base in intents and act.confidence >= NOT_UNDERSTOOD_BELOW:
                return act
        return None

    def without(self, *intents: str) -> "Reply":
        """The reply without the clauses of these base intents; the same reply when nothing would be left."""
        rest = tuple(act for act in self.acts if act.base not in intents)
        if not rest or len(rest) == len(self.acts):
            return self
        return replace(
            self,
            text="，".join(act.text for act in rest),
            intent=rest[0].intent,
            confidence=rest[0].confidence,
            acts=rest,
        )


_QUESTION = re.compile(
    r"[?？]|[吗呢么]|干嘛|怎么|怎样|咋|多少|多久|多长|多大|多远|什么|啥|谁|何时|哪|(?<![好过这那十上])几|"
    r"能不能|有没有|可不可以|是不是|能否|是否|可否|有没|[不没][啊呀呐哦]?[。！~]*$"
)


_STATES = re.compile(r"(?<=[没还正在着才可])([^，。？?什怎哪谁几多]{0,8})呢[。！~]*$")
_TELLS_OF_IT = re.compile(
    r"没(?:有)?[^，。？?]{0,4}(?:多久|多少|多长时间|几[天次个])(?![^。！~]*[吗么?？])"
    r"|(?:讲|说|告诉|解释|介绍|交代)(?:了|过)[^，。？?吗]{0,8}(?:哪些|什么|怎么|多少)[^？?吗呢]*$"
)
""" "没等多久", "给我讲了换了哪些件": the words of a question, and none."""
TOLD_EARLY = "told_early"
"""Counts what a customer told before agreeing to talk."""
_CANNOT_USE = re.compile(r"不(?:太|大|怎么|是很)?会(?:用|开|弄|操作|调|设|关)|(?:不知道|搞不懂|弄不明白)怎么(?:用|弄|操作|调|设)")
_HAN = re.compile(r"[\u4e00-\u9fff]")
_SAYS_SOMETHING = 4


def tells_something(text: str) -> bool:
    """Whether there are words enough that something is lost if nobody keeps them."""
    return len(_HAN.findall(text)) >= _SAYS_SOMETHING


def wants_showing(text: str) -> bool:
    """ "导航不太会用": somebody is to explain."""
    return _CANNOT_USE.search(text) is not None


def asks_something(text: str) -> bool:
    """Whether the words are a question, whatever the intent was taken for. "还没用过呢" and "在用呢" state something."""
    return bool(_QUESTION.search(_TELLS_OF_IT.sub("", _STATES.sub(r"\1", text))))
