"""The whole stack: what it opens to whom, and what it leaves in its logs. Kills: tests/integration/faults, tests/long."""

from pathlib import Path

import aiohttp
import psutil
import pytest

from followup.store.database import Database
from followup.supervise import runfile
from followup.supervise.runfile import AlreadyRunning
from followup.supervise.stack import Stack
from tests.integration.faults.kills import Killing
from tests.integration.faults.talk import REPLIES, as_it_should_be


def test_only_loopback_is_listened_on(running_stack: Stack) -> None:
    for name, pid in running_stack.pids().items():
        listening = [c for c in psutil.Process(pid).net_connections() if c.status == psutil.CONN_LISTEN]
        assert {connection.laddr.ip for connection in listening} <= {"127.0.0.1"}, name


async def test_rasa_has_its_channel_and_nothing_else(running_stack: Stack) -> None:
    async with aiohttp.ClientSession(headers={"Origin": "https://elsewhere.example"}) as http:
        async with http.get(f"{running_stack.rasa_url}/webhooks/rest/") as response:
            assert response.status == 200
            assert "Access-Control-Allow-Origin" not in response.headers
        for path in ("/status", "/domain", "/conversations/x/tracker"):
            async with http.get(f"{running_stack.rasa_url}{path}") as response:
                assert response.status == 404, path


async def test_other_sites_may_not_call_the_actions(running_stack: Stack) -> None:
    async with aiohttp.ClientSession(headers={"Origin": "https://elsewhere.example"}) as http:
        async with http.get(f"{running_stack.action_url}/health") as response:
            assert response.status == 200
            assert "Access-Control-Allow-Origin" not in response.headers


@pytest.mark.parametrize("part", ["actions", "worker", "web"])
def test_only_rasa_pays_for_tensorflow(running_stack: Stack, part: str) -> None:
    assert "tensorflow" not in Path(f"/proc/{running_stack.pids()[part]}/maps").read_text()


def test_the_running_stack_is_described_for_other_commands(running_stack: Stack) -> None:
    running = runfile.read(running_stack.settings.home)
    assert running is not None
    assert running.rasa_url == running_stack.rasa_url
    assert running.pids == running_stack.pids()


def test_a_second_stack_for_the_same_directory_is_refused(running_stack: Stack) -> None:
    with pytest.raises(AlreadyRunning, match="已有一个回访服务在运行"):
        with Stack(running_stack.settings):
            pass


async def test_the_logs_hold_no_words_of_customers(running_stack: Stack) -> None:
    database = Database(running_stack.database_url)
    try:
        as_it_should_be(await Killing(running_stack, database, "worker").hold_talk())
    finally:
        await database.close()
    for log in (running_stack.settings.home / "log").iterdir():
        found = log.read_text("utf-8", "replace")
        assert not [words for words in REPLIES[1:] if words in found], log.name
