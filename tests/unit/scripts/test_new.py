"""`followup scripts new` and `followup scripts draw`."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from followup.cli.scripts import scripts
from followup.scripts.check import check_file
from followup.scripts.load import SCRIPTS_DIR, content_of, load_script, script_files
from followup.scripts.new import CannotStart, start_script, starting_text
from followup.scripts.publish_check import check_text
from followup.scripts.published import Kind, Name
from tests.unit.dialogue.player import Player


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "scripts"
    folder.mkdir()
    (folder / "_shared.yml").write_bytes((SCRIPTS_DIR / "_shared.yml").read_bytes())
    return folder


def test_a_new_script_passes_the_check_without_a_word(folder):
    path = start_script("lost_customers", "car-service", "流失客户关爱", folder)
    assert path == folder / "car-service" / "lost_customers.yml"
    assert [str(finding) for finding in check_file(path, folder)] == []


def test_a_new_script_can_be_talked_at_once(folder):
    start_script("lost_customers", "car-service", "流失客户关爱", folder)
    script = load_script("lost_customers", folder)
    assert (script.name, script.trade) == ("流失客户关爱", "car-service")
    player = Player(script)
    player.say("方便", "consent")
    assert "满意吗" in player.say("用上了", "affirm")
    player.say("很满意", "satisfied")
    player.say("没有了", "nothing_to_add")
    assert player.state.outcome == "completed"


def test_the_other_branch_of_a_new_script(folder):
    start_script("lost_customers", "car-service", folder=folder)
    player = Player(load_script("lost_customers", folder))
    player.say("方便", "consent")
    assert "主要是什么原因" in player.say("还没有", "deny")
    assert "请同事联系您" in player.say("不会用", "inform")


def test_nothing_is_overwritten(folder):
    path = start_script("lost_customers", "car-service", folder=folder)
    path.write_text("我的话术", encoding="utf-8")
    with pytest.raises(CannotStart, match="已经有了：car-service/lost_customers.yml"):
        start_script("lost_customers", "bank", folder=folder)
    assert path.read_text(encoding="utf-8") == "我的话术"


@pytest.mark.parametrize(
    ("script_id", "trade", "name", "message"),
    [
        ("Lost", "bank", "", "编号“Lost”"),
        ("../lost", "bank", "", "编号“../lost”"),
        ("lost", "../bank", "", "行业“../bank”"),
        ("lost", "汽车", "", "行业“汽车”"),
        ("lost", "bank", "流失: 关爱", "名称“流失: 关爱”"),
    ],
)
def test_names_that_cannot_be(folder, script_id, trade, name, message):
    with pytest.raises(CannotStart, match=message):
        start_script(script_id, trade, name, folder)
    assert not list(folder.glob("*/*"))


def test_a_taken_name_is_told_on_the_command_line():
    result = CliRunner().invoke(scripts, ["new", "fruit_order", "--trade", "bank"])
    assert result.exit_code == 1 and "已经有了：e-commerce/fruit_order.yml" in result.output


def test_a_flow_is_printed_or_written_as_a_picture(tmp_path):
    printed = CliRunner().invoke(scripts, ["draw", "fruit_order"])
    assert printed.exit_code == 0 and printed.output.startswith("flowchart TD\n")
    out = tmp_path / "fruit.svg"
    assert CliRunner().invoke(scripts, ["draw", "fruit_order", "--out", str(out)]).exit_code == 0
    assert out.read_text(encoding="utf-8").startswith("<svg ")


def test_a_script_that_is_not_there_is_told():
    result = CliRunner().invoke(scripts, ["draw", "nothing"])
    assert result.exit_code == 1 and "没有编号是“nothing”的话术" in result.output


def test_a_script_begun_like_another_is_as_good_as_that_one() -> None:
    for path in script_files():
        text = starting_text("winter_tyres", path.parent.name, "冬季轮胎回访", path.read_text(encoding="utf-8"))
        found = check_text(Name(Kind.SCRIPT, "winter_tyres"), text)
        assert [str(one) for one in found if one.is_error] == [], path.stem
        assert content_of(text)["script"]["name"] == "冬季轮胎回访"
