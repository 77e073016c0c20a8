"""`xnovu codec-server`: opens encrypted payloads for Temporal's UI and command line, for those who may ask it.

Temporal's remote codec protocol (temporalio/samples-go, codec-server/protocol.md): POST …/decode and …/encode with
protobuf `Payloads` as JSON. It speaks to nobody, not even to Temporal, and keeps nothing. Who may ask: whoever
reaches the port, which is loopback unless a token is set, and then whoever sends the token. A web page may ask only
where its origin is the UI's; a browser says the origin with every POST, so a page that was rebound to loopback is
refused too. Called by `xnovu.__main__`.
"""

import asyncio
import hmac
import ipaddress
import logging
import signal
from typing import Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware
from google.protobuf import json_format
from pydantic import SecretStr
from temporalio.api.common.v1 import Payloads

from xnovu.adapters.codec import EncryptionCodec, codec_of
from xnovu.core.errors import PayloadsUnreadable, SettingsInvalid
from xnovu.settings import CodecServerSettings, Settings
from xnovu.telemetry import set_up_logs

LARGEST_BODY: Final = 64 * 1024 * 1024
"""A page of a history, each payload up to Temporal's 2 MiB."""

SHUTDOWN_SECONDS: Final = 2.0
_CODEC: Final = web.AppKey("codec", EncryptionCodec)
_log: Final = logging.getLogger("xnovu.codec_server")


def application(codec: EncryptionCodec, given: CodecServerSettings) -> web.Application:
    """The server. Raises SettingsInvalid where anybody on the network could ask it."""
    if given.access_token is None and not _loopback(given.bind_address):
        raise SettingsInvalid(
            "XNOVU_CODEC_SERVER__BIND_ADDRESS is not loopback and XNOVU_CODEC_SERVER__ACCESS_TOKEN is not set:"
            " anybody who reaches it could read everything; set a token"
        )
    if given.access_token is not None and not given.access_token.get_secret_value():
        raise SettingsInvalid("XNOVU_CODEC_SERVER__ACCESS_TOKEN is empty: set one, or unset it")
    app = web.Application(middlewares=[_guard(given)], client_max_size=LARGEST_BODY)
    app[_CODEC] = codec
    # Only the end of the path counts, by the protocol: a proxy may put anything before it.
    app.router.add_post("/{before:(.*/)?}decode", _decode)
    app.router.add_post("/{before:(.*/)?}encode", _encode)
    app.router.add_get("/healthz", _healthy)
    return app


def run(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT; answers the exit code. Raises SettingsInvalid."""
    set_up_logs(settings.log)
    codec = codec_of(settings.temporal)
    if codec is None:
        raise SettingsInvalid("there is nothing to open: set XNOVU_TEMPORAL__CODEC_KEYS_DIR")
    app = application(codec, settings.codec_server)
    asyncio.run(_serve(app, settings.codec_server))
    return 0


async def _serve(app: web.Application, given: CodecServerSettings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        site = web.TCPSite(runner, given.bind_address, given.port)
        try:
            await site.start()
        except OSError as error:
            raise SettingsInvalid(
                f"cannot listen on {given.bind_address} port {given.port}: {error.strerror}"
            ) from None
        _log.info(
            "serving on port %s, pages of %s may ask",
            runner.addresses[0][1],
            given.ui_origin or "nobody",
        )
        await stop.wait()
    finally:
        await runner.cleanup()


def _guard(given: CodecServerSettings) -> Middleware:
    """Who may ask: pages of the UI's origin, programs, and both only with the token where there is one."""
    wanted = given.ui_origin.rstrip("/") if given.ui_origin else None

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is not None and origin != wanted:
            return _said(
                403, "this web page may not ask: XNOVU_CODEC_SERVER__UI_ORIGIN names another"
            )
        if request.method == hdrs.METH_OPTIONS:
            answer: web.StreamResponse = web.Response(status=204)
            answer.headers[hdrs.ACCESS_CONTROL_ALLOW_METHODS] = "POST"
            answer.headers[hdrs.ACCESS_CONTROL_ALLOW_HEADERS] = (
                "Authorization, Content-Type, X-Namespace"
            )
            answer.headers[hdrs.ACCESS_CONTROL_MAX_AGE] = "600"
        elif request.path != "/healthz" and not _allowed(request, given.access_token):
            answer = _said(401, "the access token is missing or wrong")
            answer.headers[hdrs.WWW_AUTHENTICATE] = "Bearer"
        else:
            try:
                answer = await handler(request)
            except web.HTTPException as error:
                answer = _said(error.status, error.reason)
        answer.headers[hdrs.VARY] = hdrs.ORIGIN
        answer.headers[hdrs.CACHE_CONTROL] = "no-store"
        if origin is not None:
            answer.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origin
            # The UI's setting "include cross-origin credentials" needs it; nothing here looks at cookies.
            answer.headers[hdrs.ACCESS_CONTROL_ALLOW_CREDENTIALS] = "true"
        return answer

    return guard


def _allowed(request: web.Request, token: SecretStr | None) -> bool:
    if token is None:
        return True
    sent = request.headers.get(hdrs.AUTHORIZATION, "")
    wanted = f"Bearer {token.get_secret_value()}"
    return hmac.compare_digest(sent.encode(errors="replace"), wanted.encode())


async def _decode(request: web.Request) -> web.Response:
    payloads = await _read(request)
    if payloads is None:
        return _said(400, "the body is no Payloads as JSON")
    try:
        opened = await request.app[_CODEC].decode(payloads.payloads)
    except PayloadsUnreadable as error:
        return _said(422, error.message)
    return _json(Payloads(payloads=opened))


async def _encode(request: web.Request) -> web.Response:
    payloads = await _read(request)
    if payloads is None:
        return _said(400, "the body is no Payloads as JSON")
    return _json(Payloads(payloads=await request.app[_CODEC].encode(payloads.payloads)))


async def _healthy(_: web.Request) -> web.Response:
    return web.Response(text="ok\n")


async def _read(request: web.Request) -> Payloads | None:
    try:
        return json_format.Parse(await request.text(), Payloads(), ignore_unknown_fields=True)
    except (json_format.ParseError, ValueError, LookupError, RecursionError):
        # Not the parser's words: they quote the body.
        return None


def _json(payloads: Payloads) -> web.Response:
    return web.Response(
        text=json_format.MessageToJson(payloads, indent=None), content_type="application/json"
    )


def _said(status: int, message: str) -> web.Response:
    return web.json_response({"message": message}, status=status)


def _loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"
