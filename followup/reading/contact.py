"""Telephone numbers, addresses and names of people."""

from __future__ import annotations

import re

from followup.reading.model import STRONG, WEAK, Asked, Heard, Reading
from followup.reading.numerals import spoken_digits
from followup.reading.text import close_up, core, normalise, words_of

_SPOKEN = "零〇一二三四五六七八九幺"
_TAKEN_BACK = re.compile(r"(?:不对|说错了?|错了|口误|哦不|噢不|啊不|更正)")
_BETWEEN = re.compile(rf"(?<=[\d{_SPOKEN}])[\s\-–—,.、。()]+(?=[\d{_SPOKEN}])")
_MOBILE = re.compile(r"(?<!\d)(?:\+?86)?(1[3-9]\d{9})(?!\d)")
_LANDLINE = re.compile(r"(?<!\d)(0(?:10|2\d|[3-9]\d{2})\d{7,8})(?!\d)")
_SERVICE = re.compile(r"(?<!\d)([48]00\d{7})(?!\d)")

_PLACE = re.compile(
    r"省|市(?!场)|区(?!别)|县|镇|乡|村|街道|街|路(?!上|过)|大道|巷|弄|号院|小区|花园|苑|大厦|广场|楼|栋|幢|单元|室|号(?!码)|公寓|新村|园区|工业园|学校|大学|医院|商城|门面|家属院|自治|胡同|屯|组|社区|公司|酒店|店"
)
_NUMBER_IN = re.compile(r"[\d一二三四五六七八九十]+(?:号|栋|幢|单元|室|楼|层|组|弄)")
_LEAD_ADDRESS = re.compile(r"^(?:(?:我们?)?(?:的|家)?(?:现在|如今|目前)(?:都|改|是)?(?:住在?|在|搬到了?)|我(?:的|家)?(?:现在)?(?:住)?(?:地址)?(?:是|在|住在)?|(?:寄|送(?!货|上)|发|邮|快递)(?:到|去|给)?|地址(?:是|在|:)?|家?住在?|就?(?:寄|送(?!货|上))到?)[:,\s]*")
_LEAD_INSIDE = re.compile(r"(?:地址(?:是|在|[:：])|(?:寄|送|发|邮|快递)到)\s*")
"""What comes before it is no part of the address ("最近没时间，寄到文三路90号")."""
_SAID_BEFORE = re.compile(r"[^，,]*(?:送|寄|邮|没|急|忙|叫|我|姓|电话|手机)[^，,]*[，,]")
"""A clause that is no part of the address after it ("送货上门，解放路18号")."""
_PHONE_BESIDE = re.compile(
    r"[，,。;；、\s]*(?:我?的?(?:联系)?(?:电话|手机)?(?:号码?)?(?:是|[:：])?\s*)(?<!\d)(?:\+?86[- ]?)?(?:1[3-9]\d{9}|0\d{2,3}-?\d{7,8})(?!\d)[，,。;；、\s]*"
)
"""A telephone number said with the address is no part of it."""
_NOT_ADDRESS = re.compile(r"[?]|不(?:方便|想|用|要|告诉|知道)|为什么|干(?:什么|嘛)|没有|保密|隐私|还是(?:原来|以前|那个)|跟(?:以前|上次)一样|老地方|开会|开车|忙")

_SURNAMES = (
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏水窦章云苏潘葛奚范彭郎鲁韦昌马苗凤花方俞任袁柳酆鲍史唐费廉岑薛雷贺倪汤滕殷罗毕郝邬安常乐于时傅皮卞齐康伍余元卜顾孟平黄"
    "和穆萧尹姚邵湛汪祁毛禹狄米贝明臧计伏成戴谈宋茅庞熊纪舒屈项祝董梁杜阮蓝闵席季麻强贾路娄危江童颜郭梅盛林刁钟徐邱骆高夏蔡田樊胡凌霍虞万支柯管卢莫房解应宗丁宣邓郁单杭洪包诸左石崔吉龚程邢裴陆荣翁荀"
    "羊甄家封储靳焦牧隗山谷车侯班仰秋仲伊宫宁仇栾刘景詹龙叶幸司黎白怀蒲从索赖卓屠池乔胥闻党翟谭贡劳姬申扶冉雍桑桂牛寿边燕冀尚农温庄晏柴阎连习容向古易廖终步都耿满文东曾沙鞠关查游权盖益桓肖岳帅缑代闫涂付覃植苟"
)
_DOUBLE = ("欧阳", "司马", "上官", "诸葛", "东方", "皇甫", "尉迟", "公孙", "慕容", "令狐", "司徒", "夏侯", "端木", "南宫", "西门", "独孤", "宇文", "长孙")
_SURNAME = rf"(?:{'|'.join(_DOUBLE)}|[{_SURNAMES}])"
_TITLE = r"(?:先生|女士|小姐|太太|师傅|老师|经理|总|医生|阿姨|叔叔|大姐|大哥|同志|老板|主任)"
_STATED_SURNAME = re.compile(rf"(?:免贵|姓)(?:姓)?(?P<n>{_SURNAME})(?!名)")
_STATED_NAME = re.compile(r"(?:名字(?:是|叫)?|叫做?|我是|姓名是?:?|他是|她是|是)(?P<n>[\u4e00-\u9fff·]{2,6}?)(?=$|[,.;! ]|的|吧|啊|呀|哦|电话|手机|,)")
_SOMEBODY_NAMED = re.compile(
    rf"(?:朋友|同事|同学|邻居|亲戚|战友|[表堂][哥姐弟妹])(?:叫)?(?![都和也于时从常白家])(?P<n>{_SURNAME}[\u4e00-\u9fff]{{1,2}}?)(?=想|要|打算|准备|在看|有|的?电话|的?手机|[,.;! ]|$)"
)
"""A name said beside who it is: "我朋友李强想买"."""
_WITH_TITLE = re.compile(rf"(?P<n>{_SURNAME}[\u4e00-\u9fff]{{0,2}}?)(?P<t>{_TITLE})")
_BARE_NAME = re.compile(rf"(?:小|老|阿)?{_SURNAME}[\u4e00-\u9fff]{{0,2}}|[\u4e00-\u9fff]{{1,8}}·[\u4e00-\u9fff]{{1,8}}|[a-z]{{2,15}}(?: [a-z]{{2,15}})?")
_NOT_NAME = re.compile(
    r"不(?:是|要|用|想|方便|行|好|知道|满|对|会|能|太|错)|没|什么|怎么|为什么|干嘛|你|我|他|她|谁|吗|呢|满意|可以|方便|谢谢|再见|有事|有点|时候|一般|都行|开会|开车|电话|明天|今天|后天|下午|上午|晚上|好的|行|和.*一样|本人|朋友|机器|人工|ok|yes|no|hello|hi"
    r"|介绍|推荐|还行|还可以|就这样|差不多|随便|平时|周[一二三四五六日末]|万一|应该|马上|时间|高兴|安排|成功|于是|白天|强烈|和气|满了|单位|明白|解决|向来|计划|家里|方案|关于|常常|连续|代替|温馨|平安|古怪|易用"
)


def read_phone(asked: Asked, heard: Heard) -> Reading | None:
    """11 digits of a mobile, or a landline's digits with its area code; the corrected one when two are said."""
    for part in reversed(_TAKEN_BACK.split(close_up(normalise(heard.text)))):
        digits = spoken_digits(_BETWEEN.sub("", part))
        for pattern, how in ((_MOBILE, "mobile"), (_LANDLINE, "landline"), (_SERVICE, "service")):
            found = pattern.search(digits)
            if found:
                return Reading(found.group(1), f"phone:{how}", STRONG)
    return None


def read_address(asked: Asked, heard: Heard) -> Reading | None:
    """The words, when they look like an address or are long enough to be one."""
    words = words_of(heard.text).strip(" ,，。.!！")
    text = core(heard.text)
    if len(text) < 3 or _NOT_ADDRESS.search(text):
        return None
    words = re.sub(r"[吧哦呀啊呢]$", "", words)
    places = len(_PLACE.findall(text))
    numbered = bool(_NUMBER_IN.search(text))
    lead = _LEAD_ADDRESS.match(words)
    body = words[lead.end():] if lead and len(words) - lead.end() >= 3 else words
    body = _the_place(body)
    if places >= 2 or (places and numbered):
        return Reading(body, "address:place", STRONG)
    if places or (len(text) >= 10 and re.search(r"[\u4e00-\u9fff]{4}", text)):
        return Reading(body, "address:words", WEAK)
    return None


def _the_place(words: str) -> str:
    """The address without what is said before it and without a telephone number beside it."""
    while (before := _SAID_BEFORE.match(words)) and not _PLACE.search(before.group()) and _PLACE.search(words, before.end()):
        words = words[before.end():]
    inside = _LEAD_INSIDE.search(words)
    if inside and _PLACE.search(words, inside.end()):
        words = words[inside.end():]
    return re.sub(r"[吧哦呀啊呢]$", "", _PHONE_BESIDE.sub("，", words).strip(" ，,"))


def read_name(asked: Asked, heard: Heard) -> Reading | None:
    """A person's name: "我姓李" 李, "叫王小明" 王小明, "李女士" 李女士."""
    text = _TAKEN_BACK.split(core(heard.text))[-1].strip(" ,.")
    titled = _WITH_TITLE.search(text)
    if titled and not _NOT_NAME.search(titled["n"]):
        return Reading(titled.group(), "name:title", STRONG)
    stated = _STATED_NAME.search(text)
    if stated and not _NOT_NAME.search(stated["n"]) and (re.match(_SURNAME, stated["n"]) or "叫" in stated.group()):
        return Reading(stated["n"], "name:stated", STRONG)
    somebody = _SOMEBODY_NAMED.search(text)
    if somebody and not _NOT_NAME.search(somebody["n"]):
        return Reading(somebody["n"], "name:somebody", STRONG)
    surname = _STATED_SURNAME.search(text)
    if surname:
        return Reading(surname["n"], "name:surname", STRONG)
    bare = re.sub(r"[的了啊呀吧哦]$", "", text)
    if _BARE_NAME.fullmatch(bare) and not _NOT_NAME.search(bare):
        given = words_of(heard.text).strip(" ,.。，!！") if bare.isascii() else bare
        return Reading(given, "name:bare", STRONG if len(bare) >= 2 else WEAK)
    return None
