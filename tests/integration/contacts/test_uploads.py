"""Files that wait are not kept for longer than they are needed."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select

from followup.contacts import uploads
from followup.contacts.parse import BadRow, NewContact
from followup.contacts.save import Source, save_contacts
from followup.rights.retention import erase_old
from followup.settings import SHANGHAI
from followup.store.campaign_models import Import, Upload
from followup.store.database import Database
from followup.store.models import User

AT = datetime(2026, 11, 20, 10, tzinfo=SHANGHAI)


async def test_a_file_nobody_takes_is_forgotten_after_a_day_and_bad_rows_after_three_months(database: Database) -> None:
    async with database.session() as session:
        session.add(User(name="王主管", password_hash="", role="supervisor"))
        await session.flush()
        user_id = (await session.scalars(select(User.id))).one()
        await uploads.keep(session, "姓名,手机号\n王芳,13800138000\n".encode(), "客户.csv", "0" * 64, user_id, AT)
        source = Source("cli", "0" * 64, 2, header=("姓名", "手机号"), bad=(BadRow(3, "没有填写电话。", ("李强", "")),))
        await save_contacts(session, [NewContact(2, "王芳", "", "13800138000")], source, AT, skip_bad=True)
    for later, files, rows in ((timedelta(hours=23), 1, 2), (timedelta(hours=25), 0, 2), (timedelta(days=91), 0, 0)):
        await erase_old(database, AT + later, 0)
        async with database.session() as session:
            assert len((await session.scalars(select(Upload.id))).all()) == files
            record = (await session.scalars(select(Import))).one()
            assert len(record.bad) == rows and record.bad_count == 1
