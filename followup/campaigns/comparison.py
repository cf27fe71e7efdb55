"""Two versions of a script compared in one campaign 话术对比: begun, counted, and ended by choosing one for the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from followup.campaigns import parse
from followup.campaigns.actions import CampaignError, locked
from followup.campaigns.chance import Share
from followup.campaigns.dispatch import NoScript, script_now
from followup.campaigns.versions import FIRST, SECOND
from followup.scripts import load
from followup.store import records
from followup.store.campaign_models import Campaign
from followup.store.models import ScriptRevision
from followup.store.script_models import SIDES, ScriptComparison

LONGEST_REASON = 200
LEAST_SHARE, MOST_SHARE = 0.05, 0.95
_RATED = ("scale3", "scale5", "score")
"""Types of questions that ask how satisfied somebody is."""
PRIMARY = "completed"
"""What a comparison is decided by; everything else is looked at beside it."""
SHARES = ("opened", "answered", "completed", "refused", "satisfied")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A text that may be compared with the one in force: a publication's, an approved draft's, or (neither) the installed file's."""

    content: Mapping[str, Any]
    publication_id: int | None = None
    draft_id: int | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """One side in numbers. Customers, each by the first talk that was brought to them."""

    side: str
    invited: int = 0
    """Somebody took a message to them."""
    opened: int = 0
    answered: int = 0
    """Said anything at all."""
    completed: int = 0
    refused: int = 0
    rated: int = 0
    """Answered a question about how satisfied they are."""
    satisfied: int = 0
    """Of these: nothing they said is dissatisfaction (decisions/0008)."""
    seconds: float | None = None
    """The middle of the talks' lengths, of those who answered."""
    said: float | None = None
    """The middle of how many messages they wrote."""

    def share(self, what: str) -> Share:
        """`what`: one of SHARES. Opened and the outcomes of who was invited; satisfied of who said how satisfied."""
        return Share(getattr(self, what), self.rated if what == "satisfied" else self.invited)


async def begin(
    session: AsyncSession, campaign_id: int, candidate: Candidate, share: float, reason: str, at: datetime, user_id: int | None
) -> ScriptComparison:
    """From now on new talks of the campaign are held by two versions.

    Raises CampaignError: no_campaign, is_over, compares, bad_share, script_broken, same_text, needs_more.
    """
    campaign = await locked(session, campaign_id)
    if campaign.status in ("cancelled", "finished"):
        raise CampaignError("is_over")
    if await running(session, campaign_id) is not None:
        raise CampaignError("compares")
    if not LEAST_SHARE <= share <= MOST_SHARE:
        raise CampaignError("bad_share")
    second = await _usable(campaign, candidate.content)
    made = ScriptComparison(
        campaign_id=campaign_id, number=1 + await _last_number(session, campaign_id), script_id=campaign.script_id,
        second_revision_id=await records.save_revision(session, campaign.script_id, second, candidate.content),
        publication_id=candidate.publication_id, draft_id=candidate.draft_id, share=share, reason=reason.strip()[:LONGEST_REASON],
        user_id=user_id, began_at=at,
    )  # fmt: skip
    session.add(made)
    await session.flush()
    return made


async def _usable(campaign: Campaign, content: Mapping[str, Any]) -> str:
    """The version that the second text gives itself."""
    try:
        first, in_force = script_now(campaign.script_id)
        second = load.build_revision(content)
    except NoScript as error:
        raise CampaignError("no_script" if error.why == "script_gone" else error.why, script=campaign.script_id) from None
    except Exception:  # whatever became of it since it was looked over
        raise CampaignError("script_broken", script=campaign.script_id) from None
    if second.id != campaign.script_id or load.digest(content) == load.digest(in_force):
        raise CampaignError("same_text")
    given = parse.definition(campaign.definition).variables
    if more := [name for name in second.variables if name not in first.variables and name not in given]:
        raise CampaignError("needs_more", names="、".join(str(second.variables[name].get("label", name)) for name in more))
    return str(second.version)


async def stop(session: AsyncSession, campaign_id: int, seen: int, chosen: str, why: str, at: datetime, user_id: int | None) -> ScriptComparison:
    """Who has not been contacted yet talks by the chosen one. Whoever has, goes on as begun. `seen`: the comparison's id.

    First: by what is in force then, as any campaign. Second: by the second as it was compared, until the end of the campaign.
    Raises CampaignError: no_campaign, not_comparing, no_choice, no_reason. The same choice once more changes nothing.
    """
    await locked(session, campaign_id)
    found = await session.get(ScriptComparison, seen, with_for_update=True, populate_existing=True)
    if found is None or found.campaign_id != campaign_id or found.chosen not in (None, chosen):
        raise CampaignError("not_comparing")
    if chosen not in SIDES:
        raise CampaignError("no_choice")
    if not why.strip():
        raise CampaignError("no_reason")
    if found.chosen is None:
        found.chosen, found.ended_at, found.ended_by = chosen, at, user_id
        found.why_chosen = why.strip()[:LONGEST_REASON]
        await session.flush()
    return found


async def running(session: AsyncSession, campaign_id: int) -> ScriptComparison | None:
    query = select(ScriptComparison).where(ScriptComparison.campaign_id == campaign_id, ScriptComparison.ended_at.is_(None))
    return await session.scalar(query)


async def comparisons(session: AsyncSession, campaign_id: int) -> Sequence[ScriptComparison]:
    """The newest first."""
    query = select(ScriptComparison).where(ScriptComparison.campaign_id == campaign_id)
    return (await session.scalars(query.order_by(ScriptComparison.number.desc()))).all()


async def _last_number(session: AsyncSession, campaign_id: int) -> int:
    return await session.scalar(select(func.max(ScriptComparison.number)).where(ScriptComparison.campaign_id == campaign_id)) or 0


# —— counted ————————————————————————————————————————————————————————————

# Each customer once, however often the campaign contacts them: the draw was among customers.
_RESULTS = text(
    """
    WITH held AS (
        SELECT DISTINCT ON (cases.contact_id) cases.id, cases.side
        FROM cases JOIN campaign_entries AS entry ON entry.case_id = cases.id
        WHERE cases.comparison_id = :id AND entry.sent_at IS NOT NULL
        ORDER BY cases.contact_id, cases.created_at, cases.id
    ), counted AS (
        SELECT held.side, fact.opened, fact.replied, fact.outcome, fact.low, fact.length, fact.said, EXISTS (
            SELECT FROM answers
            WHERE answers.case_id = held.id AND NOT superseded AND value IS NOT NULL
                AND answers.question_id = ANY(CASE held.side WHEN 'first' THEN CAST(:first AS text[]) ELSE CAST(:second AS text[]) END)
        ) AS rated
        FROM held JOIN talk_facts AS fact ON fact.case_id = held.id
    )
    SELECT side, count(*) AS invited, count(*) FILTER (WHERE opened) AS opened, count(*) FILTER (WHERE replied) AS answered,
        count(*) FILTER (WHERE outcome = 'completed') AS completed,
        count(*) FILTER (WHERE outcome IN ('refused', 'do_not_contact')) AS refused,
        count(*) FILTER (WHERE rated) AS rated, count(*) FILTER (WHERE rated AND NOT low) AS satisfied,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY length) FILTER (WHERE replied) AS seconds,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY said) FILTER (WHERE replied) AS said
    FROM counted GROUP BY side
    """
)


async def results(session: AsyncSession, compared: ScriptComparison) -> tuple[Result, Result]:
    """First and second, by `talk_facts` as it is: see `console.figures.table.refresh`."""
    asked = {
        "first": await _rated(session, compared.first_revision_id),
        "second": await _rated(session, compared.second_revision_id),
    }
    rows = (await session.execute(_RESULTS, {"id": compared.id, **asked})).mappings()
    found = {row["side"]: Result(**row) for row in rows}
    return found.get(FIRST, Result(FIRST)), found.get(SECOND, Result(SECOND))


async def _rated(session: AsyncSession, revision_id: int | None) -> list[str]:
    """The questions about satisfaction of a version."""
    revision = await session.get(ScriptRevision, revision_id) if revision_id is not None else None
    if revision is None:
        return []
    return [question.id for question in load.build_revision(revision.content).questions if question.type in _RATED]
