"""Where short message providers tell what became of a message, and what the customer answered."""

from __future__ import annotations

import hmac
import json
import logging

from aiohttp import web

from followup import clock
from followup.channels.reports import read, receive, report_secret
from followup.web import bodies
from followup.web.keys import DATABASE, SETTINGS
from followup.web.security import json_answer

_log = logging.getLogger(__name__)
LARGEST_BODY = 1024 * 1024
_TAKEN = {"aliyun": {"code": 0, "msg": "接收成功"}, "tencent": {"result": 0, "errmsg": "OK"}}
_AGAIN = {"aliyun": {"code": 1, "msg": "请稍后再推送"}, "tencent": {"result": 1, "errmsg": "请稍后再推送"}}


async def receive_reports(request: web.Request) -> web.Response:
    """POST /sms/{provider}/{secret}: providers sign nothing, so the address itself is the secret."""
    provider = request.match_info["provider"]
    wanted = report_secret(request.app[SETTINGS].signing_secret())
    if not hmac.compare_digest(request.match_info["secret"].encode("utf-8", "surrogatepass"), wanted.encode()):
        raise web.HTTPNotFound
    request._client_max_size = LARGEST_BODY  # hundreds of reports may come at once
    try:
        body = json.loads(await request.read())
    except (ValueError, RecursionError):
        return json_answer(_AGAIN[provider], status=400)
    except web.RequestPayloadError as error:
        return bodies.hang_up(request, json_answer(_AGAIN[provider], status=bodies.status_of(error)))
    replies, reports = read(provider, body)
    if not replies and not reports:
        _log.warning("a message of %s that says nothing we know", provider)
    done = await receive(request.app[DATABASE], replies, reports, clock.now())
    return json_answer((_TAKEN if done else _AGAIN)[provider], status=200 if done else 503)
