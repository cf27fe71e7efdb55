"""What is looked at while somebody writes."""

from __future__ import annotations

import pytest

from followup.console.scripts import bench
from followup.scripts import load, published
from followup.scripts.checks import lines
from followup.scripts.published import Kind, Name

SCRIPT = Name(Kind.SCRIPT, "fruit_order")


def test_a_keystroke_reads_the_text_once_for_checker_form_and_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    text = published.file_text(load.find(SCRIPT.id))
    bench.look(SCRIPT, text, text)  # shared wording and forbidden phrases are known from here on
    read: list[str] = []

    class Counting(lines.YAML):  # type: ignore[misc]
        def compose(self, stream):  # type: ignore[no-untyped-def]
            read.append(stream)
            return super().compose(stream)

        def load(self, stream):  # type: ignore[no-untyped-def]
            read.append(stream)
            return super().load(stream)

    for module in ("checks.lines", "check", "load", "publish_fields"):
        monkeypatch.setattr(f"followup.scripts.{module}.YAML", Counting)
    changed = text.replace("请问您收到的{product}怎么样呢？", "收到的{product}还合您的心意吗？")
    looked = bench.look(SCRIPT, changed, text)
    assert looked.picture and looked.fields and looked.changes and not looked.errors
    assert read == [changed]


def test_a_text_that_cannot_be_read_is_told_every_time() -> None:
    broken = "id: [x\n"
    first, second = (bench.look(SCRIPT, broken, "") for _ in range(2))
    assert first.errors and second.errors and not first.picture
