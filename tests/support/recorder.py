"""A gateway that remembers which key each request came with, in front of a real server, for tests."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
from aiohttp import web

_KEPT = ("content-type", "content-profile", "accept-profile", "prefer", "accept", "authorization")


@dataclass
class Recorder:
    """`seen`: monotonic time, key and path of each request, in order."""

    upstream: str
    url: str = ""
    seen: list[tuple[float, str, str]] = field(default_factory=list)

    def keys_since(self, moment: float) -> set[str]:
        return {key for at, key, _ in self.seen if at >= moment}


@asynccontextmanager
async def recording(upstream: str) -> AsyncIterator[Recorder]:
    recorder = Recorder(upstream)
    async with httpx.AsyncClient(timeout=30) as http:

        async def forward(request: web.Request) -> web.Response:
            key = request.headers.get("Authorization", "").rpartition(" ")[2]
            recorder.seen.append((time.monotonic(), key, request.path))
            answer = await http.request(
                request.method,
                upstream + request.path_qs,
                content=await request.read(),
                headers={k: v for k, v in request.headers.items() if k.lower() in _KEPT},
            )
            kind = answer.headers.get("Content-Type", "application/json").partition(";")[0]
            return web.Response(status=answer.status_code, body=answer.content, content_type=kind)

        app = web.Application(client_max_size=8 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", forward)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        recorder.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield recorder
        finally:
            await runner.cleanup()
