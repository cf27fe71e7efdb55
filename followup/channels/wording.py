"""What invitations and alerts say: wording.yml."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML


@dataclass(frozen=True, slots=True)
class Wording:
    sms: dict[str, str]
    """Kind -> text with {company}, {address}, {code}."""
    wechat: dict[str, str]
    """Kind -> text with {company}, {customer}, {agent}, {link}."""
    mail: dict[str, Any]
    block_reasons: dict[str, str]
    alert_title: str


@cache
def load_wording() -> Wording:
    """The file, read once."""
    return Wording(**YAML(typ="safe").load(Path(__file__).with_name("wording.yml")))
