"""客户回访记录表 and the monthly report: lines and their texts; the PDF."""

from __future__ import annotations

import re
import zlib
from base64 import a85decode
from datetime import date, datetime

import pytest

from followup.figures.forms import survey_form
from followup.figures.monthly import MOST_LINES, Month, MonthFigures, monthly_paper
from followup.figures.paper import Block, Paper
from followup.figures.pdf import MOST_ROWS, TooLong, paper_pdf, survey_pdf
from followup.figures.records import TalkRecord, TicketRecord, answer, attitude, held, record_paper
from followup.figures.survey import survey
from followup.figures.talks import Given, TalkAnswers
from followup.settings import SHANGHAI

AT = datetime(2026, 11, 3, 10, 5, tzinfo=SHANGHAI)


def record(**more: object) -> TalkRecord:
    return TalkRecord(**{"customer": "王强先生", "phone": "13800000000", "fields": {}, "outcome": "完成", "reason": "", **more})  # type: ignore[arg-type]


def test_the_attitude_counts_opinions_and_repeats_the_customers_own_words_once() -> None:
    ticket = TicketRecord("不满意", "利息高", "业务部", "open", "")
    talk = record(answers=[("很满意", "好", False), ("不满意", "利息高", False), ("等了三天", "等了三天", True), (8, "8分", False), (None, "", False)], tickets=[ticket])
    assert attitude(talk) == "很满意1项、不满意1项；打分8；“利息高”；“等了三天”"


def test_who_refused_is_quoted() -> None:
    assert attitude(record(outcome="拒访", reason="没时间")) == "拒访：“没时间”"


def test_what_was_done_names_the_department_and_the_solution() -> None:
    ticket = TicketRecord("投诉", "太慢", "业务部", "solved", "已补办")
    assert answer(record(tickets=[ticket], notes=["请同事答复：何时放款"])) == "完成；请同事答复：何时放款；投诉已由业务部解决：已补办"


@pytest.mark.parametrize(("seconds", "shown"), [(42, "42秒"), (120, "2分钟"), (200.4, "3分20秒"), (0, "0秒")])
def test_a_talk_is_written_with_its_length(seconds: float, shown: str) -> None:
    assert held(record(at=AT, seconds=seconds)) == f"2026-11-03 10:05，{shown}"
    assert held(record()) == ""


def test_an_endless_reply_is_cut() -> None:
    paper = record_paper([record(answers=[("不满意", "慢" * 5000, False)])], "十一月")
    assert len(paper.blocks[0].rows[0][3]) == 600


def test_the_record_is_empty_without_talks() -> None:
    assert record_paper([], "十一月").blocks[0].note == "这段时间没有回访。"


def figures(**more: object) -> MonthFigures:
    empty: dict[str, object] = {name: () for name in ("reach", "reasons", "opinions", "rates", "causes", "groups", "complaints", "lost", "suggestions")}
    return MonthFigures(**{"month": Month(date(2026, 11, 1)), "invited": 0, **empty, **more})  # type: ignore[arg-type]


def test_a_month_without_talks_says_so_everywhere() -> None:
    assert {block.note for block in monthly_paper(figures()).blocks} == {"本月没有。"}


def test_long_lists_are_cut_and_it_is_said() -> None:
    block = monthly_paper(figures(suggestions=[("2026-11-01", "甲", "乙", "丙")] * (MOST_LINES + 1))).blocks[-1]
    assert len(block.rows) == MOST_LINES and str(MOST_LINES) in block.note


def test_a_report_is_due_at_the_end_of_the_third() -> None:
    month = Month(date(2026, 12, 1))
    assert (month.last, month.due_day, month.due) == (date(2026, 12, 31), date(2027, 1, 3), datetime(2027, 1, 4, tzinfo=SHANGHAI))
    assert month.before == Month(date(2026, 11, 1)) and Month.parse("2026-02") == Month(date(2026, 2, 1))
    assert Month.parse("2026-13") is None and Month.parse("x") is None


# —— PDF ————————————————————————————————————————————————————————————


def drawn(pdf: bytes) -> str:
    """The characters of a PDF made with the CID font: UTF-16 in its text operators."""
    found = []
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.S):
        try:
            content = zlib.decompress(a85decode(stream.strip(), adobe=False) if stream.strip().endswith(b"~>") is False else a85decode(b"<~" + stream.strip(), adobe=True))
        except (ValueError, zlib.error):
            continue
        for text in re.findall(rb"\(((?:\\.|[^\\()])*)\) Tj", content, re.S):
            raw = re.sub(rb"\\([0-7]{3}|.)", lambda m: bytes([int(m[1], 8)]) if len(m[1]) == 3 else {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}.get(m[1], m[1]), text, flags=re.S)
            found.append(raw.decode("utf-16-be", "replace"))
    return "".join(found)


def test_chinese_markup_and_emoji_come_onto_the_paper_as_text() -> None:
    paper = Paper("客户回访记录表", "十一月", (Block("甲", ("原话",), [["<b>利率&贵</b>😀"], [None], [8.5]]),))
    assert "<b>利率&贵</b>□" in drawn(paper_pdf(paper)) and "客户回访记录表" in drawn(paper_pdf(paper))


def test_a_reply_longer_than_a_page_is_divided() -> None:
    assert paper_pdf(Paper("表", "", (Block("", ("原话", "甲"), [["慢" * 4000, "乙"]]),))).startswith(b"%PDF")


def test_too_many_rows_are_refused_before_anything_is_laid_out() -> None:
    with pytest.raises(TooLong):
        paper_pdf(Paper("表", "", (Block("", ("甲",), [["乙"]] * (MOST_ROWS + 1)),)))


@pytest.mark.parametrize("number", [0, 1, 3])
def test_the_survey_form_is_drawn_with_counts_or_ticks(number: int) -> None:
    form = survey_form("satisfaction_survey_form")
    talks = [TalkAnswers(str(n), "张女士", {"client": "演示公司"}, {"price": Given("不满意", "利息高" * 300)}) for n in range(number)]
    text = drawn(survey_pdf(survey(form, talks), "十一月"))
    assert "客户满意度调查统计表" in text and "业务收费价格" in text
    assert ("■不满意" in text) == (number == 1)
