"""Lines in, JSON lines out."""

import io
import json
import sys
import types

import pytest

from followup.cli import main


def run(monkeypatch: pytest.MonkeyPatch, text: str, *arguments: str) -> int:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    with pytest.raises(SystemExit) as end:
        main(list(arguments))
    return int(end.value.code or 0)


def test_every_line_gets_a_line_back(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    lines = types.ModuleType("followup.nlu.lines")
    lines.parse_lines = lambda texts: ({"text": text} for text in texts)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "followup.nlu.lines", lines)
    assert run(monkeypatch, "方便\r\n\n在开车", "nlu") == 0
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [
        {"text": "方便"},
        {"text": ""},
        {"text": "在开车"},
    ]


def test_a_type_that_is_none_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    lines = types.ModuleType("followup.reading.lines")

    def read_line(kind: str, line: str) -> dict[str, str]:
        raise ValueError(f"没有 {kind} 这种题型。")

    lines.read_line = read_line  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "followup.reading.lines", lines)
    assert run(monkeypatch, "好\n", "read", "mood") == 1
    assert capsys.readouterr().err == "没有 mood 这种题型。\n"
