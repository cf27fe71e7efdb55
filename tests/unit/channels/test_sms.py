from __future__ import annotations

import pytest

from followup.channels import Refused, Unclear, aliyun, tencent
from followup.channels.call import Answer
from followup.channels.sms import checked, mobile


@pytest.mark.parametrize("value", ["2345CDFG", "张女士", "a" * 35, "12"])
def test_a_variable_that_carriers_let_through(value: str) -> None:
    assert checked({"x": value}) == {"x": value}


@pytest.mark.parametrize(
    "value",
    ["", "a" * 36, "https://a.cn/x", "www.example", "hf.example.com", "10.0.0.1", "满意度问卷", "【店】", "a\nb", "wx://x", "店铺.cn"],
)
def test_a_variable_that_carriers_refuse_is_our_fault_and_costs_nothing(value: str) -> None:
    with pytest.raises(Refused) as error:
        checked({"x": value})
    assert error.value.kind == "ours"
    assert not value or value not in str(error.value)


@pytest.mark.parametrize("number", ["13800138000", "+8613800138000", " 19912345678 "])
def test_a_mobile_number(number: str) -> None:
    assert len(mobile(number)) == 11


@pytest.mark.parametrize("number", ["", "1380013800", "12345678901", "010-12345678", "138001380001", "１３８00138000", "+85212345678"])
def test_no_short_message_goes_to_a_number_that_is_none(number: str) -> None:
    with pytest.raises(Refused) as error:
        mobile(number)
    assert error.value.kind == "permanent"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("isv.MOBILE_NUMBER_ILLEGAL", "permanent"), ("isv.BUSINESS_LIMIT_CONTROL", "throttled"), ("Throttling.User", "throttled"),
        ("isp.SYSTEM_ERROR", "temporary"), ("isv.BLACK_KEY_CONTROL_LIMIT", "temporary"), ("isv.AMOUNT_NOT_ENOUGH", "ours"),
        ("isv.OUT_OF_SERVICE", "ours"), ("isv.SMS_SIGNATURE_ILLEGAL", "ours"), ("isv.DAY_LIMIT_CONTROL", "ours"),
        ("SignatureDoesNotMatch", "ours"), ("isp.RAM_PERMISSION_DENY", "ours"), ("isv.SOMETHING_NEW", "ours"),
    ],
)  # fmt: skip
def test_whose_fault_aliyuns_answers_are(code: str, kind: str) -> None:
    with pytest.raises(Refused) as error:
        aliyun.accepted(Answer(200, {"Code": code, "Message": "给13800138000的短信"}))
    assert (error.value.kind, error.value.code) == (kind, code)
    assert "138" not in str(error.value)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("FailedOperation.PhoneNumberInBlacklist", "blocked"), ("InvalidParameterValue.IncorrectPhoneNumber", "permanent"),
        ("LimitExceeded.PhoneNumberThirtySecondLimit", "throttled"), ("RequestLimitExceeded.UinLimitExceeded", "throttled"),
        ("FailedOperation.ContainSensitiveWord", "temporary"), ("FailedOperation.InsufficientBalanceInSmsPackage", "ours"),
        ("LimitExceeded.AppDailyLimit", "ours"), ("InvalidParameterValue.TemplateParameterLengthLimit", "ours"),
        ("UnauthorizedOperation.ServiceSuspendDueToArrears", "ours"), ("AuthFailure.SignatureFailure", "ours"), ("New.Thing", "ours"),
    ],
)  # fmt: skip
def test_whose_fault_tencents_answers_are(code: str, kind: str) -> None:
    for response in ({"Error": {"Code": code}}, {"SendStatusSet": [{"Code": code, "SerialNo": ""}]}):
        with pytest.raises(Refused) as error:
            tencent.accepted(Answer(200, {"Response": response}))
        assert error.value.kind == kind


@pytest.mark.parametrize(
    "body", [{}, {"Code": ""}, {"Code": None}, {"Code": "InternalError"}, {"Code": "isp.UNKNOWN"}, {"Response": {}}]
)
def test_an_answer_of_aliyun_that_settles_nothing_leaves_it_open(body: dict) -> None:
    with pytest.raises(Unclear):
        aliyun.accepted(Answer(200, body))


@pytest.mark.parametrize(
    "response",
    [None, [], {}, {"SendStatusSet": []}, {"SendStatusSet": [None]}, {"SendStatusSet": {}}, {"Error": {"Code": "InternalError.SendAndRecvFail"}},
     {"SendStatusSet": [{"Code": "InternalError.Timeout"}]}],
)  # fmt: skip
def test_an_answer_of_tencent_that_settles_nothing_leaves_it_open(response: object) -> None:
    with pytest.raises(Unclear):
        tencent.accepted(Answer(200, {"Response": response}))


def test_an_ok_that_comes_with_an_error_status_is_not_believed() -> None:
    with pytest.raises(Unclear):
        aliyun.accepted(Answer(502, {"Code": "OK", "BizId": "1"}))
