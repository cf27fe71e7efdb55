"""Where the embedded database lives."""

from pathlib import Path

from followup.supervise.postgres import Postgres


def test_the_socket_is_beside_the_data(tmp_path: Path) -> None:
    server = Postgres(tmp_path / "pg", tmp_path / "pg")
    assert server.url == f"postgresql://postgres@/followup?host={tmp_path}/pg"


def test_a_deep_data_directory_has_its_socket_elsewhere() -> None:
    home = Path("/data") / ("deep/" * 30)
    server = Postgres.at(home)
    assert server.data == home / "pg"
    assert len(str(server.socket_dir)) < 85
    assert Postgres.at(home) == server
    assert Postgres.at(home / "other").socket_dir != server.socket_dir


def test_a_path_with_chinese_is_counted_in_bytes() -> None:
    assert Postgres.at(Path("/数据" * 12)).socket_dir != Postgres.at(Path("/数据" * 12)).data


def test_special_characters_survive_in_the_url(tmp_path: Path) -> None:
    server = Postgres(tmp_path, Path("/run/a b&c"))
    assert server.url.endswith("?host=/run/a%20b%26c")


def test_it_never_listens_on_the_network() -> None:
    command = Postgres.at(Path("/x")).command()
    assert command[command.index("-h") + 1] == ""
