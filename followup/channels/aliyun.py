"""Short messages by Aliyun 阿里云短信服务: Dysmsapi 2017-05-25, SendSms, signed as ACS3-HMAC-SHA256 (decision 0012)."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

from followup.channels import Accepted, Invitation, Refused, Unclear
from followup.channels.account import SmsAccount
from followup.channels.call import TOTAL_SECONDS, Answer, ask
from followup.channels.sms import CHANNEL, checked, mobile

ENDPOINT = "https://dysmsapi.aliyuncs.com"
_NO_BODY = hashlib.sha256(b"").hexdigest()
_KINDS = {
    "isv.MOBILE_NUMBER_ILLEGAL": "permanent",
    "isv.DOMESTIC_NUMBER_NOT_SUPPORTED": "permanent",
    "isv.BUSINESS_LIMIT_CONTROL": "throttled",
    "isp.SYSTEM_ERROR": "temporary",
    "isp.GATEWAY_ERROR": "temporary",
    "ServiceUnavailable": "temporary",
    # The variable holds a word of a list nobody knows: the next try has another code.
    "isv.BLACK_KEY_CONTROL_LIMIT": "temporary",
}
"""What is not named here is ours (balance, signature, template, key, the account's limits of the day and the month): a code that
nobody has met must not let a whole campaign run into the void."""
_UNCLEAR = ("InternalError", "isp.UNKNOWN")


class Aliyun:
    """One class, one request: PhoneNumbers, SignName, TemplateCode and the one variable `code`."""

    channel = CHANNEL
    provider = "aliyun"

    def __init__(
        self,
        account: SmsAccount,
        endpoint: str = ENDPOINT,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        total: float = TOTAL_SECONDS,
    ) -> None:
        self._account, self._endpoint, self._now, self._total = account, endpoint, now, total

    async def send(self, invitation: Invitation) -> Accepted:
        variables = checked({"code": invitation.code})
        query = {
            "PhoneNumbers": mobile(invitation.to),
            "SignName": self._account.sign,
            "TemplateCode": self._account.template(invitation.kind),
            "TemplateParam": json.dumps(variables, ensure_ascii=False, separators=(",", ":")),
            "OutId": str(invitation.delivery_id),
        }
        headers = {
            "host": urlsplit(self._endpoint).netloc,
            "x-acs-action": "SendSms",
            "x-acs-version": "2017-05-25",
            "x-acs-date": self._now().strftime("%Y-%m-%dT%H:%M:%SZ"),
            "x-acs-signature-nonce": secrets.token_hex(16),
            "x-acs-content-sha256": _NO_BODY,
        }
        headers["Authorization"] = authorization(query, headers, self._account.key_id, self._account.key_secret)
        return accepted(await ask(f"{self._endpoint}/?{canonical(query)}", headers, b"", total=self._total))


def accepted(answer: Answer) -> Accepted:
    """Raises Refused or Unclear."""
    code = str(answer.body.get("Code") or "")
    if code == "OK" and answer.status == 200:
        return Accepted(str(answer.body.get("BizId") or "") or None)
    if code in _UNCLEAR or not code or code == "OK":
        raise Unclear(code or f"http_{answer.status}")
    kind = "throttled" if code.startswith("Throttling") else _KINDS.get(code, "ours")
    raise Refused(code, kind=kind)


def canonical(query: Mapping[str, str]) -> str:
    return "&".join(f"{quote(name, safe='-_.~')}={quote(query[name], safe='-_.~')}" for name in sorted(query))


def authorization(query: Mapping[str, str], headers: Mapping[str, str], key_id: str, key_secret: str) -> str:
    """The Authorization header of a POST to / without a body; every one of `headers` is signed."""
    names = sorted(headers)
    signed = ";".join(names)
    lines = "".join(f"{name}:{headers[name].strip()}\n" for name in names)
    request = "\n".join(("POST", "/", canonical(query), lines, signed, headers["x-acs-content-sha256"]))
    to_sign = f"ACS3-HMAC-SHA256\n{hashlib.sha256(request.encode()).hexdigest()}"
    signature = hmac.new(key_secret.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
    return f"ACS3-HMAC-SHA256 Credential={key_id},SignedHeaders={signed},Signature={signature}"
