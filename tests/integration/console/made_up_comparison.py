"""Two versions of a script compared in a campaign, with enough customers on either side to say something."""

from __future__ import annotations

from copy import deepcopy
from datetime import datetime, timedelta

from sqlalchemy import text

from followup.campaigns import comparison, parse
from followup.campaigns.comparison import Candidate
from followup.campaigns.versions import FIRST, SECOND, side_of
from followup.scripts import load, published
from followup.store import records
from followup.store.campaign_models import Campaign, CampaignEntry
from followup.store.database import Database
from followup.store.models import Answer, Attempt, Case, Contact, Message
from followup.store.script_models import ScriptDraft
from tests.integration.campaigns.conftest import DEFINITION, SCRIPT

SEED = 7
NEW_WORDS = "请问收到的{product}您还满意吗？"


async def a_draft(database: Database, user_id: int, at: datetime, state: str = "approved", script_id: str = SCRIPT) -> int:
    """Somebody's draft of another first question."""
    base = published.file_text(load.find(SCRIPT)) if script_id == SCRIPT else ""
    content = published.file_text(load.find(SCRIPT)).replace("请问您收到的{product}怎么样呢？", NEW_WORDS).replace(f"id: {SCRIPT}", f"id: {script_id}")
    draft = ScriptDraft(
        kind="script", script_id=script_id, text=content, base_text=base, based_on=published.digest(base), by_user_id=user_id, state=state,
        version=1, note="换一种问法，看答完的人会不会多", created_at=at, changed_at=at, submitted_at=at,
    )  # fmt: skip
    async with database.session() as session:
        session.add(draft)
        await session.flush()
        return draft.id


async def a_campaign(database: Database, at: datetime, people: int = 120, user_id: int | None = None) -> int:
    """A running campaign with one comparison that ended and one that goes on; of the second side half again as many come to the end."""
    async with database.session() as session:
        campaign = Campaign(
            name="签收回访", script_id=SCRIPT, definition=parse.as_json(DEFINITION), status="running", seed=SEED, started_at=at, created_at=at, planned_at=at
        )
        session.add(campaign)
        await session.flush()
        content = deepcopy(load.content(SCRIPT))
        first = await records.save_revision(session, SCRIPT, "1", content)
        content["script"]["questions"][0]["ask"] = NEW_WORDS
        before = await comparison.begin(session, campaign.id, Candidate(content), 0.3, "哪一种问法好", at - timedelta(days=9), user_id)
        before.first_revision_id = first
        await comparison.stop(session, campaign.id, before.id, FIRST, "看不出差别，照旧", at - timedelta(days=5), user_id)
        going = await comparison.begin(session, campaign.id, Candidate(content), 0.5, "换一种问法，答完的人会不会多", at, user_id)
        going.first_revision_id = first
        revisions = {FIRST: first, SECOND: going.second_revision_id}
        contacts = [Contact(name=f"客户{n}", title="女士", phone=f"137{n:08}", created_at=at, updated_at=at) for n in range(people)]
        session.add_all(contacts)
        await session.flush()
        for number, contact in enumerate(contacts):
            side = side_of(SEED, going.number, going.share, contact.id)
            await _talk(session, campaign.id, contact.id, side, revisions[side], going.id, number, at)
        await session.execute(text("INSERT INTO dirty_talks (case_id) SELECT id FROM cases"))
        return campaign.id


async def _talk(session, campaign: int, contact: int, side: str, revision: int, compared: int, number: int, at: datetime) -> None:  # type: ignore[no-untyped-def]
    came = number % 10 < 8
    done = came and number % 10 < (7 if side == SECOND else 4)
    refused = came and not done and number % 10 == 7
    case = Case(
        id=f"{number + 1:032x}", contact_id=contact, script_id=SCRIPT, revision_id=revision, comparison_id=compared, side=side, created_at=at,
        status="closed" if done or refused else "open" if came else "new", outcome="completed" if done else "refused" if refused else None,
        opened_at=at + timedelta(minutes=5) if came else None, last_message_at=at + timedelta(minutes=7) if came else None,
    )  # fmt: skip
    session.add(case)
    await session.flush()
    session.add(CampaignEntry(campaign_id=campaign, contact_id=contact, rule="1天", stratum="全部客户", state="sent", case_id=case.id, sent_at=at, created_at=at, seen_at=at))
    if not came:
        return
    session.add(Attempt(case_id=case.id, number=1, channel="web", reason="first", started_at=at, ended_at=at + timedelta(seconds=70 + number)))
    session.add(Message(case_id=case.id, direction="in", channel="web", channel_message_id="m1", text="方便", status="handled", created_at=at))
    if done:
        value = "不满意" if number % 9 == 0 else "满意"
        session.add(Answer(case_id=case.id, question_id=load.load_script(SCRIPT).questions[0].id, value=value, words=value, how="text"))
