"""/metrics: closed without its token, true with it, and nothing of any customer on it."""

from __future__ import annotations

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from followup.settings import Settings, SettingsError, load_settings
from followup.web.app import make_app
from followup.web.metrics import METRICS, Counts

TOKEN = "a-token-of-the-monitoring"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}


@pytest_asyncio.fixture
async def server(database_url, tmp_path):
    server = TestServer(make_app(Settings(home=tmp_path, database_url=database_url, secret="t" * 40, metrics_token=TOKEN)))
    await server.start_server()
    yield server
    await server.close()


async def samples(client: TestClient) -> dict[tuple[str, ...], float]:
    """(name, label values ...) -> value"""
    answer = await client.get("/metrics", headers=HEADERS)
    assert answer.status == 200 and answer.content_type == "text/plain"
    families = text_string_to_metric_families(await answer.text())
    return {(one.name, *one.labels.values()): one.value for family in families for one in family.samples}


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer "}, {"Authorization": "Basic 密"}])
async def test_without_the_token_there_is_nothing(visitor, headers):
    answer = await visitor.get("/metrics", headers=headers)
    assert answer.status == 404 and "followup_" not in await answer.text()


async def test_without_a_setting_it_is_closed(database_url, tmp_path):
    async with TestClient(TestServer(make_app(Settings(home=tmp_path, database_url=database_url, secret="t" * 40)))) as client:
        assert (await client.get("/metrics", headers={"Authorization": "Bearer "})).status == 404


async def test_what_waits_and_what_was_answered_is_counted(client, talk, database):
    # The opening waits for a worker, and so does the customer's line.
    line = {"client_msg_id": "number-one", "text": "这句话谁也不该在监控里看到"}
    assert (await client.post("/chat/messages", json=line)).status == 202
    found = await samples(client)
    assert found["followup_messages_waiting",] == 2
    assert found["followup_messages_waiting_seconds",] >= 0
    assert found["followup_jobs", "todo"] >= 1
    assert found["followup_jobs", "failed"] == found["followup_workers_alive",] == found["followup_tickets", "overdue"] == 0
    assert found["followup_part_up", "database"] == 1 and found["followup_part_up", "rasa"] == 0
    assert found["followup_http_requests_total", "POST", "/chat/messages", "202"] == 1
    assert found["followup_http_requests_total", "POST", "/c/{token}/start", "303"] == 1
    assert found["followup_http_request_seconds_count", "/chat/messages"] == 1
    page = await (await client.get("/metrics", headers=HEADERS)).text()
    assert not [word for word in (talk.token, talk.case_id, "监控", "127.0.0.1") if word in page]


async def test_every_figure_of_the_product_is_there_from_the_beginning(visitor):
    found = {name for name, *_ in await samples(visitor)}
    assert {"followup_messages_failed", "followup_deliveries", "followup_talks_open", "followup_takeovers", "followup_callbacks_due"} <= found


async def test_without_the_database_no_old_figure_is_told(visitor, database):
    assert ("followup_talks_open",) in await samples(visitor)
    async with database.session() as session:
        await session.execute(text("ALTER TABLE callbacks RENAME TO callbacks_gone"))
    visitor.server.app[METRICS].counts.forget()  # as after five seconds
    assert ("followup_talks_open",) not in await samples(visitor)


async def test_two_looks_within_five_seconds_ask_the_database_once(database):
    now = 100.0
    counts = Counts(lambda: now)
    await counts.renew(database)
    async with database.session() as session:
        await session.execute(text("ALTER TABLE callbacks RENAME TO callbacks_gone"))
    now += 4.9
    await counts.renew(database)
    assert [family.name for family in counts.collect()]
    now += 0.2
    with pytest.raises(DBAPIError):
        await counts.renew(database)


def test_a_short_token_is_refused_without_repeating_it():
    with pytest.raises(SettingsError, match="FOLLOWUP_METRICS_TOKEN") as error:
        load_settings({"FOLLOWUP_METRICS_TOKEN": "short"})
    assert "short" not in str(error.value)
