"""From time atoms to the one mention that is meant: atoms that belong together, refusals, corrections, choice.

A mention is a day, a part of the day and a clock time, each once, wherever they stand: "明天吧,下午,大概三点".
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from followup.reading.time import context
from followup.reading.time import tokens as t
from followup.reading.time.clock import AFTERNOON, EARLY, EVENING, MORNING, Clock, Event, Part
from followup.reading.time.days import (
    After,
    Before,
    Between,
    DayRule,
    FestivalDay,
    InDays,
    Month,
    MonthDay,
    Week,
    Weekday,
    Weekend,
)
from followup.reading.time.tokens import Atom, Wait

# between a time and the next one: what refuses the time before it, what accepts it, what takes it back
_POSITIVE_FIRST = re.compile(
    r"(?:别|不要|不能|不用)太[早晚]|(?:实在|要是|如果|万一)不(?:行|方便)|还?没[^,.]{1,4}(?:的时候|[之以]?前)|不(?:行|方便)的话|行不行|可不可以|好不好|能不能|方不方便|有没有(?:空|时间)|是不是|不(?:太|怎么|那么|会)?忙|忙完|开完会?|忙好|没事|没课|没问题|不上班|不用上班|不加班|没什么事"
    # what keeps somebody until then: "8号上班再打", "开完会就打"
    r"|(?:上班|上课|开会|吃饭|午休|加班)(?:的)?(?:时候|时间|期间|那会儿?|那阵儿?|那段)|上班(?:后|的)?(?:的)?第一天|上班了?(?=打(?!不)|联系|来电)|(?:上班|下班|上课|开会|吃饭|睡觉|出差|加班|忙|手术|值班|考试|旅游)(?:完|好|了|回来)?(?:以后|之后|过后|后|的时候)?(?:再|就)(?=打|说|聊|联系|来电|约|谈|讲|回)"
)
_NEGATIVE = re.compile(
    r"^(?:都|就|也)?(?:不用|不需要|不要)[了啊呢]?$|不行|不可以|[打接来去约]不(?:了|成)|不(?:太|大|怎么)?方便|不得空|不在|不能|不接|不好说|没有?(?:空|时间|办法|法)|陪(?=[^,.]{1,3}(?:[,.]|$)|护|床|考|诊)|(?:再|要|得)?看情况|跳(?:广场)?舞|不中|不成(?!问题)|不一定|说不[准定]|不确定|没准|不敢说|有(?:[^,.有没]{0,3})?课|有(?:应酬|饭局|聚会|活动|任务|培训)|在(?:外地|国外|外面|外头|医院|飞机上|火车上|高铁上|工地)|(?:空闲?|时间|功夫|工夫)儿?(?:都|也)没|没法|抽不|走不开|忙|有(?:个|一个)?会|开(?:个|着)?会|会议"
    r"|上班|上课|出差|加班|要?出门|有(?:点|些)?事|有安排|有约|旅游|考试|够呛|来不及|不得闲|太早|太晚|不合适|不可能|别(?!忘|迟|晚|误|错过|打错)|不要(?!忘)|[莫勿甭](?=[打来找])|唔得|排满|满了|飞机|火车|高铁|手术|值班|要?开车|吃饭|睡觉|接孩子|接娃|带孩子|带娃"
    r"|要?去(?:医院|外地|接|办|看(?!看?(?:一下|下)?(?:吧|呗|哈|啊|$|[,.!]))|吃|喝|赶|开)|看病|体检|面试|搬家|搬走|出国|过生日|结婚|生孩子|住院|打(?:麻将|牌|球|针|疫苗|工)|钓鱼|聚会|聚餐|喝酒|喝喜酒|看电影|健身|送货|拉货|赶集|走亲戚|培训|年会|补课|家长会|来客|做饭|下地|拜年"
)
_ACTION = re.compile(r"打(?!麻将|牌|球|针|疫苗|游戏|扫|工|印|包)|联系|来电|再说|再聊|聊|回访|可以|行|方便|有空|有时间|约|找我|回我|吧|好了|ok|(?<!回)来$|过来|接(?:电话|得)|(?<![要得])去|在家|空")
_REFUSED_BEFORE = re.compile(r"(?:本来|原本|原先|原定|别的|其[他它]的?|别|不要|莫|勿|甭|不想|除了|除|避开|不是)(?:是|在|安排|约|放)?$")
_TAKEN_BACK = re.compile(r"(?:^|[,. 吧])不[,. ]|不对|不是|错|不不|哦不|噢不|啊不|算了|还是|改|要不|换|我是说|纠正|应该是|更正")
_FALLBACK = re.compile(
    r"[,. ]*(?:(?:实在|要是|如果|万一)(?:不行|不方便|没接|没人接|打不通|没空)(?:的话)?|(?:不行|不方便|没接|没人接|打不通|没空)的话)[, ]*(?:那|就|再|改|换|等|到|成)*"
)
_HESITANT = re.compile("吧[,.]?")
_EITHER = re.compile(r"或|要么|和|跟|还有|、|都")
_ALTERNATIVE = re.compile(r"[ 、]*(?:[,.]?(?:或者?|要么|或是)(?:是)?|和|跟|以及)?[ ]*")
_TO = re.compile(r"^ ?(?:起|开始|一直)*(?:到|至|-|~) ?$")
_CUES = re.compile(
    r"(?P<morning>送[^,.]{0,3}(?:上学|学校|幼儿园|孩子|娃|小孩)|早市|晨练|晨会|早会|早餐|买完?菜|起床)"
    r"|(?P<evening>作业|晚自习|哄睡|哄[^,.]{1,2}睡|夜市|新闻联播|洗完?澡|广场舞)"
)
_STOPS_THEN = re.compile(
    r"(?:才|就|要|去|我|能|可以|左右|钟)*(?:回来|回国|出院|放学|下班|到家|回家|到站|下课|下课了|结束|散会|起床|起来|收工|上班|开会|吃饭|睡觉|午睡|接[^,.]{1,3}|送[^,.]{1,3})(?:了|完|的话)?(?:你|那|就|再|等|我|得|要|[, ])*"
)
_NOT_SURE = re.compile(r"[^,.]{0,4}[,.]?(?:我?也)?(?:不一定|说不[准定])")
_KEPT_BUSY = re.compile(r"上班|上课|开会|加班|忙|有会|出差|培训|考试|值班|手术")
_ALONE_BEFORE = re.compile(r"[,.!;](?:那|就|要么|那就|我看|最好)*$")
_ALONE_AFTER = re.compile(r"(?:吧|呗|了|再说|的样子|左右)*(?:[,.!;]|$)")
_CLAUSE_END = re.compile(r"[,.!?;、]|吧|(?<=[打说聊系])(?=我)")


@dataclass(frozen=True)
class Mention:
    """One time that was said. `start` and `end` are positions in the text."""

    start: int
    end: int
    day: DayRule | None = None
    part: Part | None = None
    clock: Clock | None = None
    until: Mention | None = None  # the other end of a range
    event: Event | None = None
    wait: Wait | None = None
    same_clock: bool = False  # 明天这个时候
    before: bool = False  # 五点之前
    after: bool = False  # 中午以后, 三点以后
    past: bool = False

    @property
    def has_time(self) -> bool:
        return bool(self.part or self.clock or self.event or self.same_clock)

    @property
    def empty(self) -> bool:
        return not (self.day or self.part or self.clock or self.event or self.wait)


def choose(text: str, proposed: bool = False) -> Mention | None:
    """The time that is meant in a normalised text; None when there is none.

    `proposed`: only a time to call at counts, not one that is told of or asked about.
    """
    said = text
    if proposed:
        text = context.without_lookalikes(text)
    mentions = _mentions(text)
    if proposed:
        mentions = _proposals(mentions, text)
    kept = _corrected(mentions, text)
    if not kept:
        return None
    meant = max(kept, key=lambda pair: (pair[1], -pair[0].start))[0]
    return _in_its_part(meant, said)


def _in_its_part(mention: Mention, text: str) -> Mention:
    """A bare clock time in the part of the day that the words before it are of: "送完孩子上学，八点半"."""
    if mention.part is None and mention.clock and not mention.event and 7 <= mention.clock.hour <= 11:
        cues = [match.lastgroup for match in _CUES.finditer(text, 0, mention.start)]
        if cues:
            return replace(mention, part=MORNING if cues[-1] == "morning" else EVENING)
    return mention


def _proposals(mentions: list[Mention], text: str) -> list[Mention]:
    """The mentions, those marked as past that are no time to call at."""
    found: list[Mention] = []
    for index in reversed(range(len(mentions))):
        last = all(later.past for later in found)
        one = mentions[index]
        found.append(replace(one, past=True) if _is_told(one, text, _next_start(mentions, index), last, mentions[index - 1].end if index else 0) else one)
    return found[::-1]


def _is_told(mention: Mention, text: str, next_start: int | None, last: bool, since: int) -> bool:
    if mention.wait:
        return context.is_promised(text, mention.start, mention.end)
    return context.is_no_proposal(text, mention.start, mention.end, next_start, last, since)


def _next_start(mentions: list[Mention], index: int) -> int | None:
    return mentions[index + 1].start if index + 1 < len(mentions) else None


def _corrected(mentions: list[Mention], text: str) -> list[tuple[Mention, int]]:
    """Usable mentions with their weight, after refusals and corrections."""
    kept: list[tuple[Mention, int]] = []
    dropped: Mention | None = None
    busy_then = False
    for index, mention in enumerate(mentions):
        before = text[mentions[index - 1].end if index else 0: mention.start]
        after = text[mention.end: mentions[index + 1].start if index + 1 < len(mentions) else len(text)]
        if mention.past:
            continue
        if kept and _HESITANT.fullmatch(before) and after.startswith("吧") and not (mention.day and mention.has_time):
            mention = _inherit(mention, kept.pop()[0], corrected=True)  # "六点吧六点半吧"
        elif kept and _TAKEN_BACK.search(before) and not _FALLBACK.fullmatch(before):
            mention = _inherit(mention, kept[-1][0], corrected=True)
            kept.pop()
        elif dropped is not None:
            # "明天我上班，晚上打" is tomorrow evening; "今天不行，晚上吧" would be today's
            mention = _inherit(mention, dropped, corrected=busy_then and mention.has_time)
        elif kept and mention.has_time and mention.day is None and (_STOPS_THEN.fullmatch(before) or not before and mention.clock and (kept[-1][0].event or text.endswith("到", 0, kept[-1][0].start))):
            # "四点半放学五点以后吧": what is done at the first time ends there, the second one is free
            kept.append((_inherit(mention, kept[-1][0], corrected=True), kept[-1][1] + 1))
            continue
        elif kept and (_ALTERNATIVE.fullmatch(before) or _FALLBACK.fullmatch(before) or (before.strip() in (",", "") and after.startswith("都"))):  # "周三或者周四下午": the first one, with the time of both
            first, weight = kept[-1]
            if first.day and not first.has_time and mention.day and mention.has_time:
                first = _with_time_of(first, mention)
            if _refused(after):  # "明天后天都不行"
                dropped, busy_then = kept.pop()[0], False
            else:
                kept[-1] = (first, weight + 1)
            continue
        elif kept and _EITHER.search(before) is None and mention.day is None:
            mention = _inherit(mention, kept[-1][0], corrected=False)
        if mention.empty:
            continue
        if kept and _narrows(kept[-1][0], mention) and not re.search("或|要么", before):
            first, weight = kept.pop()  # "端午那几天都在家，上午打"
            mention = _with_time_of(first, mention)
            kept.append((mention, weight + 1))
            continue
        if _REFUSED_BEFORE.search(before) or _refused(after):
            dropped, busy_then = mention, bool(_KEPT_BUSY.search(_CLAUSE_END.split(after, maxsplit=1)[0]))
            continue
        kept.append((mention, 1 if _ACTION.search(after[:12]) or kept and _stands_alone(before, after) else 0))
        dropped = None
    return kept


def _stands_alone(before: str, after: str) -> bool:
    """Whether a time is all there is in its clause: "孩子五点放学，六点以后" proposes the second."""
    return bool(_ALONE_BEFORE.search(before) and _ALONE_AFTER.match(after))


def _refused(after: str) -> bool:
    """Whether the words behind a time, up to the end of their clause, say that it does not suit."""
    after = _POSITIVE_FIRST.sub("可以", after.lstrip(" ,的"))
    clause = _CLAUSE_END.split(after, maxsplit=1)[0][:14]
    negative = _NEGATIVE.search(clause)
    if negative is None:
        return bool(_NOT_SURE.match(after))
    if context.FREE_THEN.match(after, len(_CLAUSE_END.split(after, maxsplit=1)[0])):
        return False  # "后天在家带娃，随时打"
    action = re.search(r"打|联系|再说|再聊|聊|回访|可以|有空|有时间|约|找我|才|之后|以后", clause[: negative.start()])
    if action is None:
        return True
    return negative.group() in ("别", "不要", "不行", "不方便") and action.group() not in ("可以", "有空", "有时间")


def _inherit(mention: Mention, earlier: Mention, corrected: bool) -> Mention:
    """What the later mention leaves open is taken from the one it replaces: 明天下午三点,不对,四点."""
    if mention.wait or earlier.wait or mention.past:
        return mention
    if mention.day is None and (corrected or earlier.has_time):
        part = mention.part
        if part is None and mention.clock and earlier.part and _fits(mention.clock, earlier.part):
            part = earlier.part
        return replace(mention, day=earlier.day, part=part)
    week = _week_of(earlier.day)
    if week and isinstance(mention.day, Weekday) and mention.day.week is None:
        mention = replace(mention, day=replace(mention.day, week=week))  # "下周三不行,周五吧"
    if corrected and mention.day is not None and not mention.has_time:
        return replace(mention, part=earlier.part, clock=earlier.clock, event=earlier.event, until=earlier.until)
    return mention


def _narrows(earlier: Mention, mention: Mention) -> bool:
    """Whether the second one says the time of the day that the first one names."""
    return bool(earlier.day and not earlier.has_time and mention.has_time and mention.day is None and not mention.same_clock)


def _week_of(day: DayRule | None) -> int | None:
    if isinstance(day, Between):
        day = day.first
    return day.week if isinstance(day, (Weekday, Week)) else None


def _with_time_of(mention: Mention, other: Mention) -> Mention:
    return replace(mention, part=other.part, clock=other.clock, until=other.until, event=other.event, before=other.before, after=other.after)


def _fits(clock: Clock, part: Part) -> bool:
    if part in (MORNING, EARLY):
        return 7 <= clock.hour < 12
    return clock.hour <= 12 and not (part is AFTERNOON and clock.hour in (9, 10, 11))


def _mentions(text: str) -> list[Mention]:
    """Neighbouring atoms joined into mentions, ranges included."""
    found: list[Mention] = []
    for atom in t.scan(text):
        if atom.kind == t.NOW:
            found.append(Mention(atom.start, atom.end))
            continue
        new = _from_atom(atom)
        gap = text[found[-1].end: atom.start] if found else ""
        joined = _join(found[-1], new, gap) if found and not _apart(text[: found[-1].start], found[-1], new, gap) else None
        if joined is not None:
            found[-1] = joined
        else:
            found.append(new)
    return _ranges([one for one in found if not (one.same_clock and one.empty) or one.past], text)


def _apart(before: str, old: Mention, new: Mention, gap: str) -> bool:
    """Whether two neighbours in different clauses are of different things, by what stands before the first."""
    if "," not in gap and "." not in gap:
        return False
    if _REFUSED_BEFORE.search(before):  # "不要上班时间打,晚上七点以后"
        return True
    return before.endswith("到") and new.day is not None  # "加班到九点,周六吧"


def _ranges(mentions: list[Mention], text: str) -> list[Mention]:
    """Neighbours with 到 between them become one."""
    found: list[Mention] = []
    for mention in mentions:
        last = found[-1] if found else None
        joined = None
        if last and not (last.empty or last.wait or last.past or mention.past) and _TO.match(text[last.end: mention.start]):
            joined = _range(last, mention)
        if joined:
            found[-1] = joined
        else:
            found.append(mention)
    return found


def _from_atom(atom: Atom) -> Mention:
    base = Mention(atom.start, atom.end)
    if atom.kind == t.DAY:
        day: DayRule = atom.value
        if atom.edge == "after":
            day = After(day)
        elif atom.edge == "before":
            day = Before(day)
        return replace(base, day=day)
    if atom.kind == t.PART:
        return replace(base, part=atom.value, after=atom.edge == "after", before=atom.edge == "before")
    if atom.kind == t.CLOCK:
        until = replace(base, clock=atom.later) if atom.later else None
        return replace(base, clock=atom.value, until=until, before=atom.edge == "before",
                       after=atom.edge == "after")
    if atom.kind == t.EVENT:
        return replace(base, event=atom.value, before=atom.edge == "before")
    if atom.kind == t.WAIT:
        return replace(base, wait=atom.value)
    if atom.kind == t.SAME:
        return replace(base, same_clock=True)
    return replace(base, past=True)


def _join(old: Mention, new: Mention, gap: str) -> Mention | None:
    """Both as one mention, or None when they are two."""
    if old.same_clock and old.empty and new.day and not new.has_time and len(gap) < 3:
        return replace(new, start=old.start, same_clock=True)  # "老时间，明天"
    if _TO.match(gap) or (old.empty and not old.past) or len(gap) > 16 or _TAKEN_BACK.search(gap) or _EITHER.search(gap) or _refused(gap):
        return None
    if re.search("除|避开", gap) or isinstance(old.day, InDays) and isinstance(new.day, (Weekday, MonthDay, FestivalDay)) and gap.strip(" 是"):
        return None
    if isinstance(old.day, (MonthDay, Weekday)) and isinstance(new.day, FestivalDay) and gap.strip(" 是就"):
        return None
    if new.part and not new.clock and "," in gap and old.clock and not _fits(old.clock, new.part):
        return None  # "四点到十二点上班,上午打"
    if old.past or new.past:
        if gap.strip(" ,的") or (new.day and not new.past):
            return None
        return replace(old, end=new.end, past=True)
    if old.wait or new.wait or old.until and new.clock:
        return None
    if old.clock and new.clock and old.after and new.before and not new.day:
        return replace(old, end=new.end, until=replace(new, before=False))  # "三点之后五点之前"
    day = _join_days(old.day, new.day)
    if old.day and new.day and day is None:
        return None
    if old.clock and new.clock and (old.before, old.after) != (new.before, new.after):
        return None  # "六点以前打，过了六点我要做饭"
    if _clash(old.part, new.part) or _clash(old.clock, new.clock) or _clash(old.event, new.event):
        return None
    if new.day and old.has_time and re.search(r"[,.;!?]|我", gap) and not re.fullmatch(r"[ ,]*", gap):
        return None  # "六点下班,我明天..." tells of two things
    return Mention(
        old.start, new.end, day, old.part or new.part, old.clock or new.clock, old.until or new.until,
        old.event or new.event, None, old.same_clock or new.same_clock, *_edges(old, new),
    )


def _edges(old: Mention, new: Mention) -> tuple[bool, bool]:
    """Before and after of two joined mentions: the clock's own, where one of them says the clock time."""
    for one, other in ((old, new), (new, old)):
        if one.clock and other.event and not other.clock:
            return one.before, one.after  # "十一点半吧,午饭前"
    return old.before or new.before, old.after or new.after


def _clash(old: object, new: object) -> bool:
    return old is not None and new is not None and old != new


def _join_days(old: DayRule | None, new: DayRule | None) -> DayRule | None:
    """One day rule from two that refine each other: 下周 + 周三, 下个月 + 5号."""
    if old is None or new is None or old == new:
        return old or new
    if isinstance(old, (MonthDay, Weekday)) and isinstance(new, FestivalDay) and not (new.after or new.whole):
        return old  # "31号跨年"
    if isinstance(old, InDays) and isinstance(new, FestivalDay) and not (new.after or new.whole):
        return old  # "明儿初五"
    if isinstance(old, InDays) and (isinstance(new, After) or isinstance(new, FestivalDay) and new.after):
        return new  # "明天立春以后"
    if isinstance(old, InDays) and isinstance(new, (Weekday, MonthDay)) and old.low == 1:
        return old  # "明天礼拜一": the nearer one decides
    if isinstance(old, Week) and old.part is None:
        if isinstance(new, Weekday) and new.week in (None, old.week):
            return replace(new, week=old.week)
        if isinstance(new, Weekend) and new.week is None:
            return Weekend(old.week)
    if isinstance(old, Weekend) and isinstance(new, Weekday) and new.day >= 5 and new.week in (None, old.week):
        return replace(new, week=old.week)
    if isinstance(old, Month) and old.part is None and isinstance(new, MonthDay) and new.month is None:
        return replace(new, month=old.month, months=old.months, years=old.years)
    if isinstance(old, MonthDay) and isinstance(new, Weekday) and new.week is None:
        return old  # "28号周六": the date decides
    if isinstance(new, MonthDay) and isinstance(old, Weekday):
        return new
    return None


def _range(old: Mention, new: Mention) -> Mention | None:
    if new.wait:
        return None
    if old.clock and new.clock:
        return replace(old, end=new.end, until=new)
    if old.day and new.day and not old.has_time:
        last = new.day
        return Mention(old.start, new.end, Between(old.day, last), new.part, new.clock, new.until)
    if old.part and new.part:
        return replace(old, end=new.end, until=new)
    return None
