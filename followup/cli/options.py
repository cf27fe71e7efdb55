"""What several sub-commands share: settings with `--home`, and failures told in a line."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from followup.settings import Settings, SettingsError, load_settings


def home_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """`--home DIR`, passed as `home: Path | None`."""
    return click.option(
        "--home",
        type=click.Path(path_type=Path, file_okay=False),
        help="数据目录（默认取环境变量 FOLLOWUP_HOME，否则为 ./var）",
    )(function)


def settings_from(home: Path | None = None, port: int | None = None) -> Settings:
    """The settings with what the command line says above the environment. Raises ClickException."""
    env = dict(os.environ)
    if home is not None:
        env["FOLLOWUP_HOME"] = str(home)
    if port is not None:
        env["FOLLOWUP_PORT"] = str(port)
    try:
        return load_settings(env)
    except SettingsError as error:
        raise click.ClickException(str(error)) from None
