"""What the words around a time say of it: a time that is told, asked about or refused is no time to call at.

"上午已经有人打过了" reports, "保修到明年三月吗" asks, "打个九点五分" gives a score, "早上好" greets. Only what tells plainly is
left out: a call-back that the customer did not mean is read back and corrected, one that was dropped is lost.
"""

from __future__ import annotations

import re

_END = re.compile(r"[,.!?;~]")
_N = r"(?:\d{1,3}|[零一二两三四五六七八九十]{1,3})"

# What looks like a time and is none: blanked out before anything is looked for.
_NO_TIMES = re.compile(
    "|".join(
        (
            rf"{_N}点{_N}(?:折|块|元|包邮|万|公里|%|度|斤|米|升|个油)",
            rf"(?:[打给评]|打分)(?:个|你们?|它|他们?|她|的分)*(?:大概|差不多|也就|就)?{_N}点[一二三四五六七八九\d](?![十\d个])分?",
            r"(?:早上|上午|中午|下午|晚上)好(?=[啊呀哈哦喔,.!~您你]|$)|早安|午安|晚安",
            rf"一日三餐|[一两二三四五]日游|下午茶|早茶|早午餐|夜宵|早市|夜市|早高峰|晚高峰|午夜场|夜班|早班|晚班|中班(?!后|以后|之后)|{_N}[年月]?级?{_N}班(?!后|以后)",
            r"(?:每|一)(?:天|日)(?:一|两|三|四)次|(?:早|中|晚)(?:一次|各一)|天(?:天|猫)",
            r"明天(?:会|将)?更好|有朝一日|改天换地|一点(?=儿?(?:空闲?|时间|功夫|工夫|办法)儿?(?:都|也)?[没不])",
            r"(?:今天|今儿个?|今日)(?:都|才|不)?(?:已经)?是?(?:周|星期|礼拜)[一二三四五六日天](?=[了呢啊吧]?[,.!;].)",
            r"(?:今天|今儿个?|今日)(?:都|才)?(?:已经)?是?[\d一二三四五六七八九十]{1,3}[号日](?=[了呢啊吧]?[,.!;].)",
            r"现在(?:都|才)?(?:已经)?是?(?:早上|上午|中午|下午|晚上|夜里|半夜|凌晨)?(?:都|快|才)?[\d一二两三四五六七八九十]{1,3}点(?:多|半|钟)*(?=[了呢啊吧]?(?:[,.!;]|$))",
        )
    )
)

# Whoever says this of a time wants to be called, met or answered then.
_PROPOSES = re.compile(
    r"打(?!了|过|折|烊|不|错|来(?:了|的|电话)|电话(?:来|过来)了)|联系(?!过|了)|来电(?!话有)|再说|再聊|再谈|再讲|聊|回访(?!过|了)|可以|可不可以|行(?!不通|李|程|驶)|方便|有空|得空|得闲|有时间|没问题|没事|都好|约(?!好了)"
    r"|找我|回我|给我|说吧|吧(?=$|[,.!])|好了(?=$|[,.!])|ok|过来|在家|等我?(?!了|半天)|再(?!也|次|三)|空(?!调|气)|怎么?样|试试|成不|中不|尽量|安排"
)
# Said of a time to come as readily as of one gone by.
_DONE = re.compile(
    r"(?:打|来|接到?|问|修|换|买|签|收|寄|送|发|装|办|做|下单|订|交|扣|去|用|吃|开|提|拿|通知|联系|回访|处理|投诉|反映)(?:来|到|回|完|好|过来|出|给我|你们|电话|单|款|货|钱|车)*"
    r"(?:了(?!再|以后|之后|就|才)|过(?!来|去|年|节|后|完|会|一会))"
)
_GONE = re.compile(
    r"已经|早就|刚(?!好)|刚才|就(?:打|来)(?:电话|来|过来)|来(?:的)?电话|(?:打|吵|叫|弄)醒|才(?:起|醒|睡|收到|发|知道|送|修好|通知|吃|到的|来的|买)|"
    r"(?:买|到|收|签|寄|发|提|下|订|装|修|做|换|送|办|来|拍|取|出|上|交|打|接)(?:来|单|车|货|院)?的(?:货|车|电话|快递|单|包裹|票|院|手术|房|保险)?(?=$|[,.!])"
)
_SAID_OF_IT = re.compile(
    r"(?:你们|他们|师傅|客服|快递|他|她|经理|店里|人家|早就|不是|上次|当时|之前|医生|厂家|商家|销售|业务员)[^,.!;]{0,5}(?:说|讲|答应|通知|承诺|保证|告诉我?|约)(?:过|了|好)?(?:是|的|要)?[^,.!;]{0,3}$"
)
_FACT_OF = re.compile(r"(?:生日|保修期?|质保期?|保险|合同|有效期?|到期|截止|出生|入职|开业|预产期|还款日?|账单日?|纪念日|营业|关门|开门|发工资|交房|结婚|高考|考试)[^,.!;]{0,4}$")
_FACT_AFTER = re.compile(
    r"^(?:的?(?:时候)?)?(?:那(?:个|家|次|回|批|位|趟|台|箱|单|笔)|到期|过期|截止|生日|交房|开业|扣款|还款|发货|发工资|出的事|就?关门|就?打烊|开门|送到|送达|才?能?到货|有效)"
)
_ASKED = re.compile(r"(?:吗|么|\?|是不是|没有)[,.!?]*$")
_EVERY = re.compile(r"每个?[月年]的?$")
_ANGRY = re.compile(r"有病|神经病|吵醒|烦死|还让不让")
_WHEN = re.compile(r"(?<!随便)(?<!不管)(?<!无论)(?<!不论)(?:什么时候|啥时候|几时|何时|哪天|几号|几点|多久|多长时间)(?!都|也|方便|有空|可以|再|打|联系|合适)")
_NOT_THEN = re.compile(
    r"^[,. ]*(?:(?:可能|恐怕|估计|那时候?|我|都|就|也|这个|时间)*(?:不行|不可以|没空|没有空|没时间|不方便|不得空|不在家?|接不了|不能接|不要打|别打|不要来电|别来电|别联系|勿扰|不接|没法接))(?!就|的话|再|了?就)"
)
_TO_COME = re.compile(r"[明后]天|明[早晚儿日]|后[天日]|下(?:个)?(?:周|星期|礼拜|月)|明年")


def without_lookalikes(text: str) -> str:
    """The text with what only looks like a time blanked out; positions stay."""
    return _NO_TIMES.sub(lambda match: "　" * len(match.group()), text)


def is_no_proposal(text: str, start: int, end: int, next_start: int | None) -> bool:
    """Whether the time at [start:end) is told, asked about or refused. `next_start`: where the next time begins."""
    until = len(text) if next_start is None else next_start
    before = _END.split(text[:start])[-1]
    behind = text[end:until]
    clause = _END.split(behind)[0]
    rest = behind[len(clause):]
    mention = text[start:end]
    if _ANGRY.search(clause):
        return True
    if _PROPOSES.search(clause):
        return False
    if _NOT_THEN.match(rest) and clause.strip():
        return True
    if _FACT_OF.search(before) or _FACT_AFTER.match(clause) or (clause.strip() and _EVERY.search(before)):
        return True
    if _SAID_OF_IT.search(before) and not mention.endswith(("后", "再")):
        return True
    if _is_asked(text, start, before, clause, rest):
        return True
    if _TO_COME.search(mention):
        return False
    around = f"{before}　{clause}"
    if _PROPOSES.search(behind):
        return False
    return bool(_GONE.search(around) or _DONE.search(clause))


def _is_asked(text: str, start: int, before: str, clause: str, rest: str) -> bool:
    """ "保修到明年三月吗", "什么时候发货,明天吗", "你们几点下班" ask us; "明天三点吗" alone may propose."""
    if _WHEN.search(before) and not clause.strip():
        return True
    asks = _ASKED.search(clause) or rest.startswith("?")
    if not asks:
        return False
    return len(re.sub(r"[那就是要等到在我嗯\s]|你们?", "", before)) >= 2 or _WHEN.search(text[:start]) is not None
