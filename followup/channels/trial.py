"""FOLLOWUP_SMS=fake: short messages for trying things out 演示. Nothing leaves the machine; the last ones can be read here."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from followup import clock
from followup.channels import Accepted, Invitation
from followup.channels.codes import halves
from followup.channels.sms import CHANNEL, checked, mobile
from followup.channels.wording import load_wording

KEPT = 200
"""Messages; older ones are dropped."""


@dataclass(frozen=True, slots=True)
class TrialMessage:
    at: str
    """ISO 8601"""
    to: str
    text: str
    delivery_id: int


class TrialSms:
    """Refuses what a real provider would refuse, and writes the rest into a file."""

    channel = CHANNEL
    provider = "fake"

    def __init__(self, home: Path, public_url: str) -> None:
        self._path, self._public_url = path_of(home), public_url

    async def send(self, invitation: Invitation) -> Accepted:
        to = mobile(invitation.to)
        first, second = halves(checked({"code": invitation.code})["code"])
        words = load_wording().sms
        text = words.get(invitation.kind, words["first"]).format(
            company=invitation.company, address=f"{self._public_url}/s", code=f"{first}-{second}"
        )
        await asyncio.to_thread(self._keep, TrialMessage(clock.now().isoformat(), to, text, invitation.delivery_id))
        return Accepted(f"fake-{invitation.delivery_id}")

    def _keep(self, message: TrialMessage) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(json.dumps(asdict(message), ensure_ascii=False) + "\n")
        lines = self._path.read_text(encoding="utf-8").splitlines(keepends=True)
        if len(lines) > 2 * KEPT:
            draft = self._path.with_suffix(f".{os.getpid()}")
            draft.touch(mode=0o600)
            draft.write_text("".join(lines[-KEPT:]), encoding="utf-8")
            draft.replace(self._path)


def path_of(home: Path) -> Path:
    return home / "demo" / "sms.jsonl"


def trial_messages(home: Path) -> list[TrialMessage]:
    """The last messages, newest first."""
    try:
        lines = path_of(home).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    return [TrialMessage(**json.loads(line)) for line in reversed(lines[-KEPT:])]
