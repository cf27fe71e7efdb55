"""Model versions with made-up reports, and machines that serve them: what the pages of models show."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func

from followup.settings import PROJECT_DIR
from followup.store.database import Database
from followup.store.training_models import ModelServer, ModelVersion
from followup.supervise.model import code_hash
from followup.training import versions
from followup.training.bounds import load_rules
from followup.training.obstacles import obstacles

_EMPTY: dict[str, Any] = {"lines": 0, "live": None, "candidate": None, "intents": [], "flips": []}


def flip(text: str, intent: str, live: str, now: str, **more: Any) -> dict[str, Any]:
    """A frozen line, or with `message_id` a customer's."""
    better = True if now == intent else False if live == intent else None
    said = more or {"text": text}
    return {**said, "set": "corrected" if more else "replies", "intent": intent, "live": [live, 0.61], "candidate": [now, 0.93], "better": better}


def figures(accuracy: float, calibration: float = 0.02) -> dict[str, float]:
    return {"accuracy": accuracy, "macro_recall": accuracy - 0.01, "calibration_error": calibration}


def report(*, accuracy: float = 0.955, flips: list[dict[str, Any]] | None = None, corrected: list[dict[str, Any]] | None = None, **parts: Any) -> dict[str, Any]:
    """What a comparison leaves, against a live model that is right in 95 % of 3,550 lines; blocked as the product's bounds say."""
    told: dict[str, Any] = {
        "compared_with": None,
        "frozen": {
            "lines": 3550,
            "live": figures(0.95),
            "candidate": figures(accuracy),
            "intents": [
                {"intent": "consent", "lines": 90, "recall": [0.97, 0.97], "precision": [0.96, 0.96]},
                {"intent": "driving", "lines": 60, "recall": [0.90, 0.95], "precision": [0.98, 0.99]},
                {"intent": "faq/eat_pear", "lines": 30, "recall": [0.93, 0.90], "precision": [0.91, 0.92]},
            ],
            "flips": [flip("我在高速上呢", "driving", "busy", "driving"), flip("吃梨拉肚子吗", "faq/eat_pear", "faq/eat_pear", "unwell")] if flips is None else flips,
        },
        "corrected": {**_EMPTY, "lines": len(corrected), "live": figures(0.8), "candidate": figures(0.9), "flips": corrected} if corrected else _EMPTY,
        "speed": {"live_ms": 1.21, "candidate_ms": 1.3, "ratio": 1.07},
        "probe": [],
        "talks": {"played": 792, "broken": [], "failing": []},
        "seconds": {},
        **parts,
    }
    told["blocked"] = obstacles(told, load_rules(PROJECT_DIR).bounds)
    return told


async def a_version(database: Database, told: dict[str, Any] | None = None, *, by: int | None = None, state: str = "", **values: Any) -> int:
    """One that could go live, with its file; ready or blocked as its report says."""
    async with database.session() as session:
        row = ModelVersion(
            state=state or ("blocked" if told and told["blocked"] else "ready"), phase="done", by_user_id=by, code_hash=code_hash(PROJECT_DIR), digest=versions.digest_of(b"x"),
            archive=b"x", size=3_100_000, report=told, finished_at=func.now(), started_at=func.now() - timedelta(minutes=3),
            trained_on={"source": "training", "examples": 29682, "intents": 96, "files": ["a.yml", "b.yml"], "changes": [1, 2]} if told else {"source": "files"},
        )  # fmt: skip
        for name, value in values.items():
            setattr(row, name, value)
        session.add(row)
        await session.flush()
        return row.id


async def a_machine(database: Database, name: str = "web-1", version: int | None = None, *, state: str = "live", deployment: int | None = None, error: str = "", seen_at: datetime | None = None) -> None:
    """What `followup up` of that machine says, once more when it has changed."""
    async with database.session() as session:
        row = await session.get(ModelServer, name) or ModelServer(id=name, name=name)
        row.version_id, row.state, row.deployment_id, row.error, row.seconds = version, state, deployment, error, 11.8
        row.seen_at = seen_at or func.now()  # type: ignore[assignment]
        session.add(row)
