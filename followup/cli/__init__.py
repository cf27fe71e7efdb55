"""The `followup` command. Each sub-command is a file of its own, imported only when it is called.

To add one: a module with a click command of the module's name, and its line in `COMMANDS`.
"""

import importlib
import sys

import click

from followup.cli.chinese import ChineseCommand, ChineseGroup, usage_message

# name -> (module, attribute, what `followup --help` says; so that help imports nothing)
COMMANDS = {
    "up": ("followup.cli.up", "up", "启动全部服务，按 Ctrl-C 停止"),
    "scripts": ("followup.cli.scripts", "scripts", "查看、检查话术"),
    "knowledge": ("followup.cli.knowledge", "knowledge", "查看、检查业务问答"),
    "talk": ("followup.cli.talk", "talk", "在终端里试走一场回访"),
    "nlu": ("followup.cli.lines", "nlu", "逐行识别意图（标准输入，每行一句）"),
    "read": ("followup.cli.lines", "read", "逐行读取某类题目的答案（标准输入，每行一句）"),
    "train": ("followup.cli.train", "train", "按现有语料训练模型"),
    "models": ("followup.cli.models", "models", "模型：列出、训练、比较、上线、退回"),
    "migrate": ("followup.cli.migrate", "migrate", "更新数据表"),
    "reconcile": ("followup.cli.reconcile", "reconcile", "核对数据：故障、恢复备份之后"),
    "contacts": ("followup.cli.contacts", "contacts", "导入客户名单"),
    "customers": ("followup.cli.customers", "customers", "导出、删除一位客户的资料"),
    "api-keys": ("followup.cli.keys", "keys", "客户系统（CRM）接口的密钥"),
    "campaigns": ("followup.cli.campaigns", "campaigns", "回访任务：新建、启动、暂停、取消、台账"),
    "channels": ("followup.cli.channels", "channels", "联系客户的方式：设置、回执地址、演示短信"),
    "user": ("followup.cli.user", "user", "管理后台账号"),
    "fake-wechat": ("followup.cli.fake_wechat", "fake_wechat", "在本机模拟微信，试用公众号渠道"),
    "fake-wecom": ("followup.cli.fake_wecom", "fake_wecom", "在本机模拟企业微信，试用微信客服渠道"),
    "figures": ("followup.cli.figures", "figures", "统计表：满意度、落实度"),
}


class _Lazy(ChineseGroup):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[name]
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("命令"):
            formatter.write_dl([(name, text) for name, (_, _, text) in COMMANDS.items()])


@click.command(cls=_Lazy)
def root() -> None:
    """客户回访智能助手。"""


def main(arguments: list[str] | None = None) -> int:
    """Run the command and exit with its code: 0 done, 1 failed, 2 wrong usage."""
    _speak_utf8()
    try:
        code = root.main(arguments, prog_name="followup", standalone_mode=False)
    except click.UsageError as error:
        click.echo(usage_message(error), err=True)
        code = 2
    except click.ClickException as error:
        click.echo(error.format_message(), err=True)
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("已取消。", err=True)
        code = 130
    except BrokenPipeError:  # `followup scripts list | head`
        sys.stderr.close()
        code = 0
    raise SystemExit(code if isinstance(code, int) else 0)


def _speak_utf8() -> None:
    """Whatever the machine's locale says: everything here is Chinese."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")


__all__ = ["COMMANDS", "ChineseCommand", "ChineseGroup", "main", "root"]
