"""GET /metrics, for Prometheus: what waits, what failed, which parts live. No customer, no word, no address.

Closed (404) without FOLLOWUP_METRICS_TOKEN; with it, for whoever sends it as a bearer token. Counts of the whole product come from the database
in one statement, and are kept for five seconds; counts of requests are this process's own.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Awaitable, Callable, Iterator

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from followup import clock
from followup.store.database import Database
from followup.web.fanout import Fanout
from followup.web.health import Health
from followup.web.keys import DATABASE, FANOUT, HEALTH, SETTINGS
from followup.web.security import route_of

_KEEP_SECONDS = 5.0
_STREAMS = ("/chat/events", "/console/live/events", "/console/live/{case_id}/events")
"""Answers that never end: how long they take says nothing."""
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

# name -> (help, label or None)
_COUNTED = {
    "followup_messages_waiting": ("Customers' messages that have no answer yet", None),
    "followup_messages_waiting_seconds": ("Age of the oldest of them", None),
    "followup_messages_failed": ("Messages of the last day that were given up: staff must answer", None),
    "followup_jobs": ("Jobs of the worker, by state", "state"),
    "followup_workers_alive": ("Workers that were heard of in the last 35 s", None),
    "followup_deliveries": ("Messages to customers on their way out, by state; unknown: staff must look", "state"),
    "followup_talks_open": ("Talks under way", None),
    "followup_takeovers": ("Talks held by a colleague", None),
    "followup_callbacks_due": ("Call-backs that are due and were not taken up", None),
    "followup_tickets": ("Unfinished tickets, in time and overdue", "state"),
}
_COUNT = text(
    """
WITH waiting AS (SELECT count(*) AS n, extract(epoch FROM :at - min(created_at)) AS age FROM messages WHERE status = 'received'),
     unfinished AS (SELECT due_at < :at AS late, count(*) AS n FROM tickets WHERE status IN ('open', 'working') GROUP BY 1)
SELECT 'followup_messages_waiting' AS name, '' AS label, n::float AS value FROM waiting
UNION ALL SELECT 'followup_messages_waiting_seconds', '', greatest(coalesce(age, 0), 0)::float FROM waiting
UNION ALL SELECT 'followup_messages_failed', '', count(*) FROM notes WHERE kind = 'unanswered' AND created_at > :at - interval '1 day'
UNION ALL SELECT 'followup_jobs', status::text, count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing', 'failed') GROUP BY status
UNION ALL SELECT 'followup_workers_alive', '', count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - interval '35 seconds'
UNION ALL SELECT 'followup_deliveries', status, count(*) FROM deliveries WHERE status IN ('queued', 'sending', 'unknown') GROUP BY status
UNION ALL SELECT 'followup_talks_open', '', count(*) FROM cases WHERE status = 'open'
UNION ALL SELECT 'followup_takeovers', '', count(*) FROM take_overs WHERE ended_at IS NULL
UNION ALL SELECT 'followup_callbacks_due', '', count(*) FROM callbacks WHERE status = 'due'
UNION ALL SELECT 'followup_tickets', CASE WHEN late THEN 'overdue' ELSE 'in_time' END, n FROM unfinished
"""
)
_STATES = {
    "followup_jobs": ("todo", "doing", "failed"),
    "followup_deliveries": ("queued", "sending", "unknown"),
    "followup_tickets": ("in_time", "overdue"),
}


class Counts:
    """The last counts of the database, (name, label) -> value; none when it could not be asked: old figures are worse than none."""

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._values: dict[tuple[str, str], float] = {}
        self._at = float("-inf")

    def collect(self) -> Iterator[Metric]:
        """Prometheus's registry asks for it."""
        for name, (what, label) in _COUNTED.items() if self._values else ():
            family = GaugeMetricFamily(name, what, labels=[label] if label else None)
            for state in _STATES.get(name, ("",)):
                family.add_metric([state] if label else [], self._values.get((name, state), 0.0))
            yield family

    async def renew(self, database: Database) -> None:
        """In one statement, and not more often than every five seconds."""
        if self._seconds() - self._at < _KEEP_SECONDS:
            return
        async with database.session() as session:
            rows = (await session.execute(_COUNT, {"at": clock.now()})).all()
        self._values, self._at = {(name, label): float(value) for name, label, value in rows}, self._seconds()

    def forget(self) -> None:
        self._values, self._at = {}, float("-inf")


class Metrics:
    """What this process counts, and the counts of the database."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.counts = Counts()
        self._registry.register(self.counts)  # type: ignore[arg-type]
        names = ("method", "route", "status")
        self._requests = Counter("followup_http_requests", "Requests answered by this process", names, registry=self._registry)
        self._seconds = Histogram("followup_http_request_seconds", "Time of a request", ("route",), buckets=_SECONDS, registry=self._registry)
        self._streams = Gauge("followup_streams", "Pages that listen to this process", registry=self._registry)
        self._up = Gauge("followup_part_up", "1 when the part answers (as in /healthz)", ("part",), registry=self._registry)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request. `route`: the pattern, never what a customer's address holds."""
        self._requests.labels(method, route, str(status)).inc()
        if route not in _STREAMS:
            self._seconds.labels(route).observe(seconds)

    async def page(self, database: Database, health: Health, fanout: Fanout) -> bytes:
        """The whole page. Without the database its counts are missing, and `followup_part_up` says why."""
        report = await health.report()
        for part, state in report.parts.items():
            self._up.labels(part).set(state == "ok")
        self._streams.set(fanout.open)
        try:
            await self.counts.renew(database)
        except (SQLAlchemyError, OSError):
            self.counts.forget()
        return generate_latest(self._registry)


METRICS = web.AppKey("metrics", Metrics)


@web.middleware
async def counted(request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> web.StreamResponse:
    """Outermost: what is counted is what the customer gets."""
    began, status = time.monotonic(), 0
    try:
        answer = await handler(request)
        status = answer.status
    except web.HTTPException as redirect:
        status = redirect.status
        raise
    finally:
        if status:  # else the customer went away
            request.config_dict[METRICS].answered(request.method, route_of(request), status, time.monotonic() - began)
    return answer


async def metrics(request: web.Request) -> web.Response:
    """GET /metrics"""
    wanted = request.app[SETTINGS].metrics_token
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not wanted or not hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode()):
        raise web.HTTPNotFound
    page = await request.app[METRICS].page(request.app[DATABASE], request.app[HEALTH], request.app[FANOUT])
    return web.Response(body=page, headers={"Content-Type": CONTENT_TYPE_LATEST})
