"""Reasons are told in Chinese: of ours, of a provider, and of a line that broke."""

import re

import pytest

from followup.campaigns.labels import labels, reason_said
from followup.channels import aliyun, tencent


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("", ""),
        ("daily_cap", "这一天联系客户的次数已满，改到下一天"),
        ("timeout", "等了很久，发送服务没有答复"),
        ("ServerDisconnected", "与发送服务的连接中断"),
        ("ClientPayloadError", "与发送服务的连接中断"),
        ("SMTPServerDisconnected", "与发送服务的连接中断"),
        ("SMTPReadTimeout", "与发送服务的连接中断"),
        ("http_502", "发送服务的答复读不懂（HTTP 状态 502）"),
        ("status 500", "发送服务的答复读不懂（HTTP 状态 500）"),
        ("smtp_451", "邮件服务器没有收下（451）"),
        ("smtp_-1", "邮件服务器的答复读不懂"),
        ("MK:0029", "发送服务返回“MK:0029”"),
    ],
)
def test_a_reason_is_a_sentence_in_chinese(code, said):
    assert reason_said(code) == said


@pytest.mark.parametrize("code", [*aliyun._KINDS, *tencent._KINDS])
def test_what_a_provider_is_known_to_say_has_words_of_its_own(code):
    assert code in labels()["reasons"]
    assert not re.search("[A-Za-z]", reason_said(code))
