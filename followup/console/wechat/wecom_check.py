"""The check of an account 微信客服: the address is asked as WeCom does it, WeCom is asked for what it knows. Nothing is changed there."""

from __future__ import annotations

import secrets
import time

from followup.channels.wechat.ask import Failed, NotReached, Unclear
from followup.channels.wechat.envelope import encrypt
from followup.channels.wechat.parse import read_xml
from followup.channels.wecom.client import WecomClient
from followup.console.labels import labels
from followup.console.wechat.checks import SECONDS, Row, State, address_row, ask_address, row, why
from followup.console.wechat.said import Said, said
from followup.console.wechat.wecom_form import Shown
from followup.store.database import Database


async def check(shown: Shown, database: Database, public_url: str, *, seconds: float = SECONDS) -> list[Row]:
    """Try everything. Takes some seconds at most."""
    if not shown.readable:
        return [row("settings", State.BAD, "wecom_unreadable")]
    rows = [row("settings", State.OK, "settings_ok"), address_row(public_url), await _echo(shown, shown.address(public_url), seconds)]
    async with WecomClient(shown.account, database, seconds=seconds) as client:
        rows.append(await _asked("wecom_secret", client))
        if rows[-1].state is State.OK:
            rows.append(await _asked("kf", client))
        else:
            rows.append(row("kf", State.UNKNOWN, "kf_skipped"))
    return rows


async def _echo(shown: Shown, address: str, seconds: float) -> Row:
    echo = str(secrets.randbelow(10**18))
    parts = read_xml(encrypt(shown.account.sealed, echo, at=int(time.time())).encode())
    query = {"msg_signature": parts["MsgSignature"], "timestamp": parts["TimeStamp"], "nonce": parts["Nonce"], "echostr": parts["Encrypt"]}
    return await ask_address(address, query, echo, seconds)


async def _asked(key: str, client: WecomClient) -> Row:
    try:
        if key == "wecom_secret":
            await client.try_secret()
            return row(key, State.OK, "wecom_secret_ok")
        ours = client.account.kfids
        return _service_accounts(ours, await client.service_accounts(ours))
    except Failed as failed:
        return Row(key, State.BAD, _refused(failed))
    except NotReached as error:
        return row(key, State.BAD, "wecom_not_reached", why=why(error), api=client.account.api)
    except Unclear as error:
        return row(key, State.UNKNOWN, "wecom_unclear", why=why(error))


def _service_accounts(ours: tuple[str, ...], there: dict[str, tuple[str, bool]]) -> Row:
    """`there`: open_kfid -> (name, whether the application may manage it)."""
    if missing := [one for one in ours if one not in there]:
        return row("kf", State.BAD, "kf_missing", ids="、".join(missing))
    if foreign := [there[one][0] for one in ours if not there[one][1]]:
        return row("kf", State.BAD, "kf_foreign", names="、".join(foreign))
    return row("kf", State.OK, "kf_ok", names="、".join(f"“{there[one][0]}”" for one in ours))


def _refused(failed: Failed) -> Said:
    if str(failed.code) in labels()["wecom_codes"]:
        found = said("wecom_codes", failed.code)
        return Said(f"{found.what}（{failed.code}）。", f"{found.todo}。" if found.todo else "")
    return Said(f"企业微信返回错误 {failed.code}。", "请在企业微信开发者中心的“全局错误码”里查这个数字。")


