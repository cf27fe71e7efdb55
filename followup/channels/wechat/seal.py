"""Secrets at rest: encrypted with a key that is derived from FOLLOWUP_SECRET, bound to what they belong to."""

from __future__ import annotations

import base64
import binascii
import json
import secrets
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_PURPOSE = b"followup wechat accounts 1"
_NONCE = 12


class CannotOpen(Exception):
    """FOLLOWUP_SECRET is not the one it was sealed with, or it belongs to something else. Holds no part of a secret."""


def seal(secret: str, owner: str, values: Mapping[str, str]) -> str:
    """`values` as text for the database, which opens only for the same `owner` (an account's name)."""
    nonce = secrets.token_bytes(_NONCE)
    plain = json.dumps(dict(values), ensure_ascii=False).encode()
    return base64.b64encode(nonce + _cipher(secret).encrypt(nonce, plain, owner.encode())).decode()


def unseal(secret: str, owner: str, sealed: str) -> dict[str, str]:
    """What `seal` was given. Raises CannotOpen."""
    try:
        raw = base64.b64decode(sealed, validate=True)
        return {str(k): str(v) for k, v in json.loads(_cipher(secret).decrypt(raw[:_NONCE], raw[_NONCE:], owner.encode())).items()}
    except (InvalidTag, binascii.Error, ValueError, AttributeError):
        raise CannotOpen(owner) from None


def _cipher(secret: str) -> AESGCM:
    return AESGCM(HKDF(SHA256(), 32, salt=None, info=_PURPOSE).derive(secret.encode()))
