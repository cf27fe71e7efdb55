"""Whether a process answers, asked from outside; and free ports."""

import socket

import aiohttp
import psycopg

_TIMEOUT = aiohttp.ClientTimeout(total=8)


async def responds(url: str, *, expect: int | None = 200) -> bool:
    """Whether GET `url` is answered with status `expect` (None: with anything)."""
    try:
        async with aiohttp.ClientSession(timeout=_TIMEOUT) as session, session.get(url) as response:
            return expect is None or response.status == expect
    except aiohttp.ClientError as error:
        raise OSError(str(error)) from error


async def worker_beats(database_url: str, since: float) -> bool:
    """Whether some procrastinate worker gave a sign of life in the last `since` seconds (at most a minute)."""
    try:
        async with await psycopg.AsyncConnection.connect(database_url, connect_timeout=5) as connection:
            row = await (
                await connection.execute(
                    "SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - %s * interval '1 second'",
                    (min(since, 60.0),),
                )
            ).fetchone()
    except psycopg.Error as error:
        raise OSError(str(error)) from error
    return row is not None and row[0] > 0


def free_port() -> int:
    """A loopback port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def can_listen(address: str, port: int) -> bool:
    """Whether a server could open this port."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True
