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
    _wechat(settings)
    click.echo(f"通知    {len(settings.alert_urls)} 个地址" if settings.alert_urls else "通知    没有设置 FOLLOWUP_ALERT_URLS")


def _sms(settings: Settings, provider: str) -> None:
    from followup.channels.reports import report_secret

    click.echo(f"短信    可用（{_PROVIDERS[provider]}）")
    click.echo(f"        模板里的网址：{settings.public_url}/s")
    if provider != "fake":
        click.echo(f"        回执和上行短信的地址：{settings.public_url}/sms/{provider}/{report_secret(settings.signing_secret())}")
        click.echo("        这个地址等于一把钥匙，请只填给短信服务商。")


def _wechat(settings: Settings) -> None:
    for account in settings.wechat:
        if not account.may_send:
            click.echo(f"微信    {account.name}：没有填写 SECRET，只能在客户说话时回复，不能主动邀请")
            continue
        ways = [name for name, there in (("模板消息", account.notices.by_template), ("订阅通知", account.notices.by_subscription)) if there]
        outside = f"，之外用{'、'.join(ways)}" if ways else "；没有设置模板消息或订阅通知，之外改用下一种方式"
        click.echo(f"微信    {account.name}：可用（客户说话后 48 小时之内用客服消息{outside}）")
        click.echo(f"        服务器地址：{settings.public_url}/wechat/{account.name}")
    if not settings.wechat:
        click.echo("微信    没有设置 FOLLOWUP_WECHAT")
    click.echo("        在后台添加的公众号，请在后台“微信”里查看。")


def _demo(settings: Settings) -> None:
    from followup.channels.trial import trial_messages

    messages = trial_messages(settings.home)
    for message in messages:
        at = datetime.fromisoformat(message.at).astimezone(SHANGHAI)
        click.echo(f"【演示】{at:%m-%d %H:%M}  {message.to}\n    {message.text}")
    if not messages:
        click.echo("还没有演示短信。")
