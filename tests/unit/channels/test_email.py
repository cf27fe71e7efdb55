from __future__ import annotations

from dataclasses import replace

import pytest

from followup.channels import Invitation
from followup.channels.email import invitation_letter
from followup.channels.wording import load_wording

INVITATION = Invitation(
    7, "zhang@example.com", "https://hf.example/c/abc", "", "演示商城", "张女士", "小汇", "first", "https://hf.example/u/xyz"
)


def parts(invitation: Invitation) -> tuple[str, str]:
    message = invitation_letter("客户回访 <followup@example.com>", invitation)
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None and html is not None
    return text.get_content(), html.get_content()


@pytest.mark.parametrize("kind", ["first", "reminder", "callback", "revisit"])
def test_both_forms_hold_the_same_links_and_names(kind: str) -> None:
    for part in parts(replace(INVITATION, kind=kind)):
        assert all(word in part for word in ("张女士，您好", "演示商城", INVITATION.link, INVITATION.opt_out))
        assert "{" not in part


def test_one_click_is_enough_to_be_left_alone() -> None:
    message = invitation_letter("followup@example.com", INVITATION)
    assert message["List-Unsubscribe"] == "<https://hf.example/u/xyz>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_names_cannot_write_headers_or_markup() -> None:
    message = invitation_letter("a@example.com", replace(INVITATION, company="甲\r\nBcc: x@example.com", customer="<script>x</script>"))
    assert message["Bcc"] is None and message["Subject"] == "甲 Bcc: x@example.com邀请您说说服务感受"
    html = message.get_body(("html",))
    assert html is not None and "<script>" not in html.get_content()


def test_who_has_no_name_is_greeted_all_the_same() -> None:
    assert parts(replace(INVITATION, customer=""))[0].startswith("客户，您好")


def test_no_message_speaks_of_a_questionnaire_or_in_half_width() -> None:
    words = str(load_wording())
    assert "问卷" not in words and "调查" not in words
    for text in load_wording().sms.values():
        assert not set(",;!?:()") & set(text.replace("://", "")) and len(text) < 140
