from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from followup.channels.alerts import NotTold, apprise_way
from followup.settings import load_settings
from followup.talk.worker import telling


class Robot:
    """A service that takes what Apprise sends as JSON."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.status, self.pause = 200, 0.0
        robot = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                robot.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                time.sleep(robot.pause)
                self.send_response(robot.status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"json://127.0.0.1:{self.server.server_port}/robot-key"


@pytest.fixture
def robot() -> Iterator[Robot]:
    made = Robot()
    yield made
    made.server.shutdown()
    made.server.server_close()


async def test_staff_are_told_in_chinese(robot: Robot) -> None:
    await apprise_way([robot.url])("回访任务“三日回访”已自动暂停：短信余额不足。")
    assert (robot.got[0]["title"], robot.got[0]["message"]) == ("客户回访系统提醒", "回访任务“三日回访”已自动暂停：短信余额不足。")


async def test_one_address_that_is_wrong_does_not_keep_the_others_from_being_told(robot: Robot, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(NotTold) as error:
        await apprise_way(["nonsense://secret-key", "json://127.0.0.1:1/secret-key", robot.url])("有事")
    assert len(robot.got) == 1 and "2 of 3" in str(error.value)
    assert "secret-key" not in caplog.text + str(error.value)


async def test_a_service_that_refuses_or_hangs_is_a_failure(robot: Robot) -> None:
    robot.status = 500
    with pytest.raises(NotTold):
        await apprise_way([robot.url])("有事")
    robot.pause = 1.5
    with pytest.raises(TimeoutError):
        await apprise_way([robot.url], timeout=0.2)("有事")


async def test_the_worker_tells_the_addresses_of_the_settings(robot: Robot) -> None:
    tell = telling(load_settings({"FOLLOWUP_ALERT_URLS": f"{robot.url} json://127.0.0.1:1/x"}))
    await tell("campaign_paused", campaign=7, why="短信余额不足")
    assert [one["message"] for one in robot.got] == ["回访任务“7”已自动暂停：短信余额不足。"]
