"""Short messages by Tencent Cloud 腾讯云短信: SendSms of 2021-01-11, signed as TC3-HMAC-SHA256 (decision 0012)."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from followup.channels import Accepted, Invitation, Refused, Unclear
from followup.channels.account import SmsAccount
from followup.channels.call import TOTAL_SECONDS, Answer, ask
from followup.channels.codes import halves
from followup.channels.sms import CHANNEL, checked, mobile

ENDPOINT = "https://sms.tencentcloudapi.com"
REGION = "ap-guangzhou"
_TYPE = "application/json; charset=utf-8"
_KINDS = {
    "FailedOperation.PhoneNumberInBlacklist": "blocked",
    "FailedOperation.PhoneNumberParseFail": "permanent",
    "InvalidParameterValue.IncorrectPhoneNumber": "permanent",
    "UnsupportedOperation.ChineseMainlandTemplateToGlobalPhone": "permanent",
    # The code made a word of a list nobody knows: the next try has another one.
    "FailedOperation.ContainSensitiveWord": "temporary",
    "FailedOperation.MarketingSendTimeConstraint": "temporary",
    "LimitExceeded.DeliveryFrequencyLimit": "throttled",
    "LimitExceeded.PhoneNumberDailyLimit": "throttled",
    "LimitExceeded.PhoneNumberOneHourLimit": "throttled",
    "LimitExceeded.PhoneNumberSameContentDailyLimit": "throttled",
    "LimitExceeded.PhoneNumberThirtySecondLimit": "throttled",
    "RequestLimitExceeded": "throttled",
}
"""What is not named here is ours: see aliyun.py."""
_UNCLEAR = (
    "InternalError", "InternalError.OtherError", "InternalError.ParseBackendResponseFail", "InternalError.SendAndRecvFail",
    "InternalError.Timeout", "InternalError.UnknownError",
)  # fmt: skip
"""The provider's front has lost sight of it behind itself."""


class Tencent:
    """One class, one request. The code fills two variables, {1} and {2}, of four characters each."""

    channel = CHANNEL
    provider = "tencent"

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
        first, second = halves(invitation.code)
        variables = checked({"1": first, "2": second})
        body = json.dumps(
            {
                "PhoneNumberSet": [f"+86{mobile(invitation.to)}"],
                "SmsSdkAppId": self._account.app_id,
                "SignName": self._account.sign,
                "TemplateId": self._account.template(invitation.kind),
                "TemplateParamSet": list(variables.values()),
                "SessionContext": str(invitation.delivery_id),
            },
            ensure_ascii=False,
        ).encode()
        at = int(self._now().timestamp())
        host = urlsplit(self._endpoint).netloc
        headers = {
            "Authorization": authorization(host, body, at, self._account.key_id, self._account.key_secret),
            "Content-Type": _TYPE,
            "Host": host,
            "X-TC-Action": "SendSms",
            "X-TC-Version": "2021-01-11",
            "X-TC-Timestamp": str(at),
            "X-TC-Region": REGION,
        }
        return accepted(await ask(f"{self._endpoint}/", headers, body, total=self._total))


def accepted(answer: Answer) -> Accepted:
    """Raises Refused or Unclear."""
    response = answer.body.get("Response")
    if not isinstance(response, dict):
        raise Unclear(f"http_{answer.status}")
    status = _status_of(response)
    code = str(status.get("Code") or "")
    if code == "Ok":
        return Accepted(str(status.get("SerialNo") or "") or None)
    if code in _UNCLEAR or not code:
        raise Unclear(code or f"http_{answer.status}")
    raise Refused(code, kind="throttled" if code.startswith("RequestLimitExceeded") else _KINDS.get(code, "ours"))


def _status_of(response: Mapping[str, Any]) -> Mapping[str, Any]:
    """The error of the whole call, or what became of the one number."""
    if isinstance(error := response.get("Error"), dict):
        return error
    numbers = response.get("SendStatusSet")
    return numbers[0] if isinstance(numbers, list) and numbers and isinstance(numbers[0], dict) else {}


def authorization(host: str, body: bytes, at: int, key_id: str, key_secret: str) -> str:
    """The Authorization header of a POST of JSON to /. `at`: seconds since 1970."""
    day = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")
    scope = f"{day}/sms/tc3_request"
    request = f"POST\n/\n\ncontent-type:{_TYPE}\nhost:{host}\n\ncontent-type;host\n{hashlib.sha256(body).hexdigest()}"
    to_sign = f"TC3-HMAC-SHA256\n{at}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = f"TC3{key_secret}".encode()
    for part in (day, "sms", "tc3_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
    return f"TC3-HMAC-SHA256 Credential={key_id}/{scope}, SignedHeaders=content-type;host, Signature={signature}"
