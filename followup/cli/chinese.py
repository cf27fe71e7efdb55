"""click in Chinese: help and the messages about wrong usage."""

import gettext

import click

_HELP = "显示本说明"


class _Formatter(click.HelpFormatter):
    def write_heading(self, heading: str) -> None:
        self.write(f"{heading}\uff1a\n")


class _Context(click.Context):
    formatter_class = _Formatter


class ChineseCommand(click.Command):
    """A command whose help is in Chinese. Use as `@click.command(cls=ChineseCommand)`."""

    context_class = _Context

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        option = super().get_help_option(ctx)
        if option is not None:
            option.help = _HELP
        return option

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        pieces = " ".join(self.collect_usage_pieces(ctx)).replace("[OPTIONS]", "[选项]")
        pieces = pieces.replace("COMMAND [ARGS]...", "命令 [参数]...")
        formatter.write_usage(ctx.command_path, pieces, prefix="用法：")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        options = (parameter for parameter in self.get_params(ctx) if isinstance(parameter, click.Option))
        records = [record for option in options if (record := option.get_help_record(ctx))]
        if records:
            with formatter.section("选项"):
                formatter.write_dl(records)


class ChineseGroup(ChineseCommand, click.Group):
    """A group of such commands."""

    command_class = ChineseCommand

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        ChineseCommand.format_options(self, ctx, formatter)
        self.format_commands(ctx, formatter)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        commands = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("命令"):
            formatter.write_dl(
                [(name, command.get_short_help_str(80)) for name, command in commands if command is not None]
            )


ChineseGroup.group_class = ChineseGroup


def usage_message(error: click.UsageError) -> str:
    """What is wrong with the command line, and where to read how it is used."""
    where = error.ctx.command_path if error.ctx is not None else "followup"
    return f"{_what(error)}\n用法说明：{where} --help"


def _what(error: click.UsageError) -> str:
    if isinstance(error, click.NoSuchOption):
        hint = f"，您是不是想用 {'、'.join(error.possibilities)}" if error.possibilities else ""
        return f"没有 {error.option_name} 这个选项{hint}。"
    if isinstance(error, click.MissingParameter):
        name = error.param.make_metavar(error.ctx) if error.param is not None and error.ctx else error.param_hint
        kind = "选项" if isinstance(error.param, click.Option) else "参数"
        if isinstance(error.param, click.Option):
            name = error.param.opts[-1]
        return f"缺少{kind} {name}。"
    if isinstance(error, click.BadParameter):
        name = error.param.opts[-1] if error.param is not None else error.param_hint
        return f"{name} 的值不对：{_choices(error) or error.message}"
    text = error.format_message()
    if text.startswith(gettext.gettext("No such command")[:15]):
        return f"没有 {text.split(chr(39))[1]} 这个命令。"
    if text.startswith("Missing command"):
        return "缺少子命令。"
    if text.startswith("Got unexpected extra argument"):
        return f"多出了参数 {text.partition('(')[2].rstrip(').')}。"
    return text


def _choices(error: click.BadParameter) -> str | None:
    kind = error.param.type if error.param is not None else None
    if isinstance(kind, click.Choice):
        return f"请从 {'、'.join(map(str, kind.choices))} 中选一个。"
    if isinstance(kind, click.Path):
        return "文件不存在或无法读取。"
    if isinstance(kind, click.IntRange):
        return f"请填 {kind.min} 到 {kind.max} 之间的整数。"
    return None
