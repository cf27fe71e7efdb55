"""After a complaint is dealt with the customer is asked again, and the second opinion stands beside the first (58741)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from followup.console.labels import label
from followup.console.tickets.deadlines import REVISIT_WITHIN
from followup.reading.scale import SCALE3, SCALE5
from followup.scripts import load
from followup.settings import SHANGHAI
from followup.store import records
from followup.store.models import Answer, Case, Contact, Ticket
from followup.talk.links import create_link

SCRIPT = "after_service_satisfaction"
KINDS = ("complaint", "dissatisfaction")
STARTED, GOES_ON, BLOCKED, NO_WAY = "started", "goes_on", "blocked", "no_way"
LINK_DAYS = 7
LONGEST_MATTER = 30
_OVERALL = ("satisfaction", "overall")


@dataclass(frozen=True, slots=True)
class Begun:
    """`result`: started; goes_on (one made earlier is not over yet); blocked (免打扰); no_way (no number is known)."""

    result: str
    case_id: str | None = None
    first_score: str = ""


@dataclass(frozen=True, slots=True)
class RevisitView:
    """The revisit as the ticket's page shows it."""

    case_id: str
    status: str
    outcome: str | None
    until: datetime
    """By when it should be held; three days after the solution."""
    first: Any
    second: Any
    """The opinion given now; None: not yet."""
    direction: str
    """better | same | worse | unknown; empty while there is none."""
    solved: bool | None


async def begin(session: AsyncSession, ticket: Ticket, matter: str, now: datetime, company: str = "") -> Begun | None:
    """Make the case of the revisit and tie it to the ticket; None for tickets that need none.

    `company`: the firm's name (FOLLOWUP_COMPANY) where the first talk had none of its own.
    """
    if ticket.kind not in KINDS:
        return None
    case = await session.get_one(Case, ticket.case_id)
    contact = await session.get_one(Contact, case.contact_id)
    if await records.is_blocked(session, contact.id):
        return Begun(BLOCKED)
    if contact.is_anonymous and not contact.phone:
        return Begun(NO_WAY)
    if ticket.revisit_case_id is not None:
        earlier = await session.get_one(Case, ticket.revisit_case_id)
        if earlier.status != "closed":
            return Begun(GOES_ON, earlier.id)
    first = await first_score(session, ticket)
    script = load.load_script(SCRIPT)
    solved_at = (ticket.solved_at or now).astimezone(SHANGHAI)
    demo = script.demo_variables()
    variables = {
        # The first talk's own; a firm that asks about something else under another name is not ours.
        "company": case.variables.get("company") or company or demo.get("company", ""),
        "agent": case.variables.get("agent") or demo.get("agent", ""),
        "case_kind": label(ticket.kind, "ticket_kinds"),
        "matter": (matter.strip() or matter_of(ticket))[:LONGEST_MATTER],
        "done_on": f"{solved_at.month}月{solved_at.day}日",
        "first_score": first,
    }
    revision = await records.save_revision(session, SCRIPT, str(script.version), load.content(SCRIPT))
    ticket.revisit_case_id = await records.create_case(session, contact.id, revision, variables, is_demo=case.is_demo)
    return Begun(STARTED, ticket.revisit_case_id, first)


def matter_of(ticket: Ticket) -> str:
    """What the revisit calls the matter: the customer's first words, or the kind of the ticket."""
    words = next((str(word.get("text", "")) for word in ticket.words if word.get("text")), "")
    short = words.strip(" ，。！？；：,.!?;:“”\"'\n").split("\n")[0]
    return short if 0 < len(short) <= LONGEST_MATTER else label(ticket.kind, "ticket_kinds")


async def first_score(session: AsyncSession, ticket: Ticket) -> str:
    """The opinion given before: on the ticket's question, else in one of the messages that raised it, else overall.

    Corrected answers count as corrected. Empty when none was given: then nothing is compared (decision 0008).
    """
    answers = await records.answers_of(session, ticket.case_id)
    messages = {word.get("message_id") for word in ticket.words if word.get("message_id")}
    scored = [answer for answer in answers.values() if _is_score(answer)]
    by_topic = [answer for answer in scored if answer.question_id == ticket.topic]
    by_message = [answer for answer in scored if answer.message_id in messages]
    overall = [answer for answer in scored if answer.question_id in _OVERALL]
    found = next(iter((*by_topic, *by_message, *overall)), None)
    return "" if found is None else str(found.value)


async def view(session: AsyncSession, ticket: Ticket) -> RevisitView | None:
    """The revisit of this ticket, with both opinions; None when there is none."""
    if ticket.revisit_case_id is None:
        return None
    case = await session.get_one(Case, ticket.revisit_case_id)
    answers = await records.answers_of(session, case.id)
    comparison = answers["comparison"].value if "comparison" in answers else None
    second = answers["satisfaction"].value if "satisfaction" in answers else None
    return RevisitView(
        case_id=case.id,
        status=case.status,
        outcome=case.outcome,
        until=(ticket.solved_at or case.created_at) + REVISIT_WITHIN,
        first=case.variables.get("first_score") or None,
        second=second,
        direction=comparison.get("direction", "") if isinstance(comparison, dict) else "",
        solved=answers["solved"].value if "solved" in answers else None,
    )


async def new_link(session: AsyncSession, ticket: Ticket) -> str | None:
    """A token that opens the revisit; None when there is nothing to open, or the customer must not be contacted."""
    if ticket.revisit_case_id is None:
        return None
    case = await session.get_one(Case, ticket.revisit_case_id)
    if case.status == "closed" or await records.is_blocked(session, case.contact_id):
        return None
    return await create_link(session, case.id, valid_for=timedelta(days=LINK_DAYS))


def _is_score(answer: Answer) -> bool:
    if isinstance(answer.value, str):
        return answer.value in (*SCALE3, *SCALE5)
    by_points = answer.how.removeprefix("ahead:").startswith("score:")
    return by_points and isinstance(answer.value, (int, float)) and not isinstance(answer.value, bool)
