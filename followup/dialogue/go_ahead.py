"""Told to go on: "我在排队，你快点说", "忙着呢，有事说事". Who says so has time for us, but not much."""

from __future__ import annotations

import re
from dataclasses import replace

from followup.dialogue import state as st
from followup.dialogue.reply import FIRM, Act, Reply
from followup.dialogue.turn import Turn

_QUICKLY = r"快点儿?|快些|快|赶紧|赶快|抓紧|尽快|简单点儿?|简短点?|简要"
_TAIL = r"(?:快点儿?|快些|简单点儿?|短点|重点|两句|几句|一下|就行|就是|就好|[吧呗嘛呀啊])*"
_YES = r"(?:那|就|行|好的?|可以|嗯|没事|没关系)*"
_YOU = rf"{_YES}(?:不过|但是?|可是)?(?:你|您)?(?:就|先|直接|接着|继续)*"
_GO_AHEAD = re.compile(
    rf"(?:^|[，,。；;！!、\s]|不过|但是?|可是)"
    rf"(?:{_YOU}(?:{_QUICKLY})[地的]?(?:说|讲|问){_TAIL}"  # 快点说, 你赶紧问吧
    rf"|{_YOU}(?:说|讲|问)(?:快点儿?|快些|简单点儿?|短点|重点){_TAIL}"  # 你讲快点
    rf"|{_YES}(?:你|您)(?:就|先|直接|接着|继续)*(?:说|讲|问){_TAIL}"  # 你说, 行您问吧
    rf"|(?:说|讲|问)[吧呗]"
    rf"|{_YOU}有(?:什么|啥)?(?:话|事儿?|问题)(?:你|您)?(?:就|{_QUICKLY}|直接)*(?:说|讲|问)(?:事儿?|话)?[吧呗]?"  # 有事说事
    rf"|{_YOU}长话短说[吧呗]?"
    rf"|(?:可以|能)(?:说|讲|聊)(?:两|几)句"
    rf"|我?(?:边\w{{1,4}})?边?听着(?:呢|就行)?)(?=$|[，,。；;！!？?~～\s])"
)
_NOT_NOW = re.compile(r"再[说讲问聊打]|回头|晚[点些上]|待会|等[会一下]|等我|过会|改[天日]|到时|明[天早]|后天|之后|以后|下次|别|不要|不想|不用")
_IN_A_HURRY = re.compile(rf"{_QUICKLY}|长话短说|重点|有事说事|有话|赶时间|(?:两|几)句")
_BESIDE = ("busy", "wait", "consent", "ask_purpose", "ask_duration", "suggest", "inform", "greet", "out_of_scope", "deny", "neutral")
"""What a reply may hold besides, or what the words themselves are taken for."""
_AROUND = re.compile(r"吵|闹|人多|挤|乱|堵|排队|[晒热冷]|风大|信号")
"""Where the customer is, which resembles a displeasure: "吵得很"."""
_LONGEST_PLACE = 6
_BEFORE_THE_TALK = (st.IDENTITY, st.CONSENT, st.RESUME, st.CALLBACK, st.OFFER)


def says_go_ahead(text: str) -> bool:
    """Whether a clause of `text` bids us speak now; "回头你再说" puts it off."""
    return _GO_AHEAD.search(text) is not None and _NOT_NOW.search(text) is None


def told_to_go_on(turn: Turn) -> bool:
    """Bidden to speak, whatever else keeps the customer; who drives or sits in a meeting is let go all the same."""
    acts = turn.reply.acts
    if not says_go_ahead(turn.reply.text) or not all(act.base in _BESIDE or _of_the_place(act) for act in acts):
        return False
    if turn.state.open in _BEFORE_THE_TALK:
        return True
    return bool(turn.state.question_id) and any(act.base in ("busy", "wait") for act in acts)


def _of_the_place(act: Act) -> bool:
    return act.base == "dissatisfied" and len(act.text) <= _LONGEST_PLACE and _AROUND.search(act.text) is not None


def as_agreement(turn: Turn) -> Reply:
    """The reply as the agreement that it is. To somebody in a hurry a word is said about it, where the wording has one."""
    hurried = _IN_A_HURRY.search(turn.reply.text) is not None or turn.reply.has("busy") is not None
    if hurried and "quick" in turn.script.wording["busy"]:
        turn.lead("busy.quick")
    text = turn.reply.text
    return replace(turn.reply, intent="consent", confidence=FIRM, acts=(Act("consent", FIRM, text),))
