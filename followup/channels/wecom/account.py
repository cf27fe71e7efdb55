"""The firm's 微信客服, from the environment. Secrets stay there: nothing of an account is in the database.

    FOLLOWUP_WECOM=main                 names of the accounts, separated by commas
    FOLLOWUP_WECOM_MAIN_CORP_ID, _SECRET, _TOKEN, _AES_KEY
    FOLLOWUP_WECOM_MAIN_KF              ids of the service accounts 客服账号 (open_kfid) that we answer, separated by commas
    FOLLOWUP_WECOM_MAIN_HANDOVER        console (colleagues write in our console) or wecom (in 企业微信)
    FOLLOWUP_WECOM_MAIN_SERVICER        with wecom: who takes over; the waiting pool when unset
    FOLLOWUP_WECOM_MAIN_API             WeCom's own address; the fake's in a trial
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from followup.channels.wechat.account import Account as Sealed
from followup.channels.wechat.account import is_aes_key

API = "https://qyapi.weixin.qq.com"
HANDOVERS = ("console", "wecom")
CHANNEL = "wecom:"

_NAME = re.compile(r"[a-z][a-z0-9]{0,15}")
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class AccountError(ValueError):
    """The Chinese message names the variable, never its value: it may be a secret."""


@dataclass(frozen=True, slots=True)
class Account:
    """One corporation's application that may manage service accounts."""

    name: str
    corp_id: str
    secret: str = field(repr=False)
    token: str = field(repr=False)
    aes_key: str = field(repr=False)
    kfids: tuple[str, ...]
    """The service accounts that are ours to answer; the first is the one our links open."""
    handover: str = "console"
    """console | wecom"""
    servicer: str = ""
    api: str = API

    @property
    def channel(self) -> str:
        """Of the messages of this account."""
        return CHANNEL + self.name

    @property
    def sealed(self) -> Sealed:
        """As the envelope of 公众号 wants it: the cipher is the same, the receiver is the corporation."""
        return Sealed(self.name, self.corp_id, "service", self.token, self.secret, self.aes_key, "aes")


def load_accounts(env: Mapping[str, str]) -> tuple[Account, ...]:
    """All accounts. Raises AccountError."""
    names = [part.strip().lower() for part in env.get("FOLLOWUP_WECOM", "").split(",") if part.strip()]
    for name in names:
        if not _NAME.fullmatch(name):
            raise AccountError("FOLLOWUP_WECOM 里的账号名只能用小写字母和数字，以字母开头，最多 16 个字符，例如 main；多个之间用英文逗号分开。")
    if len(set(names)) != len(names):
        raise AccountError("FOLLOWUP_WECOM 里有重复的账号名。")
    return tuple(_account(env, name) for name in names)


def _account(env: Mapping[str, str], name: str) -> Account:
    def read(key: str) -> str:
        return env.get(f"FOLLOWUP_WECOM_{name.upper()}_{key}", "").strip()

    def wrong(key: str, why: str) -> AccountError:
        return AccountError(f"FOLLOWUP_WECOM_{name.upper()}_{key} {why}")

    for key in ("CORP_ID", "SECRET", "TOKEN", "AES_KEY", "KF"):
        if not read(key):
            raise wrong(key, "没有填写。")
    if not _ID.fullmatch(read("CORP_ID")):
        raise wrong("CORP_ID", "应当是企业微信“我的企业”里的企业 ID。")
    if not re.fullmatch(r"[A-Za-z0-9]{3,32}", read("TOKEN")):
        raise wrong("TOKEN", "只能是 3 到 32 个字母或数字，要与企业微信里填写的一致。")
    if not is_aes_key(read("AES_KEY")):
        raise wrong("AES_KEY", "应当是企业微信生成的 43 个字母或数字。")
    kfids = tuple(dict.fromkeys(part.strip() for part in read("KF").split(",") if part.strip()))
    if not kfids or not all(_ID.fullmatch(kfid) for kfid in kfids):
        raise wrong("KF", "应当是客服账号的 ID（以 wk 开头），多个之间用英文逗号分开。")
    handover = read("HANDOVER") or "console"
    if handover not in HANDOVERS:
        raise wrong("HANDOVER", "请填写 console（同事在回访后台回复）或者 wecom（同事在企业微信里回复）。")
    if read("SERVICER") and not _ID.fullmatch(read("SERVICER")):
        raise wrong("SERVICER", "应当是接待人员的企业微信账号（userid）。")
    api = read("API") or API
    if not re.match(r"https?://[^/\s]+", api):
        raise wrong("API", "不是网址。")
    return Account(
        name, read("CORP_ID"), read("SECRET"), read("TOKEN"), read("AES_KEY"), kfids, handover, read("SERVICER"), api.rstrip("/")
    )
