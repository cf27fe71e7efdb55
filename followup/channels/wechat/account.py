"""The accounts 公众号 of the firm, from the environment. Secrets stay there: nothing of an account is in the database.

    FOLLOWUP_WECHAT=main                names of the accounts, separated by commas
    FOLLOWUP_WECHAT_MAIN_KIND           service (服务号) or subscription (订阅号)
    FOLLOWUP_WECHAT_MAIN_APP_ID, _SECRET, _TOKEN, _AES_KEY
    FOLLOWUP_WECHAT_MAIN_MODE           aes (with a key), plain (without), or compatible
    FOLLOWUP_WECHAT_MAIN_LOGIN          yes: who opens a link inside WeChat is known by the OpenID (needs 网页授权域名)
    FOLLOWUP_WECHAT_MAIN_API            WeChat's own address; the fake's in a trial
    FOLLOWUP_WECHAT_MAIN_TEMPLATE, _TEMPLATE_FIELDS, _SUBSCRIBE, _SUBSCRIBE_FIELDS ...   see template.py
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from followup.channels.wechat.template import NoticeError, Notices, load_notices

API = "https://api.weixin.qq.com"
KINDS = ("service", "subscription")
MODES = ("plain", "compatible", "aes")
CHANNEL = "wechat:"

_NAME = re.compile(r"[a-z][a-z0-9]{0,15}")


class AccountError(ValueError):
    """The Chinese message names the variable, never its value: it may be a secret."""


@dataclass(frozen=True, slots=True)
class Account:
    """One 公众号."""

    name: str
    app_id: str
    kind: str
    """service | subscription"""
    token: str = field(repr=False)
    secret: str = field(default="", repr=False)
    """Empty: only passive replies can be given."""
    aes_key: str = field(default="", repr=False)
    mode: str = "plain"
    """plain | compatible | aes: aes takes nothing that is not encrypted."""
    api: str = API
    notices: Notices = Notices()
    """Template and subscribe messages, which open a follow-up outside the 48 hours."""
    login: bool = False
    """Whether the web authorisation is set up."""

    @property
    def channel(self) -> str:
        """Of the messages of this account."""
        return CHANNEL + self.name

    @property
    def may_send(self) -> bool:
        """Whether customer-service messages can be tried."""
        return bool(self.secret)

    @property
    def has_menus(self) -> bool:
        """订阅号 are refused menu messages (40200)."""
        return self.kind == "service"


def load_accounts(env: Mapping[str, str]) -> tuple[Account, ...]:
    """All accounts. Raises AccountError."""
    names = [part.strip().lower() for part in env.get("FOLLOWUP_WECHAT", "").split(",") if part.strip()]
    for name in names:
        if not _NAME.fullmatch(name):
            raise AccountError("FOLLOWUP_WECHAT 里的账号名只能用小写字母和数字，以字母开头，最多 16 个字符，例如 main；多个之间用英文逗号分开。")
    if len(set(names)) != len(names):
        raise AccountError("FOLLOWUP_WECHAT 里有重复的账号名。")
    return tuple(_account(env, name) for name in names)


def _account(env: Mapping[str, str], name: str) -> Account:
    def read(key: str) -> str:
        return env.get(f"FOLLOWUP_WECHAT_{name.upper()}_{key}", "").strip()

    def wrong(key: str, why: str) -> AccountError:
        return AccountError(f"FOLLOWUP_WECHAT_{name.upper()}_{key} {why}")

    for key in ("APP_ID", "TOKEN"):
        if not read(key):
            raise wrong(key, "没有填写。")
    if not re.fullmatch(r"[A-Za-z0-9]{3,32}", read("TOKEN")):
        raise wrong("TOKEN", "只能是 3 到 32 个字母或数字，要与公众平台里填写的一致。")
    kind = read("KIND") or "service"
    if kind not in KINDS:
        raise wrong("KIND", "请填写 service（服务号）或者 subscription（订阅号）。")
    mode = read("MODE") or ("aes" if read("AES_KEY") else "plain")
    if mode not in MODES:
        raise wrong("MODE", "请填写 aes（安全模式）、compatible（兼容模式）或者 plain（明文模式）。")
    if mode != "plain" and not is_aes_key(read("AES_KEY")):
        raise wrong("AES_KEY", "应当是公众平台生成的 43 个字母或数字。")
    if (login := read("LOGIN") or "no") not in ("yes", "no"):
        raise wrong("LOGIN", "请填写 yes（在微信里打开链接时自动认出客户）或者 no。")
    if login == "yes" and (kind != "service" or not read("SECRET")):
        raise wrong("LOGIN", "要填 yes，必须是服务号，并且填写 SECRET。")
    api = read("API") or API
    if not re.match(r"https?://[^/\s]+", api):
        raise wrong("API", "不是网址。")
    try:
        notices = load_notices(read)
    except NoticeError as error:
        raise wrong(error.key, str(error)) from None
    return Account(name, read("APP_ID"), kind, read("TOKEN"), read("SECRET"), read("AES_KEY"), mode, api.rstrip("/"), notices, login == "yes")


def is_aes_key(text: str) -> bool:
    """Whether it is an EncodingAESKey: 43 characters that hold 32 bytes."""
    try:
        return re.fullmatch(r"[A-Za-z0-9]{43}", text) is not None and len(base64.b64decode(text + "=")) == 32
    except binascii.Error:
        return False
