"""Requests made from our own description by schemathesis, and spoiled: none is a failure of ours, every answer is as described.

2,000 in every run; FOLLOWUP_LONG_TESTS sends 100,000, FOLLOWUP_INPUTS any number, FOLLOWUP_SEED other ones. "As described": in status, kind and
form, for the operation it was made for. Nothing may fail unseen, so that the log is looked at as well.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import pytest_asyncio
import schemathesis
from aiohttp import ClientError, ClientResponseError, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector, web
from aiohttp.test_utils import TestServer
from yarl import URL

from followup.api import app as api_app
from followup.api import keys
from followup.api.app import document
from followup.channels.reports import report_secret
from followup.settings import Settings
from followup.store.database import Database
from followup.web.app import make_app
from followup.web.keys import CODES, ENQUIRIES, FANOUT, LIMITER, STATIC
from followup.web.limits import CodeLimiter, EnquiryLimiter, TalkLimiter
from followup.web.session import COOKIE
from followup.web.shared_limits import SharedBucket
from tests.integration.api.made_requests import Asked, made, operations, spoiled
from tests.integration.api.test_api import AT
from tests.integration.web.web_talk import make_talk
from tests.integration.wechat.conftest import PLAIN

AT_ONCE = 8
ALWAYS = {404, 405}
"""What any address may answer whose parts lead to another route, or to none."""


def how_many() -> int:
    return int(os.environ.get("FOLLOWUP_INPUTS", 0)) or (100_000 if os.environ.get("FOLLOWUP_LONG_TESTS") else 2_000)


class Failures(logging.Handler):
    """What was logged as an error while requests were answered; what aiohttp says of requests that are no HTTP is none."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and isinstance(record.exc_info[1], web.RequestPayloadError):
            return  # aiohttp's own: after a refusal it reads what is left of a body that is not compressed as it says
        if not record.getMessage().startswith("Error handling request"):
            self.seen.append(f"{record.name}: {record.getMessage()}")


@dataclass
class Sender:
    """Somebody who has a key and a talk, and sends whatever they are told."""

    client: ClientSession
    url: str
    secret: str
    cookie: str
    known: dict[str, list[str]]
    """Place holder of an address -> what really leads somewhere."""
    statuses: Counter[str] = field(default_factory=Counter)
    sent: int = 0
    wrong: list[str] = field(default_factory=list)

    async def send(self, asked: Asked, *, as_somebody: bool) -> None:
        headers = dict(asked.headers)
        if as_somebody:
            headers |= {"Authorization": f"Bearer {self.secret}", "Cookie": f"{COOKIE}={self.cookie}"}
        try:
            request = self.client.request(asked.method, URL(self.url + asked.address, encoded=True), headers=headers, data=asked.data, allow_redirects=False)
            async with request as answer:
                self.sent += 1
                is_stream = answer.content_type == "text/event-stream"
                body = await (answer.content.read(16) if is_stream and asked.method != "HEAD" else answer.read())
        except ClientError as error:
            if asked.method == "HEAD" and isinstance(error, ClientResponseError):
                await self._refused_unread(replace(asked, method="GET"), headers)
                return
            self.wrong.append(f"{type(error).__name__} after {asked}")
            return
        except (ValueError, RecursionError):
            return  # this client cannot write it
        self.statuses[f"{asked.label} {answer.status}"] += 1
        if not as_described(asked, answer.status, answer.content_type, body):
            self.wrong.append(f"{answer.status} {answer.content_type} {body[:200]!r} to {asked}")

    async def _refused_unread(self, asked: Asked, headers: dict[str, str]) -> None:
        """aiohttp refuses what it cannot read before it knows the method, and so a HEAD with a body, which this client takes amiss."""
        request = self.client.get(URL(self.url + asked.address, encoded=True), headers=headers, data=asked.data, allow_redirects=False)
        async with request as answer:
            self.sent += 1
            if (answer.status, answer.content_type) != (400, "text/plain"):
                self.wrong.append(f"{answer.status} to {asked}, and a HEAD with a body")


def as_described(asked: Asked, status: int, kind: str, body: bytes) -> bool:
    if (status == 400 and kind == "text/plain") or (status == 417 and "Expect" in asked.headers):
        return True  # aiohttp itself refuses what it cannot read, before any route
    if not asked.label.startswith(f"{asked.method} "):  # another method than the operation's
        return status < 500 or asked.template == "/healthz"
    answer = document()["paths"][asked.template][asked.method.lower()]["responses"].get(str(status))
    if answer is None or status in ALWAYS:
        return status in ALWAYS
    if "$ref" in answer:
        answer = document()["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    content = [one for name, one in answer.get("content", {}).items() if name in ("*/*", kind)]
    if "content" not in answer or not kind.endswith("json"):
        return bool(content) or "content" not in answer
    return all(jsonschema.Draft202012Validator({**document(), **one["schema"]}).is_valid(json.loads(body)) for one in content)


@pytest.fixture
def failures(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Errors in the log of whatever is ours or aiohttp's."""
    handler, names = Failures(), ("followup", "aiohttp", "asyncio")
    for name in names:
        logging.getLogger(name).addHandler(handler)
        monkeypatch.setattr(logging.getLogger(name), "propagate", False)  # pytest keeps every record
    yield handler.seen
    for name in names:
        logging.getLogger(name).removeHandler(handler)


@pytest_asyncio.fixture
async def sender(database: Database, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Sender]:
    monkeypatch.setenv("FOLLOWUP_NOW", AT.isoformat())
    monkeypatch.setattr(api_app, "LIMIT", SharedBucket("api", burst=10**9, per_second=10**9))
    kept = Settings(home=tmp_path, database_url=database_url, secret="t" * 40, wechat=(PLAIN,))
    app = make_app(kept)
    endless, shared = TalkLimiter(burst=10**9, per_second=10**9), SharedBucket("codes", burst=10**9, per_second=10**9)
    app[LIMITER], app[ENQUIRIES] = endless, EnquiryLimiter(endless, endless)
    app[CODES] = CodeLimiter(kept.signing_secret(), shared, shared, shared)
    server = TestServer(app)
    await server.start_server()
    talk = await make_talk(database)
    async with database.session() as session:
        _, secret = await keys.make(session, "CRM", None, AT)
    url = str(server.make_url("")).rstrip("/")
    async with ClientSession(cookie_jar=DummyCookieJar(), timeout=ClientTimeout(total=120), connector=TCPConnector(force_close=True)) as client:
        async with client.post(f"{url}/c/{talk.token}/start", allow_redirects=False) as started:
            cookie = started.cookies[COOKIE].value
        known = {"token": [talk.token], "external_id": ["C1", "C2"], "secret": [report_secret(kept.signing_secret())], "account": [PLAIN.name], "version": [app[STATIC].version], "path": ["css/base.css"], "id": ["1"]}
        yield Sender(client, url, secret, cookie, known)
    app[FANOUT].ring_all()
    await server.close()


@pytest.mark.timeout(6 * 3600)
async def test_no_generated_request_is_a_failure_of_ours(sender: Sender, failures: list[str]) -> None:
    many, first = how_many(), int(os.environ.get("FOLLOWUP_SEED", 20_261_122))
    thorough = many > 10_000
    stock = await asyncio.to_thread(made, first, 60 if thorough else 3, also_wrong=thorough)
    hand = random.Random(first)
    # First as they were made, in their order; the customer whom addresses name is there from the beginning.
    customer = Asked("PUT /api/v1/contacts/{external_id}", "PUT", "/api/v1/contacts/{external_id}", {"external_id": "C1"}, body={"name": "李敏", "phone": "13800138009"})
    for asked in (customer, *stock):
        await sender.send(asked, as_somebody=True)

    async def hold() -> None:
        while sender.sent < many and len(sender.wrong) < 20:
            await sender.send(spoiled(hand.choice(stock), hand, sender.known), as_somebody=hand.random() < 0.85)

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(hold())
    print(f"{sender.sent} requests, {len(stock)} of them of schemathesis', of {len(operations())} operations:", dict(sorted(sender.statuses.items())))
    assert sender.wrong == []
    assert failures == []
    # They were not all turned away at the door.
    assert sum(count for name, count in sender.statuses.items() if name[-3] == "2") > sender.sent / 10
    for reached in ("POST /api/v1/contacts 200", "PUT /api/v1/contacts/{external_id} 201", "POST /api/v1/contacts/{external_id}/events 200", "POST /chat/messages 202", "GET /chat/history 200", "POST /c/{token}/start 303"):
        assert sender.statuses[reached], reached
    assert len({name.rpartition(" ")[0] for name in sender.statuses}) == len(operations())


def test_the_document_is_valid_openapi() -> None:
    assert document()["openapi"] == "3.1.0"
    names = [operation["operationId"] for operations in document()["paths"].values() for method, operation in operations.items() if method != "parameters"]
    assert len(names) == len(set(names)) > 25
    schemathesis.openapi.from_dict(document()).validate()


def test_every_route_but_the_consoles_is_described_and_every_description_served(database_url: str, tmp_path: Path) -> None:
    app = make_app(Settings(home=tmp_path, database_url=database_url, secret="t" * 40))
    every: list[Any] = [route for part in (app, *app._subapps) for route in part.router.routes()]
    served = {(route.method.lower(), route.resource.canonical) for route in every if route.method != "HEAD" and route.resource is not None}
    served = {(method, path) for method, path in served if not path.startswith("/console") and method != "*"}
    assert served == {(method, path) for path, operations in document()["paths"].items() for method in operations if method != "parameters"}
