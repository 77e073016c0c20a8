"""A TCP proxy that fails on demand, in front of Temporal: it knows bytes and connections, nothing of gRPC.

Used by `site`; one event loop. The port stays the same, whatever the mode.
"""

import asyncio
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Self

from xnovu_dev.ports import HOST

CHUNK: Final = 65536


class Mode(StrEnum):
    """What happens to bytes."""

    OPEN = "open"
    DELAY = "delay"
    """Each chunk waits for `delay` seconds, both ways."""
    REFUSE = "refuse"
    """Nobody listens; connections that are there are reset. As when the server is down."""
    BLACK_HOLE = "black hole"
    """Everything is swallowed, both ways, and no connection ends. As behind a firewall that drops."""
    HALF_OPEN = "half open"
    """Requests arrive, answers do not: what was asked has happened, and nobody hears of it."""


@dataclass(eq=False, slots=True)
class _Link:
    """A client's connection and ours to the server. `torn`: bytes of it were swallowed, so it can never be whole again."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    torn: bool = False

    def reset(self) -> None:
        for writer in (self.client, self.server):
            reset(writer.transport)


@dataclass
class TcpProxy:
    """Passes bytes from a port of its own to `target` (host:port). Use as an async context manager."""

    target: str
    mode: Mode = Mode.OPEN
    delay: float = 0.0
    port: int = 0
    _server: asyncio.Server | None = None
    _links: set[_Link] = field(default_factory=set)
    _stale: set[_Link] = field(default_factory=set)
    _serving: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def address(self) -> str:
        return f"{HOST}:{self.port}"

    async def __aenter__(self) -> Self:
        await self._listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._refuse()
        for task in list(self._serving):
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def set(self, mode: Mode, delay: float = 0.0) -> None:
        """Change the mode. Connections that lost bytes are reset when they could speak again."""
        before, self.mode, self.delay = self.mode, mode, delay
        if mode is Mode.REFUSE:
            await self._refuse()
        elif before is Mode.REFUSE:
            await self._listen()
        if mode in {Mode.OPEN, Mode.DELAY}:
            for link in [link for link in self._links if link.torn]:
                link.reset()

    def reset_all(self) -> None:
        """Reset every connection, once; new ones are taken."""
        for link in list(self._links):
            link.reset()

    def strand(self) -> None:
        """The connections that are there now never hear anything again and do not end; new ones work."""
        self._stale |= self._links

    async def _listen(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, HOST, self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def _refuse(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        self.reset_all()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._serving.add(task)
            task.add_done_callback(self._serving.discard)
        host, _, port = self.target.rpartition(":")
        try:
            away, back = await asyncio.open_connection(host, int(port))
        except OSError:
            reset(writer.transport)
            return
        link = _Link(writer, back)
        self._links.add(link)
        try:
            # Cancelled only when the proxy is closed; asyncio would call that an unhandled error.
            with suppress(asyncio.CancelledError):
                await asyncio.gather(
                    self._copy(link, reader, back, answers=False),
                    self._copy(link, away, writer, answers=True),
                )
        finally:
            self._links.discard(link)
            self._stale.discard(link)

    async def _copy(
        self,
        link: _Link,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        answers: bool,
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(CHUNK):
                if self.mode is Mode.DELAY:
                    await asyncio.sleep(self.delay)
                if self._swallows(link, answers=answers):
                    link.torn = True
                    continue
                writer.write(data)
                await writer.drain()
        if not self._swallows(link, answers=answers):
            writer.close()

    def _swallows(self, link: _Link, *, answers: bool) -> bool:
        return (
            self.mode is Mode.BLACK_HOLE
            or (self.mode is Mode.HALF_OPEN and answers)
            or link in self._stale
        )


def reset(transport: asyncio.BaseTransport | None) -> None:
    """End a connection by RST, as a crashed peer or a firewall does: what was not read is lost."""
    if not isinstance(transport, asyncio.Transport):
        return
    found = transport.get_extra_info("socket")
    if found is not None:
        with suppress(OSError):
            found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
