"""axe-core, the accessibility checker: of web/package.json's version, installed by npm when it is not there."""

from __future__ import annotations

import json
import subprocess
from functools import cache
from typing import Any

from playwright.async_api import Page

from followup.settings import PROJECT_DIR
from followup.web.assets import npm_command

_WEB = PROJECT_DIR / "web"
_PACKAGE = _WEB / "node_modules" / "axe-core"
_RUN = """async (rules) => {
  const found = await axe.run(document, {resultTypes: ["violations"], ...(rules.length ? {runOnly: rules} : {})});
  return found.violations.map((one) => ({id: one.id, impact: one.impact, help: one.help,
    nodes: one.nodes.map((node) => [node.target.join(" "), node.html.slice(0, 200)])}));
}"""


@cache
def source() -> str:
    """The checker's script."""
    wanted = json.loads((_WEB / "package.json").read_text())["devDependencies"]["axe-core"]
    try:
        installed = json.loads((_PACKAGE / "package.json").read_text())["version"]
    except FileNotFoundError:
        installed = ""
    if installed != wanted:
        command = [*npm_command(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run(command, cwd=_WEB, check=True, timeout=300)
    return (_PACKAGE / "axe.min.js").read_text(encoding="utf-8")


async def serious(page: Page, *rules: str) -> list[dict[str, Any]]:
    """What axe finds on the page that is serious or critical, by all rules or by these.

    The page's context must let it in (`bypass_csp`).
    """
    if not await page.evaluate("Boolean(window.axe)"):
        await page.evaluate(source())
    found = await page.evaluate(_RUN, list(rules))
    return [one for one in found if one["impact"] in ("serious", "critical")]
