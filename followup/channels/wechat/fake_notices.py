"""Template messages and subscribe messages of the fake WeChat, and its reports of them.

Refuses what WeChat documents it refuses: fields that hold too much (47003), templates it does not know (40037), subscribe messages
nobody agreed to (43101). A template message with a `client_msg_id` it has seen is not shown again.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from aiohttp import web

if TYPE_CHECKING:
    from followup.channels.wechat.fake import FakeWechat, Phone

_HAN = "[\u3400-\u9fff]"
_TAKES = {
    "thing": ".{1,20}", "phrase": _HAN + "{1,5}", "name": f"{_HAN}{{1,10}}|[A-Za-z ]{{1,20}}", "number": r"[\d.]{1,32}",
    "time": r"(\d{4}年\d+月\d+日 ?)?\d+:\d\d|\d{4}年\d+月\d+日", "date": r"\d{4}年\d+月\d+日( \d+:\d\d)?", "letter": "[A-Za-z]{1,32}",
    "character_string": "[!-~]{1,32}", "const": ".{0,20}", "phone_number": r"[\d+-]{1,17}", "amount": r"[¥￥]?\d{1,10}(\.\d+)?元?",
}  # fmt: skip


class Raw(str):
    """Elements inside an element: not to be wrapped as text."""


class FakeNotices:
    """Beside `FakeWechat`, whose phones, tokens and record it uses."""

    def __init__(self, fake: FakeWechat) -> None:
        self._fake = fake
        self.templates: set[str] | None = None
        """Those the account has; None: whatever it is asked for."""
        self.agreed: Counter[tuple[str, str]] = Counter()
        """(OpenID, template) -> how many subscribe messages may still be sent."""
        self.tells_number = True
        """Whether the subscribe interface answers with a msgid."""
        self.report = ""
        """What is reported of each message before it is answered: success, failed:user block ...; empty: nothing by itself."""
        self.sent: list[tuple[str, str, str]] = []
        """(OpenID, template, number) of what was shown."""
        self._seen: dict[tuple[str, str], int] = {}

    def add_to(self, app: web.Application) -> None:
        app.add_routes(
            [
                web.post("/cgi-bin/message/template/send", self._template),
                web.post("/cgi-bin/message/subscribe/bizsend", self._subscribe),
            ]
        )

    # what the customer does

    async def subscribes(self, openid: str, template: str, word: str = "accept") -> None:
        """The customer taps 同意 or 取消 in WeChat's window."""
        if word == "accept":
            self.agreed[openid, template] += 1
        await self._event(openid, "popup", f"<TemplateId>{template}</TemplateId><SubscribeStatusString>{word}</SubscribeStatusString><PopupScene>1</PopupScene>")

    async def turns_off(self, openid: str, template: str) -> None:
        self.agreed[openid, template] = 0
        await self._event(openid, "change", f"<TemplateId>{template}</TemplateId><SubscribeStatusString>reject</SubscribeStatusString>")

    # what the platform reports

    async def reports(self, openid: str, number: str, status: str = "success", *, template: str = "") -> None:
        """Of a subscribe message with `template`, else of a template message."""
        if template:
            code, word = ("0", "success") if status == "success" else ("1001", status)
            listed = f"<TemplateId>{template}</TemplateId><MsgID>{number}</MsgID><ErrorCode>{code}</ErrorCode><ErrorStatus>{word}</ErrorStatus>"
            await self._event(openid, "sent", listed)
            return
        fields = {"MsgType": "event", "Event": "TEMPLATESENDJOBFINISH", "MsgID": number, "Status": status}
        await self._fake.deliver(self._fake.phone(openid), fields, message=False)

    async def _event(self, openid: str, what: str, listed: str) -> None:
        fields = {"MsgType": "event", "Event": f"subscribe_msg_{what}_event", f"SubscribeMsg{what.title()}Event": Raw(f"<List>{listed}</List>")}
        await self._fake.deliver(self._fake.phone(openid), fields, message=False)

    # what we ask of it

    async def _template(self, request: web.Request) -> web.StreamResponse:
        body, error = await self._fake.checked(request)
        if error is not None:
            return error
        phone = self._fake.phones.get(body.get("touser", ""))
        if phone is None or not phone.follows:
            return self._fake.code(request, body, 40003 if phone is None else 43004)
        if self._fake.account.kind != "service":
            return self._fake.code(request, body, 48001)
        key = str(body.get("client_msg_id", ""))
        if len(key) > 32:
            self._fake.rules_broken.append("client_msg_id of more than 32 characters")
        if key and (phone.openid, key) in self._seen:
            return self._number(request, body, self._seen[phone.openid, key])
        if code := self._wrong(body):
            return self._fake.code(request, body, code)
        number = await self._show(phone, body, body.get("url", ""), "template")
        self._seen[phone.openid, key] = number
        if self.report:
            await self.reports(phone.openid, str(number), self.report)
        return self._fake.cut_after(request) or self._number(request, body, number)

    async def _subscribe(self, request: web.Request) -> web.StreamResponse:
        body, error = await self._fake.checked(request)
        if error is not None:
            return error
        phone = self._fake.phones.get(body.get("touser", ""))
        template = str(body.get("template_id", ""))
        if phone is None:
            return self._fake.code(request, body, 40003)
        if code := self._wrong(body):
            return self._fake.code(request, body, code)
        if self.agreed[phone.openid, template] <= 0:
            return self._fake.code(request, body, 43101)
        self.agreed[phone.openid, template] -= 1
        number = await self._show(phone, body, body.get("page", ""), "subscribe")
        if self.report:
            await self.reports(phone.openid, str(number), self.report, template=template)
        return self._fake.cut_after(request) or self._number(request, body, number if self.tells_number else None)

    def _wrong(self, body: dict[str, Any]) -> int:
        template, data = body.get("template_id"), body.get("data")
        if not template or (self.templates is not None and template not in self.templates):
            return 40037
        if not isinstance(data, dict) or not data:
            return 47003
        for name, value in data.items():
            kind = re.sub(r"_?\d+$", "", name)
            text = value.get("value") if isinstance(value, dict) else None
            if not isinstance(text, str) or not re.fullmatch(_TAKES.get(kind, ".{1,200}"), text):
                return 47003
        return 0

    async def _show(self, phone: Phone, body: dict[str, Any], url: str, how: str) -> int:
        shown = "\n".join(str(value["value"]) for value in body["data"].values())
        phone.seen.append({"from": "firm", "text": shown, "how": how, "choices": [], "url": url})
        number = self._fake.next_number()
        self.sent.append((phone.openid, str(body["template_id"]), str(number)))
        return number

    def _number(self, request: web.Request, body: dict[str, Any], number: int | None) -> web.Response:
        self._fake.calls.append((request.path, body, 0))
        return web.json_response({"errcode": 0, "errmsg": "ok", **({"msgid": number} if number is not None else {})})
