"""A server that behaves as Tencent's SendSms of 2021-01-11 does, with the limits of an account opened today."""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from tests.fakes.provider import FakeProvider

KEY_ID, KEY_SECRET, APP_ID = "AKIDfake", "tencent-secret", "1400006666"
_OF_THE_CALL = ("AuthFailure", "RequestLimitExceeded", "InternalError", "UnauthorizedOperation", "InvalidParameter.")


@dataclass
class FakeTencent(FakeProvider):
    templates: dict[str, tuple[str, ...]] = field(default_factory=lambda: {"1001": ("1", "2"), "1002": ("1", "2")})
    longest_variable: int = 6

    async def answer(self, request: web.Request, code: str) -> web.StreamResponse:
        raw = await request.read()
        if fault := self._gate(request, raw) or (code if code.startswith(_OF_THE_CALL) else ""):
            return _response(Error={"Code": fault, "Message": "no"})
        body = await request.json()
        variables = dict(zip("123456", body["TemplateParamSet"]))
        fault = code or self._wrong(body, variables)
        serial = "" if fault else self.take(body["PhoneNumberSet"][0][3:], body["TemplateId"], variables, body["SessionContext"])
        status = {
            "SerialNo": serial, "PhoneNumber": body["PhoneNumberSet"][0], "Fee": 0 if fault else 1,
            "SessionContext": body["SessionContext"], "Code": fault or "Ok", "Message": "", "IsoCode": "CN",
        }  # fmt: skip
        return _response(SendStatusSet=[status])

    def _gate(self, request: web.Request, raw: bytes) -> str:
        headers = request.headers
        found = re.fullmatch(
            r"TC3-HMAC-SHA256 Credential=(\w+)/([\d-]+)/sms/tc3_request, SignedHeaders=content-type;host, Signature=([0-9a-f]{64})",
            headers.get("Authorization", ""),
        )
        if found is None:
            return "AuthFailure.InvalidAuthorization"
        if found[1] != KEY_ID:
            return "AuthFailure.SecretIdNotFound"
        at = int(headers["X-TC-Timestamp"])
        if abs(time.time() - at) > 300 or datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d") != found[2]:
            return "AuthFailure.SignatureExpire"
        if (headers["X-TC-Action"], headers["X-TC-Version"]) != ("SendSms", "2021-01-11") or not headers.get("X-TC-Region"):
            return "InvalidParameter.Action"
        whole = "\n".join(
            ["POST", "/", "", f"content-type:{headers['Content-Type']}", f"host:{headers['Host']}", "", "content-type;host",
             hashlib.sha256(raw).hexdigest()]
        )  # fmt: skip
        text = f"TC3-HMAC-SHA256\n{at}\n{found[2]}/sms/tc3_request\n{hashlib.sha256(whole.encode()).hexdigest()}"
        key = b"TC3" + KEY_SECRET.encode()
        for part in (found[2], "sms", "tc3_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        right = hmac.digest(key, text.encode(), "sha256").hex()
        return "" if hmac.compare_digest(right, found[3]) else "AuthFailure.SignatureFailure"

    def _wrong(self, body: dict[str, Any], variables: dict[str, str]) -> str:
        if body["SmsSdkAppId"] != APP_ID:
            return "UnauthorizedOperation.SmsSdkAppIdVerifyFail"
        if len(body["PhoneNumberSet"]) != 1 or not re.fullmatch(r"\+861[3-9]\d{9}", body["PhoneNumberSet"][0]):
            return "InvalidParameterValue.IncorrectPhoneNumber"
        if body["SignName"] != self.sign:
            return "FailedOperation.SignatureIncorrectOrUnapproved"
        if (names := self.templates.get(body["TemplateId"])) is None:
            return "FailedOperation.TemplateUnapprovedOrNotExist"
        if set(variables) != set(names):
            return "FailedOperation.TemplateParamSetNotMatchApprovedTemplate"
        for value in variables.values():
            if wrong := self.wrong_with(value):
                name = {"length": "TemplateParameterLengthLimit", "content": "ProhibitedUseUrlInTemplateParameter"}[wrong]
                return f"InvalidParameterValue.{name}"
        if self.numbers[body["PhoneNumberSet"][0][3:]] >= self.most_per_number:
            return "LimitExceeded.PhoneNumberDailyLimit"
        return "FailedOperation.InsufficientBalanceInSmsPackage" if self.balance <= 0 else ""


def _response(**parts: Any) -> web.Response:
    return web.json_response({"Response": {**parts, "RequestId": "R"}})
