"""What an operator sees."""

import io
import re

import pytest

from followup.supervise.progress import Progress


def test_a_step_is_announced_and_then_timed() -> None:
    out = io.StringIO()
    with Progress(out).step("启动数据库"):
        assert "启动数据库……" in out.getvalue()
    assert re.search(r"✓ 启动数据库（\d+\.\d 秒）\n$", out.getvalue())


def test_a_step_that_fails_is_not_called_done() -> None:
    out = io.StringIO()
    with pytest.raises(RuntimeError), Progress(out).step("启动数据库"):
        raise RuntimeError
    assert "✗ 启动数据库" in out.getvalue()
    assert "✓" not in out.getvalue()


def test_a_terminal_shows_what_is_still_under_way() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    out = Terminal()
    progress = Progress(out)
    with progress.step("启动动作服务"):
        with progress.step("启动网页服务"):
            pass
        assert out.getvalue().endswith("启动动作服务…… 0 秒")
