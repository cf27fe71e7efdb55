from __future__ import annotations

import base64

import pytest

from followup.channels.wechat.seal import CannotOpen, seal, unseal

SECRET = "a secret of the installation, long enough"
VALUES = {"secret": "0123456789abcdef" * 2, "token": "demotoken", "aes_key": "A" * 43}


def test_what_was_sealed_opens_again():
    assert unseal(SECRET, "main", seal(SECRET, "main", VALUES)) == VALUES


def test_nothing_of_a_secret_is_readable_in_the_database():
    sealed = seal(SECRET, "main", VALUES)
    for value in VALUES.values():
        assert value not in sealed and value.encode() not in base64.b64decode(sealed)


def test_the_same_secret_never_looks_the_same_twice():
    assert seal(SECRET, "main", VALUES) != seal(SECRET, "main", VALUES)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda sealed: ("another secret, long enough as well", "main", sealed),
        lambda sealed: (SECRET, "other", sealed),  # a row copied to another account
        lambda sealed: (SECRET, "main", sealed[:-8] + "AAAAAAA="),
        lambda sealed: (SECRET, "main", sealed[:8]),
        lambda sealed: (SECRET, "main", ""),
        lambda sealed: (SECRET, "main", "中文"),
    ],
)
def test_what_does_not_belong_cannot_be_opened_and_the_error_tells_nothing(spoil):
    with pytest.raises(CannotOpen) as error:
        unseal(*spoil(seal(SECRET, "main", VALUES)))
    assert VALUES["secret"] not in str(error.value)
