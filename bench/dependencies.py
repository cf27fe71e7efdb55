"""Every pinned package with version, licence and release, and what is known about the old ones: `python -m bench.dependencies [--write]`.

Versions and dates are those of uv.lock, licences those of the installed packages, the rest is bench/dependencies.yml. Nothing is asked
of the network. `--write` makes docs/dependencies.md.
"""

from __future__ import annotations

import argparse
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

PROJECT = Path(__file__).parents[1]
KNOWN = Path(__file__).with_name("dependencies.yml")
FILE = PROJECT / "docs" / "dependencies.md"


@dataclass(frozen=True, slots=True)
class Package:
    name: str
    version: str
    released: str
    """Day, or empty where the lock file does not say."""
    licence: str


def packages() -> list[Package]:
    """Every package that the lock file pins, but ourselves."""
    locked = tomllib.loads((PROJECT / "uv.lock").read_text(encoding="utf-8"))["package"]
    licences = {_plain(one.metadata["Name"]): _licence(one.metadata) for one in metadata.distributions()}
    found = []
    for one in locked:
        if "registry" not in one.get("source", {}):
            continue
        files = [one.get("sdist", {}), *one.get("wheels", ())]
        days = sorted(str(file["upload-time"])[:10] for file in files if "upload-time" in file)
        found.append(Package(one["name"], one["version"], days[0] if days else "", licences.get(_plain(one["name"]), "not installed here")))
    return sorted(found, key=lambda package: package.name)


def known() -> dict[str, Any]:
    return YAML(typ="safe").load(KNOWN.read_text(encoding="utf-8"))


def report() -> str:
    """docs/dependencies.md."""
    every, book = packages(), known()
    lines = [
        "# What we are built on, and what is known about it",
        "",
        "`make dependencies` writes this file out of uv.lock, the installed packages and bench/dependencies.yml; a test compares them.",
        f"Advisories were looked for on {book['looked_at']}, in public threads and pages; what was not found is not written down, and is no proof that there is none.",
        "",
        "## The parts we are bound to",
        "",
        "| part | why not newer | known | affected | why it does not reach us, or what we do |",
        "|---|---|---|---|---|",
    ]
    versions = {package.name: package.version for package in every}
    for name, part in book["parts"].items():
        lines += _rows(f"{name} {versions[name]}", part)
    lines += ["", "## All of them", "", "| package | version | released | licence |", "|---|---|---|---|"]
    lines += [f"| {one.name} | {one.version} | {one.released or '?'} | {one.licence} |" for one in every]
    return "\n".join(lines) + "\n"


def _rows(name: str, part: Mapping[str, Any]) -> Sequence[str]:
    why = part.get("why_old", "current")
    if not part["known"]:
        return [f"| {name} | {why} | nothing found | | {part['here']} |"]
    rows = []
    for one in part["known"]:
        proof = f" (`{one['proof']}`)" if "proof" in one else ""
        rows.append(f"| {name} | {why} | {one['id']}: {one['what']} | {one['affected']} | {one['here']}{proof} |")
    return rows


def _licence(about: Any) -> str:
    """A short name: the expression, the classifier, or the first line of what stands there."""
    if expression := about.get("License-Expression"):
        return expression
    classified = [one.rpartition(" :: ")[2] for one in about.get_all("Classifier") or () if one.startswith("License ::") and one.count("::") > 1]
    if classified:
        return ", ".join(classified)
    first = (about.get("License") or "").strip().splitlines()
    return first[0][:60].replace("|", "/") if first else "not said"


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.dependencies", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write docs/dependencies.md")
    if parser.parse_args().write:
        FILE.write_text(report(), encoding="utf-8")
    else:
        print(report(), end="")


if __name__ == "__main__":
    main()
