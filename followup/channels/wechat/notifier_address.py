"""Where a customer can be invited by WeChat: account and OpenID."""

from __future__ import annotations

from sqlalchemy import ColumnElement, exists, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from followup.channels.wechat.account import Account
from followup.channels.wechat.parse import is_openid
from followup.contacts.parse import OPENID_FIELD
from followup.store.models import Contact
from followup.store.wechat_account_models import WechatAccount
from followup.store.wechat_models import WechatUser


def has_address() -> ColumnElement[bool]:
    """Of a row of `contacts`: follows one of our accounts, or came with an OpenID that was not seen yet."""
    theirs = WechatUser.contact_id == Contact.id
    return or_(exists().where(theirs, WechatUser.follows), Contact.fields.has_key(OPENID_FIELD) & ~exists().where(theirs))


async def address_of(session: AsyncSession, contact: Contact, accounts: tuple[Account, ...]) -> str:
    """`account:openid`; empty when there is none. `accounts`: the environment's.

    Of several the one at which the customer wrote last. An OpenID from an import is bound where there is one account only: it
    would not say at which of several it holds.
    """
    found = select(WechatUser.account, WechatUser.openid).where(WechatUser.contact_id == contact.id, WechatUser.follows)
    row = (await session.execute(found.order_by(WechatUser.message_at.desc().nulls_last(), WechatUser.id.desc()).limit(1))).first()
    if row is not None:
        return f"{row.account}:{row.openid}"
    openid = str(contact.fields.get(OPENID_FIELD) or "")
    names = {account.name for account in accounts} | set(await session.scalars(select(WechatAccount.name).where(WechatAccount.active)))
    if not is_openid(openid) or len(names) != 1 or await session.scalar(select(exists().where(WechatUser.contact_id == contact.id))):
        return ""
    (name,) = names
    await session.execute(insert(WechatUser).values(account=name, openid=openid).on_conflict_do_nothing())
    # Who wrote there before the import is known now; whoever is known as somebody else is left alone.
    nobody = ~exists().where(Contact.id == WechatUser.contact_id, ~Contact.is_anonymous)
    bound = update(WechatUser).where(WechatUser.account == name, WechatUser.openid == openid, nobody).values(contact_id=contact.id)
    user = (await session.execute(bound.returning(WechatUser.follows).execution_options(synchronize_session=False))).one_or_none()
    return f"{name}:{openid}" if user is not None and user.follows else ""
