"""What scripts and answers lack, for those who write them; from there into a draft of the text, at the question concerned."""

from __future__ import annotations

from aiohttp import web
from sqlalchemy import select

from followup.console.forms import object_id
from followup.console.parts import database, page, see, staff
from followup.console.permissions import Permission, needs
from followup.console.scripts import texts, work
from followup.console.training.around import talks
from followup.console.training.word_view import line_of
from followup.console.transcripts.masking import Mask
from followup.scripts.published import Kind, Name
from followup.store.inbox_models import TrainingDecision
from followup.store.models import Message, User
from followup.training.word_lists import line_of_question

_SHOWN = 500


@needs(Permission.READ_TRAINING)
async def authors_page(request: web.Request) -> web.Response:
    """GET /console/training/authors: what scripts and answers lack, for those who write them."""
    async with database(request).session() as session:
        rows = (
            await session.execute(
                select(TrainingDecision, Message, User.name)
                .join(Message, Message.id == TrainingDecision.message_id)
                .join(User, User.id == TrainingDecision.by_user_id)
                .where(TrainingDecision.decision.in_(("not_covered", "wrong_step")))
                .order_by(TrainingDecision.at.desc(), TrainingDecision.message_id.desc())
                .limit(_SHOWN)
            )
        ).all()
        known = await talks(session, [message.case_id for _, message, _ in rows])
    shown = [
        {"one": one, "case_id": message.case_id, "text": (known[message.case_id].mask if message.case_id in known else Mask())(message.text),
         "script": known[message.case_id].script if message.case_id in known else "", "who": who}
        for one, message, who in rows
    ]  # fmt: skip
    return page(request, "training/authors.html", rows=shown)


@needs(Permission.EDIT_SCRIPTS)
async def draft(request: web.Request) -> web.Response:
    """POST /console/training/authors/{id}/draft: one's own draft of the talk's script, at the question that the line answers."""
    async with database(request).session() as session:
        if await session.get(TrainingDecision, object_id(request)) is None:
            raise web.HTTPNotFound
        _, talk, question = await line_of(session, object_id(request))
        text = await texts.one_text(session, Name(Kind.SCRIPT, talk.script_id))
        if text is None:
            raise web.HTTPNotFound
        row = await work.begin(session, staff(request), text)
        at = line_of_question(row.text, question)
    return see(f"/console/scripts/drafts/{row.id}" + (f"#line-{at}" if at else ""))
