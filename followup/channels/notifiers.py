"""Which channels there are, by the settings."""

from __future__ import annotations

from followup.channels import Notifier
from followup.channels.aliyun import Aliyun
from followup.channels.email import Email
from followup.channels.link import HandedOver
from followup.channels.tencent import Tencent
from followup.channels.trial import TrialSms
from followup.mail import server_of
from followup.settings import Settings


def make_notifiers(settings: Settings) -> dict[str, Notifier]:
    """channel -> its notifier. They hold no connection: nothing is to be closed."""
    notifiers: list[Notifier] = [HandedOver()]
    if settings.smtp_url:
        notifiers.append(Email(server_of(settings.smtp_url, settings.mail_from)))
    if settings.sms is not None:
        notifiers.append(_sms(settings))
    return {notifier.channel: notifier for notifier in notifiers}


def _sms(settings: Settings) -> Notifier:
    account = settings.sms
    assert account is not None
    if account.provider == "fake":
        return TrialSms(settings.home, settings.public_url)
    return (Aliyun if account.provider == "aliyun" else Tencent)(account)
