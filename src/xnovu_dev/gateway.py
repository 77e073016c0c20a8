"""`python -m xnovu_dev.gateway PORT UPSTREAM`: Supabase's path in front of PostgREST, until SIGTERM.

`/rest/v1/…` goes to `UPSTREAM/…` as it is: method, query, headers, body, status. What else Supabase's gateway does
(other services, API keys per project) is not here; PostgREST itself checks the token. A request with an `apikey` and
no Authorization is sent with the key as its token, as Supabase does.
"""

import sys
from collections.abc import AsyncIterator, Sequence
from typing import Final

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from xnovu_dev.ports import HOST

PREFIX: Final = "/rest/v1"
CONNECTIONS: Final = 100
LARGEST_BODY: Final = 64 * 1024 * 1024
TIMEOUT: Final = aiohttp.ClientTimeout(total=120, connect=5)

# RFC 9110, section 7.6.1; the length is set anew by whoever sends.
OF_ONE_HOP: Final = frozenset(
    {
        "connection",
        "content-length",
        "host",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_SESSION: Final = web.AppKey("session", aiohttp.ClientSession)
_UPSTREAM: Final = web.AppKey("upstream", str)


def application(upstream: str) -> web.Application:
    app = web.Application(client_max_size=LARGEST_BODY)
    app[_UPSTREAM] = upstream
    app.cleanup_ctx.append(_session)
    app.router.add_route("*", PREFIX + "{path:(/.*)?}", forward)
    return app


async def forward(request: web.Request) -> web.StreamResponse:
    """Pass one request on; 502 where PostgREST does not answer."""
    path = request.raw_path.removeprefix(PREFIX)
    target = URL(
        request.app[_UPSTREAM] + (path if path.startswith("/") else f"/{path}"), encoded=True
    )
    headers = _passed_on(request.headers)
    if "Authorization" not in headers and "apikey" in headers:
        headers["Authorization"] = f"Bearer {headers['apikey']}"
    body = await request.read() if request.can_read_body else None
    try:
        async with request.app[_SESSION].request(
            request.method, target, headers=headers, data=body, allow_redirects=False
        ) as answer:
            return web.Response(
                status=answer.status,
                reason=answer.reason,
                headers=_passed_on(answer.headers),
                body=await answer.read(),
            )
    except (aiohttp.ClientError, TimeoutError) as error:
        return web.json_response(
            {"code": "gateway", "message": f"PostgREST did not answer: {type(error).__name__}"},
            status=502,
        )


def _passed_on(headers: "CIMultiDict[str] | aiohttp.typedefs.LooseHeaders") -> CIMultiDict[str]:
    given = CIMultiDict(headers)
    return CIMultiDict((k, v) for k, v in given.items() if k.lower() not in OF_ONE_HOP)


async def _session(app: web.Application) -> AsyncIterator[None]:
    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    # What is compressed stays compressed: the body is passed on as it is.
    async with aiohttp.ClientSession(
        connector=connector, timeout=TIMEOUT, auto_decompress=False, trust_env=False
    ) as session:
        app[_SESSION] = session
        yield


def main(arguments: Sequence[str]) -> None:
    port, upstream = arguments
    web.run_app(
        application(upstream),
        host=HOST,
        port=int(port),
        print=None,
        access_log=None,
        shutdown_timeout=1,
    )


if __name__ == "__main__":
    main(sys.argv[1:])
