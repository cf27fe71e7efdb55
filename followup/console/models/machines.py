"""What each machine serves, and how far it is with what is wanted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from followup.console.labels import label
from followup.store.training_models import ModelServer
from followup.training.versions import Wanted, alive, wanted


@dataclass(frozen=True, slots=True)
class Machine:
    """One installation. `version` None: the model of the files; `state` is named in labels.yml (model_machines)."""

    name: str
    version: int | None
    state: str
    error: str
    seconds: float | None
    """How long its last switch took."""
    changed_at: datetime

    @property
    def state_label(self) -> str:
        return label(self.state, "model_machines")


@dataclass(frozen=True, slots=True)
class Machines:
    """All of them, and what they shall serve."""

    wanted: Wanted | None
    machines: tuple[Machine, ...]
    waited: float
    """Seconds since it is wanted."""

    @property
    def switching(self) -> bool:
        """Whether some machine is still to take over or to say that it cannot."""
        return any(one.state in ("waiting", "starting") for one in self.machines)

    @property
    def running(self) -> int:
        return sum(one.state != "off" for one in self.machines)

    @property
    def done(self) -> int:
        return sum(one.state == "live" for one in self.machines)

    @property
    def failed(self) -> int:
        return sum(one.state in ("failed", "outdated") for one in self.machines)

    @property
    def serving(self) -> list[int | None]:
        """The versions that answer customers now, each once."""
        found = {one.version for one in self.machines if one.state != "off"}
        return sorted(found, key=lambda version: version or 0)


async def machines(session: AsyncSession) -> Machines:
    """The running ones first."""
    present = await wanted(session)
    rows = (await session.execute(select(ModelServer, alive()).order_by(alive().desc(), ModelServer.name, ModelServer.id))).all()
    waited = 0.0
    if present is not None:
        waited = float(await session.scalar(select(func.extract("epoch", func.now() - present.at))) or 0.0)
    shown = tuple(Machine(one.name, one.version_id, _state(one, lives, present), one.error, one.seconds, one.changed_at) for one, lives in rows)
    return Machines(present, shown, waited)


def _state(server: ModelServer, lives: bool, present: Wanted | None) -> str:
    if not lives:
        return "off"
    if present is None or server.deployment_id == present.deployment or server.state == "starting":
        return server.state
    return "waiting"
