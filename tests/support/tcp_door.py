"""A door before a server, for tests: while it is shut, nobody is there; opened again, on the same port, all is back."""

import asyncio
from contextlib import suppress


class Door:
    """Passes bytes from a port of its own to `address` (host:port)."""

    def __init__(self, address: str, port: int) -> None:
        self._host, _, self._target = address.rpartition(":")
        self.port = port
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._serving: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def shut(self) -> None:
        """Refuse new connections and cut those that are there."""
        if self._server is not None:
            self._server.close()
            for writer in list(self._open):
                writer.transport.abort()
            await asyncio.gather(*self._serving, return_exceptions=True)
            await self._server.wait_closed()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._serving.add(task)
            task.add_done_callback(self._serving.discard)
        away, back = await asyncio.open_connection(self._host, int(self._target))
        self._open |= {writer, back}
        try:
            await asyncio.gather(_copy(reader, back), _copy(away, writer))
        finally:
            self._open -= {writer, back}


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
