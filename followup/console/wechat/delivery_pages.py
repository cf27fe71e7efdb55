"""The messages that customers did not get: for everybody who speaks with customers."""

from __future__ import annotations

from aiohttp import web
from sqlalchemy.dialects.postgresql import insert

from followup import clock
from followup.console.audit import audit
from followup.console.forms import field, object_id, query
from followup.console.labels import labels
from followup.console.paging import PER_PAGE, page_number, page_of
from followup.console.parts import database, page, see, staff
from followup.console.permissions import Permission, needs
from followup.console.transcripts.filters import talk_link
from followup.console.transcripts.masking import Mask, NoMask, name_of
from followup.console.wechat import delivery
from followup.store.models import Message
from followup.store.wechat_account_models import DeliveryCheck

_LIST = "/console/wechat/undelivered"
_COUNTED_UP_TO = 1000


@needs(Permission.READ_UNDELIVERED)
async def undelivered_page(request: web.Request) -> web.Response:
    """GET /console/wechat/undelivered?state=&all=1&page="""
    state, settled, number = query(request, "state"), query(request, "all") == "1", page_number(request)
    state = state if state in labels()["undelivered_states"] else ""
    personal = staff(request).may(Permission.SEE_PERSONAL)
    async with database(request).session() as session:
        total = await delivery.count_undelivered(session, state, settled=settled, most=_COUNTED_UP_TO + 1)
        rows = await delivery.undelivered(session, state, settled=settled, limit=PER_PAGE, offset=(number - 1) * PER_PAGE)
    shown = []
    for row in rows:
        name = row.contact.name if personal else name_of(row.contact.name)
        mask = NoMask() if personal else Mask([row.contact.name, row.contact.phone or ""])
        shown.append((row, f"{name}{row.contact.title}" or "没有留下姓名", mask(row.message.text)))
    return page(
        request,
        "wechat/undelivered.html",
        rows=page_of(request, shown, min(total, _COUNTED_UP_TO)),
        more=total > _COUNTED_UP_TO,
        state=state,
        settled=settled,
        talk_link=talk_link,
    )


@needs(Permission.TAKE_OVER)
async def settle(request: web.Request) -> web.Response:
    """POST /console/wechat/undelivered/{id}: somebody has seen to it."""
    number, state = object_id(request), await field(request, "state", longest=20)
    async with database(request).session() as session:
        message = await session.get(Message, number)
        if message is None or delivery.delivery_of(message.direction, message.channel, message.status, message.error) is None:
            raise web.HTTPNotFound
        row = insert(DeliveryCheck).values(message_id=number, user_id=staff(request).id, at=clock.now()).on_conflict_do_nothing()
        if await session.scalar(row.returning(DeliveryCheck.message_id)) is not None:
            await audit(session, staff(request), "wechat.settled", "message", number, case=message.case_id)
    return see(f"{_LIST}?state={state}" if state in labels()["undelivered_states"] else _LIST)


routes = [
    web.get("/wechat/undelivered", undelivered_page),
    web.post(r"/wechat/undelivered/{id:\d+}", settle),
]
