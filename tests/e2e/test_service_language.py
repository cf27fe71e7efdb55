"""What the bot really says in the talks, put together from all its files, contains no forbidden phrase (b9e91 6, 8035c)."""

from __future__ import annotations

from pathlib import Path

from ruamel.yaml import YAML

from followup.scripts.forbidden import from_rows, said_in
from followup.settings import PROJECT_DIR
from tests.e2e.play import play, talk_files


def test_no_talk_says_a_forbidden_phrase() -> None:
    path = Path(PROJECT_DIR, "data", "lexicon", "forbidden.yml")
    phrases = from_rows(YAML(typ="safe").load(path.read_text(encoding="utf-8")))
    said = {line.text: file.stem for file in talk_files() for line in play(file).result.transcript if line.direction == "out"}
    assert [(said[text], one.phrase, text) for text in said for one in said_in(text, phrases)] == []
    assert len(said) > 1000
