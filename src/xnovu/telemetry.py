"""Logs of both processes and the health endpoint: standard library only, so that either process can afford it.

Logs are one JSON object a line on standard error, or text for people; messages hold ids and reasons, never payloads or
keys. The health endpoint answers GET /healthz and /readyz from callables that look at the work. Called by
`xnovu.worker` and `xnovu_operator`.
"""

import asyncio
import json
import logging
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from types import TracebackType
from typing import Final

from typing_extensions import override

from xnovu.settings import LogSettings

Check = Callable[[], str | None]
"""None when all is well, else what is not."""

_STANDARD: Final = frozenset(logging.LogRecord("", 0, "", 0, "", None, None).__dict__) | {
    "message",
    "taskName",
}
_ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
_READ_SECONDS: Final = 2.0


def _shown(text: str) -> str:
    """Whatever could end a line, or speak to a terminal, as JSON spells it: a record is one line, whoever wrote it."""
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)


class TextFormatter(logging.Formatter):
    """One line for people; what follows of an exception is indented, so that no line of it can pass for a record."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s  %(message)s")

    @override
    def formatMessage(self, record: logging.LogRecord) -> str:
        return _shown(super().formatMessage(record))

    @override
    def formatException(self, ei: _ExcInfo) -> str:
        return "\n".join(f"    {_shown(line)}" for line in super().formatException(ei).splitlines())


class JsonFormatter(logging.Formatter):
    """One line of JSON; extras that are plain values come along."""

    @override
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        extras = {k: v for k, v in record.__dict__.items() if k not in _STANDARD}
        line.update({k: v for k, v in extras.items() if isinstance(v, str | int | float | bool)})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        # json.dumps leaves DEL, C1 and U+2028 as they are; outside strings all it writes is printable.
        return _shown(json.dumps(line, ensure_ascii=False))


def set_up_logs(settings: LogSettings) -> None:
    """Replace whatever handlers there are. Libraries speak from WARNING on: what they log on INFO holds URLs."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if settings.format == "json" else TextFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for name in ("xnovu", "temporalio.activity", "temporalio.workflow"):
        logging.getLogger(name).setLevel(settings.level)


@asynccontextmanager
async def health_server(
    address: str, port: int, *, alive: Check, ready: Check
) -> AsyncIterator[int]:
    """Serve health until the block ends; gives the port."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            line = await asyncio.wait_for(reader.readline(), _READ_SECONDS)
            path = line.split(b" ")[1].decode("ascii", "replace") if line.count(b" ") else ""
            checks = {"/healthz": alive, "/livez": alive, "/readyz": ready}
            problem = checks[path]() if path in checks else "no such page"
            code = (
                "404 Not Found"
                if path not in checks
                else "200 OK"
                if problem is None
                else "503 Service Unavailable"
            )
            body = (problem or "ok").encode() + b"\n"
            head = f"HTTP/1.1 {code}\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
            writer.write(head.encode() + body)
            await writer.drain()
        except (OSError, TimeoutError, ValueError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answer, address, port)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
