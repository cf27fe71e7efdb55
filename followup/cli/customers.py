"""`followup customers export|erase`: what a customer is entitled to, where no console is at hand."""

from pathlib import Path

import click

from followup.cli.chinese import ChineseGroup
from followup.cli.options import home_option, settings_from
from followup.cli.work import in_database


@click.group(cls=ChineseGroup)
def customers() -> None:
    """导出或删除一位客户的全部资料。"""


@customers.command("export")
@click.argument("customer")
@click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="写到哪个文件（默认 customer-编号.zip）")
@home_option
def export(customer: str, output: Path | None, home: Path | None) -> None:
    """导出一位客户的全部资料，一个 ZIP，里面有给人看的页面和 JSON。

    CUSTOMER 是客户编号，或者电话。
    """
    from followup import clock
    from followup.console.audit import audit
    from followup.rights.export import Exported, export_customer

    async def work(session) -> Exported:  # type: ignore[no-untyped-def]
        contact_id = await _find(session, customer)
        await audit(session, None, "customer.export", "contact", contact_id, source="cli")
        return await export_customer(session, contact_id)

    exported = in_database(settings_from(home), work)
    target = output or Path(f"customer-{exported.who.contact_id}.zip")
    target.touch(mode=0o600)
    target.write_bytes(exported.as_zip(clock.now(), "命令行"))
    click.echo(f"已导出 {len(exported.who.cases)} 场会话的资料：{target}。里面是个人信息，请妥善保管。")


@customers.command("erase")
@click.argument("customer")
@click.option("--reason", required=True, help="为什么删除；会留在操作记录里，不要写姓名和电话")
@click.option("--confirm", help="确认的文字“删除客户 编号”，供脚本使用；不写则会提示输入")
@home_option
def erase(customer: str, reason: str, confirm: str | None, home: Path | None) -> None:
    """删除一位客户的全部资料，不能恢复；统计用的数字留下。

    CUSTOMER 是客户编号，或者电话。
    """
    from followup import clock
    from followup.console.audit import entry_of
    from followup.console.labels import labels
    from followup.rights import logfiles
    from followup.rights.erase import NotNow, Who, erase_customer, who_is

    settings = settings_from(home)

    async def look(session) -> Who:  # type: ignore[no-untyped-def]
        return await who_is(session, await _find(session, customer))

    who = in_database(settings, look)
    if any(one in reason for one in who.known):
        raise click.ClickException(labels()["erase_errors"]["personal"])
    wanted = f"删除客户 {who.contact_id}"
    click.echo(f"将删除客户 {who.contact_id} 的 {len(who.cases)} 场会话和全部资料，不能恢复。")
    typed = confirm if confirm is not None else click.prompt(f"请照着写“{wanted}”", default="", show_default=False)
    if typed.strip() != wanted:
        raise click.ClickException(labels()["erase_errors"]["not_confirmed"] + "什么也没有删除。")

    async def work(session) -> Who:  # type: ignore[no-untyped-def]
        entry = entry_of(None, "customer.erase", "contact", who.contact_id, reason=reason, source="cli")
        session.add(entry)
        await session.flush()
        return await erase_customer(session, who.contact_id, entry.id, clock.now())

    try:
        done = in_database(settings, work)
    except NotNow:
        raise click.ClickException(labels()["erase_errors"]["not_now"]) from None
    blanked = logfiles.blank_home(settings.home, done.known)
    click.echo(f"已删除 {len(done.cases)} 场会话的内容" + (f"，日志里抹去了 {blanked} 处" if blanked else "") + "。备份请按备份的保留期限处理。")


async def _find(session, customer: str) -> int:  # type: ignore[no-untyped-def]
    """The id of the customer with this number: the customer's own, or a telephone's. Raises ClickException."""
    from followup.contacts.parse import normal_phone
    from followup.store.models import Contact
    from followup.store.records import find_contact_by_phone

    if phone := normal_phone(customer):
        found = await find_contact_by_phone(session, phone)
    else:
        number = int(customer) if customer.isascii() and customer.isdigit() and len(customer) < 19 else 0
        found = await session.get(Contact, number)
    if found is None or found.erased_at is not None:
        raise click.ClickException("没有这位客户，或者资料已经删除。")
    return found.id
