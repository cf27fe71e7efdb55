"""The official example: Token AAAAA, EncodingAESKey 43 times A, appid wxba5fad812f8e6fb9."""

from __future__ import annotations

import re

import pytest

from followup.channels.wechat.account import Account
from followup.channels.wechat.envelope import Query, check, decrypt, encrypt, open_body, sign
from followup.channels.wechat.parse import BadRequest

AES = Account("main", "wxba5fad812f8e6fb9", "service", "AAAAA", aes_key="A" * 43, mode="aes")
PLAIN = Account("main", "wxba5fad812f8e6fb9", "service", "AAAAA")


@pytest.mark.parametrize(
    ("stamp", "nonce", "signature"),
    [
        ("1714036504", "1514711492", "f464b24fc39322e44b38aa78f5edd27bd1441696"),
        ("1714037059", "486452656", "899cf89e464efb63f54ddac96b0a0a235f53aa78"),
    ],
)
def test_the_official_signatures(stamp, nonce, signature):
    assert sign("AAAAA", stamp, nonce) == signature
    check(PLAIN, Query(signature, stamp, nonce))
    with pytest.raises(BadRequest):
        check(PLAIN, Query(signature, stamp, nonce + "1"))


def sealed_body(text: str, account: Account = AES) -> tuple[Query, bytes]:
    body = encrypt(account, text, at=1714037059)
    found = dict(re.findall(r"<(\w+)>(?:<!\[CDATA\[)?([^<\]]+)", body))
    stamp, nonce = found["TimeStamp"], found["Nonce"]
    signed = sign(account.token, stamp, nonce)
    return Query(signed, stamp, nonce, msg_signature=found["MsgSignature"], encrypted=True), body.encode()


def test_what_is_encrypted_can_be_read_again():
    query, body = sealed_body("<xml><Content>您好</Content></xml>")
    assert open_body(AES, query, body) == {"Content": "您好"}


def test_a_changed_character_is_found_out():
    query, body = sealed_body("<xml><Content>您好</Content></xml>")
    changed = body.replace(b"<Encrypt><![CDATA[", b"<Encrypt><![CDATA[A")
    with pytest.raises(BadRequest) as error:
        open_body(AES, query, changed)
    assert error.value.forbidden


def test_another_accounts_message_is_not_ours():
    other = Account("other", "wx0000000000000000", "service", "AAAAA", aes_key="A" * 43, mode="aes")
    query, body = sealed_body("<xml/>", other)
    with pytest.raises(BadRequest):
        open_body(AES, query, body)


def test_a_plain_message_is_refused_where_encryption_was_agreed():
    with pytest.raises(BadRequest) as error:
        open_body(AES, Query("", "1", "2"), b"<xml><Content>1</Content></xml>")
    assert error.value.forbidden


def test_of_a_compatible_message_the_encrypted_part_counts():
    both = Account("main", "wxba5fad812f8e6fb9", "service", "AAAAA", aes_key="A" * 43, mode="compatible")
    query, body = sealed_body("<xml><Content>sealed</Content></xml>", both)
    body = body.replace(b"</xml>", b"<Content>forged</Content></xml>")
    assert open_body(both, query, body) == {"Content": "sealed"}


@pytest.mark.parametrize("sealed", ["", "A", "AAAA", "A" * 64, "不", "=" * 8, "A" * 43 + "=" + "A" * 20])
def test_nonsense_in_the_place_of_a_cipher_text_is_a_bad_request(sealed):
    with pytest.raises(BadRequest):
        decrypt(AES, sealed)
