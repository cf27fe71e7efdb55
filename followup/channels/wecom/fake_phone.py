"""The phone page of the fake 微信客服: anyone can try the channel without an account."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from followup.channels.wechat import phone_page


class PhonePage(phone_page.PhonePage):
    """A customer's WeChat, where links are opened, and a servicer's 企业微信."""

    html = Path(__file__).with_name("fake_phone.html")
    who = "wmTrialPhone"
    _last = ""
    """What may be taken back."""

    def state(self) -> dict[str, Any]:
        phone = self._phone()
        return {"left": max(5 - phone.sent, 0) if phone.message_at else 0, "state": phone.state}

    async def do(self, act: str, text: str, menu: str) -> None:
        fake, who = self._fake, self.customer
        match act:
            case "say" if text.strip():
                self._last = await fake.says(who, text, menu_id=menu)
            case "scan" if (param := await self.opened(text)) != text:
                self.shown("［打开回访链接］")
                await fake.enters(who, param)
            case "enter":
                self.shown("［进入会话］")
                await fake.enters(who)
            case "voice" | "image":
                self._last = await fake.shows(who, act, media_id="trial")
            case "recall" if self._last:
                self.shown("［撤回了一条消息］")
                self._last, msgid = "", self._last
                await fake.recalls(who, msgid)
            case "take":
                await fake.servicer_takes(who)
            case "servicer" if text.strip():
                await fake.servicer_says(who, text)
            case "end":
                await fake.servicer_ends(who)
            case "new":
                self.another_customer()
                self._last = ""
