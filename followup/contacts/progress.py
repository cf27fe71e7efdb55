"""How far a long piece of work is: written by the thread that does it, read by whoever tells."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Progress:
    """`stage`: read | check | compare | write; `done` rows of `total`, 0 where nobody knows how many there are."""

    stage: str = ""
    done: int = 0
    total: int = 0

    def begin(self, stage: str, total: int = 0) -> None:
        self.stage, self.done, self.total = stage, 0, total


NOBODY_ASKS = Progress()
