"""What a connection to PostgreSQL is opened with."""

from __future__ import annotations

import pytest
from psycopg.conninfo import conninfo_to_dict

from followup.store.database import libpq_url, sqlalchemy_url

PLAIN = "postgresql://me:p%40ss@db/followup"
SOCKET = "postgresql://me@/followup?host=/tmp/a+dir%20here"


@pytest.mark.parametrize("url", [PLAIN, SOCKET, PLAIN.replace("postgresql", "postgresql+asyncpg")])
def test_both_ends_notice_that_the_other_is_cut_off(url: str) -> None:
    for given in (conninfo_to_dict(libpq_url(url)), dict(sqlalchemy_url(url).query)):
        assert (given["keepalives_idle"], given["tcp_user_timeout"], given["connect_timeout"]) == ("10", "25000", "10")
        assert "-c tcp_keepalives_idle=10" in str(given["options"])  # the server's end: it holds the locks


def test_what_the_address_says_itself_holds() -> None:
    url = f"{PLAIN}?options=-c%20statement_timeout%3D5&connect_timeout=3"
    for given in (conninfo_to_dict(libpq_url(url)), dict(sqlalchemy_url(url).query)):
        assert (given["options"], given["connect_timeout"], given["keepalives_count"]) == ("-c statement_timeout=5", "3", "3")


def test_the_rest_of_the_address_is_left_as_it_is_and_once_is_enough() -> None:
    assert libpq_url(SOCKET).startswith(SOCKET)
    assert conninfo_to_dict(libpq_url(SOCKET))["host"] == "/tmp/a+dir here"
    assert libpq_url(libpq_url(SOCKET)) == libpq_url(SOCKET)
    assert libpq_url(PLAIN).startswith(f"{PLAIN}?")
