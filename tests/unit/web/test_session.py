from datetime import UTC, datetime

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from followup.web.session import COOKIE, Session, Sessions

WHO = Session("c" * 32, datetime(2026, 11, 21, 10, 0, tzinfo=UTC))


def cookie(sessions: Sessions, *, embedded: bool = False):
    response = web.Response()
    sessions.write(response, WHO, embedded=embedded)
    return response.cookies[COOKIE]


def request(value: str) -> web.Request:
    return make_mocked_request("GET", "/chat", headers={"Cookie": f"{COOKIE}={value}"})


def sessions(**options) -> Sessions:
    return Sessions("s" * 40, **({"secure": False, "embeddable": False} | options))


def test_what_was_written_is_read():
    assert sessions().read(request(cookie(sessions()).value)) == WHO


def test_scripts_and_other_sites_do_not_get_the_cookie():
    morsel = cookie(sessions())
    assert morsel["httponly"]
    assert morsel["samesite"] == "Lax"


def test_over_https_the_cookie_stays_on_https():
    assert cookie(sessions(secure=True))["secure"]


def test_a_frame_in_another_site_gets_a_jar_of_its_own():
    response = web.Response()
    signer = sessions(secure=True, embeddable=True)
    signer.write(response, WHO, embedded=True)
    value, *attributes = response.headers["Set-Cookie"].split("; ")
    assert {"HttpOnly", "Secure", "SameSite=None", "Partitioned"} <= set(attributes)
    assert signer.read(request(value.partition("=")[2])) == WHO


def test_without_https_a_frame_gets_no_special_cookie():
    assert cookie(sessions(embeddable=True), embedded=True)["samesite"] == "Lax"


@pytest.mark.parametrize("value", ["", "x", "e30.e30.e30", "{}"])
def test_what_we_did_not_sign_is_nobody(value):
    assert sessions().read(request(value)) is None


def test_another_secret_is_nobody():
    other = Sessions("o" * 40, secure=False, embeddable=False)
    assert other.read(request(cookie(sessions()).value)) is None


def test_the_public_name_does_not_show_the_case():
    name = sessions().public_name(WHO)
    assert len(name) == 16
    assert name not in WHO.case_id
