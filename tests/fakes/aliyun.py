"""A server that behaves as Aliyun's Dysmsapi does, signature checked by a second implementation."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote

from aiohttp import web

from tests.fakes.provider import FakeProvider

KEY_ID, KEY_SECRET = "LTAIfake", "aliyun-secret"
_SIGNED = "host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version"


@dataclass
class FakeAliyun(FakeProvider):
    templates: dict[str, tuple[str, ...]] = field(default_factory=lambda: {"SMS_1": ("code",), "SMS_2": ("code",)})

    async def answer(self, request: web.Request, code: str) -> web.StreamResponse:
        if fault := self._gate(request):
            return web.json_response({"Code": fault, "Message": "no", "RequestId": "R"}, status=400)
        if code in ("ServiceUnavailable", "InternalError"):
            return web.json_response({"Code": code, "RequestId": "R"}, status=503 if code == "ServiceUnavailable" else 500)
        query = dict(parse_qsl(request.rel_url.raw_query_string))
        if fault := code or self._wrong(query):
            return web.json_response({"Code": fault, "Message": "no", "RequestId": "R"})
        number, variables = query["PhoneNumbers"], json.loads(query["TemplateParam"])
        biz = self.take(number, query["TemplateCode"], variables, query["OutId"])
        return web.json_response({"Code": "OK", "Message": "OK", "BizId": biz, "RequestId": "R"})

    def _gate(self, request: web.Request) -> str:
        """What Aliyun's own front refuses."""
        headers = request.headers
        found = re.fullmatch(
            r"ACS3-HMAC-SHA256 Credential=(\S+?),SignedHeaders=(\S+?),Signature=([0-9a-f]{64})", headers.get("Authorization", "")
        )
        if found is None:
            return "MissingSignature"
        if found[1] != KEY_ID:
            return "InvalidAccessKeyId.NotFound"
        if "Content-Type" in headers or found[2] != _SIGNED:
            return "SignatureDoesNotMatch"
        if headers["x-acs-action"] != "SendSms" or headers["x-acs-version"] != "2017-05-25":
            return "InvalidAction.NotFound"
        at = datetime.strptime(headers["x-acs-date"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        if abs((datetime.now(UTC) - at).total_seconds()) > 900:
            return "InvalidTimeStamp.Expired"
        if (nonce := headers["x-acs-signature-nonce"]) in self.nonces:
            return "SignatureNonceUsed"
        self.nonces.add(nonce)
        pairs = sorted(parse_qsl(request.rel_url.raw_query_string, keep_blank_values=True))
        query = "&".join(f"{quote(k, safe='~')}={quote(v, safe='~')}" for k, v in pairs)
        lines = [f"{name}:{headers[name]}" for name in _SIGNED.split(";")]
        whole = "\n".join(["POST", "/", query, *lines, "", _SIGNED, headers["x-acs-content-sha256"]])
        hashed = "ACS3-HMAC-SHA256\n" + hashlib.sha256(whole.encode()).hexdigest()
        right = hmac.digest(KEY_SECRET.encode(), hashed.encode(), "sha256").hex()
        return "" if hmac.compare_digest(right, found[3]) else "SignatureDoesNotMatch"

    def _wrong(self, query: dict[str, str]) -> str:
        if not re.fullmatch(r"1[3-9]\d{9}", query.get("PhoneNumbers", "")):
            return "isv.MOBILE_NUMBER_ILLEGAL"
        if query.get("SignName") != self.sign:
            return "isv.SMS_SIGNATURE_ILLEGAL"
        if (names := self.templates.get(query.get("TemplateCode", ""))) is None:
            return "isv.SMS_TEMPLATE_ILLEGAL"
        variables = json.loads(query.get("TemplateParam", "{}"))
        if set(variables) != set(names):
            return "isv.TEMPLATE_MISSING_PARAMETERS"
        for value in variables.values():
            if wrong := self.wrong_with(value):
                return {"length": "isv.PARAM_LENGTH_LIMIT", "content": "isv.PARAM_NOT_SUPPORT_URL"}[wrong]
        if self.numbers[query["PhoneNumbers"]] >= self.most_per_number:
            return "isv.BUSINESS_LIMIT_CONTROL"
        return "isv.AMOUNT_NOT_ENOUGH" if self.balance <= 0 else ""
