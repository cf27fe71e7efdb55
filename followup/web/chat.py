"""The chat page, its history, and the way in for what a customer says."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

import aiohttp_jinja2
from aiohttp import web

from followup.talk.inbox import EmptyMessage, UnknownCase, accept_said
from followup.web import talks
from followup.web.keys import DATABASE, LIMITER, SESSIONS
from followup.web.landing import CHANNEL
from followup.web.security import is_from_our_page, json_answer, json_error, notice
from followup.web.session import Session
from followup.web.wording import load_wording

MAX_LENGTH = 2000
"""Characters of one message. Longer ones are answered 413 and stay in the field."""
MAX_BODY_BYTES = 128 * 1024
"""Room for 10,000 characters written as \\uXXXX, so that a long message gets the sentence about its length."""
TALK_HEADER = "X-Followup-Talk"

_CLIENT_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{7,63}")


class Refused(Exception):
    """The message is not taken; `status` and the Chinese `message` say why."""

    def __init__(self, status: int, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers

    def answer(self) -> web.Response:
        return json_error(self.status, self.message, **self.headers)


@dataclass(frozen=True, slots=True)
class Incoming:
    client_msg_id: str
    text: str


async def page(request: web.Request) -> web.Response:
    """GET /chat"""
    who = request.app[SESSIONS].read(request)
    if who is None:
        return notice(request, "no_session", 401)
    async with request.app[DATABASE].straight() as connection:
        if not await talks.stands(connection, who):
            return notice(request, "revoked", 410)
    async with request.app[DATABASE].session() as session:
        talk = await talks.standing(session, who.case_id)
    return aiohttp_jinja2.render_template(
        "chat.html",
        request,
        {
            "company": talk.company or load_wording().no_company,
            "enquiry": talk.enquiry,
            "talk": request.app[SESSIONS].public_name(who),
            "max_length": MAX_LENGTH,
        },
    )


async def post_message(request: web.Request) -> web.Response:
    """POST /chat/messages: 202 once the message is stored and its turn is scheduled, in one transaction."""
    try:
        who = signed_in(request)
        incoming = parse(await request.read())
        if wait := request.app[LIMITER].wait_for(who.case_id):
            raise Refused(429, load_wording().error("too_fast"), **{"Retry-After": str(wait)})
        return json_answer({"id": await _store(request, who, incoming)}, status=202)
    except Refused as refused:
        return refused.answer()


async def history(request: web.Request) -> web.Response:
    """GET /chat/history[?after=ID&limit=N]"""
    try:
        who = signed_in(request)
    except Refused as refused:
        return refused.answer()
    limit = min(number(request.query.get("limit"), talks.LONGEST_HISTORY), talks.LONGEST_HISTORY)
    async with request.app[DATABASE].straight() as connection:
        found = await talks.look(connection, who, number(request.query.get("after"), 0), limit=limit)
        if found is None:
            return gone().answer()
        state, lines = found
        await talks.delivered(connection, lines)
    return json_answer({"messages": [line.as_json() for line in lines], **state.as_json()})


def parse(body: bytes) -> Incoming:
    """The request's body. Raises Refused."""
    words = load_wording()
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        raise Refused(400, words.error("bad_json")) from None
    if not isinstance(data, dict) or not isinstance(data.get("text"), str):
        raise Refused(400, words.error("bad_json"))
    client_msg_id = data.get("client_msg_id")
    if not isinstance(client_msg_id, str) or not _CLIENT_ID.fullmatch(client_msg_id):
        raise Refused(400, words.error("bad_client_id"))
    text = data["text"].strip()
    if not text:
        raise Refused(400, words.error("empty"))
    if len(text) > MAX_LENGTH:
        raise Refused(413, words.error("too_long", limit=MAX_LENGTH))
    return Incoming(client_msg_id, text)


def signed_in(request: web.Request) -> Session:
    """Who asks. Raises Refused: another site's page (403), no session (401), another tab's talk (409)."""
    words = load_wording()
    if not is_from_our_page(request):
        raise Refused(403, words.error("foreign"))
    who = request.app[SESSIONS].read(request)
    if who is None:
        raise Refused(401, words.error("no_session"))
    # One cookie a browser: with two links open in two tabs, the older tab must not speak in the newer one's talk.
    named = request.headers.get(TALK_HEADER) or request.query.get("talk")
    if named and named != request.app[SESSIONS].public_name(who):
        raise Refused(409, words.error("other_talk"))
    return who


def gone() -> Refused:
    return Refused(410, load_wording().error("no_session"))


def number(text: str | None, default: int) -> int:
    """A message id from a query or header; `default` for anything that is none."""
    if text and text.isascii() and text.isdigit() and len(text) <= 18:
        return int(text)
    return default


async def _store(request: web.Request, who: Session, incoming: Incoming) -> int:
    try:
        async with request.app[DATABASE].straight() as connection:
            # The customer's other devices show the line too.
            accepted = await accept_said(connection, who.case_id, CHANNEL, incoming.client_msg_id, incoming.text, if_true=talks.VALID, since=who.since)
    except EmptyMessage:
        raise Refused(400, load_wording().error("empty")) from None
    except UnknownCase:
        raise gone() from None
    return accepted.message_id
