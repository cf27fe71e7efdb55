"""The firm's account at a short message provider, as the settings give it. Imports nothing of ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

PROVIDERS = ("aliyun", "tencent", "fake")
KINDS = ("first", "reminder", "callback", "revisit", "resume", "unfinished")


@dataclass(frozen=True, slots=True)
class SmsAccount:
    provider: str
    """aliyun | tencent | fake"""
    key_id: str = ""
    key_secret: str = field(default="", repr=False)
    sign: str = ""
    """The registered signature, without 【】."""
    templates: Mapping[str, str] = field(default_factory=dict)
    """Kind of invitation -> the registered template; `first` stands for those that are missing, `reminder` for `unfinished`."""
    app_id: str = ""
    """Tencent's SmsSdkAppId."""

    def template(self, kind: str) -> str:
        own = self.templates.get(kind) or self.templates.get("reminder" if kind == "unfinished" else "first")
        return own or self.templates["first"]
