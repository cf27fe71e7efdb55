"""WeChat's interface, as far as we need it: the token, customer-service messages, template messages, QR codes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

from followup.channels.wechat.account import Account
from followup.channels.wechat.ask import Failed, NotReached, Unclear, ask, code_of, open_session
from followup.channels.wechat.plan import Part
from followup.channels.wechat.shared_token import SharedToken
from followup.store.database import Database

SECONDS = 10

BAD_TOKEN = frozenset({40001, 40014, 42001})
WINDOW_CLOSED, TOO_MANY = 45015, 45047
NO_MENUS, NO_RIGHT = 40200, 48001
BAD_OPENID, TOO_LONG, REFUSED_NOTICE = 40003, 45002, 43101
NOT_FOLLOWING = frozenset({43004, 50005})
_BUSY = frozenset({-1, 45011})
_DAILY_LIMIT = 45009
THROTTLED = frozenset({45009, 45011})
_OURS = frozenset({40013, 40037, 40125, 40164, 41002, 41004, 47003, 48001, 48004, 50001, 50002, 61024})
"""Account, secret, white list, rights, templates: a colleague has to put it right."""


def is_ours(failed: Failed) -> bool:
    """Whether a colleague has to put it right."""
    return failed.code in _OURS


class WechatClient:
    """One account's. Use as an async context manager, or `close()` it."""

    def __init__(self, account: Account, database: Database, *, seconds: float = SECONDS) -> None:
        self.account = account
        self._http = open_session(seconds)
        self._token = SharedToken(database, self._renewed)

    async def send(self, openid: str, part: Part) -> None:
        """One customer-service message. Raises Failed, Unclear, NotReached."""
        if part.menu:
            items = [{"id": str(number), "content": choice} for number, choice in enumerate(part.menu, 1)]
            content: dict[str, Any] = {
                "msgtype": "msgmenu",
                "msgmenu": {"head_content": part.text, "list": items, "tail_content": ""},
            }
        else:
            content = {"msgtype": "text", "text": {"content": part.text}}
        await self.call("/cgi-bin/message/custom/send", {"touser": openid, **content})

    async def send_template(self, openid: str, template: str, url: str, data: Mapping[str, str], key: str) -> str:
        """One template message; `key` makes asking again within ten minutes harmless. Returns WeChat's number of it."""
        shown = {name: {"value": value} for name, value in data.items()}
        body = {"touser": openid, "template_id": template, "url": url, "data": shown, "client_msg_id": key[:32]}
        return str((await self.call("/cgi-bin/message/template/send", body)).get("msgid") or "")

    async def send_subscribe(self, openid: str, template: str, url: str, data: Mapping[str, str]) -> str:
        """One subscribe message 订阅通知. Returns WeChat's number of it; empty where it tells none."""
        shown = {name: {"value": value} for name, value in data.items()}
        body = {"touser": openid, "template_id": template, "page": url, "data": shown}
        return str((await self.call("/cgi-bin/message/subscribe/bizsend", body)).get("msgid") or "")

    async def qr_code(self, scene: str, valid_for: timedelta) -> str:
        """The address that a QR code of this scene holds; at most 30 days."""
        seconds = int(min(valid_for, timedelta(days=30)).total_seconds())
        body = {"expire_seconds": seconds, "action_name": "QR_STR_SCENE", "action_info": {"scene": {"scene_str": scene}}}
        return str((await self.call("/cgi-bin/qrcode/create", body)).get("url", ""))

    async def call(self, path: str, body: Mapping[str, Any] | None) -> dict[str, Any]:
        """POST with the token (GET without a body); one that WeChat no longer knows is renewed, once.
        Raises Failed, Unclear, NotReached."""
        token = await self.token()
        answer = await self._post(path, body, {"access_token": token})
        if code_of(answer) in BAD_TOKEN:
            answer = await self._post(path, body, {"access_token": await self.token(instead_of=token)})
        _check(answer)
        return answer

    async def try_secret(self) -> None:
        """Ask for a token now, whatever is shared: WeChat gives the one that stands. Raises Failed, NotReached."""
        await self._fetch(force=False)

    async def token(self, *, instead_of: str = "") -> str:
        """The shared token; another one than `instead_of`, which WeChat refused. Raises Failed, NotReached."""
        return await self._token.get(self.account.name, self.account.app_id, instead_of=instead_of)

    async def _renewed(self, instead_of: str) -> tuple[str, int]:
        found = await self._fetch(force=False)
        if instead_of and found[0] == instead_of:
            found = await self._fetch(force=True)  # at most 20 a day
        return found

    async def _fetch(self, *, force: bool) -> tuple[str, int]:
        body = {"grant_type": "client_credential", "appid": self.account.app_id, "secret": self.account.secret, "force_refresh": force}
        try:
            answer = await self._post("/cgi-bin/stable_token", body, {})
        except Unclear as error:
            raise NotReached(str(error)) from error  # asking for a token again does no harm
        _check(answer)
        token, seconds = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not isinstance(seconds, int):
            raise NotReached("no token in the answer")
        return token, seconds

    async def _post(self, path: str, body: Mapping[str, Any] | None, query: Mapping[str, str]) -> dict[str, Any]:
        return await ask(self._http, "GET" if body is None else "POST", self.account.api + path, query, body)

    async def close(self) -> None:
        await self._http.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()


def _check(answer: Mapping[str, Any]) -> None:
    code = code_of(answer)
    if code == 0:
        return
    wait = 10 if code == -1 else 60 if code in _BUSY else 3600 if code == _DAILY_LIMIT else 30 if code in BAD_TOKEN else None
    raise Failed(code, str(answer.get("errmsg", ""))[:120], wait=wait)
