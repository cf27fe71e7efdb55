"""The picture of a script's flow."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from followup.scripts.draw import Edge, Kind, flow, mermaid
from followup.scripts.draw_svg import _placed, svg
from followup.scripts.load import load_script, script_files
from tests.unit.dialogue.player import script_of

SCRIPT = """\
- {id: drove, type: yes_no, ask: 请问是您本人开车来的吗？, ends: {"false": {outcome: wrong_person, say: 打扰您了。}}}
- {id: service, type: scale3, ask: 您对服务满意吗？, probes: [reason]}
- {id: why, type: open, ask: 能细说一下吗？, ask_if: {service: 一般, policy_date: ">= 2007-07-09"}}
- {id: when, type: open, ask: 是什么时候的事？, ask_if: {service: 一般, policy_date: ">= 2007-07-09"}}
- {id: ideas, type: open, ask: 您有什么建议吗？, ask_if: [{drove: true}, {service: 很满意}]}
- {id: thanks, type: tell, say: 谢谢您！}
"""


@pytest.fixture
def graph():
    return flow(script_of(SCRIPT))


def test_questions_follow_each_other_and_the_last_leads_to_the_end(graph):
    assert Edge("begin", "drove", "方便") in graph.edges
    assert Edge("drove", "service") in graph.edges
    assert Edge("thanks", "end") in graph.edges


def test_a_condition_is_a_branch_with_a_way_around_it(graph):
    (branch,) = [node for node in graph.nodes if node.id == "if_why"]
    assert (branch.kind, branch.text) == (Kind.BRANCH, "service：一般，并且 承保日期：>= 2007-07-09")
    assert Edge("if_why", "why", "是") in graph.edges and Edge("if_why", "if_ideas", "否则") in graph.edges


def test_questions_with_one_condition_share_its_branch(graph):
    assert Edge("why", "when") in graph.edges
    assert "if_when" not in {node.id for node in graph.nodes}


def test_any_of_several_conditions_is_one_branch(graph):
    assert [node.text for node in graph.nodes if node.id == "if_ideas"] == ["drove：是，或者 service：很满意"]


def test_an_ending_answer_leads_to_its_outcome(graph):
    assert Edge("drove", "drove.end0", "否") in graph.edges
    (end,) = [node for node in graph.nodes if node.id == "drove.end0"]
    assert (end.kind, end.title, end.text) == (Kind.END, "结束：非本人", "打扰您了。")


def test_probing_stands_beside_its_question(graph):
    assert Edge("service", "service.probe", "不满意、非常不满意") in graph.edges
    assert [node.text for node in graph.nodes if node.id == "service.probe"] == ["追问原因，再接着问"]


def test_what_always_ends_leads_nowhere_else():
    ends = "ends: {answered: {outcome: completed}, skipped: {outcome: ended_early}}"
    graph = flow(script_of(f"- {{id: ideas, type: open, ask: 您有什么建议吗？, {ends}}}\n- {{id: thanks, type: tell, say: 谢谢！}}\n"))
    assert not [edge for edge in graph.edges if (edge.source, edge.target) == ("ideas", "thanks")]


def test_mermaid_has_a_line_for_every_node_and_edge(graph):
    lines = mermaid(script_of(SCRIPT)).splitlines()
    assert lines[0] == "flowchart TD"
    assert len(lines) == 1 + len(graph.nodes) + len(graph.edges)
    assert '  n_if_why{"service：一般，并且 承保日期：#gt;= 2007-07-09"}' in lines
    assert '  n_drove -.->|"否"| n_drove_end0' in lines


@pytest.mark.parametrize("script_id", [path.stem for path in script_files()])
def test_every_shipped_script_can_be_drawn(script_id):
    script = load_script(script_id)
    graph = flow(script)
    known = {node.id for node in graph.nodes}
    assert len(known) == len(graph.nodes)
    assert {edge.source for edge in graph.edges} | {edge.target for edge in graph.edges} == known
    assert all(re.fullmatch(r"[a-z]\w*", line.split("[")[0].split("(")[0].split("{")[0].split()[0]) for line in mermaid(script).splitlines())
    picture = ElementTree.fromstring(svg(script))
    boxes = [node for node in picture if node.tag.endswith("rect")]
    assert len(boxes) == len(graph.nodes) + 1  # and the ground


@pytest.mark.parametrize("script_id", [path.stem for path in script_files()])
def test_no_two_boxes_lie_on_each_other(script_id):
    boxes = _placed(flow(load_script(script_id)))
    for number, one in enumerate(boxes):
        for other in boxes[number + 1 :]:
            assert one.x != other.x or one.y + one.height <= other.y or other.y + other.height <= one.y, (one, other)
