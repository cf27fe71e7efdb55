"""The phone page of the fake WeChat: anyone can try the channel without an account."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from followup.channels.wechat import phone_page

_KINDS = {"voice": {"MediaId": "trial", "Format": "amr", "Recognition": ""}, "image": {"MediaId": "trial", "PicUrl": "http://mmbiz.qpic.cn/trial"}}


class PhonePage(phone_page.PhonePage):
    """A customer's WeChat: QR codes are scanned."""

    html = Path(__file__).with_name("fake_phone.html")
    who = "oTrialPhone"

    def state(self) -> dict[str, Any]:
        phone, account = self._phone(), self._fake.account
        left = max(5 - phone.sent_by_message, 0) if phone.message_at else 0
        return {"follows": phone.follows, "left": left, "mode": account.mode, "kind": account.kind}

    async def do(self, act: str, text: str, menu: str) -> None:
        fake, openid = self._fake, self.customer
        match act:
            case "say" if text.strip():
                await fake.says(openid, text, menu_id=menu)
            case "follow" | "leave":
                await fake.event(openid, "subscribe" if act == "follow" else "unsubscribe")
            case "scan":
                scene = await self.opened(text)
                self.shown("［扫码］")
                await fake.event(openid, "SCAN", scene)
            case "voice" | "image":
                await fake.shows(openid, act, **_KINDS[act])
            case "new":
                self.another_customer()
