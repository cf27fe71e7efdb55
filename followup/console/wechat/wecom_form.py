"""The form of an account 微信客服: what was entered, what is wrong with it. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from followup.channels.wechat.account import is_aes_key
from followup.channels.wecom.account import API, HANDOVERS, Account
from followup.channels.wecom.book import account_of
from followup.console.labels import labels
from followup.console.wechat.form import LONGEST_TITLE, NAME, is_trial, new_aes_key, new_token
from followup.store.wecom_account_models import WecomAccount

FIELDS = {
    "title": 100, "corp_id": 80, "secret": 128, "token": 64, "aes_key": 100, "kfids": 1000, "handover": 20, "servicer": 80, "api": 200,
}  # fmt: skip
MOST_KFIDS = 20
_CORP_ID = re.compile(r"w[A-Za-z0-9_-]{5,63}")
_KFID = re.compile(r"wk[A-Za-z0-9_-]{1,62}")
_USER = re.compile(r"[A-Za-z0-9][A-Za-z0-9@._-]{0,63}")
_SECRET = re.compile(r"[A-Za-z0-9_-]{32,64}")
_TOKEN = re.compile(r"[A-Za-z0-9]{3,32}")


@dataclass(frozen=True, slots=True)
class Shown:
    """An account on a page. Secrets are in `account` only, and are shown by those who may manage it."""

    account: Account
    title: str = ""
    readable: bool = True
    """Its secrets can be opened with the present FOLLOWUP_SECRET."""
    row: WecomAccount | None = None
    """None: it stands in the environment."""
    customers: int = 0

    @property
    def name(self) -> str:
        return self.account.name

    @property
    def called(self) -> str:
        return self.title or self.name

    @property
    def from_environment(self) -> bool:
        return self.row is None

    @property
    def active(self) -> bool:
        return self.row is None or self.row.active

    def address(self, public_url: str) -> str:
        """What is pasted into WeCom's back office."""
        return f"{public_url}/wecom/{self.name}"


def of_row(row: WecomAccount, opened: dict[str, str] | None) -> Shown:
    """`opened`: its secrets; None: they cannot be read."""
    return Shown(account_of(row, opened or {}), row.title, opened is not None, row)


@dataclass(frozen=True, slots=True)
class Entered:
    """`secret` empty: the one that is stored stays."""

    name: str = ""
    title: str = ""
    corp_id: str = ""
    secret: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    aes_key: str = field(default="", repr=False)
    kfids: str = ""
    """Separated by commas, blanks or line ends."""
    handover: str = "console"
    servicer: str = ""
    api: str = API

    @property
    def ids(self) -> list[str]:
        return list(dict.fromkeys(part for part in re.split(r"[\s,，、]+", self.kfids) if part))


def blank() -> Entered:
    """A new account's form: token and key are made up already."""
    return Entered(token=new_token(), aes_key=new_aes_key())


def entered_of(shown: Shown) -> Entered:
    """The form of an account that there is; its Secret is not shown again."""
    one = shown.account
    return Entered(
        one.name, shown.title, one.corp_id, "", one.token, one.aes_key, "\n".join(one.kfids), one.handover, one.servicer, one.api
    )


def wrong(entered: Entered, before: Shown | None) -> dict[str, str]:
    """Field -> sentence. `before`: the account as it stands, None for a new one."""
    ids = entered.ids
    found = {
        "name": "bad_name" if before is None and not NAME.fullmatch(entered.name) else "",
        "title": "bad_title" if len(entered.title) > LONGEST_TITLE or not (entered.title + "x").isprintable() else "",
        "corp_id": "" if _CORP_ID.fullmatch(entered.corp_id) else "bad_corp_id",
        "secret": _wrong_secret(entered, before),
        "token": "" if _TOKEN.fullmatch(entered.token) else "bad_token",
        "aes_key": "" if is_aes_key(entered.aes_key) else "bad_aes_key",
        "kfids": "" if 0 < len(ids) <= MOST_KFIDS and all(map(_KFID.fullmatch, ids)) else "bad_kfids",
        "handover": "" if entered.handover in HANDOVERS else "bad_handover",
        "servicer": "bad_servicer" if entered.servicer and not _USER.fullmatch(entered.servicer) else "",
        "api": "" if entered.api == API or is_trial(entered.api) else "bad_api",
    }
    sentences = {**labels()["wechat_errors"], **labels()["wecom_errors"]}
    return {name: sentences[key] for name, key in found.items() if key}


def _wrong_secret(entered: Entered, before: Shown | None) -> str:
    if entered.secret:
        return "" if _SECRET.fullmatch(entered.secret) else "bad_wecom_secret"
    if before is None or not before.account.secret:
        return "no_wecom_secret"
    elsewhere = before.account.corp_id != entered.corp_id or before.account.api != entered.api
    return "wecom_secret_again" if elsewhere else ""  # it is not sent to another address because somebody changed that


def changes(entered: Entered, before: Shown) -> list[str]:
    """The names of the fields that would change: what the audit log says, without any value that is secret."""
    old = entered_of(before)
    found = [one for one in ("title", "corp_id", "token", "aes_key", "handover", "servicer", "api") if getattr(entered, one) != getattr(old, one)]
    found += ["kfids"] if entered.ids != old.ids else []
    return found + (["secret"] if entered.secret and entered.secret != before.account.secret else [])
