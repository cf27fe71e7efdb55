"""Our signatures against those that the vendors' own SDKs made of the same requests."""

import hashlib

from followup.channels import aliyun, tencent


def test_aliyun_signs_as_its_sdk_does() -> None:
    """alibabacloud-tea-openapi 0.4.6, Utils.get_authorization."""
    query = {
        "PhoneNumbers": "13800000000", "SignName": "演示商城", "TemplateCode": "SMS_123456", "TemplateParam": '{"code":"ABCD2345"}', "OutId": "7",
    }  # fmt: skip
    headers = {
        "host": "dysmsapi.aliyuncs.com", "x-acs-action": "SendSms", "x-acs-version": "2017-05-25", "x-acs-date": "2026-03-10T02:05:00Z",
        "x-acs-signature-nonce": "0123456789abcdef", "x-acs-content-sha256": hashlib.sha256(b"").hexdigest(),
    }  # fmt: skip
    made = aliyun.authorization(query, headers, "LTAIexample", "secretexample")
    assert made == (
        "ACS3-HMAC-SHA256 Credential=LTAIexample,SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;"
        "x-acs-version,Signature=1b54032ea1d536692e79965c1e2dd17799423efffda65c83324a213bc1699c10"
    )


def test_tencent_signs_as_its_sdk_does() -> None:
    """tencentcloud-sdk-python-common 3.1.195, AbstractClient._get_tc3_signature."""
    body = '{"PhoneNumberSet": ["+8613800000000"], "SignName": "演示商城"}'.encode()
    made = tencent.authorization("sms.tencentcloudapi.com", body, 1773108300, "AKIDexample", "secretexample")
    assert made.endswith("Signature=eecdd455611bf5e20b36c1a694d43383c14b66d2bd6e20f37ca6e3275fa8c215")
    assert "AKIDexample/2026-03-10/sms/tc3_request" in made
