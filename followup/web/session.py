"""Who is talking: a signed cookie made from a link, so that the link's token is seen by the server once only."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime

from aiohttp import web
from itsdangerous import BadData, URLSafeTimedSerializer

COOKIE = "followup_session"
LIFETIME_SECONDS = 30 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Session:
    """`since`: when the link was used. A session stands as long as a link does that existed then."""

    case_id: str
    since: datetime


class Sessions:
    """Signs and reads the cookie. `embeddable`: another site may show the chat in a frame, over https."""

    def __init__(self, secret: str, *, secure: bool, embeddable: bool) -> None:
        self._serializer = URLSafeTimedSerializer(secret, salt="followup.web.session.v1")
        self._secret = secret.encode()
        self._secure = secure
        self._embeddable = embeddable and secure

    def read(self, request: web.Request) -> Session | None:
        try:
            data = self._serializer.loads(request.cookies.get(COOKIE, ""), max_age=LIFETIME_SECONDS)
            return Session(str(data["c"]), datetime.fromtimestamp(float(data["t"]), UTC))
        except (BadData, KeyError, TypeError, ValueError, OverflowError):
            return None

    def write(self, response: web.StreamResponse, session: Session, *, embedded: bool) -> None:
        """Set the cookie. Browsers send a Lax cookie not to a frame in another site: that frame gets its own jar."""
        value = self._serializer.dumps({"c": session.case_id, "t": session.since.timestamp()})
        if embedded and self._embeddable:
            # Written by hand: http.cookies knows "Partitioned" only from Python 3.14 on. The value needs no quoting.
            response.headers.add(
                "Set-Cookie",
                f"{COOKIE}={value}; Path=/; Max-Age={LIFETIME_SECONDS}; HttpOnly; Secure; SameSite=None; Partitioned",
            )
            return
        response.set_cookie(
            COOKIE, value, max_age=LIFETIME_SECONDS, httponly=True, secure=self._secure, samesite="Lax"
        )

    def public_name(self, session: Session) -> str:
        """A name of the talk for the page itself: stable, and says nothing about the case."""
        return hmac.new(self._secret, f"talk:{session.case_id}".encode(), hashlib.sha256).hexdigest()[:16]
