"""Signature and encryption of what WeChat sends and is answered. The cipher is wechatpy's; every error it knows is BadRequest."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import struct
import time
from dataclasses import dataclass

from followup.channels.wechat.account import Account
from followup.channels.wechat.parse import BadRequest, read_xml

LONGEST_PARAMETER = 128


@dataclass(frozen=True, slots=True)
class Query:
    """The parameters of a request of WeChat's."""

    signature: str
    timestamp: str
    nonce: str
    echostr: str = ""
    msg_signature: str = ""
    encrypted: bool = False


def sign(*parts: str) -> str:
    """WeChat's signature: SHA-1 of the parts in order, hexadecimal."""
    return hashlib.sha1("".join(sorted(parts)).encode("utf-8", "surrogatepass")).hexdigest()


def check(account: Account, query: Query) -> None:
    """Raises BadRequest unless the request is signed with the account's token."""
    if max(len(query.timestamp), len(query.nonce)) > LONGEST_PARAMETER:
        raise BadRequest("parameter too long")
    if not _same(sign(account.token, query.timestamp, query.nonce), query.signature):
        raise BadRequest("signature", forbidden=True)


def open_body(account: Account, query: Query, body: bytes) -> dict[str, str]:
    """The message's fields, decrypted where it was encrypted. Raises BadRequest."""
    outer = read_xml(body)
    if not query.encrypted:
        if account.mode == "aes":
            raise BadRequest("not encrypted", forbidden=True)
        return outer
    if account.mode == "plain":
        raise BadRequest("no key")
    sealed = outer.get("Encrypt", "")
    if not _same(sign(account.token, query.timestamp, query.nonce, sealed), query.msg_signature):
        raise BadRequest("message signature", forbidden=True)
    return read_xml(decrypt(account, sealed).encode())


def decrypt(account: Account, sealed: str) -> str:
    """Raises BadRequest for what is not the account's."""
    from wechatpy.exceptions import WeChatException

    try:
        return _cipher(account).decrypt(sealed, account.app_id)
    except (WeChatException, ValueError, IndexError, KeyError, TypeError, struct.error) as error:
        raise BadRequest(type(error).__name__) from None


def encrypt(account: Account, text: str, *, at: int | None = None) -> str:
    """An encrypted answer: WeChat's envelope around `text`."""
    sealed = _cipher(account).encrypt(text, account.app_id).decode()
    stamp, nonce = str(at if at is not None else int(time.time())), secrets.token_hex(8)
    signature = sign(account.token, stamp, nonce, sealed)
    return (
        f"<xml><Encrypt><![CDATA[{sealed}]]></Encrypt><MsgSignature><![CDATA[{signature}]]></MsgSignature>"
        f"<TimeStamp>{stamp}</TimeStamp><Nonce><![CDATA[{nonce}]]></Nonce></xml>"
    )


def _cipher(account: Account):  # type: ignore[no-untyped-def]  # wechatpy has no types
    from wechatpy.crypto import PrpCrypto, WeChatCrypto  # it imports its whole client, which takes a second

    return PrpCrypto(WeChatCrypto(account.token, account.aes_key, account.app_id).key)


def _same(wanted: str, given: str) -> bool:
    return hmac.compare_digest(wanted.encode(), given.encode("utf-8", "surrogatepass"))
