"""How the checkers' findings are shown: for reading, or as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

import click

from followup.scripts.checks.finding import Finding


def show(found: Sequence[Finding], *, as_json: bool) -> None:
    """Print the findings, a line each, and how many there are. Ends with exit code 1 when one is an error."""
    errors = sum(finding.is_error for finding in found)
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in found], ensure_ascii=False, indent=2))
    else:
        for finding in found:
            click.echo(str(finding))
        tail = f"{errors} 处错误，{len(found) - errors} 处提醒。" if found else "没有发现问题。"
        click.echo(f"检查完成：{tail}")
    if errors:
        raise click.exceptions.Exit(1)
