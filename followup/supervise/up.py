"""`followup up`: brings the whole product up in one terminal, says where it is, and takes it down again."""

import asyncio
import contextlib
import os
import signal
import time

from followup.console import accounts
from followup.demo import DemoTalk, prepare_demo
from followup.knowledge.check import check_all
from followup.settings import Settings, SettingsError
from followup.store.database import Database
from followup.supervise.health import responds
from followup.supervise.keeper import StartError
from followup.supervise.model import TrainingError
from followup.supervise.postgres import PostgresError
from followup.supervise.progress import Progress
from followup.supervise.runfile import AlreadyRunning
from followup.supervise.stack import Stack
from followup.web.assets import AssetsError, ensure_assets

_WHOLE_READY_SECONDS = 30.0
_SAME_SIGNAL_SECONDS = 1.0
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run_up(settings: Settings) -> int:
    """Run until a signal. Returns 0 when it was stopped, 1 when it could not start."""
    return asyncio.run(_run(settings))


async def _run(settings: Settings) -> int:
    progress = Progress()
    _stop_on_signals()
    stack = Stack(settings, step=progress.step, report=progress.line)
    started = False
    try:
        async with progress:
            await _start(stack, progress)
            started = True
            await asyncio.Event().wait()
    except asyncio.CancelledError:
        progress.line("正在停止……")
    except (StartError, TrainingError, PostgresError, AlreadyRunning, AssetsError, SettingsError) as error:
        progress.line(f"启动失败：{error}")
        return 1
    finally:
        if started:
            await stack.stop()
    progress.line("已全部停止。")
    return 0


async def _start(stack: Stack, progress: Progress) -> None:
    began = time.monotonic()
    progress.line(f"回访服务正在启动，数据目录：{stack.settings.home}")
    with progress.step("准备网页组件"):
        await asyncio.to_thread(ensure_assets, lambda _line: None)
    _tell_of_knowledge(progress)
    await stack.start()
    try:
        await _wait_whole(stack)
        with progress.step("准备演示客户"):
            talks = await prepare_demo(stack.database_url)
        admin_password = await _first_admin(stack.database_url)
    except BaseException:
        await stack.stop()
        raise
    progress.line(f"全部就绪，共用 {time.monotonic() - began:.0f} 秒。\n")
    _show_links(stack.settings, talks, progress)
    _show_console(stack.settings, admin_password, progress)
    progress.line("\n按 Ctrl-C 停止。")


def _tell_of_knowledge(progress: Progress) -> None:
    """What is wrong with data/knowledge. It stops nothing: a topic that cannot be used goes to a colleague."""
    for finding in filter(lambda one: one.is_error, check_all()):
        progress.line(f"业务问答：{finding}")


def _show_links(settings: Settings, talks: list[DemoTalk], progress: Progress) -> None:
    progress.line("演示客户（均为虚构，仅供体验）：")
    for talk in talks:
        progress.line(f"  {talk.script_name} · {talk.customer}")
        progress.line(f"  回访链接：{settings.link(talk.token)}")


async def _first_admin(database_url: str) -> str | None:
    """The first start makes an administrator; the password is shown once and changed at the first login."""
    store = Database(database_url, pool_size=1)
    try:
        async with store.session() as session:
            return await accounts.first_admin(session)
    finally:
        await store.close()


def _show_console(settings: Settings, password: str | None, progress: Progress) -> None:
    progress.line(f"\n管理后台：{settings.public_url}/console")
    if password is not None:
        progress.line(f"  管理员账号：{accounts.FIRST_ADMIN}")
        progress.line(f"  初始密码：{password}（只显示这一次，登录后会请您修改）")


async def _wait_whole(stack: Stack) -> None:
    """Until a talk can really be held, as the web process sees it."""
    deadline = time.monotonic() + _WHOLE_READY_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            if await responds(f"{stack.web_url}/healthz"):
                return
        await asyncio.sleep(0.2)
    raise StartError(
        f"各项服务已启动，但健康检查一直不通过。请查看 {stack.web_url}/healthz 和日志目录 {stack.settings.home / 'log'}。"
    )


def _stop_on_signals() -> None:
    """The first signal stops in order; one that comes later ends at once, and the kernel ends the children."""
    task = asyncio.current_task()
    assert task is not None
    loop = asyncio.get_running_loop()
    first: float | None = None

    def stop() -> None:
        nonlocal first
        if first is None:
            first = time.monotonic()
            task.cancel()
        # One Ctrl-C under `make` and `uv run` arrives twice: from the terminal, and passed on by uv.
        elif time.monotonic() - first > _SAME_SIGNAL_SECONDS:
            os._exit(130)

    for number in _STOP_SIGNALS:
        loop.add_signal_handler(number, stop)
