"""An HTTP proxy that fails on demand, in front of PostgREST and Novu.

A request that matches an armed fault meets it; all others pass. What matters after each fault is whether the server has
got the request (`passed_on`): the worker cannot tell, and must do right in both cases. Used by `site`; one event loop.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Self

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from xnovu_dev.faults.tcp_proxy import reset
from xnovu_dev.gateway import OF_ONE_HOP
from xnovu_dev.ports import HOST

LARGEST_BODY: Final = 64 * 1024 * 1024
_TIMEOUT: Final = aiohttp.ClientTimeout(total=180, connect=5)


class Kind(StrEnum):
    """What the caller sees."""

    DELAY = "delay"
    """The right answer, `seconds` late."""
    RESET = "reset"
    """The connection is reset instead of an answer."""
    HOLD = "hold"
    """Nothing, until the fault is lifted; then a reset. Longer than the caller waits, this is a black hole."""
    TRUNCATE = "truncate"
    """The first half of the answer, then a reset."""
    ANSWER = "answer"
    """`status`, `headers` and `body` instead of the server's."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a fault may look at. `path` has the query."""

    method: str
    path: str
    body: bytes


Match = Callable[[Request], bool]


@dataclass(frozen=True, slots=True)
class Fault:
    """`passed_on`: whether the server gets the request first. `count`: how many requests it hits; None: until lifted."""

    kind: Kind
    match: Match
    passed_on: bool = False
    count: int | None = None
    seconds: float = 0.0
    status: int = 500
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b"{}"


@dataclass(eq=False, slots=True)
class Armed:
    """A fault that is on. `met` is set when a request has met it: held, or about to be answered."""

    fault: Fault
    hits: int = 0
    met: asyncio.Event = field(default_factory=asyncio.Event)
    lifted: asyncio.Event = field(default_factory=asyncio.Event)

    def takes(self, request: Request) -> bool:
        spent = self.fault.count is not None and self.hits >= self.fault.count
        return not spent and not self.lifted.is_set() and self.fault.match(request)


class HttpProxy:
    """Passes requests from a port of its own to `upstream` (a base URL). Use as an async context manager.

    `watchers` are shown every request, before anything happens to it.
    """

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream
        self.port = 0
        self.in_flight = 0
        self.watchers: list[Callable[[Request], None]] = []
        self._armed: list[Armed] = []
        self._runner: web.AppRunner | None = None
        self._session: aiohttp.ClientSession | None = None

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=LARGEST_BODY)
        app.router.add_route("*", "/{path:.*}", self._serve)
        app.cleanup_ctx.append(self._sessions)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, self.port).start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        for armed in list(self._armed):
            self.lift(armed)
        if self._runner is not None:
            await self._runner.cleanup()

    def arm(self, fault: Fault) -> Armed:
        """Switch a fault on; the first that takes a request has it."""
        armed = Armed(fault)
        self._armed.append(armed)
        return armed

    def lift(self, armed: Armed) -> None:
        """Switch it off; what it holds is reset. Idempotent."""
        armed.lifted.set()
        if armed in self._armed:
            self._armed.remove(armed)

    @contextmanager
    def armed(self, fault: Fault) -> Iterator[Armed]:
        """The fault is on in the block."""
        armed = self.arm(fault)
        try:
            yield armed
        finally:
            self.lift(armed)

    async def _sessions(self, _: web.Application) -> AsyncIterator[None]:
        connector = aiohttp.TCPConnector(limit=200)
        async with aiohttp.ClientSession(
            connector=connector, timeout=_TIMEOUT, auto_decompress=False, trust_env=False
        ) as self._session:
            yield

    async def _serve(self, incoming: web.Request) -> web.StreamResponse:
        body = await incoming.read()
        request = Request(incoming.method, incoming.raw_path, body)
        for watch in self.watchers:
            watch(request)
        self.in_flight += 1
        try:
            armed = next((a for a in self._armed if a.takes(request)), None)
            if armed is None:
                return await self._pass(incoming, body)
            armed.hits += 1
            return await self._fail(incoming, body, armed)
        finally:
            self.in_flight -= 1

    async def _fail(self, incoming: web.Request, body: bytes, armed: Armed) -> web.StreamResponse:
        fault = armed.fault
        answer: web.Response | None = None
        if fault.passed_on or fault.kind in {Kind.DELAY, Kind.TRUNCATE}:
            answer = await self._pass(incoming, body)
        armed.met.set()
        match fault.kind:
            case Kind.DELAY if answer is not None:
                await asyncio.sleep(fault.seconds)
                return answer
            case Kind.ANSWER:
                return web.Response(
                    status=fault.status,
                    headers={"Content-Type": "application/json", **fault.headers},
                    body=fault.body,
                )
            case Kind.TRUNCATE if answer is not None:
                return await _half(incoming, answer)
            case Kind.HOLD:
                await armed.lifted.wait()
            case _:
                pass
        reset(incoming.transport)
        return web.Response(status=500)

    async def _pass(self, incoming: web.Request, body: bytes) -> web.Response:
        if self._session is None:
            raise RuntimeError("the proxy is not open")
        target = URL(self.upstream + incoming.raw_path, encoded=True)
        headers = _passed_on(incoming.headers)
        try:
            async with self._session.request(
                incoming.method, target, headers=headers, data=body or None, allow_redirects=False
            ) as answer:
                return web.Response(
                    status=answer.status,
                    headers=_passed_on(answer.headers),
                    body=await answer.read(),
                )
        except (aiohttp.ClientError, TimeoutError):
            # What the server did to us it would have done to the caller.
            reset(incoming.transport)
            return web.Response(status=502)


async def _half(incoming: web.Request, answer: web.Response) -> web.StreamResponse:
    body = answer.body if isinstance(answer.body, bytes) else b""
    response = web.StreamResponse(status=answer.status, headers=answer.headers)
    response.content_length = len(body)
    await response.prepare(incoming)
    await response.write(body[: len(body) // 2])
    # A reset would throw away what was just written; the end of the stream comes too early, which is the fault.
    if incoming.transport is not None:
        incoming.transport.close()
    return response


def _passed_on(headers: Mapping[str, str]) -> CIMultiDict[str]:
    return CIMultiDict((k, v) for k, v in headers.items() if k.lower() not in OF_ONE_HOP)
