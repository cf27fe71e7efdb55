"""Requests made from our own description by schemathesis, such as fit it and such as do not: none is a failure of ours.

2,000 in every run; FOLLOWUP_LONG_TESTS sends 100,000, FOLLOWUP_INPUTS any number, FOLLOWUP_SEED other ones. Every answer is one that is
described for its operation, in status, kind and form; nothing fails unseen in the log.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest
import pytest_asyncio
import requests
import schemathesis
from aiohttp.test_utils import TestServer
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode

from followup.api import app as api_app
from followup.api import keys
from followup.api.app import document
from followup.channels.reports import report_secret
from followup.settings import Settings
from followup.store.database import Database
from followup.web.app import make_app
from followup.web.keys import LIMITER, STATIC
from followup.web.limits import TalkLimiter
from followup.web.session import COOKIE
from followup.web.shared_limits import SharedBucket
from tests.integration.api.test_api import AT
from tests.integration.web.web_talk import make_talk
from tests.integration.wechat.conftest import PLAIN

A_ROUND = 400
"""Requests of one operation before the next one has its turn, at most."""
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
        if record.getMessage().startswith("Error handling request"):
            return
        self.seen.append(f"{record.name}: {record.getMessage()}")


@dataclass
class Sender:
    """Somebody who has a key and a talk, and sends whatever they are told."""

    url: str
    secret: str
    cookie: str
    known: dict[str, list[str]]
    """Place holder of an address -> what really leads somewhere."""
    client: requests.Session = field(default_factory=requests.Session)
    statuses: Counter[str] = field(default_factory=Counter)

    def send(self, case: Case, number: int) -> None:
        if number & 1 and case.path_parameters:
            case.path_parameters = {name: self.known.get(name, [value])[number % len(self.known.get(name, [0]))] for name, value in case.path_parameters.items()}
        request = case.as_transport_kwargs(base_url=self.url)
        # Of a request without key or session nothing much is read: most have both.
        if number & 6:
            request["headers"] = {**(request.get("headers") or {}), "Authorization": f"Bearer {self.secret}"}
            request["cookies"] = {**(request.get("cookies") or {}), COOKIE: self.cookie}
        try:
            answer = self.client.request(**request, allow_redirects=False, stream=True, timeout=60)
        except (requests.exceptions.InvalidHeader, requests.exceptions.InvalidURL, UnicodeError):
            return  # this client cannot write it
        with answer:
            self.statuses[f"{case.operation.label} {answer.status_code}"] += 1
            told = f"{answer.status_code} to {case.as_curl_command()}"
            assert answer.status_code < 500 or str(answer.status_code) in case.operation.definition.raw["responses"], told
            is_stream = answer.headers.get("Content-Type", "").startswith("text/event-stream")
            body = next(answer.iter_content(16)) if is_stream else answer.content
            self.client.cookies.clear()
            if answer.status_code == 400 and body.startswith(b"Bad"):
                return  # no HTTP: aiohttp itself says so
            if answer.status_code not in ALWAYS or "Allow" not in answer.headers and urlsplit(answer.url).path.startswith("/chat/"):
                as_described(case.operation.definition.raw, answer.status_code, answer.headers.get("Content-Type", ""), body, told)

    @property
    def sent(self) -> int:
        return sum(self.statuses.values())


def as_described(operation: dict[str, Any], status: int, kind: str, body: bytes, told: str) -> None:
    assert str(status) in operation["responses"], told
    answer = operation["responses"][str(status)]
    if "$ref" in answer:
        answer = document()["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    if "content" not in answer:
        return
    content = {name: one for name, one in answer["content"].items() if name in ("*/*", kind.partition(";")[0])}
    assert content, f"{kind} in {told}"
    for name, one in content.items():
        if name.endswith("json"):
            jsonschema.Draft202012Validator({**document(), **one["schema"]}).validate(json.loads(body))


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
    app[LIMITER] = TalkLimiter(burst=10**9, per_second=10**9)
    server = TestServer(app)
    await server.start_server()
    talk = await make_talk(database)
    async with database.session() as session:
        _, secret = await keys.make(session, "CRM", None, AT)
    url = str(server.make_url("")).rstrip("/")
    started = await asyncio.to_thread(requests.post, f"{url}/c/{talk.token}/start", allow_redirects=False)
    known = {"token": [talk.token], "external_id": ["C1", "C2"], "secret": [report_secret(kept.signing_secret())], "account": [PLAIN.name], "version": [app[STATIC].version], "path": ["css/base.css"], "id": ["1"]}
    yield Sender(url, secret, started.cookies[COOKIE], known)
    await server.close()


@pytest.mark.timeout(6 * 3600)
async def test_no_generated_request_is_a_failure_of_ours(sender: Sender, failures: list[str]) -> None:
    many, first = how_many(), int(os.environ.get("FOLLOWUP_SEED", 20_261_122))
    operations = [found.ok() for found in schemathesis.openapi.from_dict(document()).get_all_operations()]
    share = min(A_ROUND, -(-many // len(operations)))

    def hold() -> None:
        for number in range(first, first + 10 * many):
            for operation in operations:
                for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                    _play(sender, operation, mode, number, share // 2)
            if sender.sent >= many:
                return

    await asyncio.to_thread(hold)
    print(f"{sender.sent} requests of {len(operations)} operations:", dict(sorted(sender.statuses.items())))
    assert failures == []
    assert sender.sent >= many
    # They were not all turned away at the door.
    for reached in ("POST /api/v1/contacts 200", "POST /chat/messages 202", "GET /chat/history 200", "GET /chat/events 200", "POST /c/{token}/start 303", "POST /api/v1/contacts/{external_id}/events 200"):
        assert sender.statuses[reached], reached


def _play(sender: Sender, operation: Any, mode: GenerationMode, number: int, most: int) -> None:
    @seed(number)
    @settings(max_examples=most, derandomize=False, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(operation.as_strategy(generation_mode=mode), st.integers(0, 1023))
    def one(case: Case, how: int) -> None:
        sender.send(case, how)

    try:
        one()
    except Unsatisfiable:
        pass  # nothing of this operation can be wrong


def test_the_document_is_valid_openapi() -> None:
    assert document()["openapi"] == "3.1.0"
    names = [operation["operationId"] for operations in document()["paths"].values() for method, operation in operations.items() if method != "parameters"]
    assert len(names) == len(set(names)) > 25
    schemathesis.openapi.from_dict(document()).validate()


def test_every_route_but_the_consoles_is_described_and_every_description_served(database_url: str, tmp_path: Path) -> None:
    app = make_app(Settings(home=tmp_path, database_url=database_url, secret="t" * 40))
    every = [route for part in (app, *app._subapps) for route in part.router.routes()]
    served = {(route.method.lower(), route.resource.canonical) for route in every if route.method != "HEAD" and route.resource is not None}
    served = {(method, path) for method, path in served if not path.startswith("/console") and method != "*"}
    assert served == {(method, path) for path, operations in document()["paths"].items() for method in operations if method != "parameters"}
