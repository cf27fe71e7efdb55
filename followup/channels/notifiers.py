"""Which channels there are, by the settings."""

from __future__ import annotations

from collections.abc import Iterable

from followup.channels import Notifier
from followup.channels.aliyun import Aliyun
from followup.channels.email import Email
from followup.channels.link import HandedOver
from followup.channels.tencent import Tencent
from followup.channels.trial import TrialSms
from followup.channels.wechat.account import Account
from followup.channels.wechat.notifier import WechatNotifier
from followup.channels.wechat.send import Sender
from followup.mail import server_of
from followup.settings import Settings


def channels_of(settings: Settings, accounts: Iterable[Account] = ()) -> frozenset[str]:
    """The channels that something can be sent by. `accounts`: of WeChat, as they stand now; else the environment's."""
    wechat = any(account.may_send for account in (*settings.wechat, *accounts))
    return frozenset(make_notifiers(settings)) | ({WechatNotifier.channel} if wechat else frozenset())


def make_notifiers(settings: Settings, wechat: Sender | None = None) -> dict[str, Notifier]:
    """channel -> its notifier. They hold no connection: nothing is to be closed. `wechat`: what sends there, which its owner closes."""
    notifiers: list[Notifier] = [HandedOver()]
    if settings.smtp_url:
        notifiers.append(Email(server_of(settings.smtp_url, settings.mail_from)))
    if settings.sms is not None:
        notifiers.append(_sms(settings))
    if wechat is not None:
        notifiers.append(WechatNotifier(wechat))
    return {notifier.channel: notifier for notifier in notifiers}


def _sms(settings: Settings) -> Notifier:
    account = settings.sms
    assert account is not None
    if account.provider == "fake":
        return TrialSms(settings.home, settings.public_url)
    return (Aliyun if account.provider == "aliyun" else Tencent)(account)
