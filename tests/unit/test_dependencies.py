"""What docs/dependencies.md says of our parts is about the versions that are pinned."""

import re

from bench.dependencies import FILE, known, packages


def test_the_report_names_every_pinned_package_in_its_version() -> None:
    told = re.findall(r"^\| ([a-z0-9-]+) \| (\S+) \| ", FILE.read_text(encoding="utf-8"), re.MULTILINE)
    assert told[1:] == [(one.name, one.version) for one in packages()], "make dependencies"


def test_each_part_we_are_bound_to_has_an_answer() -> None:
    names = {one.name for one in packages()}
    for name, part in known()["parts"].items():
        assert name in names
        assert part["known"] or part["here"]
        assert all(one["id"] and one["affected"] and one["here"] for one in part["known"])
