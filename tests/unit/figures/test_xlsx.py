"""The spreadsheets, read back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from openpyxl import load_workbook

from followup.figures.forms import rates_form, survey_form
from followup.figures.survey import survey
from followup.figures.talks import Given, TalkAnswers
from followup.figures.workshop import rates
from followup.figures.xlsx import save_rates, save_survey

FORM = survey_form("satisfaction_survey_form")
PERIOD = "2026-11-01 至 2026-11-30"
HEADER = {"client": "演示商贸公司", "address": "演示路8号", "phone": "13800000000", "business": "企金仓储业务", "form_number": "演示0001"}


def talk(customer: str, **values: Any) -> TalkAnswers:
    return TalkAnswers(customer, customer, HEADER, {key: Given(value, str(value)) for key, value in values.items()})


def sheets(path: Path) -> dict[str, list[list[Any]]]:
    return {sheet.title: [list(row) for row in sheet.values] for sheet in load_workbook(path)}


def written(tmp_path: Path, *talks: TalkAnswers) -> dict[str, list[list[Any]]]:
    save_survey(survey(FORM, talks), PERIOD, tmp_path / "a.xlsx")
    return sheets(tmp_path / "a.xlsx")


def texts(rows: list[list[Any]]) -> list[str]:
    return [str(cell) for row in rows for cell in row if cell is not None]


def test_the_form_has_the_documents_rows_in_their_order(tmp_path: Path) -> None:
    rows = written(tmp_path, talk("张女士", price="很满意"), talk("李先生", price="不满意"))["统计表"]
    said = texts(rows)
    assert said[0] == "客户满意度调查统计表"
    labels = ["编号", "客户名称", "地址", "联系人", "电话", "对我司业务的满意程度", "业务服务方式", "业务收费价格", "业务贷款期限",
              "对我司服务的满意程度", "客户经理工作方式是否满意", "客户经理服务态度是否满意", "我司业务执行效力是否满意",
              "对我司合作第三方的满意程度", "服务态度", "执行效力", FORM.comments_label]  # fmt: skip
    places = [said.index(label) for label in labels]
    assert places == sorted(places)
    assert ["很满意　1（50%）", "一般　0（0%）", "不满意　1（50%）"] == next(row for row in rows if row[1] == "业务收费价格")[2:5]


def test_one_form_alone_is_filled_in_with_ticks(tmp_path: Path) -> None:
    rows = written(tmp_path, talk("张女士", price="不满意", business_reason="利息高"))["统计表"]
    assert next(row for row in rows if row[1] == "业务收费价格")[2:5] == ["□很满意", "□一般", "☑不满意"]
    said = texts(rows)
    assert "演示商贸公司" in said and "□个金车贷业务　☑企金仓储业务" in said and "不满意原因：利息高" in said
    assert not any("小计" in text for text in said)


def test_the_numbers_are_numbers(tmp_path: Path) -> None:
    rows = written(tmp_path, talk("张女士", price="很满意"), talk("李先生", price="很满意"), talk("王先生", price=None))["数据"]
    row = next(row for row in rows if row[1] == "业务收费价格")
    assert row[2:] == [2, 0, 0, 100, 0, 0, 2, 1, 0]


def test_every_customer_has_a_line(tmp_path: Path) -> None:
    rows = written(tmp_path, talk("张女士", price="一般", other_comments="没了"), talk("李先生", price=None))["逐户明细"]
    assert [row[3] for row in rows] == ["联系人", "张女士", "李先生"]
    assert rows[1][rows[0].index("业务收费价格")] == "一般" and not rows[2][rows[0].index("业务收费价格")]


def test_what_a_customer_writes_never_becomes_a_formula(tmp_path: Path) -> None:
    evil = '=HYPERLINK("http://example.org","点我")'
    save_survey(survey(FORM, [talk(evil, price="一般", other_comments=evil)] * 2), PERIOD, tmp_path / "a.xlsx")
    kinds = {cell.data_type for sheet in load_workbook(tmp_path / "a.xlsx") for row in sheet for cell in row}
    assert "f" not in kinds


def test_control_characters_do_not_stop_the_form(tmp_path: Path) -> None:
    assert "慢很" in "".join(texts(written(tmp_path, talk("张女士", price="一般", other_comments="慢\x0b很"))["统计表"]))


def test_the_rates_are_written_per_item_in_total_and_per_station(tmp_path: Path) -> None:
    form = rates_form("workshop_service_satisfaction")
    talks = [TalkAnswers("a", "张女士", {"station": "城东"}, {"invited": Given(True), "reception": Given(8)})]
    save_rates(rates(form, talks), PERIOD, tmp_path / "b.xlsx")
    book = sheets(tmp_path / "b.xlsx")
    assert next(row for row in book["统计"] if row[0] == "2.2")[1:6] == ["接车迅速、礼貌友善", "满意度", 80, 8, 1]
    assert book["按服务站"][1:] == [["城东", 1, 100, 80], ["合计", 1, 100, 80]]
