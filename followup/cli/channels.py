"""`followup channels`: what customers can be reached by, the address for the provider's reports, and the messages of a trial."""

from datetime import datetime
from pathlib import Path

import click

from followup.cli.chinese import ChineseCommand
from followup.cli.options import home_option, settings_from
from followup.settings import SHANGHAI, Settings

_PROVIDERS = {"aliyun": "阿里云", "tencent": "腾讯云", "fake": "演示，不真正发送"}


@click.command(cls=ChineseCommand)
@click.option("--demo", is_flag=True, help="显示演示短信（FOLLOWUP_SMS=fake）")
@home_option
def channels(home: Path | None, demo: bool) -> None:
    """查看可以用哪些方式联系客户，以及要填给短信服务商的回执地址。"""
    settings = settings_from(home)
    if demo:
        _demo(settings)
        return
    click.echo("链接    可用（同事复制链接发给客户）")
    click.echo(f"邮件    可用（发件人 {settings.mail_from}）" if settings.smtp_url else "邮件    没有设置 FOLLOWUP_SMTP_URL")
    if settings.sms is None:
        click.echo("短信    没有设置 FOLLOWUP_SMS")
    else:
        _sms(settings, settings.sms.provider)
    click.echo(f"通知    {len(settings.alert_urls)} 个地址" if settings.alert_urls else "通知    没有设置 FOLLOWUP_ALERT_URLS")


def _sms(settings: Settings, provider: str) -> None:
    from followup.channels.reports import report_secret

    click.echo(f"短信    可用（{_PROVIDERS[provider]}）")
    click.echo(f"        模板里的网址：{settings.public_url}/s")
    if provider != "fake":
        click.echo(f"        回执和上行短信的地址：{settings.public_url}/sms/{provider}/{report_secret(settings.signing_secret())}")
        click.echo("        这个地址等于一把钥匙，请只填给短信服务商。")


def _demo(settings: Settings) -> None:
    from followup.channels.trial import trial_messages

    messages = trial_messages(settings.home)
    for message in messages:
        at = datetime.fromisoformat(message.at).astimezone(SHANGHAI)
        click.echo(f"【演示】{at:%m-%d %H:%M}  {message.to}\n    {message.text}")
    if not messages:
        click.echo("还没有演示短信。")
