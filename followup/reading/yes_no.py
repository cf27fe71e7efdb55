"""Yes or no, and the confirmation of something read back. Word lists: data/lexicon/yes_no.yml."""

from __future__ import annotations

import re
from functools import lru_cache

from followup.reading import polarity
from followup.reading.lexicon import load
from followup.reading.model import STRONG, WEAK, Asked, Heard, Reading
from followup.reading.text import close_up, core, normalise

YES_NO = "yes_no.yml"
_CLAUSE = re.compile(r"[,.!;~\s]+")
_PARTICLES = re.compile(r"[的了啊呀呢吧嘛哦噢哈啦诶喔哟]*")
_LEAD = re.compile(r"(?:[嗯哦噢啊呃额哎那我就也都还真好]|应该|可能|当然|肯定|确实|好像|大概|一直|有时候?|现在|目前|这个|这次|他们?|你们)*")  # before a weak word
_TAKEN_BACK = re.compile(r"(?:说错了?|口误|哦不|噢不|啊不是?|更正|(?<=[有是会要了到过])[,. ]*不对[,. ]+)")
_NEGATED = re.compile(r"(?:不|没有?|未|别)(?:是|太|够|很|怎么|完全|全|都|再)*$")
_TURNED = re.compile(r"(?:不|没有?|未|非|别)(?:是|太|大|怎么|咋|经?常|再|完全|全|都|算|像)*$")  # before a yes word
_NONE_LEFT = re.compile(r"(?:没了|没有?别的|没啥了|没什么了)[,. ]")
_SELF_DENIED = re.compile(r"(?:也|都|并|还|根本|从来|倒)?(?:没|不(?!错|过|是))")  # "我本人没去"
_NOT_TOLD = re.compile(r"(?:当时|之前|你们|业务员|销售|他们?|也|都|根本|压根|从来|就)*没(?:有)?(?:人)?(?:告诉|[跟和给]我[说讲提]|说[明清]|提过|通知)")
""" "没告诉我有犹豫期" takes back no address."""
_UNCHANGED = re.compile(
    r"(?:(?:号码|电话|手机|地址|住址|邮箱|名字|信息|资料)?(?:都|也|一直|是)*(?:没有?(?:变|换|改|动|搬)(?!过来|好|对|成|错)|不变)|(?:还|就)是(?:这个|那个|原来|老|以前)|(?:跟|和)?(?:以前|原来|上次|之前)一样)"
)
""" "号码没换" to "is this your number?" is a yes."""
_ASKED = re.compile(r"[了的]?(?:吗|么|没有?\?|\?)")
_INTENTS = {
    "consent": True, "satisfied": True, "neutral": True, "greet": None,
    "deny": False, "dissatisfied": False, "refuse": False, "nothing_to_add": False, "complain": False,
}


@lru_cache(maxsize=1)
def _words() -> tuple[re.Pattern[str], dict[str, str]]:
    """All listed words as one pattern, the longest first, and each word's group (yes, no, unsure, question...)."""
    lists = load(YES_NO)
    groups = {str(word): group for group, words in lists.items() for word in words}
    pattern = "|".join(sorted(map(re.escape, groups), key=len, reverse=True))
    return re.compile(pattern), groups


def read_yes_no(asked: Asked, heard: Heard) -> Reading | None:
    """true or false; None when the reply is neither or asks back.

    The first clear word decides: in "有,不过不多" it is yes. "没问题" is a yes to a confirmation.
    """
    kind = asked.type
    text = core(heard.text) or close_up(normalise(heard.text)).strip(" ,.!?~…")  # 嗯 alone is a yes
    text = _TAKEN_BACK.split(text)[-1].strip(" ,.")
    if not text:
        return _by_intent(kind, heard)
    if kind == "confirm" and _NOT_TOLD.match(text):
        return None
    if kind == "confirm" and _UNCHANGED.match(text):
        return Reading(True, "confirm:unchanged", STRONG)
    if (own := _by_own_word(text, asked)) is not None:
        return Reading(own, f"{kind}:own", STRONG)
    by_word = _by_word(text, kind)
    if by_word is not None:
        value, fit = by_word
        return None if value is None else Reading(value, f"{kind}:word", fit)
    opinion = polarity.level(text)
    if opinion is not None and opinion[0] != 0:
        return Reading(opinion[0] > 0, f"{kind}:opinion", STRONG)
    return _by_intent(kind, heard)


def _by_own_word(text: str, asked: Asked) -> bool | None:
    """The question's own words, turned round by a negator before them; one no among them is a no (齐全,就是少了脚垫)."""
    words = {core(word) or word: value for value, listed in ((True, asked.yes), (False, asked.no)) for word in listed}
    if not words:
        return None
    pattern = "|".join(sorted(map(re.escape, words), key=len, reverse=True))
    values = [
        words[match.group()] != bool(_NEGATED.search(text[: match.start()]))
        for match in re.finditer(pattern, text)
        if not _ASKED.match(text[match.end():])
    ]
    return all(values) if values else None


def _by_word(text: str, kind: str) -> tuple[bool | None, str] | None:
    pattern, groups = _words()
    weak = None
    for clause in (part for part in _CLAUSE.split(text) if part):
        for match in pattern.finditer(clause):
            group = groups[match.group()]
            alone = bool(_PARTICLES.fullmatch(clause[match.end():]))
            leads = bool(_LEAD.fullmatch(clause[: match.start()]))
            if group == "skip" and match.group().startswith("是我") and clause[match.end():].startswith("签"):
                return False, STRONG  # "是我爱人签的字"
            if group in ("skip", "question"):
                if group == "question":
                    return None, WEAK
                continue
            if group == "unsure":
                return None, WEAK
            if group == "yes" and match.group().endswith(("本人", "我")) and _SELF_DENIED.match(clause[match.end():]):
                continue
            if group == "yes" and _TURNED.search(clause[: match.start()]):
                return False, STRONG
            if group == "yes" and weak is not None and weak[0] is False and _NONE_LEFT.match(text):
                return weak  # "没了，该说的都说了"
            if group in ("yes", "no"):
                return group == "yes", STRONG
            if group in ("soft_yes", "soft_no"):
                return group == "soft_yes", STRONG if kind == "confirm" else WEAK
            if group in ("weak_yes", "weak_no") and leads:
                value = group == "weak_yes"
                if alone:
                    weak = weak or (value, STRONG if kind == "confirm" or len(match.group()) > 1 else WEAK)
                else:
                    weak = weak or (value, WEAK)
    return weak


def _by_intent(kind: str, heard: Heard) -> Reading | None:
    for intent in (heard.intent, *(intent for intent, _ in heard.acts)):
        value = _INTENTS.get(intent)
        if value is not None:
            return Reading(value, f"{kind}:intent", WEAK)
    return None
