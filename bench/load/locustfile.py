"""Customers of the web chat for locust, which runs in an environment of its own: nothing of the product is imported here.

An open model: talks arrive at the plan's rate, however slow the answers are. FOLLOWUP_LOAD_PLAN names a JSON file:
{"base", "seconds", "pause", "seed", "patience", "talks": [{"token", "turns": [{"text", "wanted", "unwanted"}]}]}.
"""

from __future__ import annotations

import json
import os
import random
import secrets
import time
from typing import Any

import gevent
import gevent.event
import requests
from gevent.queue import Empty, Queue
from locust import User, constant, events, task

with open(os.environ["FOLLOWUP_LOAD_PLAN"], encoding="utf-8") as file:
    PLAN: dict[str, Any] = json.load(file)
OVER = gevent.event.Event()
"""No further talks, and none goes on."""


class Wrong(Exception):
    """The answer is not what the script says."""


class Talk:
    """One customer with a page that is open."""

    def __init__(self, environment: Any, plan: dict[str, Any], dice: random.Random) -> None:
        self._environment = environment
        self._plan = plan
        self._dice = dice
        self._http = requests.Session()
        self._http.trust_env = False
        self._lines: Queue[tuple[float, str]] = Queue()
        self._heard = 0

    def hold(self) -> None:
        listener = None
        try:
            with self._timed("POST", "link opened"):
                answer = self._http.post(f"{PLAN['base']}/c/{self._plan['token']}/start", allow_redirects=False, timeout=60)
                if answer.status_code != 303:
                    raise Wrong(f"status {answer.status_code}")
            listener = gevent.spawn(self._listen)
            with self._timed("TURN", "opening") as began:
                began.said(self._answer())
            for turn in self._plan["turns"]:
                if OVER.wait(self._dice.uniform(0.5, 1.5) * PLAN["pause"]):
                    return
                self._say(turn)
        except (Wrong, requests.RequestException, KeyError, ValueError):
            return  # counted where it happened
        finally:
            if listener is not None:
                listener.kill()
            self._http.close()

    def _say(self, turn: dict[str, Any]) -> None:
        began = time.perf_counter()
        with self._timed("POST", "message acknowledged"):
            body = {"client_msg_id": secrets.token_hex(8), "text": turn["text"]}
            answer = self._http.post(f"{PLAN['base']}/chat/messages", json=body, timeout=60)
            if answer.status_code != 202:
                raise Wrong(f"status {answer.status_code}")
        with self._timed("TURN", "answer", began) as timed:
            at, text = self._answer()
            timed.said((at, text))
            if not text.strip():
                raise Wrong("empty answer")
            if turn["wanted"] not in text:
                raise Wrong("the right question was not asked")
            if any(question in text for question in turn["unwanted"]):
                raise Wrong("a question was asked that was not its turn")

    def _answer(self) -> tuple[float, str]:
        """When the answer's first line came, and all its lines; they are committed together."""
        try:
            at, text = self._lines.get(timeout=PLAN["patience"])
        except Empty:
            raise Wrong("no answer") from None
        texts = [text]
        while True:
            try:
                texts.append(self._lines.get(timeout=0.15)[1])
            except Empty:
                return at, "\n".join(texts)

    def _listen(self) -> None:
        while True:
            try:
                headers = {"Last-Event-ID": str(self._heard)}
                with self._http.get(f"{PLAN['base']}/chat/events", stream=True, headers=headers, timeout=60) as stream:
                    self._read(stream)
            except requests.RequestException:
                gevent.sleep(1)

    def _read(self, stream: Any) -> None:
        kind = "message"
        for raw in stream.iter_lines(chunk_size=1):
            line = raw.decode()
            if line.startswith("id: "):
                self._heard = max(self._heard, int(line[4:]))
            elif line.startswith("event: "):
                kind = line[7:]
            elif line.startswith("data: ") and kind == "message":
                data = json.loads(line[6:])
                if data["direction"] == "out":
                    self._lines.put((time.perf_counter(), data["text"]))
            elif not line:
                kind = "message"

    def _timed(self, kind: str, name: str, began: float | None = None) -> _Timed:
        return _Timed(self._environment, kind, name, began)


class _Timed:
    """Reports one request to locust: its time, and what was wrong with it."""

    def __init__(self, environment: Any, kind: str, name: str, began: float | None) -> None:
        self._environment, self._kind, self._name = environment, kind, name
        self._began = time.perf_counter() if began is None else began
        self._ended: float | None = None

    def said(self, answer: tuple[float, str]) -> None:
        self._ended = answer[0]

    def __enter__(self) -> _Timed:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is not None and not isinstance(error, Exception):
            return  # the run is over
        self._environment.events.request.fire(
            request_type=self._kind,
            name=self._name,
            response_time=1000 * ((self._ended or time.perf_counter()) - self._began),
            response_length=0,
            exception=error,
            context={},
        )


def _arrive(environment: Any) -> None:
    dice = random.Random(PLAN["seed"])
    talks = PLAN["talks"]
    rate = len(talks) / PLAN["seconds"]
    holding = []
    at = time.monotonic()
    for number, plan in enumerate(talks):
        at += dice.expovariate(rate)
        gevent.sleep(max(0.0, at - time.monotonic()))
        holding.append(gevent.spawn(Talk(environment, plan, random.Random(PLAN["seed"] + number)).hold))
    gevent.joinall(holding, timeout=PLAN["linger"])
    OVER.set()
    gevent.joinall(holding, timeout=PLAN["patience"] + 5)
    gevent.killall(holding)
    environment.runner.quit()


@events.test_start.add_listener
def _start(environment: Any, **_: Any) -> None:
    gevent.spawn(_arrive, environment)


class Clock(User):
    """Locust wants a user; the customers are those that arrive."""

    wait_time = constant(1)
    fixed_count = 1

    @task
    def nothing(self) -> None:
        return None
