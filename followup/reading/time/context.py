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
            rf"(?:[打给评]|打分)(?:个|你们?|它|他们?|她|的分)*(?:大概|差不多|也就|就)?{_N}[点.][一二三四五六七八九\d](?![十\d个])分?",
            r"(?:早上|上午|中午|下午|晚上)好(?=[啊呀哈哦喔,.!~您你]|$)|早安|午安|晚安",
            rf"两点,?(?=第一|一是|首先)|一日三餐|(?:了|花|等|跑|忙|折腾|用)(?:我|整整|将近|差不多)*一?整?(?:个)?(?:上午|下午|晚上|早上|白天|夜里)|[一两二三四五]日游|下午茶(?!歇)|早茶|早午餐|夜宵|早市|夜市|早高峰|晚高峰|午夜场|夜班|早班|晚班|中班(?!后|以后|之后)|{_N}[年月]?级?{_N}班(?!后|以后)",
            r"(?:每|一)(?:天|日)(?:一|两|三|四)次|(?:早|中|晚)(?:一次|各一)|天(?:天|猫)",
            r"(?:过年|新年|新春|春节|节日|中秋|国庆|圣诞|元旦|端午|元宵)节?(?:好(?=[啊呀哈,.!]|$)|快乐|愉快)|(?:中秋|端午|元宵|冬至|春节|国庆|圣诞|年)节?(?=月饼|粽子|汤圆|饺子|礼盒|礼品|晚会|活动|优惠|促销|大促|套餐|红包|货节|饭)",
            rf"都(?:快|已经)?(?:早上|上午|中午|下午|晚上|夜里|半夜)?{_N}点(?:多|半|钟|{_N}分?)*了|从[^,.]{{1,6}}[催等拖闹跑吵]了?到[^,.]{{1,4}}|[今明后]天(?=(?:可能|要|会|估计|听说|好像|据说)*(?:有?下?(?:大|小)?[雨雪](?!后)|刮风|降温|天气))|[两二]点之间(?!打)|[和跟照同]?(?:上次|以前|之前|昨天|上回)(?:时间)?一样",
            r"明天(?:会|将)?更好|有朝一日|改天换地|十天半个?月|[三深]更半夜的?(?![零一二两三四五六七八九十\d])|(?:今天|今日|今朝)都?是?(?:初几|几号|周几|星期几|礼拜几)|三天两头|一天到晚|一年到头|等?了?(?<![上下])半天|一点(?=儿?(?:空闲?|时间|功夫|工夫|办法)儿?(?:都|也)?[没不])",
            r"(?:今天|今儿个?|今日)(?:都|才|不)?(?:已经)?是?(?:周|星期|礼拜)[一二三四五六日天](?=[了呢啊吧]?[,.!;].)",
            r"(?:今天|今儿个?|今日)(?:都|才)?(?:已经)?是?[\d一二三四五六七八九十]{1,3}[号日](?=[了呢啊吧]?[,.!;].)",
            r"现在(?:都|才)?(?:已经)?是?(?:早上|上午|中午|下午|晚上|夜里|半夜|凌晨)?(?:都|快|才)?[\d一二两三四五六七八九十]{1,3}点(?:多|半|钟)*(?=[了呢啊吧]?(?:[,.!;]|$))",
        )
    )
)

# Whoever says this of a time wants to be called, met or answered then.
_PROPOSES = re.compile(
    r"打(?!了|几|啥|什么|过(?!来)|折|烊|不|错|麻将|牌|球|针|疫苗|游戏|扫|工|印|包|来(?:了|的|电话)|电话(?:来|过来)了)|联系(?!过|了)|来电(?!话有)|再说|再聊|再谈|再讲|聊(?!过|了|完)|回访(?!过|了)|可以|可不可以|行(?!不通|李|程|驶)|方便|有空|得空|得闲|有时间|没问题|没事|都好|约(?!好了|了)"
    r"|找我|回我|给我|说吧|吧(?=$|[,.!])|好了(?=$|[,.!])|ok|过来(?!了|的)|在家|等我(?!了|半天)|(?<!不)得(?=$|[,.!])|再(?!也|次|三)|空(?!调|气)|怎么?样|试试|成不|中不|尽量|安排|开完|忙完|散会|完事|接电话|那天(?=$|[,.])"
)
# Said of a time to come as readily as of one gone by.
_DONE = re.compile(
    r"(?:打|(?<![回过起下上])来|接到?|问|修|换|买|签|收|寄|送|发|装|办|做|下单|订|交|扣|等|去|用|吃|开|提|拿|通知|联系|回访|处理|投诉|反映)(?:来|到|回|完|好|过来|出|给我|你们|电话|单|款|货|钱|车)*"
    r"(?:了(?!再|以后|之后|就|才)|过(?!来|去|年|节|后|完|会|一会))"
)
_GONE = re.compile(
    r"已经|早就|就等|刚(?!好)|刚才|就(?:打|来)(?:电话|来|过来)|来(?:的)?电话|(?:坏|断|掉|破|裂|漏|停|凉|完蛋)了|(?:打|吵|叫|弄)醒|才(?:起|醒|睡|收到|发|知道|送|修好|通知|吃|到的|来的|买)|"
    r"(?:买|到|收|签|寄|发|提|下|订|装|修|做|换|送|办|来|拍|取|出|上|交|打|接|吃|喝|看|用|洗|租|贷|存|聊|谈|约|选|拿)(?:来|单|车|货|院|到|好|完)?的(?!话|时候|时间|地方|[事人]|空|吧)"
)
_SAID_OF_IT = re.compile(
    r"(?:你们|他们|师傅|客服|快递|他|她|经理|店里|人家|早就|不是|上次|当时|之前|医生|厂家|商家|销售|业务员)[^,.!;]{0,5}(?:说(?!错)|讲|答应|通知|承诺|保证|告诉我?|约)(?:过|了|好)?(?:是|的|要)?[^,.!;]{0,3}$|^[你们]*(?:说|讲|约|谈)好了?的?(?:是|在)?$"
)
_FACT_OF = re.compile(r"(?:生日|保修期?|质保期?|保险|合同|有效期?|到期|截止|出生|入职|开业|预产期|还款日?|账单日?|纪念日|营业|关门|开门|发工资|交房|结婚|高考|考试)[^,.!;]{0,4}$")
_FACT_AFTER = re.compile(
    r"^的(?!话|时候|时间)[^,.]{1,4}(?:挺|很|真|不错|还行|太)|^(?:的?(?:时候)?)?(?:那(?:个|家|次|回|批|位|趟|台|箱|单|笔)|要是|如果|万一|(?:都|已经|早)过(?:去|完)?了|到现在|至今|[^,.]{0,4}的时候(?:就|已经|都)(?:是|有|没|坏|不)|就要[^,.打]{1,3}了|就?天[黑亮]|(?:急着?|就)?(?:要|得)用|就?到期|过期|截止|生日|交房|开业|扣款|还款|发货|发工资|出的事|就?关门|就?打烊|开门|送到|送达|才?能?到货|有效)"
)
# What may stand beside a time that is proposed without a verb of calling: courtesy, hedges, being free, being back.
_BESIDE = re.compile(
    r"第一天|[去来跑走]一趟|自己|本人|亲自|一个人|孩子|小孩|老人|开着?会|之?内|时分|两天|上旬|中旬|下旬|[年月]底|赶|随后|[我俺咱你您他她们那就都也还又才嗯啊呃哦哎呀吧呢嘛哈了的地得着个是在到有会要能想请]|大概|差不多|左右|可能|估计|应该|最好|只有|只能|除了|或者?|和|跟|比较|一般|平时|这边|这里|家里|单位|公司|时候|时间|之间|前后|上下|钟|整"
    r"|休息|放假|放学|下班|上班|下课|回来|回去|回家|回到?|到家|到达|忙完|开完会?|空|闲|得空|没事|不忙|不上班|轮休|调休|早点|晚点|早些|晚些|稍微?|具体|几点|哪天|你定|您定|看|说|讲|谈|电话|方式|这样|那样|那会儿?|这会儿|一下|下|开始|起|以后|之后|过后|后|之前|以前|前"
    r"|接|听|行|成|好|ok|吃完?饭?|睡|起床|醒|见|麻烦|谢谢|谢了|辛苦|拜托|先|然后|因为|所以|不过|但是?|只|更|随便|随时|每|都行|来|去|过|多|点|些|儿|不|没|正好|刚好|再|打|叫|喊|找|问|给|换|改|推|约|定|等|完|结束|收工|处理|弄|搞|出来|样子|光景|开学|回[^,.]{1,3}(?=以?后|之后|再|了)|不中|中(?=$|[,.])|全天|整天|头上|收摊|打烊|[唔冇嘅啲啦囉噃嗰喺俾畀嚟倾搵睇]|而家|依家|得闲"
)
_TILL = re.compile(r"(?:那?就?)等(?!了|半天)|[^,.]*(?:[写做忙吃弄搞办收洗开送接哄喂卸拉跑看播]完|下课|放学|散会|下班|结束)")  # "等孙子睡午觉,一点半的样子"
_ASKED = re.compile(r"(?:吗|么|\?|是不是|没有)[,.!?]*$")
_EVERY = re.compile(r"每(?:个?[月年]|[天日晚])的?$")
_ANGRY = re.compile(r"(?:打|来)(?:电话|过来|来)*[^,.]{0,4}太[早晚]|打(?:啥|什么|么)子?电话|有病|神经病|吵醒|烦死|还让不让|还(?:在)?(?:打|来)(?:电话|来)?(?=$|[,.!?])|有完没完")
_FEELS = re.compile(r"[疼痒肿晕咳]|痛(?!快)|麻(?!烦)|[呕想]吐|发烧|疹|出血|失眠|睡不|做噩?梦")
"""What is felt at a time is told of it."""
_BLAMED = re.compile(r"(?:怎么|干嘛|干吗|为什么|为啥|凭什么|刚才|刚刚)[^,.!;]{0,3}$")
_IF = re.compile(r"(?:要是|如果|假如|万一)[^,.]{0,4}$")
_NOT_SO = re.compile(r"[^,.]{0,6}(?:不|没|开会|忙|上班|上课|睡|出差|外地)[^,.]{0,5}(?:就|,|的话)")
_PROMISED = re.compile(r"给我?们?个?(?:答复|回复|处理|解决|说法|退|换|修|送|发|装|安排)")
_MAY_WE = re.compile(r"(?:可以|能|会)(?!打|联系|来电|再|说|聊|约|给我[打回]|接|[吗么?])[^,.]{1,8}[吗么?]")
FREE_THEN = re.compile(r"[,.]?(?:你|我|都)*(?:随时|什么时候都|啥时候都|几点都|都(?:可以|行|方便|有空|在)|[那这](?:半?个?小时|会儿?|段时间|个?时候|个?时间|个?点|期间)(?:我|都|就|一般)*(?:可以|行|方便|有空|闲|在|没事|打))(?!忙|不|没)")
"""What says of the time before it, in a clause of its own, that it suits."""
_BROUGHT = re.compile(r"(?:才|刚)?(?:送|寄|买|修|装|收|拿|取)(?:来|到|回来)?的?")
_FACT_IS = re.compile(r"(?:^|[,.])(?!.*(?:最好|应该|大概|要么|就|那|时间|可能|不|都|还))[^,.你我]{2,4}[是在]$")
_UNTIL_NOW = re.compile(r"[^,.]{0,6}到(?:现在|今天|这会|目前)")
_WHEN = re.compile(r"(?<!随便)(?<!不管)(?<!无论)(?<!不论)(?:什么时候|啥时候|几时|何时|哪天|几号|几点|多久|多长时间)(?!都|也|方便|有空|可以|再|打|联系|合适)")
_NOT_THEN = re.compile(
    r"^[,. ]*(?:(?:可能|恐怕|估计|那时候?|我|都|就|也|这个|时间)*(?:不行|不可以|没空|没有空|没时间|不方便|不得空|不在家?|接不了|不能接|不要打|别打|[莫勿甭休]打|不要来电|别来电|别联系|勿扰|不接|没法接))(?!就|的话|再|了?就)"
)
_TO_COME = re.compile(r"[明后]天|明[早晚儿日]|后[天日]|下(?:个)?(?:周|星期|礼拜|月)|明年")


def without_lookalikes(text: str) -> str:
    """The text with what only looks like a time blanked out; positions stay."""
    return _NO_TIMES.sub(lambda match: "　" * len(match.group()), text)


def is_no_proposal(text: str, start: int, end: int, next_start: int | None, last: bool, since: int = 0) -> bool:
    """Whether the time at [start:end) is told, asked about or refused.

    `next_start`: where the next time begins; `since`: where the one before ends; `last`: no time after it is proposed.
    """
    until = len(text) if next_start is None else next_start
    before = _END.split(text[:start])[-1]
    behind = text[end:until]
    clause = _END.split(behind)[0]
    rest = behind[len(clause):]
    mention = text[start:end]
    if _ANGRY.search(clause) or _BLAMED.search(before) or _UNTIL_NOW.match(text, end):
        return True
    if (_ASKED.search(clause) or rest.startswith("?")) and _WHEN.search(text[:start]):
        return True  # "什么时候能修好,下周行吗"
    if _IF.search(before) and _NOT_SO.match(behind):
        return True  # "要是五点前打不了就明天吧"
    if _PROMISED.search(clause) and _SAID_OF_IT.search(before) or _MAY_WE.search(clause + rest[:1]):
        return True
    if _PROPOSES.search(clause) or _PROPOSES.search(mention):
        return False
    if _FEELS.search(clause):
        return True
    if FREE_THEN.match(rest):
        return False
    if _NOT_THEN.match(rest) and clause.strip():
        return True
    if _FACT_OF.search(before) or _FACT_AFTER.match(clause) or (clause.strip() and _EVERY.search(before)):
        return True
    if _SAID_OF_IT.search(before) and not mention.endswith(("后", "再")):
        return True
    if _is_asked(text, start, before, clause, rest):
        return True
    if not last and not clause.strip() and _FACT_IS.search(text[since:start]):
        return True  # "拆线是下周五,拆完线再联系,下下周一吧"
    if _TO_COME.search(mention):
        whole_days = not re.search("[点午早晚]", mention)  # "房子下个月交"
        return last and whole_days and bool(_beside("", clause)) and _tells(_END.split(text[since:start])[-1], clause, 3)
    beside = _END.split(text[since:start])[-1] if clause.strip() or not since else ""  # "周四我值班周五"
    if last and _tells(beside, clause):
        return True
    around = f"{before}　{clause}"
    if _PROPOSES.search(behind):
        return False
    return bool(_GONE.search(around) or _DONE.search(clause))


def is_promised(text: str, start: int, end: int) -> bool:
    """ "你们说24小时内回复的": a wait that we promised is none to call after."""
    return bool(_SAID_OF_IT.search(_END.split(text[:start])[-1])) and not _PROPOSES.search(_END.split(text[end:])[0])


def _tells(before: str, clause: str, much: int = 2) -> bool:
    """Whether there is so much beside the time in its clause that it is told: "晚上睡不着", "早上起来脸有点肿"."""
    if _BROUGHT.fullmatch(clause):
        return True
    return not _TILL.match(before) and len(_beside(before, clause)) >= much


def _beside(before: str, clause: str) -> str:
    """What stands beside a time in its clause and would not stand there if it were proposed."""
    return re.sub(r"[\W　]", "", _BESIDE.sub("", before + clause))


def _is_asked(text: str, start: int, before: str, clause: str, rest: str) -> bool:
    """ "保修到明年三月吗", "什么时候发货,明天吗", "你们几点下班" ask us; "明天三点吗" alone may propose."""
    if _WHEN.search(before) and not clause.strip():
        return True
    asks = _ASKED.search(clause) or rest.startswith("?")
    if not asks:
        return False
    if before.endswith("你们"):
        return True
    words = re.sub(r"[那就是要等到在我嗯的吗么?\s]|你们?", "", before + clause)
    return len(words) >= 2 or _WHEN.search(text[:start]) is not None
