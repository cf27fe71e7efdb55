"""WeCom's interface, as far as 微信客服 needs it: the token, reading, sending, the session's state, links."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from followup.channels.wechat.ask import Failed, NotReached, Unclear, ask, code_of, open_session
from followup.channels.wechat.plan import Part
from followup.channels.wechat.shared_token import SharedToken
from followup.channels.wecom.account import Account
from followup.store.database import Database

SECONDS = 10
PAGE = 100
"""Messages a page; WeCom gives 1,000 at most. Each page is one transaction."""
_ACCOUNTS_A_PAGE, _MOST_ACCOUNTS = 100, 10_000
"""WeCom gives a hundred a page; a firm has 5,000 at most."""

BAD_TOKEN = frozenset({40014, 42001, 42009})
TOO_MANY, TOO_LATE = 95001, 95002
ENDED, NOT_OURS = 95013, 95018
"""The session is over; the session's state does not let us send."""
BAD_CALLBACK_TOKEN = 95007
BAD_CODE = frozenset({41050, 41051, 40096})
"""A welcome code that is used, too old, or comes after the talk began."""
BAD_PARAMETER, TOO_LONG = 40058, 45002
_OURS = frozenset({40001, 40013, 40091, 48002, 60011, 60020, 60030, 95000, 95004, 95011, 95012, 95017})
"""Corporation, secret, rights, trusted addresses, service account: a colleague has to put it right."""
_WAITS = {-1: 10, 45009: 60, 45033: 10, 45011: 60}

NEW, BOT, POOL, HUMAN, OVER = range(5)


@dataclass(frozen=True, slots=True)
class Page:
    """Some of what was sent since the cursor."""

    items: Sequence[Any]
    cursor: str
    more: bool


class WecomClient:
    """One account's. Use as an async context manager, or `close()` it. Raises Failed, Unclear, NotReached."""

    def __init__(self, account: Account, database: Database, *, seconds: float = SECONDS) -> None:
        self.account = account
        self._http = open_session(seconds)
        self._token = SharedToken(database, self._renewed)

    async def read(self, open_kfid: str, cursor: str, token: str, *, limit: int = PAGE) -> Page:
        """The next page. `token`: a callback's; without one WeCom lets us ask only now and then."""
        body = {"cursor": cursor, "limit": limit, "open_kfid": open_kfid, "voice_format": 0}
        answer = await self._call("/cgi-bin/kf/sync_msg", {**body, "token": token} if token else body)
        items, following = answer.get("msg_list", []), answer.get("next_cursor", "")
        if not isinstance(items, list) or not isinstance(following, str):
            raise NotReached("no page in the answer")
        return Page(items, following, bool(answer.get("has_more")) and following not in ("", cursor))

    async def send(self, open_kfid: str, who: str, part: Part, msgid: str) -> None:
        """One message."""
        await self._call("/cgi-bin/kf/send_msg", {"touser": who, "open_kfid": open_kfid, "msgid": msgid, **_content(part)})

    async def welcome(self, code: str, part: Part, msgid: str) -> None:
        """The one message that entering a session allows."""
        await self._call("/cgi-bin/kf/send_msg_on_event", {"code": code, "msgid": msgid, **_content(part)})

    async def state(self, open_kfid: str, who: str) -> int:
        """NEW, BOT, POOL, HUMAN or OVER."""
        answer = await self._call("/cgi-bin/kf/service_state/get", {"open_kfid": open_kfid, "external_userid": who})
        found = answer.get("service_state")
        if not isinstance(found, int) or not NEW <= found <= OVER:
            raise NotReached("no state in the answer")
        return found

    async def change_state(self, open_kfid: str, who: str, state: int, servicer: str = "") -> None:
        body = {"open_kfid": open_kfid, "external_userid": who, "service_state": state}
        await self._call("/cgi-bin/kf/service_state/trans", {**body, "servicer_userid": servicer} if servicer else body)

    async def unionids(self, people: Sequence[str]) -> dict[str, str]:
        """external_userid -> unionid, of those whose it may be known. At most 100 are asked for."""
        answer = await self._call("/cgi-bin/kf/customer/batchget", {"external_userid_list": list(people)[:100]})
        found = answer.get("customer_list")
        rows = [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []
        return {str(row.get("external_userid")): row["unionid"] for row in rows if isinstance(row.get("unionid"), str)}

    async def try_secret(self) -> None:
        """Ask for a token now, whatever is shared. Raises Failed, NotReached."""
        await self._fetch()

    async def service_accounts(self, wanted: Collection[str]) -> dict[str, tuple[str, bool]]:
        """open_kfid -> (name, whether this application may manage it): those it can see, read page by page until all `wanted` are found."""
        found: dict[str, tuple[str, bool]] = {}
        for offset in range(0, _MOST_ACCOUNTS, _ACCOUNTS_A_PAGE):
            answer = await self._call("/cgi-bin/kf/account/list", {"offset": offset, "limit": _ACCOUNTS_A_PAGE})
            listed = answer.get("account_list")
            rows = [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []
            found |= {str(row.get("open_kfid")): (str(row.get("name", "")), row.get("manage_privilege") is not False) for row in rows}
            if not rows or all(one in found for one in wanted):
                break
        return found

    async def link(self, open_kfid: str, scene: str) -> str:
        """The address that opens the service account in WeChat; `&scene_param=` may be appended."""
        return str((await self._call("/cgi-bin/kf/add_contact_way", {"open_kfid": open_kfid, "scene": scene})).get("url", ""))

    async def _call(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """POST with the token; one that WeCom no longer knows is renewed, once."""
        token = await self.token()
        answer = await self._ask("POST", path, {"access_token": token}, body)
        if code_of(answer) in BAD_TOKEN:
            answer = await self._ask("POST", path, {"access_token": await self.token(instead_of=token)}, body)
        _check(answer)
        return answer

    async def token(self, *, instead_of: str = "") -> str:
        """The shared token; another one than `instead_of`, which WeCom refused. Raises Failed, NotReached."""
        account = self.account  # its channel has a colon, and so is the name of no 公众号
        return await self._token.get(account.channel, f"{account.corp_id} {account.secret}", instead_of=instead_of)  # each application has its own

    async def _renewed(self, instead_of: str) -> tuple[str, int]:
        return await self._fetch()

    async def _fetch(self) -> tuple[str, int]:
        query = {"corpid": self.account.corp_id, "corpsecret": self.account.secret}
        try:
            answer = await self._ask("GET", "/cgi-bin/gettoken", query)
        except Unclear as error:
            raise NotReached(str(error)) from error  # asking for a token again does no harm
        _check(answer)
        token, seconds = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not token or not isinstance(seconds, int):
            raise NotReached("no token in the answer")
        return token, seconds

    async def _ask(self, method: str, path: str, query: Mapping[str, str], body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        return await ask(self._http, method, self.account.api + path, query, body)

    async def close(self) -> None:
        await self._http.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()


def is_ours(failed: Failed) -> bool:
    """Whether a colleague has to put it right."""
    return failed.code in _OURS


def _content(part: Part) -> dict[str, Any]:
    if not part.menu:
        return {"msgtype": "text", "text": {"content": part.text}}
    items = [{"type": "click", "click": {"id": str(number), "content": choice}} for number, choice in enumerate(part.menu, 1)]
    return {"msgtype": "msgmenu", "msgmenu": {"head_content": part.text, "list": items}}


def _check(answer: Mapping[str, Any]) -> None:
    code = code_of(answer)
    if code != 0:
        raise Failed(code, str(answer.get("errmsg", ""))[:120], wait=30 if code in BAD_TOKEN else _WAITS.get(code))
