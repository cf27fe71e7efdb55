"""A load balancer as an operator would set one up: it asks /healthz, and leads nobody to a machine that does not answer."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from itertools import count

import aiohttp

_EVERY_SECONDS = 1.0
_PATIENCE = aiohttp.ClientTimeout(total=4)


class Balancer:
    """TCP connections to whichever of `backends` (host, port) is well, by turns. `url`: where customers come in."""

    def __init__(self, backends: Sequence[tuple[str, int]]) -> None:
        self._backends = list(backends)
        self.well = set(self._backends)
        self._open: dict[asyncio.StreamWriter, tuple[str, int]] = {}
        self._turn = count()
        self.url = ""

    async def _look(self) -> None:
        async with aiohttp.ClientSession(timeout=_PATIENCE) as http:
            while True:
                for backend in self._backends:
                    (self.well.add if await self._is_well(http, backend) else self._ends)(backend)
                await asyncio.sleep(_EVERY_SECONDS)

    async def _is_well(self, http: aiohttp.ClientSession, backend: tuple[str, int]) -> bool:
        try:
            async with http.get(f"http://{backend[0]}:{backend[1]}/healthz") as answer:
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False

    def _ends(self, backend: tuple[str, int]) -> None:
        """Whoever is connected to it is let go, and comes again."""
        self.well.discard(backend)
        for writer, there in list(self._open.items()):
            if there == backend:
                writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        usable = sorted(self.well) or self._backends
        backend = usable[next(self._turn) % len(usable)]
        try:
            async with asyncio.timeout(3):
                there_reader, there_writer = await asyncio.open_connection(*backend)
        except (OSError, TimeoutError):
            writer.close()
            return
        self._open[writer] = self._open[there_writer] = backend
        try:
            await asyncio.gather(_pipe(reader, there_writer), _pipe(there_reader, writer))
        finally:
            del self._open[writer], self._open[there_writer]

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Balancer]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        looking = asyncio.create_task(self._look())
        try:
            yield self
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
            server.close()
            for writer in list(self._open):
                writer.close()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
