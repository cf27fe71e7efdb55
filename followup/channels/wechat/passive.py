"""The answer to WeChat's own request: a text, or the word that nothing is to be said now."""

from __future__ import annotations

import time

from followup.channels.wechat.account import Account
from followup.channels.wechat.envelope import encrypt
from followup.channels.wechat.parse import Incoming

NOTHING = "success"


def reply(account: Account, to: Incoming, text: str, *, encrypted: bool, at: int | None = None) -> str:
    """A passive text reply, encrypted when the message was."""
    stamp = at if at is not None else int(time.time())
    xml = (
        f"<xml><ToUserName>{_cdata(to.openid)}</ToUserName><FromUserName>{_cdata(to.ours)}</FromUserName>"
        f"<CreateTime>{stamp}</CreateTime><MsgType>{_cdata('text')}</MsgType><Content>{_cdata(text)}</Content></xml>"
    )
    return encrypt(account, xml, at=stamp) if encrypted else xml


def _cdata(text: str) -> str:
    """`]]>` would end the section, and what no XML may hold would make WeChat refuse the answer."""
    allowed = "".join(c for c in text if c in "\t\n\r" or " " <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c > "\uffff")
    return "<![CDATA[" + allowed.replace("]]>", "]]]]><![CDATA[>") + "]]>"
