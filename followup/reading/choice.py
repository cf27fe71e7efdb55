"""Choices: by number ("第一个", "选B"), by the option's own word, by another way to say it.

What follows 就是, 可, 但 wins over what it limits, then the longest wording ("朋友圈" before "朋友", "急着用" before
"下周"), then the first. An option that is denied ("不是朋友介绍的") or asked about ("这个正常吗") does not count, nor does a
word like 是 or 有 inside other words; "都行" is an answer of its own ("choice:any", value None).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from followup.reading.model import STRONG, WEAK, Asked, Heard, Reading
from followup.reading.numerals import to_int
from followup.reading.text import close_up, core, has_words, normalise, words_of

_ANY_WORDS = re.compile(r"都行|都可以|都成|都好|都ok|随便(?![买用说问打换来去进办贷签讲])|随意|无所谓|任意|你(?:们)?(?:定|安排|看着办|决定|推荐)|哪个都|怎么都|看你(?:们)?|听你(?:们)?的|不挑|没要求|哪个[快好方便]+(?:就)?[选来要用]哪个|你(?:们)?看着(?:办|来|给)|[你您](?:们)?[帮给替]我?(?:定|选|挑)")
_OF_A_TIME = re.compile(r"(?:点|点半)(?:以?[前后]|左右)?(?:我|也)?都|[上下中][午]都|晚上都|早上都")
""" "两点以后都行": any time after two, and not any option."""
_ALL = re.compile(r"都(?:有|是|要|选|用|做|知道|去|想)|全(?:都|部|要|选)|所有的?|三个都|两个都|四个都|以上(?:都|全)")
_NONE = re.compile(r"都不是|都没有|都不|都没|没有一个|以上都不")
_INDEX = re.compile(
    r"(?:选项?|第)(?P<a>\d{1,2}|[一二两三四五六七八九十])(?:个|项|种|条)?|(?P<b>\d{1,2}|[一二三四五六七八九])号?(?:个|项)?(?=$|[,、和跟与还]|吧)|(?:选项?)?(?<![a-z])(?P<c>[a-h])(?![a-z])(?:项|选项)?"
)
_INDEX_ONLY = re.compile(r"(?:我?(?:选|要|就|是|那|算)*)(?:(?:选项?|第)?(?:\d{1,2}|[一二两三四五六七八九十])(?:个|项|种|条|号)?|[a-h]项?)(?:[,、 ]?(?:和|跟|与|还有|以及)?(?:第)?(?:(?:\d{1,2}|[一二两三四五六七八九十])(?:个|项|种|条|号)?|[a-h]项?))*(?:都要|都选|都有|都行)?(?:吧|的|啊|呀)?")
_SEVERAL = re.compile(r"(?:(?P<front>前)|(?:最)?后)面?(?P<n>[两二三四五])(?:个|项|种)")
_FIRST = re.compile(r"(?:前面|最前面?|头|最上面)(?:的)?(?:那|一)?(?:个|项|种)|前者")
_LAST = re.compile(r"最后(?:那|的)?(?:一)?(?:个|项|种)|后(?:一个|面那个|者)")
_DENY = re.compile(r"(?:不是|不要|没有?|不选|不用|不想要?|不去|除了|别|非|不算|(?<![要差])不(?=$)|不太是|并非|不喜欢|没在|不在)(?:通过|因为|从|在|用|看|听|什么|选|是|要|有|的|过)*$")
_DENY_AFTER = re.compile(r"^[\u4e00-\u9fff]{0,3}?(?:不要|不行|不好|不是|不选|不去|没有|不考虑|就?算了|就?免了|就?不必|就?不用)")
_TIME = re.compile(r"(?:(?:今天|明天|后天|大后天|周末|周|星期|礼拜|上午|下午|中午|晚上|早上|改天)[一二三四五六日天]?)+")
_NO_TIME_AFTER = re.compile(r"^[\u4e00-\u9fff]{0,4}?(?:没空|没有空|没时间|没有时间|不方便|不得空|有事|要上班|来不了|去不了|不能来|不来|抽不出|走不开|不在)")
_TAKEN_BACK = re.compile(r"(?:不对|说错了?|错了|口误|哦不|噢不|啊不|更正|改成|还是(?=选|要|第))")

# Not "不是,是我老公签的": what is denied and what is said instead are two things.
_TWICE = re.compile(r"([\u4e00-\u9fff]{2,3}|(?<![不没])[没有对是好不要行])(?:[,. ]?\1)+")
_BUT = re.compile(r"但是?|不过|可是|可(?![以能惜不])|就是(?!说)|只是|然而")
_ASKS = re.compile(r"(?:吗|么|嘛)?\?|(?<!什)(?<!怎)(?<!那)(?<!这)(?<!多)[吗么](?=[,.!; ]|$)|(\w)[不没]\1(?!错)|有没有|是不是|会不会|能不能|多少钱|多久")
_REQUESTS = re.compile(r"(?:可以|行|好|成|中|ok)(?:吗|么|不|嘛)|行不行|可不可以|好不好|能不能(?:给|帮|把|换|退|补|让|请|叫|寄|送|发|约|过|来|先|再)")
_ASKING_WORD = re.compile(r"什么|啥|哪|吗|么|怎|谁|多少|多久|有没有|是不是|不懂|不明白")
_ANSWERS_ALONE = frozenset("是对嗯好行会能要可成得")
_OPENS = frozenset("有没不来去用在")
_AROUND_ONE = re.compile(r"[嗯哦啊呃哎那我就都也还真当然应该可能大概好像肯定的确实呀呢吧嘛了哈啦喽]*")
_FOR_ME = re.compile(r"[帮替代给让请叫]$")
_SIGNS = re.compile(r"(?:^|我|自己|本人|亲手|亲笔|亲自)(?:都|已经|也|肯定|当场|当时|应该|好像|可能|确实|全|的)*$|(?:投保单|提示书|回执|合同|文件|单子|名字?|这个|那个|这份|那份|字|是|都|也)$")


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
    text = _TWICE.sub(r"\1", text)
    if close_up(normalise(heard.text)).rstrip(" .!~…").endswith("?"):
        text += "?"
    hits = _by_words(asked, text)
    if hits:
        hits = hits if asked.multiple else [_strongest(hits, text)]
        return _answer(asked, [hit.option for hit in hits], hits[0].how)
    text = text.rstrip("?")
    indexes = _by_number(asked, text)
    if indexes:
        return _answer(asked, indexes, "number", STRONG if len(text) > 1 or text.isdigit() else WEAK)
    if asked.multiple and _ALL.search(text) and not _NONE.search(text):
        return _answer(asked, list(range(len(asked.options))), "all")
    if _ANY_WORDS.search(text) and not _NONE.search(text) and not _OF_A_TIME.search(text):
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
        if len(plain) == 1 and plain.isascii() and plain != text.rstrip("?"):
            continue
        for match in re.finditer(re.escape(plain), text):
            if any(taken[match.start(): match.end()]):
                continue
            taken[match.start(): match.end()] = [True] * len(plain)
            if _counts(text, match.start(), match.end()):
                found.append(_Hit(index, match.start(), match.end(), how))
    return sorted(found, key=lambda hit: hit.start)


def _strongest(hits: list[_Hit], text: str) -> _Hit:
    """The option that is meant where several are named: "医生说清淡，可我吃了红烧肉"."""
    turns = [match.end() for match in _BUT.finditer(text)]
    after = [hit for hit in hits if turns and hit.start >= turns[-1]]
    return max(after or hits, key=lambda hit: (hit.end - hit.start, -hit.start))


def _counts(text: str, start: int, end: int) -> bool:
    """Whether the words at [start:end) say that this option is the answer."""
    word, head, tail = text[start:end], text[_clause_start(text, start):start], _rest_of_clause(text, end)
    if len(word) == 1 and word in _ANSWERS_ALONE | _OPENS:
        if not _AROUND_ONE.fullmatch(head) or word in _ANSWERS_ALONE and not _AROUND_ONE.fullmatch(tail.rstrip("?")):
            return False
    if word.startswith("签") and not _SIGNS.search(head) or word.startswith("我签") and _FOR_ME.search(head):
        return False  # "小王签了": a signature that is another's is never taken for the customer's own (63714 新契约回访)
    clause = head + word + tail
    if _ASKS.search(clause) and not _ASKING_WORD.search(word) and not _REQUESTS.search(clause):
        return False
    return not _denied(text, start, end)


def _clause_start(text: str, at: int) -> int:
    return max(text.rfind(mark, 0, at) for mark in ",.;!? ") + 1


def _rest_of_clause(text: str, end: int) -> str:
    """What follows up to the next mark, a question mark included."""
    match = re.search(r"[,.;! ]|\?", text[end:])
    if match is None:
        return text[end:]
    return text[end: end + match.start() + (match.group() == "?")]


def _denied(text: str, start: int, end: int) -> bool:
    clause_start = _clause_start(text, start)
    if _TIME.fullmatch(text[start:end]) and _NO_TIME_AFTER.match(text[end:]):
        return True  # "明天没空" does not take tomorrow
    return bool(_DENY.search(text[clause_start:start]) or _DENY_AFTER.match(text[end:]))


def _by_number(asked: Asked, text: str) -> list[int]:
    several = _SEVERAL.search(text) if asked.multiple else None
    if several:
        count = min(to_int(several["n"]) or 1, len(asked.options))
        every = list(range(len(asked.options)))
        return every[:count] if several["front"] else every[-count:]
    if _LAST.search(text):
        return [len(asked.options) - 1]
    if _FIRST.search(text):
        return [0]
    plain = re.sub(r"[\s,.]+", ",", text)
    if not _INDEX_ONLY.fullmatch(plain) and not re.search(r"第[一二三四五六七八九十\d]+(?:个|项|种|条)|选项?[\da-h一二三四五六]", plain):
        return []
    found = []
    for match in _INDEX.finditer(plain):
        index = ord(match["c"]) - ord("a") if match["c"] else (to_int(match["a"] or match["b"]) or 0) - 1
        if 0 <= index < len(asked.options) and not _denied(plain, match.start(), match.end()):
            found.append(index)
    return found
