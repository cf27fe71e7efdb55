"""Requests as WeChat never sends them: from valid ones of each kind and mode, the same for the same seed."""

from __future__ import annotations

import base64
import gzip
import random
import struct
import zlib
from dataclasses import dataclass, field

from followup.channels.wechat.account import Account
from followup.channels.wechat.envelope import encrypt, sign
from followup.channels.wechat.parse import LARGEST_BODY, read_xml

Fields = list[tuple[str, str]]

KINDS: dict[str, dict[str, str]] = {
    "text": {"Content": "价格有点贵，别的还行😀", "bizmsgmenuid": "2"},
    "voice": {"MediaId": "m1", "Format": "amr", "Recognition": "还不错。", "MediaId16K": "m2"},
    "image": {"PicUrl": "http://mmbiz.qpic.cn/x", "MediaId": "m3"},
    "video": {"MediaId": "m4", "ThumbMediaId": "m5"},
    "shortvideo": {"MediaId": "m4", "ThumbMediaId": "m5"},
    "location": {"Location_X": "30.25", "Location_Y": "120.17", "Scale": "15", "Label": "杭州市"},
    "link": {"Title": "题", "Description": "述", "Url": "http://x"},
    "hologram": {"MediaId": "m6"},
}
EVENTS: dict[str, dict[str, str]] = {
    "subscribe": {"EventKey": "qrscene_c_abc", "Ticket": "t"},
    "unsubscribe": {"EventKey": ""},
    "SCAN": {"EventKey": "c_abc", "Ticket": "t"},
    "CLICK": {"EventKey": "menu_1"},
    "VIEW": {"EventKey": "http://x", "MenuId": "1"},
    "LOCATION": {"Latitude": "23.1", "Longitude": "113.3", "Precision": "119.3"},
    "TEMPLATESENDJOBFINISH": {"MsgID": "200163836", "Status": "failed: user block"},
    "subscribe_msg_popup_event": {"SubscribeMsgPopupEvent": ""},
}
NASTY = (
    "", " ", "\t\n", "0", "-1", "1e999", "NaN", "٣٤٥", "１２３", "9" * 19, "9" * 20, "9" * 400, "4102444800", "253402300800", "18446744073709551616",
    "a" * 64, "a" * 65, "a" * 30_000, "好" * 5_000, "😀" * 300, "\u202e反", "\u0000", "\ud800", "\ufffe", "é" * 50, "' OR 1=1 --", "/restart",
    "%s%n", "${jndi}", "../../etc/passwd", "<b>x</b>", "&amp;", "&#0;", "&#xD800;", "&#99999999;", "&unknown;", "]]>", "<![CDATA[", "c_" + "x" * 60,
    "qrscene_", "qrscene_c_", "c_", "CCCCCCC2", "ＣＣＣＣ ＣＣＣ２", "1", "2", "\r\n", "\x0b", "text", "event", "TEXT", "ｔｅｘｔ",
)  # fmt: skip
SNIPPETS = (
    b"]]>", b"<![CDATA[", b"<!DOCTYPE x>", b"<!DOCTYPE x [<!ENTITY a 'b'>]>", b"&a;", b"<?xml version='1.0' encoding='utf-16'?>",
    b"<?xml version='1.0' encoding='nonsense'?>", b"<?xml version='9.9'?>", b"\x00", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xc0\xaf",
    b"\xf4\x90\x80\x80", b"</xml>", b"<xml>", b"<xml/>", b"<a " + b"b='1' " * 50 + b"/>", b"<?pi x?>", b"<!-- -- -->", b"<a:b>", b"xmlns:a='b'", b"&#x0;",
)  # fmt: skip


@dataclass(frozen=True)
class Hostile:
    """One POST. `what`: how it was made, for the message when it fails."""

    what: str
    account: Account
    query: dict[str, str]
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


class Mutator:
    """An endless row of requests to these accounts (one plain, one with a key, one compatible)."""

    def __init__(self, seed: int, accounts: tuple[Account, ...]) -> None:
        self._dice = random.Random(seed)
        self._accounts = accounts
        self._number = 0

    def next(self) -> Hostile:
        dice = self._dice
        account = dice.choice(self._accounts)
        fields = self._fields()
        made = []
        if dice.random() < 0.6:
            made.append(self._change_fields(fields))
        inner = self._written(fields)
        if dice.random() < 0.6:
            name, inner = self._change_bytes(inner)
            made.append(name)
        if account.mode == "plain":
            query, body = self._query(account), inner
        else:
            name, query, body = self._sealed(account, inner)
            made.append(name)
        if dice.random() < 0.15:
            made.append(self._change_query(query))
        headers: dict[str, str] = {}
        if dice.random() < 0.08:
            name, body = self._compressed(body, headers)
            made.append(name)
        return Hostile(" + ".join(made) or "valid", account, query, body, headers)

    def _fields(self) -> Fields:
        self._number += 1
        dice = self._dice
        who = dice.choice(("oUser1", f"o{dice.randrange(200)}"))
        common = [("ToUserName", "gh_1"), ("FromUserName", who), ("CreateTime", str(1_763_866_800 + self._number))]
        if dice.random() < 0.4:
            event = dice.choice(sorted(EVENTS))
            return [*common, ("MsgType", "event"), ("Event", event), *EVENTS[event].items()]
        kind = dice.choice(sorted(KINDS))
        return [*common, ("MsgType", kind), *KINDS[kind].items(), ("MsgId", str(23_000_000_000 + self._number))]

    def _change_fields(self, fields: Fields) -> str:
        dice = self._dice
        done = []
        for _ in range(dice.randint(1, 3)):
            at = dice.randrange(len(fields)) if fields else 0
            how = dice.choice(("drop", "twice", "nasty", "nasty", "nasty", "tag", "many", "shuffle"))
            done.append(how)
            match how:
                case "drop" if fields:
                    fields.pop(at)
                case "twice" if fields:
                    fields.append((fields[at][0], dice.choice(NASTY)))
                case "nasty" if fields:
                    fields[at] = (fields[at][0], dice.choice(NASTY))
                case "tag" if fields:
                    fields[at] = (dice.choice(("fromusername", "Ünï", "a-b", "MsgID", "Encrypt", "_")), fields[at][1])
                case "many":
                    fields.extend((f"F{number}", "x") for number in range(dice.choice((5, 59, 61, 2_000))))
                case _:
                    dice.shuffle(fields)
        return "fields " + ",".join(done)

    def _written(self, fields: Fields) -> bytes:
        """As XML, rarely quite as WeChat writes it."""
        dice = self._dice
        raw = dice.random() < 0.3
        parts = [f"<{tag}>{value}</{tag}>" if raw else f"<{tag}><![CDATA[{value}]]></{tag}>" for tag, value in fields]
        root = "xml" if dice.random() < 0.97 else dice.choice(("XML", "html", "x:xml", "xml xmlns='urn:x'"))
        whole = f"<{root}>" + ("\n" if dice.random() < 0.3 else "").join(parts) + f"</{root.split()[0]}>"
        return whole.encode("utf-8", "surrogatepass")

    def _change_bytes(self, body: bytes) -> tuple[str, bytes]:
        dice = self._dice
        how = dice.choice(("flip", "flip", "cut", "insert", "delete", "snippet", "snippet", "repeat", "deep", "encoding", "bomb", "large", "none"))
        at = dice.randrange(len(body) + 1)
        match how:
            case "flip" if body:
                changed = bytearray(body)
                for _ in range(dice.randint(1, 6)):
                    changed[dice.randrange(len(changed))] = dice.randrange(256)
                return how, bytes(changed)
            case "cut":
                return how, body[:at]
            case "insert":
                return how, body[:at] + dice.randbytes(dice.randint(1, 40)) + body[at:]
            case "delete":
                return how, body[:at] + body[at + dice.randint(1, 40) :]
            case "snippet":
                return how, body[:at] + dice.choice(SNIPPETS) + body[at:]
            case "repeat":
                return how, body * dice.choice((2, 3, 40))
            case "deep":
                depth = dice.choice((10, 500, 9_000))
                return how, b"<xml>" + b"<a>" * depth + body + b"</a>" * dice.choice((depth, depth - 1)) + b"</xml>"
            case "encoding":
                return how, body.decode("utf-8", "replace").encode(dice.choice(("utf-16", "utf-32", "gb18030", "utf-7", "cp500")), "replace")
            case "bomb":
                return how, _bomb(dice) + body
            case "large":
                return how, body.replace(b"</xml>", b"<P>" + b"x" * (LARGEST_BODY + dice.randint(-400, 400) - len(body)) + b"</P></xml>")
        return "nothing", b""

    def _query(self, account: Account, stamp: str = "1714037059", nonce: str = "486452656") -> dict[str, str]:
        return {"timestamp": stamp, "nonce": nonce, "openid": "oUser1", "signature": sign(account.token, stamp, nonce)}

    def _sealed(self, account: Account, inner: bytes) -> tuple[str, dict[str, str], bytes]:
        """Encrypted as it should be, or not quite; signed as it should be all the same, most of the time."""
        dice = self._dice
        how = dice.choice(("sealed", "sealed", "sealed", "raw", "other app", "junk", "base64", "envelope", "unsigned", "open"))
        match how:
            case "raw" | "other app":
                sealed = _seal(account, inner, dice, app_id=account.app_id if how == "raw" else "wx" + "0" * 16)
            case "junk":
                sealed = base64.b64encode(dice.randbytes(dice.choice((0, 1, 15, 16, 32, 160, 4_000)))).decode()
            case "base64":
                sealed = dice.choice(("", "=", "====", "好", "a", "!!!!", "A" * 21, "A" * 40_000, "-_-_", "QUJD\n" * 30))
            case "open":
                return how, self._query(account), inner
            case _:
                text = inner.decode("utf-8", "replace")  # what is no UTF-8 is three bytes for one
                fits = len(text.encode()) < 40_000
                sealed = read_xml(encrypt(account, text, at=1_714_037_059).encode())["Encrypt"] if fits else "A" * 60_000
        query = self._query(account)
        query |= {"encrypt_type": "aes", "msg_signature": sign(account.token, query["timestamp"], query["nonce"], sealed)}
        body = f"<xml><ToUserName><![CDATA[gh_1]]></ToUserName><Encrypt><![CDATA[{sealed}]]></Encrypt></xml>".encode()
        if how == "unsigned":
            query["msg_signature"] = dice.choice(("", "0" * 40, "签", query["msg_signature"].upper()))
        if how == "envelope":
            body = self._change_bytes(body)[1]
        return how, query, body

    def _change_query(self, query: dict[str, str]) -> str:
        dice = self._dice
        name = dice.choice(sorted(query))
        query[name] = dice.choice(("", "x", "签名", "9" * 129, "\x00", "\U0001f600", "aes", "raw", query[name] + " ", "a" * 7_000))
        if dice.random() < 0.3:
            del query[name]
        return f"query {name}"

    def _compressed(self, body: bytes, headers: dict[str, str]) -> tuple[str, bytes]:
        how = self._dice.choice(("gzip", "deflate", "not gzip", "cut gzip", "gzip bomb", "unknown"))
        headers["Content-Encoding"] = "deflate" if how == "deflate" else "snappy" if how == "unknown" else "gzip"
        match how:
            case "gzip":
                body = gzip.compress(body, mtime=0)
            case "deflate":
                body = zlib.compress(body)
            case "cut gzip":
                body = gzip.compress(body, mtime=0)[:-9]
            case "gzip bomb":
                body = gzip.compress(b"<xml>" + b"0" * 3_000_000, mtime=0)
        return how, body


def _bomb(dice: random.Random) -> bytes:
    laughs = b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 10))
    return dice.choice(
        (
            b'<!DOCTYPE x [<!ENTITY l0 "lol">' + laughs + b"]><xml>&l9;</xml>",
            b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><xml><Content>&a;</Content></xml>',
            b'<!DOCTYPE x [<!ENTITY % a SYSTEM "http://127.0.0.1:9/x"> %a;]><xml/>',
            b'<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x"><xml/>',
            b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "' + b"x" * 30_000 + b'">]><xml>' + b"&a;" * 5_000 + b"</xml>",
        )
    )


def _seal(account: Account, inner: bytes, dice: random.Random, *, app_id: str) -> str:
    """With the right key, but a padding, a length or an encoding that may be wrong."""
    from wechatpy.crypto import WeChatCipher, WeChatCrypto

    length = dice.choice((len(inner), len(inner), 0, 1, 0xFFFFFFFF, 0x7FFFFFFF))
    plain = dice.randbytes(16) + struct.pack(">I", length) + inner + app_id.encode()
    pad = 32 - len(plain) % 32
    plain += bytes([dice.choice((pad, pad, 0, 255, 33))]) * pad
    key = WeChatCrypto(account.token, account.aes_key, account.app_id).key
    return base64.b64encode(WeChatCipher(key).encrypt(plain)).decode()
