"""The interface for customer systems, as its own description says it: every answer here is checked against openapi.json."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import pytest_asyncio
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import select, text

from followup.api import app, keys, read
from followup.api.app import PREFIX, description
from followup.api.problems import Problem
from followup.contacts.parse import CHANNELS
from followup.settings import SHANGHAI, Settings
from followup.store import records
from followup.store.campaign_models import Consent, Import
from followup.store.database import Database
from followup.store.models import Answer, Contact, DoNotContact
from followup.store.staff_models import AuditEntry
from followup.web.app import make_app
from followup.web.keys import SETTINGS
from followup.web.shared_limits import SharedBucket

AT = datetime(2026, 11, 20, 10, tzinfo=SHANGHAI)
WANG = {"external_id": "C1", "name": "王芳", "title": "女士", "phone": "13800138000"}


@pytest.fixture(autouse=True)
def _morning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOLLOWUP_NOW", AT.isoformat())


class Api:
    """A customer system with a key; whatever is answered must be as described."""

    def __init__(self, client: TestClient, secret: str) -> None:
        self.client, self.secret = client, secret

    async def call(self, method: str, path: str, body: Any = None, status: int = 200, **headers: str) -> Any:
        data = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else None
        headers = {"Authorization": f"Bearer {self.secret}", **{name.replace("_", "-"): value for name, value in headers.items()}}
        async with self.client.request(method, PREFIX + path, data=data, headers=headers) as answer:
            text = await answer.text()
            assert answer.status == status, text
            answered = json.loads(text)
            validate(answered, described(method, path, status, answer.content_type))
            return answered


def validate(value: Any, schema: dict[str, Any]) -> None:
    document = {**description(), **schema}
    jsonschema.Draft202012Validator(document).validate(value)


def described(method: str, path: str, status: int, content_type: str) -> dict[str, Any]:
    for template, operations in description()["paths"].items():
        parts, given = template.split("/"), (PREFIX + path).split("/")
        if len(parts) == len(given) and all(a == b or a.startswith("{") for a, b in zip(parts, given, strict=True)) and method.lower() in operations:
            answer = operations[method.lower()]["responses"][str(status)]
            if "$ref" in answer:
                answer = description()["components"]["responses"][answer["$ref"].rpartition("/")[2]]
            return answer["content"][content_type]["schema"]
    raise AssertionError(f"{method} {path} is not described")


@pytest_asyncio.fixture
async def client(database_url: str, tmp_path: Path) -> AsyncIterator[TestClient]:
    async with TestClient(TestServer(make_app(Settings(home=tmp_path, database_url=database_url, secret="t" * 40)))) as client:
        yield client


@pytest_asyncio.fixture
async def api(client: TestClient, database: Database) -> Api:
    async with database.session() as session:
        _, secret = await keys.make(session, "CRM", None, AT)
    return Api(client, secret)


async def everybody(database: Database) -> list[Contact]:
    async with database.session() as session:
        return list(await session.scalars(select(Contact).order_by(Contact.id)))


def test_every_route_is_described_and_every_description_served(client: TestClient) -> None:
    (api,) = (part for part in client.app._subapps if any("/api/v1" in str(resource) for resource in part.router.resources()))
    served = {(route.method.lower(), route.resource.canonical) for route in api.router.routes() if route.method != "HEAD"}  # type: ignore[union-attr]
    assert served == {(method, path) for path, operations in description()["paths"].items() for method in operations}


def test_every_example_is_as_its_schema_says_and_every_reference_leads_somewhere() -> None:
    for operations in description()["paths"].values():
        for operation in operations.values():
            if "requestBody" in operation:
                content = operation["requestBody"]["content"]["application/json"]
                validate(content["example"], content["schema"])
    for reference in references(description()):
        here: Any = description()
        for part in reference.removeprefix("#/").split("/"):
            here = here[part]


def test_the_fields_that_are_read_are_those_that_are_described() -> None:
    schemas = description()["components"]["schemas"]
    assert set(read._CONTACT) == set(schemas["Contact"]["properties"]) and set(read._CONSENT) == set(schemas["Consent"]["properties"])
    assert schemas["Consent"]["properties"]["channel"]["enum"] == list(CHANNELS)
    assert schemas["Contacts"]["properties"]["contacts"]["maxItems"] == read.MOST_CONTACTS
    # A body of every field described is taken; one more is refused at its place.
    readers = {
        "Contact": lambda body: read.contact_of(body, "C1", AT.date()),
        "Contacts": lambda body: read.contacts_of(body, AT.date()),
        "Event": lambda body: read.event_of(body, AT),
        "Stop": lambda body: read.stop_of(body, with_phone=False),
        "StopNumber": lambda body: read.stop_of(body, with_phone=True),
    }
    bodies = {name for operations in description()["paths"].values() for one in operations.values() if "requestBody" in one
              for name in [one["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]]}  # fmt: skip
    assert bodies == set(readers)
    whole = {"external_id": "C1", "name": "王芳", "title": "女士", "phone": "13800138000", "email": "w@example.com", "openid": "o1", "groups": ["VIP"],
             "fields": {"产品": "香梨"}, "dates": {"签收日期": "2026-03-05"}, "consents": [{"channel": "sms", "given": True, "source": "合同", "text_version": "1", "at": "2026-03-05"}]}  # fmt: skip
    filled: dict[str, dict[str, Any]] = {
        "Contact": whole, "Contacts": {"contacts": [whole]}, "Event": {"name": "签收日期", "at": "2026-03-05"}, "Stop": {"reason": "来电"}, "StopNumber": {"phone": "13800138000", "reason": "来电"},
    }  # fmt: skip
    for name, body in filled.items():
        assert set(body) == set(schemas[name]["properties"])
        readers[name](body)
        with pytest.raises(Problem) as refused:
            readers[name]({**body, "colour": "red"})
        assert [error.path for error in refused.value.errors] == ["/colour"]


async def test_a_key_is_limited_at_all_web_processes_together(api: Api, client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "LIMIT", SharedBucket("api", burst=3, per_second=0.001))
    async with TestClient(TestServer(make_app(client.server.app[SETTINGS]))) as other:  # type: ignore[attr-defined]
        second = Api(other, api.secret)
        for one in (api, second, api):
            await one.call("GET", "/contacts/C1/result", status=404)
        for one in (api, second):
            await one.call("GET", "/contacts/C1/result", status=429)


async def test_what_a_customer_system_blocks_is_known_as_its_wish(api: Api, database: Database) -> None:
    await api.call("PUT", "/contacts/C1", {"name": "王芳", "phone": "13800138000"}, status=201)
    await api.call("POST", "/contacts/C1/do-not-contact", {"reason": "不要联系"})
    await api.call("POST", "/do-not-contact", {"phone": "13900139000", "reason": "名单"})
    agreed = [{"channel": "sms", "given": True, "source": "合同", "at": "2026-11-20 09:00"}]
    await api.call("PUT", "/contacts/C1", {"name": "王芳", "consents": agreed})
    assert not (await api.call("POST", "/contacts/C1/do-not-contact", {"reason": "再说一次"}))["added"]
    found = await api.call("GET", "/contacts/C1/result")
    assert found["do_not_contact"] and found["consents"] == {"sms": False}  # also of one written after the block
    async with database.session() as session:
        assert (await session.scalars(select(DoNotContact.source))).all() == ["api", "api"]


async def test_a_consent_of_tomorrow_is_refused_at_its_place(api: Api) -> None:
    body = {"name": "王芳", "phone": "13800138000", "consents": [{"channel": "sms", "given": True, "source": "合同", "at": "2026-11-21"}]}
    answer = await api.call("PUT", "/contacts/C1", body, status=422)
    assert answer["errors"] == [{"path": "/consents/0/at", "message": "同意的时间“2026-11-21”在将来，请核对。"}]


def references(node: Any) -> list[str]:
    if isinstance(node, dict):
        return [value for key, value in node.items() if key == "$ref"] + [one for value in node.values() for one in references(value)]
    return [one for value in node for one in references(value)] if isinstance(node, list) else []


async def test_the_description_is_open_to_all(client: TestClient) -> None:
    async with client.get("/openapi.json") as answer:
        assert (await answer.json())["openapi"] == "3.1.0"


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer fu_wrong", "Basic Zm9v", "Bearer 中文"])
async def test_nobody_comes_in_without_a_key(api: Api, header: str) -> None:
    body = await api.call("GET", "/contacts/C1/result", status=401, Authorization=header.encode().decode("latin-1"))
    assert "接口密钥" in body["title"]


async def test_a_revoked_key_opens_nothing(api: Api, database: Database) -> None:
    async with database.session() as session:
        await keys.revoke(session, 1, AT)
    await api.call("GET", "/contacts/C1/result", status=401)


async def test_one_customer_is_written_and_written_again(api: Api, database: Database) -> None:
    body = {"name": "王芳", "phone": "138 0013 8000", "fields": {"产品": "香梨", "数量": 3}, "dates": {"签收日期": "2026/3/5"}, "groups": ["vip"]}
    first = await api.call("PUT", "/contacts/C1", body, status=201)
    assert (await api.call("PUT", "/contacts/C1", body))["unchanged"] == 1
    assert (await api.call("PUT", "/contacts/C1", {**body, "phone": "13900139000"}))["updated"] == 1
    (wang,) = await everybody(database)
    assert first["contacts"] == [{"id": wang.id, "external_id": "C1"}]
    assert wang.phone == "13900139000" and wang.fields == {"产品": "香梨", "数量": "3", "签收日期": "2026-03-05"} and wang.groups == ["VIP"]


async def test_a_thousand_customers_are_one_call_and_one_record(api: Api, database: Database) -> None:
    many = [{"name": f"客户{n}", "external_id": f"N{n}", "phone": f"13{n:09d}"} for n in range(1000)]
    assert (await api.call("POST", "/contacts", {"contacts": many}))["created"] == 1000
    async with database.session() as session:
        (record,) = await session.scalars(select(Import))
    assert (record.source, record.created, record.api_key_id) == ("api", 1000, 1)
    await api.call("POST", "/contacts", {"contacts": [*many, WANG]}, status=422)


async def test_every_mistake_is_told_at_its_place_and_nothing_is_written(api: Api, database: Database) -> None:
    bad = [
        WANG,
        {"name": "李强", "phone": "1380013800"},
        {"name": "", "phone": "13900139000"},
        {"name": "赵敏", "phone": "13700137000", "dates": {"生日": "2月30日"}, "colour": "red"},
        {"name": "钱多"},
        {"name": "孙少", "phone": 13600136000},
        {"name": "周全", "email": "x", "groups": "VIP", "consents": [{"channel": "fax", "given": True}]},
        {**WANG},
        7,
    ]
    body = await api.call("POST", "/contacts", {"contacts": bad}, status=422)
    paths = {error["path"] for error in body["errors"]}
    assert paths == {
        "/contacts/1/phone", "/contacts/2/name", "/contacts/3/dates/生日", "/contacts/3/colour", "/contacts/4", "/contacts/5/phone",
        "/contacts/6/email", "/contacts/6/groups", "/contacts/6/consents/0", "/contacts/7", "/contacts/8",
    }  # fmt: skip
    assert await everybody(database) == []


async def test_what_contradicts_a_known_customer_is_refused(api: Api, database: Database) -> None:
    await api.call("PUT", "/contacts/C1", {"name": "王芳", "phone": "13800138000"}, status=201)
    body = await api.call("POST", "/contacts", {"contacts": [{"name": "新人", "phone": "13500135000"}, {"name": "李强", "phone": "13800138000"}]}, status=409)
    assert body["errors"][0]["path"] == "/contacts/1" and len(await everybody(database)) == 1


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[" * 100_000, b'{"name": NaN}'])
async def test_what_is_no_json_is_told(api: Api, body: bytes) -> None:
    assert "JSON" in (await api.call("PUT", "/contacts/C1", body, status=400))["title"]


async def test_a_body_too_large_is_refused(api: Api) -> None:
    await api.call("POST", "/contacts", b" " * (9 * 1024 * 1024), status=413)


async def test_a_repeated_call_is_answered_and_not_done_again(api: Api, database: Database) -> None:
    calls = [api.call("POST", "/contacts", {"contacts": [WANG]}, Idempotency_Key="a") for _ in range(3)]
    answers = await asyncio.gather(*calls)
    assert answers[0] == answers[1] == answers[2] and answers[0]["created"] == 1
    async with database.session() as session:
        assert len((await session.scalars(select(Import))).all()) == 1
    body = await api.call("POST", "/contacts", {"contacts": [{**WANG, "title": ""}]}, status=422, Idempotency_Key="a")
    assert "Idempotency-Key" in body["title"]


async def test_a_call_that_failed_may_be_mended_under_its_key(api: Api, database: Database) -> None:
    await api.call("POST", "/contacts", {"contacts": [{"name": ""}]}, status=422, Idempotency_Key="b")
    await api.call("POST", "/contacts", {"contacts": [WANG]}, Idempotency_Key="b")


async def test_too_many_calls_are_told_to_wait(api: Api, database: Database) -> None:
    await api.call("GET", "/contacts/C1/result", status=404)
    async with database.session() as session:  # the bucket is empty, and takes an hour before anything drips into it
        taken = await session.scalars(text("UPDATE rate_buckets SET tokens = 0, at = clock_timestamp() + interval '1 hour' RETURNING key"))
        assert len(taken.all()) == 1
    async with api.client.get(f"{PREFIX}/contacts/C1/result", headers={"Authorization": f"Bearer {api.secret}"}) as answer:
        assert (answer.status, int(answer.headers["Retry-After"]) >= 1) == (429, True)


async def test_an_event_is_a_date_of_the_customer(api: Api, database: Database) -> None:
    await api.call("POST", "/contacts/C1/events", {"name": "签收日期"}, status=404)
    await api.call("PUT", "/contacts/C1", {"name": "王芳", "phone": "13800138000"}, status=201)
    assert (await api.call("POST", "/contacts/C1/events", {"name": "签收日期"}))["at"] == "2026-11-20 10:00"
    await api.call("POST", "/contacts/C1/events", {"name": "购车日期", "at": "2026-11-19T02:00:00Z"})
    assert (await everybody(database))[0].fields == {"签收日期": "2026-11-20 10:00", "购车日期": "2026-11-19 10:00"}
    body = await api.call("POST", "/contacts/C1/events", {"name": "", "at": "13/13/2026"}, status=422)
    assert {error["path"] for error in body["errors"]} == {"/name", "/at"}


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"fields": {"备注": "客户说了，请勿再打电话"}}, "“备注”写着“客户说了，请勿再打电话”"),
        ({"fields": {"是否免打扰": True}}, "“是否免打扰”是“是”"),
        ({"fields": {"标签": "已故"}}, "“标签”写着“已故”"),
        ({"groups": ["VIP", "黑名单"]}, "“客户分组”写着“黑名单”"),
        ({"dates": {"出生日期": "2012-03-05"}}, "未成年人，14 岁"),
    ],
)
async def test_data_that_say_so_stop_the_customer_as_they_do_in_a_file(api: Api, database: Database, said: dict[str, Any], words: str) -> None:
    agreed = [{"channel": "sms", "given": True, "source": "合同"}]
    await api.call("PUT", "/contacts/C1", {"name": "王芳", "phone": "13800138000", "consents": agreed}, status=201)
    again = await api.call("PUT", "/contacts/C1", {"name": "王芳", "phone": "13800138000", "consents": agreed, **said})
    assert again["do_not_contact"] == 1
    found = await api.call("GET", "/contacts/C1/result")
    assert found["do_not_contact"] and found["consents"] == {"sms": False}
    async with database.session() as session:
        (entry,) = await session.scalars(select(DoNotContact))
    assert (entry.source, entry.reason) == ("api", f"客户系统的资料里{words}")


async def test_among_many_only_who_is_meant_is_stopped_and_other_remarks_stop_nobody(api: Api) -> None:
    people = [{"name": "王芳", "external_id": "C1", "fields": {"备注": "勿扰"}}, {"name": "李强", "external_id": "C2", "fields": {"备注": "周末联系", "是否免打扰": False}}]
    assert (await api.call("POST", "/contacts", {"contacts": people}))["do_not_contact"] == 1
    assert [(await api.call("GET", f"/contacts/{one}/result"))["do_not_contact"] for one in ("C1", "C2")] == [True, False]


async def test_a_birthday_to_come_is_told_at_its_place(api: Api) -> None:
    answer = await api.call("PUT", "/contacts/C1", {"name": "王芳", "dates": {"生日": "2027-01-01"}}, status=422)
    assert [error["path"] for error in answer["errors"]] == ["/dates"] and "在将来" in answer["errors"][0]["message"]


async def test_do_not_contact_takes_the_consents_back_and_is_recorded(api: Api, database: Database) -> None:
    agreed = [{"channel": "sms", "given": True, "source": "合同", "text_version": "1"}]
    await api.call("PUT", "/contacts/C1", {"name": "王芳", "phone": "13800138000", "consents": agreed}, status=201)
    assert (await api.call("GET", "/contacts/C1/result"))["consents"] == {"sms": True}
    assert (await api.call("POST", "/contacts/C1/do-not-contact", {"reason": "不要联系"}))["added"]
    assert not (await api.call("POST", "/contacts/C1/do-not-contact", {"reason": "不要联系"}))["added"]
    assert (await api.call("POST", "/do-not-contact", {"phone": "13900139000", "reason": "名单"}))["added"]
    await api.call("POST", "/do-not-contact", {"phone": "123", "reason": "名单"}, status=422)
    found = await api.call("GET", "/contacts/C1/result")
    assert found["do_not_contact"] and found["consents"] == {"sms": False}
    async with database.session() as session:
        assert len((await session.scalars(select(DoNotContact))).all()) == 2
        assert len((await session.scalars(select(Consent))).all()) == 2
        assert (await session.scalars(select(AuditEntry.action))).all() == ["block.add", "block.add"]


async def test_the_result_tells_talks_and_answers(api: Api, database: Database) -> None:
    await api.call("PUT", "/contacts/C1", {"name": "王芳", "phone": "13800138000"}, status=201)
    async with database.session() as session:
        revision = await records.save_revision(session, "tea", "1", {"id": "tea", "questions": []})
        case_id = await records.create_case(session, (await session.scalars(select(Contact.id))).one(), revision)
        session.add(Answer(case_id=case_id, question_id="price", value="满意", words="还不错", how="scale3:word"))
    (talk,) = (await api.call("GET", "/contacts/C1/result"))["talks"]
    assert talk["id"] == case_id and talk["answers"] == [{"question": "price", "value": "满意", "words": "还不错"}]


async def test_an_unknown_address_is_told_in_json(api: Api) -> None:
    headers = {"Authorization": f"Bearer {api.secret}"}
    for method, path, status in (("GET", "/nothing", 404), ("GET", "/contacts", 405)):
        async with api.client.request(method, PREFIX + path, headers=headers) as answer:
            assert answer.status == status and answer.content_type == "application/problem+json"
