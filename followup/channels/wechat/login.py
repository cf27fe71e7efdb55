"""WeChat's web authorisation (snsapi_base): which OpenID has opened a talk's page inside WeChat, without asking anything.

It only ever adds: whatever goes wrong, the customer goes on in the web chat. A state is signed, used once, and good for ten
minutes; the browser that comes back must hold the session of the same talk.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

import aiohttp
from sqlalchemy import exists, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from followup.channels import same_person
from followup.channels.wechat.account import API, Account
from followup.store.models import Case, Contact
from followup.store.wechat_models import WechatUser
from followup.store.wecom_models import WechatLogin

AUTHORIZE = "https://open.weixin.qq.com"
GOOD_FOR = timedelta(minutes=10)
SECONDS = 5
_OPENID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_STATE = re.compile(r"[0-9a-f]{96}")
_NONCE = 32
_CODE = re.compile(r"[A-Za-z0-9_-]{1,512}")


class LoginError(Exception):
    """Nobody is known by this. The message is for the log and holds nothing of the customer."""


@dataclass(frozen=True, slots=True)
class Known:
    """Whom WeChat names."""

    openid: str
    unionid: str = ""


def page_of(account: Account) -> str:
    """The site that asks WeChat who it is; the fake's in a trial."""
    return AUTHORIZE if account.api == API else account.api


async def begin(session: AsyncSession, account: Account, secret: str, case_id: str, back: str, at: datetime) -> str:
    """The address that leads to `back` with a code; a new state stands behind it."""
    nonce = secrets.token_hex(_NONCE // 2)
    await session.execute(WechatLogin.__table__.delete().where(WechatLogin.expires_at < at - GOOD_FOR))
    session.add(WechatLogin(nonce=nonce, account=account.name, case_id=case_id, expires_at=at + GOOD_FOR))
    asked = {"appid": account.app_id, "redirect_uri": back, "response_type": "code", "scope": "snsapi_base"}
    state = nonce + _signature(secret, account, nonce, case_id)
    return f"{page_of(account)}/connect/oauth2/authorize?{urlencode({**asked, 'state': state})}#wechat_redirect"


async def spend_state(session: AsyncSession, account: Account, secret: str, state: str, case_id: str, at: datetime) -> None:
    """Use the state up. Raises LoginError when it is not ours, of another talk, too old, or was used."""
    if not _STATE.fullmatch(state):
        raise LoginError("no state of ours")
    nonce, signature = state[:_NONCE], state[_NONCE:]
    if not hmac.compare_digest(_signature(secret, account, nonce, case_id), signature):
        raise LoginError("state of another talk, or forged")
    mine = [WechatLogin.nonce == nonce, WechatLogin.account == account.name, WechatLogin.case_id == case_id]
    fresh = [WechatLogin.used_at.is_(None), WechatLogin.expires_at > at]
    if await session.scalar(update(WechatLogin).where(*mine, *fresh).values(used_at=at).returning(WechatLogin.nonce)) is None:
        raise LoginError("state too old, or used")


async def ask(account: Account, code: str, *, seconds: float = SECONDS) -> Known:
    """Who has this code. Raises LoginError: 40029 unknown, 40163 used, no answer, a visitor of a snapshot page."""
    if not _CODE.fullmatch(code):
        raise LoginError("no code")
    query = {"appid": account.app_id, "secret": account.secret, "code": code, "grant_type": "authorization_code"}
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=seconds), trust_env=True) as http,
            http.get(account.api + "/sns/oauth2/access_token", params=query, allow_redirects=False) as response,
        ):
            answer = json.loads(await response.text())
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        raise LoginError(type(error).__name__) from None  # no text: it holds the secret
    if not isinstance(answer, dict) or answer.get("errcode"):
        raise LoginError(str(answer.get("errcode")) if isinstance(answer, dict) else "no answer")
    if answer.get("is_snapshotuser"):
        raise LoginError("a snapshot's visitor, who is nobody")  # the OpenID is made up
    openid, unionid = str(answer.get("openid", "")), str(answer.get("unionid", ""))
    if not _OPENID.fullmatch(openid):
        raise LoginError("no OpenID")
    return Known(openid, unionid if _OPENID.fullmatch(unionid) else "")


async def is_bound(session: AsyncSession, account: Account, case_id: str) -> bool:
    """Whether somebody of this account holds the talk already."""
    held = exists().where(WechatUser.account == account.name, WechatUser.case_id == case_id)
    return bool(await session.scalar(select(held)))


async def bind(session: AsyncSession, account: Account, case_id: str, known: Known, at: datetime) -> bool:
    """The OpenID is the talk's customer from now on, and the talk goes on in WeChat as well. False: nothing was changed.

    A link may be passed on: an OpenID that is another known customer's stays theirs, and a colleague is asked.
    """
    case = await session.get_one(Case, case_id, with_for_update={"key_share": True}, populate_existing=True)
    if case.erased_at is not None:
        return False
    row = insert(WechatUser).values(account=account.name, openid=known.openid, unionid=known.unionid, follows=False)
    user_id = await session.scalar(
        row.on_conflict_do_update(
            index_elements=["account", "openid"], set_={"unionid": func.coalesce(func.nullif(known.unionid, ""), WechatUser.unionid)}
        ).returning(WechatUser.id)
    )
    user = await session.get_one(WechatUser, user_id, with_for_update=True, populate_existing=True)
    other = exists().where(WechatUser.account == account.name, WechatUser.case_id == case_id, WechatUser.id != user.id)
    if await session.scalar(select(other)):
        return False
    if user.contact_id is not None and user.contact_id != case.contact_id and not await _make_one(session, user.contact_id, case, at):
        return False
    user.contact_id = case.contact_id
    if case.status != "closed":
        user.case_id = case.id
    await session.flush()
    await same_person.join(session, known.unionid, at)
    return True


async def _make_one(session: AsyncSession, contact_id: int, case: Case, at: datetime) -> bool:
    """Whether whoever the OpenID was until now may be the talk's customer."""
    before, now = await session.get(Contact, contact_id), await session.get_one(Contact, case.contact_id)
    if before is None or before.erased_at is not None:
        return True
    return await same_person.make_one(session, [before, now], at) is not None


def _signature(secret: str, account: Account, nonce: str, case_id: str) -> str:
    return hmac.new(secret.encode(), f"wechat-login:{account.name}:{nonce}:{case_id}".encode(), hashlib.sha256).hexdigest()
