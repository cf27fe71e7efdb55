"""What a machine can see of a talk before a person judges it: hints beside the score sheet. Pure.

They deduct nothing: a forbidden phrase may be the customer's own, quoted; an apology may have been needless.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ruamel.yaml import YAML

from followup.console.labels import labels
from followup.console.quality.sheet import Sheet
from followup.console.show import span
from followup.console.transcripts.detail import Line, TalkView
from followup.scripts.forbidden import Forbidden, from_rows, said_in
from followup.settings import PROJECT_DIR


@dataclass(frozen=True, slots=True)
class Hint:
    criterion: str
    """Id of the criterion that it is about; hints of a criterion that the sheet no longer has are shown without one."""
    text: str
    message_id: int | None = None




@cache
def phrases() -> tuple[Forbidden, ...]:
    """The forbidden phrases of data/lexicon."""
    path = PROJECT_DIR / "data" / "lexicon" / "forbidden.yml"
    return tuple(from_rows(YAML(typ="safe").load(Path(path).read_text(encoding="utf-8"))))


def hints(view: TalkView, sheet: Sheet, found: Mapping[int, Sequence[str]] | None = None) -> list[Hint]:
    """Everything that stands out in the talk. `found`: the phrases stored with a colleague's message when it was sent."""
    return [
        *_forbidden(view.lines, found or {}),
        *_accuracy(view),
        *_empathy(view.lines, sheet),
        *_procedure(view.lines, sheet),
        *_records(view),
    ]


def forbidden_in(text: str) -> list[Forbidden]:
    """The forbidden phrases that the text says."""
    return list(said_in(text, phrases()))


def _say(key: str, **values: object) -> str:
    return labels()["quality_hints"][key].format(**values)


def _forbidden(lines: Sequence[Line], found: Mapping[int, Sequence[str]]) -> Iterator[Hint]:
    for line in lines:
        if not line.mine:
            continue
        said = forbidden_in(line.text)
        for one in said:
            instead = _say("instead", instead=one.instead) if one.instead else ""
            yield Hint("phrases", _say("forbidden", phrase=one.phrase, who=_who(line), instead=instead), line.id)
        for phrase in found.get(line.id, ()):
            if phrase not in {one.phrase for one in said}:  # the list has changed since
                yield Hint("phrases", _say("forbidden", phrase=phrase, who=_who(line), instead=""), line.id)


def _accuracy(view: TalkView) -> Iterator[Hint]:
    for answer in view.answers:
        if answer.corrections and not answer.superseded:
            yield Hint("accuracy", _say("corrected", question=answer.question), answer.message_id)
    for line in view.lines:
        if line.unsure:
            yield Hint("accuracy", _say("unsure", text=_short(line.text)), line.id)
        if line.failed:
            yield Hint("accuracy", _say("failed" if line.mine else "not_handled", text=_short(line.text)), line.id)


def _empathy(lines: Sequence[Line], sheet: Sheet) -> Iterator[Hint]:
    """An upset customer whom nothing of ours comforted before they spoke again."""
    for place, line in enumerate(lines):
        if line.mine or not _upset(line, sheet):
            continue
        replies = _until_customer(lines[place + 1 :])
        if replies and not any(word in reply.text for reply in replies for word in sheet.comfort):
            yield Hint("empathy", _say("no_comfort", text=_short(line.text)), line.id)


def _procedure(lines: Sequence[Line], sheet: Sheet) -> Iterator[Hint]:
    """A colleague's answer that came late, counted from the customer's last line."""
    waiting: Line | None = None
    for line in lines:
        if not line.mine:
            waiting = waiting or line
            continue
        if waiting is not None and line.speaker:
            seconds = (line.at - waiting.at).total_seconds()
            if seconds > sheet.slow_seconds:
                yield Hint("procedure", _say("slow", who=line.speaker, span=span(seconds)), line.id)
        waiting = None


def _records(view: TalkView) -> Iterator[Hint]:
    open_ = [answer for answer in view.answers if not answer.superseded and answer.value is None]
    if open_:
        yield Hint("records", _say("unanswered", count=len(open_), questions="、".join(one.question for one in open_)))
    if view.case.outcome == "complained" and not view.tickets:
        yield Hint("records", _say("no_ticket"))
    if view.case.status == "closed" and view.case.outcome is None:
        yield Hint("records", _say("no_outcome"))
    if view.case.outcome == "appointed" and not view.callbacks:
        yield Hint("records", _say("no_callback"))


def _upset(line: Line, sheet: Sheet) -> bool:
    intents = {line.intent or "", *(act.intent for act in line.acts)}
    return any(intent.split("/")[0] in sheet.upset for intent in intents)


def _until_customer(lines: Sequence[Line]) -> list[Line]:
    found: list[Line] = []
    for line in lines:
        if not line.mine:
            break
        found.append(line)
    return found


def _who(line: Line) -> str:
    return _say("colleague", name=line.speaker) if line.speaker else _say("bot")


def _short(text: str, most: int = 24) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
