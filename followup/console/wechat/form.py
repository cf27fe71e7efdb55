"""The form of an account: what was entered, what is wrong with it. Pure, but for making up secrets."""

from __future__ import annotations

import re
import secrets
import string
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from followup.channels.wechat.account import API, MODES, is_aes_key
from followup.channels.wechat.template import Notice, Notices, Way, parse_notice
from followup.console.labels import labels
from followup.console.wechat.accounts import UNCERTIFIED, Shown

NAME = re.compile(r"[a-z][a-z0-9]{0,15}")
LONGEST_TITLE = 40
_APP_ID = re.compile(r"wx[0-9a-zA-Z]{16}")
_SECRET = re.compile(r"[0-9a-zA-Z]{32}")
_TOKEN = re.compile(r"[0-9a-zA-Z]{3,32}")
_LETTERS = string.ascii_letters + string.digits


@dataclass(frozen=True, slots=True)
class Entered:
    """`secret` empty: the one that is stored stays."""

    name: str = ""
    title: str = ""
    kind: str = "service"
    app_id: str = ""
    secret: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    aes_key: str = field(default="", repr=False)
    mode: str = "aes"
    api: str = API
    template: str = ""
    """Of a template message, for all kinds of invitation."""
    template_fields: str = ""
    subscribe: str = ""
    subscribe_fields: str = ""
    lasting: bool = False
    """The subscribe message is a 长期订阅."""
    login: bool = False
    """Web authorisation: who opens a link inside WeChat is known."""

    @property
    def account_kind(self) -> str:
        return self.kind.removesuffix(UNCERTIFIED)

    @property
    def certified(self) -> bool:
        return not self.kind.endswith(UNCERTIFIED)


def blank() -> Entered:
    """A new account's form: token and key are made up already."""
    return Entered(token=new_token(), aes_key=new_aes_key())


def entered_of(shown: Shown) -> Entered:
    """The form of an account that there is; its AppSecret is not shown again."""
    account = shown.account
    notices = {way: next((one for kind, one in given if kind == "first"), None) for way, given in _by_way(account.notices)}
    template, subscribe = notices[Way.TEMPLATE], notices[Way.SUBSCRIBE]
    return Entered(
        shown.name, shown.title, shown.kind, shown.app_id, "", account.token, account.aes_key, shown.mode, account.api,
        template.template if template else "", _written(template), subscribe.template if subscribe else "", _written(subscribe),
        subscribe is not None and subscribe.lasting, account.login,
    )  # fmt: skip


def notices_of(entered: Entered, before: Notices) -> Notices:
    """What the form says of the first kind, and of the others what there was. Raises ValueError with a Chinese sentence."""
    found = {}
    for way, given in _by_way(before):
        template, fields = (entered.template, entered.template_fields) if way is Way.TEMPLATE else (entered.subscribe, entered.subscribe_fields)
        rest = tuple((kind, one) for kind, one in given if kind != "first")
        first = (("first", parse_notice(way, template, fields, lasting=way is Way.SUBSCRIBE and entered.lasting)),) if template or fields else ()
        found[way] = first + rest if first else ()
    return Notices(found[Way.TEMPLATE], found[Way.SUBSCRIBE])


def _by_way(notices: Notices) -> tuple[tuple[Way, tuple[tuple[str, Notice], ...]], ...]:
    return (Way.TEMPLATE, notices.by_template), (Way.SUBSCRIBE, notices.by_subscription)


def _written(notice: Notice | None) -> str:
    return "\n".join(f"{name}={text}" for name, text in notice.fields) if notice else ""


def wrong(entered: Entered, before: Shown | None) -> dict[str, str]:
    """Field -> sentence. `before`: the account as it stands, None for a new one."""
    found = {
        "name": "bad_name" if before is None and not NAME.fullmatch(entered.name) else "",
        "title": "bad_title" if len(entered.title) > LONGEST_TITLE or not (entered.title + "x").isprintable() else "",
        "kind": "bad_kind" if entered.kind not in labels()["wechat_kinds"] else "",
        "app_id": "" if _APP_ID.fullmatch(entered.app_id) else "bad_app_id",
        "secret": _wrong_secret(entered, before),
        "token": "" if _TOKEN.fullmatch(entered.token) else "bad_token",
        "mode": "" if entered.mode in MODES else "bad_mode",
        "aes_key": "" if is_aes_key(entered.aes_key) or (entered.mode == "plain" and not entered.aes_key) else "bad_aes_key",
        "api": "" if is_api(entered.api) else "bad_api",
        "login": "bad_login" if entered.login and not _may_log_in(entered, before) else "",
    }
    sentences = {name: labels()["wechat_errors"][key] for name, key in found.items() if key}
    try:
        notices_of(entered, before.account.notices if before else Notices())
    except ValueError as error:
        sentences["notices"] = str(error)
    return sentences


def _wrong_secret(entered: Entered, before: Shown | None) -> str:
    if entered.secret:
        return "" if _SECRET.fullmatch(entered.secret) else "bad_secret"
    has_one = before is not None and bool(before.account.secret)
    return "secret_again" if has_one and before is not None and before.app_id != entered.app_id else ""


def _may_log_in(entered: Entered, before: Shown | None) -> bool:
    """WeChat gives web authorisation to certified 服务号 only, and asks for the AppSecret."""
    has_secret = bool(entered.secret) or (before is not None and bool(before.account.secret))
    return entered.kind == "service" and has_secret


def is_api(address: str) -> bool:
    """WeChat's own addresses, and this machine for a trial: AppSecret is sent nowhere else."""
    return address in labels()["wechat_apis"] or is_trial(address)


def is_trial(address: str) -> bool:
    """Whether it is this machine."""
    try:
        parts = urlsplit(address)
        here = parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost") and parts.port is not None
        return here and parts.path in ("", "/") and not (parts.query or parts.fragment or parts.username)
    except ValueError:
        return False


def changes(entered: Entered, before: Shown) -> list[str]:
    """The names of the fields that would change: what the audit log says, without any value that is secret."""
    old = entered_of(before)
    found = [name for name in ("title", "kind", "app_id", "token", "aes_key", "mode", "api", "login") if getattr(entered, name) != getattr(old, name)]
    found += ["notices"] if notices_of(entered, before.account.notices) != before.account.notices else []
    return found + (["secret"] if entered.secret and entered.secret != before.account.secret else [])


def new_token() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(24))


def new_aes_key() -> str:
    """43 characters that hold 32 bytes, as the back office makes them."""
    while True:
        key = "".join(secrets.choice(_LETTERS) for _ in range(43))
        if is_aes_key(key):
            return key
