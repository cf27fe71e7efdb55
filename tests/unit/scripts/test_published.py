from __future__ import annotations

from collections.abc import Iterator

import pytest

from followup.campaigns.dispatch import script_now
from followup.knowledge.load import load_topics
from followup.scripts import load, published
from followup.scripts.published import Kind, Name, Published

SCRIPT = "fruit_order"


@pytest.fixture(autouse=True)
def _files_again() -> Iterator[None]:
    yield
    published.clear()


def lay_over(kind: Kind, name: str, old: str, new: str, number: int = 1) -> None:
    folder = published.KNOWLEDGE if kind is Kind.KNOWLEDGE else published.SCRIPTS
    (path,) = folder.rglob(f"{name}.yml")
    text = published.file_text(path)
    assert old in text
    published.lay_over({Name(kind, name): Published(number, text.replace(old, new))})


def test_without_anything_published_the_file_is_in_force():
    assert load.load_script(SCRIPT).questions[0].ask == "请问您收到的{product}怎么样呢？"


def test_what_is_published_is_what_a_new_talk_begins_with():
    before = load.digest(load.content(SCRIPT))
    lay_over(Kind.SCRIPT, SCRIPT, "怎么样呢", "好不好呢")
    assert load.load_script(SCRIPT).questions[0].ask == "请问您收到的{product}好不好呢？"
    assert load.digest(load.content(SCRIPT)) != before


def test_a_campaign_notices_each_publication():
    assert "怎么样" in script_now(SCRIPT)[0].questions[0].ask
    lay_over(Kind.SCRIPT, SCRIPT, "怎么样呢", "好不好呢")
    assert "好不好" in script_now(SCRIPT)[0].questions[0].ask
    lay_over(Kind.SCRIPT, SCRIPT, "怎么样呢", "如何呢", number=2)
    assert "如何" in script_now(SCRIPT)[0].questions[0].ask


def test_what_another_database_published_under_the_same_number_is_another_text():
    lay_over(Kind.SCRIPT, SCRIPT, "怎么样呢", "好不好呢")
    assert "好不好" in script_now(SCRIPT)[0].questions[0].ask
    lay_over(Kind.SCRIPT, SCRIPT, "怎么样呢", "如何呢")
    assert "如何" in script_now(SCRIPT)[0].questions[0].ask


def test_published_shared_wording_is_in_every_script():
    old = load.shared_wording()["unclear_consent"]
    lay_over(Kind.SHARED, "_shared", f"unclear_consent: {old}", "unclear_consent: 现在方便吗？")
    assert load.load_script(SCRIPT).wording["unclear_consent"] == "现在方便吗？"


def test_a_published_answer_is_given():
    title = load_topics()["invoice"].title
    lay_over(Kind.KNOWLEDGE, "invoice", f"title: {title}", "title: 开票")
    assert load_topics()["invoice"].title == "开票"
    published.clear()
    assert load_topics()["invoice"].title == title


def test_other_folders_stay_what_they_are(tmp_path):
    file = tmp_path / f"{SCRIPT}.yml"
    file.write_text("id: other", encoding="utf-8")
    lay_over(Kind.SCRIPT, SCRIPT, "怎么样呢", "好不好呢")
    assert published.text_of(file) == "id: other"


def test_a_script_without_a_file_is_found_where_its_trade_is_and_gone_when_nothing_is_published():
    text = load.find("fruit_order").read_text(encoding="utf-8").replace("id: fruit_order", "id: apples").replace("trade: e-commerce", "trade: service")
    try:
        published.lay_over({Name(Kind.SCRIPT, "apples"): Published(3, text)})
        path = load.find("apples")
        assert (path.parent.name, path.exists(), published.stamp(path)) == ("service", False, text)
        assert load.load_script("apples").trade == "service"
    finally:
        published.clear()
    with pytest.raises(load.UnknownScript):
        load.find("apples")
