"""The whole stack: what it opens to whom, and that a killed process costs nobody an answer."""

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import psutil
import pytest
from sqlalchemy import text

from followup.store.database import Database
from followup.supervise import runfile
from followup.supervise.runfile import AlreadyRunning
from followup.supervise.stack import Stack
from .talking import REPLIES, Browser, new_talk

KILLS = 20 if os.environ.get("FOLLOWUP_LONG_TESTS") else 1


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with Stack.temporary(most_backoff=0.1) as running:
        yield running


@pytest.mark.parametrize("part", ["actions", "worker", "web", "rasa"])
@pytest.mark.timeout(1800)
async def test_a_kill_in_the_middle_of_a_turn_loses_nothing_and_doubles_nothing(stack: Stack, part: str) -> None:
    database = Database(stack.database_url)
    assert stack.web_url is not None
    try:
        for number in range(KILLS):
            case_id, token = await new_talk(database)
            async with Browser.opening(stack.web_url, token) as browser:
                for turn, words in enumerate(REPLIES):
                    message_id = await browser.send(words)
                    if turn == 1 + number % (len(REPLIES) - 1):
                        # At another point of the turn each time.
                        await asyncio.sleep(0.01 * (number % 10))
                        _kill(stack, part)
                    assert await browser.reply_after(message_id)
            await _finished_once(database, case_id)
            await asyncio.to_thread(stack.wait_ready, part)
    finally:
        await database.close()


def test_only_loopback_is_listened_on(stack: Stack) -> None:
    for name, pid in stack.pids().items():
        listening = [c for c in psutil.Process(pid).net_connections() if c.status == psutil.CONN_LISTEN]
        assert {connection.laddr.ip for connection in listening} <= {"127.0.0.1"}, name


async def test_rasa_has_its_channel_and_nothing_else(stack: Stack) -> None:
    async with aiohttp.ClientSession(headers={"Origin": "https://elsewhere.example"}) as http:
        async with http.get(f"{stack.rasa_url}/webhooks/rest/") as response:
            assert response.status == 200
            assert "Access-Control-Allow-Origin" not in response.headers
        for path in ("/status", "/domain", "/conversations/x/tracker"):
            async with http.get(f"{stack.rasa_url}{path}") as response:
                assert response.status == 404, path


async def test_other_sites_may_not_call_the_actions(stack: Stack) -> None:
    async with aiohttp.ClientSession(headers={"Origin": "https://elsewhere.example"}) as http:
        async with http.get(f"{stack.action_url}/health") as response:
            assert response.status == 200
            assert "Access-Control-Allow-Origin" not in response.headers


@pytest.mark.parametrize("part", ["actions", "worker", "web"])
def test_only_rasa_pays_for_tensorflow(stack: Stack, part: str) -> None:
    assert "tensorflow" not in Path(f"/proc/{stack.pids()[part]}/maps").read_text()


def test_the_running_stack_is_described_for_other_commands(stack: Stack) -> None:
    running = runfile.read(stack.settings.home)
    assert running is not None
    assert running.rasa_url == stack.rasa_url
    assert running.pids == stack.pids()


def test_a_second_stack_for_the_same_directory_is_refused(stack: Stack) -> None:
    with pytest.raises(AlreadyRunning, match="已有一个回访服务在运行"):
        with Stack(stack.settings):
            pass


def test_the_logs_hold_no_words_of_customers(stack: Stack) -> None:
    """After the talks above, kills and all."""
    for log in (stack.settings.home / "log").iterdir():
        found = log.read_text("utf-8", "replace")
        assert not [words for words in REPLIES[1:] if words in found], log.name


def _kill(stack: Stack, part: str) -> None:
    if (pid := stack.pids().get(part)) is not None:
        os.kill(pid, signal.SIGKILL)


async def _finished_once(database: Database, case_id: str) -> None:
    async with database.session() as session:
        outcome = await session.scalar(text("SELECT outcome FROM cases WHERE id = :id"), {"id": case_id})
        answers = await session.execute(
            text("SELECT question_id, count(*) FROM answers WHERE case_id = :id GROUP BY 1"), {"id": case_id}
        )
        said = await session.scalar(
            text("SELECT count(*) FROM messages WHERE case_id = :id AND direction = 'in'"), {"id": case_id}
        )
        counts = {question: count for question, count in answers}
    assert outcome == "completed"
    assert len(counts) == 5 and set(counts.values()) == {1}
    assert said == len(REPLIES)
