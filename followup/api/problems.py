"""What cannot be done, as JSON (RFC 9457) with a Chinese sentence and the place in the request it is about."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web


@dataclass(frozen=True, slots=True)
class FieldError:
    """`path` is a JSON pointer into the request's body: /contacts/3/phone."""

    path: str
    message: str


class Problem(Exception):
    """Ends the request; nothing of it is written."""

    def __init__(self, status: int, title: str, errors: Sequence[FieldError] = (), **headers: str) -> None:
        super().__init__(title)
        self.status, self.title, self.errors, self.headers = status, title, tuple(errors), headers

    def answer(self) -> web.Response:
        body: dict[str, object] = {"type": "about:blank", "status": self.status, "title": self.title}
        if self.errors:
            body["errors"] = [{"path": error.path, "message": error.message} for error in self.errors]
        text = json.dumps(body, ensure_ascii=False)
        return web.Response(text=text, status=self.status, content_type="application/problem+json", headers=self.headers)
