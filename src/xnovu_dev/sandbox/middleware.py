"""What a request passes on its way to a handler, outermost first, in Novu's order with the fault switches in between.

record → answer errors → loopback names only → key (401) → rate limit (429) → connection (error_before_accept,
accept_then_drop, garbage, slow) → idempotency → 5xx → handler. So a dropped connection leaves a finished request
behind, and an injected 500 is cached under its idempotency key: both as in the real one.
"""

import asyncio
import hashlib
import hmac
import json
import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final

from aiohttp import web
from pydantic import JsonValue

from xnovu_dev.sandbox.buckets import Category
from xnovu_dev.sandbox.faults import Fault, Kind
from xnovu_dev.sandbox.idempotency import Answer
from xnovu_dev.sandbox.json_types import JsonObject, as_object, stamp
from xnovu_dev.sandbox.refusals import Refused, error_body
from xnovu_dev.sandbox.web_support import environment, plain

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_LOG: Final = logging.getLogger(__name__)
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_ACCEPTED: Final = 300


def is_api(request: web.Request) -> bool:
    """Whether this is Novu's API, rather than the page or the switches."""
    return request.path.startswith(("/v1/", "/v2/"))


def _fault(request: web.Request, kind: Kind) -> Fault | None:
    return environment(request).faults.take(kind, request.method, request.path)


@web.middleware
async def record(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Keep what was asked and answered; never the key."""
    if not is_api(request):
        return await handler(request)
    env = environment(request)
    entry: JsonObject = {
        "at": stamp(env.now()),
        "method": request.method,
        "path": request.path,
        "query": dict(request.query),
        "idempotencyKey": request.headers.get("Idempotency-Key"),
        "body": _parsed(await request.read()),
        "status": None,
    }
    env.requests.append(entry)
    response = await handler(request)
    entry["status"] = response.status
    return response


def _parsed(raw: bytes) -> JsonValue:
    try:
        value: JsonValue = json.loads(raw) if raw else None
    except ValueError:
        return None
    return value


@web.middleware
async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every error in Novu's shape; what nobody foresaw is a 500 with an id that the log has too."""
    env = environment(request)
    try:
        return await handler(request)
    except Refused as refused:
        failure = refused
    except web.HTTPRedirection:
        raise
    except web.HTTPException as error:
        known = error.status not in (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED)
        message = error.reason if known else f"Cannot {request.method} {request.path}"
        failure = Refused(error.status, message)
    except Exception:  # noqa: BLE001 - the last resort of a server: logged, with an id for the caller
        error_id = env.new_id()
        _LOG.exception("error %s at %s %s", error_id, request.method, request.path)
        failure = _internal(error_id)
    return plain(error_body(failure, request.path, env.now()), failure.status, failure.headers)


def _internal(error_id: str, status: int = 500) -> Refused:
    message = (
        f"Internal server error, contact support and provide them with the errorId: {error_id}"
    )
    return Refused(status, message, extra={"errorId": error_id})


@web.middleware
async def loopback_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The page and the switches need no key, so a web page elsewhere must not reach them.

    A rebound DNS name shows in Host, a foreign page in Origin or Sec-Fetch-Site.
    """
    if is_api(request):
        return await handler(request)
    origin = request.headers.get("Origin")
    foreign = request.headers.get("Sec-Fetch-Site") == "cross-site" and request.method != "GET"
    if request.url.host not in _LOOPBACK or foreign or origin not in (None, _own(request)):
        raise Refused(403, "Only for this machine's own pages")
    return await handler(request)


def _own(request: web.Request) -> str:
    return f"http://{request.host}"


@web.middleware
async def check_key(request: web.Request, handler: Handler) -> web.StreamResponse:
    """`Authorization: ApiKey <secret>`, with the three messages of §2.1."""
    if not is_api(request):
        return await handler(request)
    header = request.headers.get("Authorization")
    if not header:
        raise Refused(401, "Missing authorization header")
    scheme, _, key = header.partition(" ")
    if scheme != "ApiKey":
        raise Refused(401, f'Invalid authentication scheme: "{scheme}"')
    known = hmac.compare_digest(key.encode(), environment(request).secret_key.encode())
    if not known or _fault(request, Kind.UNAUTHORIZED):
        raise Refused(401, "API Key not found")
    return await handler(request)


@web.middleware
async def limit_rate(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The token bucket's headers on every answer; 429 with Retry-After when it is empty or switched to be."""
    if not is_api(request):
        return await handler(request)
    bulk = request.path.endswith(("/bulk", "/broadcast"))
    draw = environment(request).buckets.draw(_category(request), bulk=bulk)
    fault = _fault(request, Kind.THROTTLED)
    wait = int(fault.seconds) if fault else draw.retry_after
    if fault or not draw.allowed:
        headers = {**draw.headers, "Retry-After": str(wait)}
        raise Refused(429, "API rate limit exceeded", headers=headers)
    try:
        response = await handler(request)
    except Refused as refused:
        refused.headers = {**draw.headers, **refused.headers}
        raise
    if not response.prepared:
        response.headers.update(draw.headers)
    return response


def _category(request: web.Request) -> Category:
    if request.path.startswith("/v1/events"):
        return Category.TRIGGER
    return Category.GLOBAL if request.method == "GET" else Category.CONFIGURATION


@web.middleware
async def break_connection(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The faults of the connection: the request is finished, or never begun, and the caller cannot tell."""
    if not is_api(request):
        return await handler(request)
    if _fault(request, Kind.ERROR_BEFORE_ACCEPT):
        return _cut(request)
    response = await handler(request)
    if response.status >= _ACCEPTED:
        return response
    if _fault(request, Kind.ACCEPT_THEN_DROP):
        return _cut(request)
    if _fault(request, Kind.GARBAGE):
        return web.Response(text="<html>gateway</html", status=response.status)
    if slow := _fault(request, Kind.SLOW):
        await asyncio.sleep(slow.seconds)
    return response


def _cut(request: web.Request) -> web.Response:
    """Reset the connection: the answer that is returned has nowhere to go."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


@web.middleware
async def keep_answers(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Idempotency-Key, where it is switched on; POST and PATCH only."""
    env = environment(request)
    key = request.headers.get("Idempotency-Key")
    applies = env.idempotency.enabled and key and request.method in ("POST", "PATCH")
    if not applies or not key or not is_api(request):
        return await handler(request)
    digest = hashlib.sha256(request.path.encode() + b"\n" + await request.read()).hexdigest()
    if kept := env.idempotency.begin(key, digest):
        return _response(kept, key, replayed=True)
    try:
        response = await handler(request)
        body = response.body if isinstance(response, web.Response) else b""
        answer = Answer(response.status, body if isinstance(body, bytes) else b"")
    except Refused as refused:
        answer = _refusal(refused, request)
    env.idempotency.end(key, digest, answer)
    return _response(answer, key, replayed=False)


def _refusal(refused: Refused, request: web.Request) -> Answer:
    body = error_body(refused, request.path, environment(request).now())
    return Answer(refused.status, json.dumps(body).encode())


def _response(answer: Answer, key: str, *, replayed: bool) -> web.Response:
    headers = {"Idempotency-Key": key} | ({"Idempotency-Replay": "true"} if replayed else {})
    return web.Response(
        body=answer.body, status=answer.status, content_type="application/json", headers=headers
    )


@web.middleware
async def fail(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The 5xx switch: an error with a body, before anything was accepted."""
    if is_api(request) and (fault := _fault(request, Kind.SERVER_ERROR)):
        raise _internal(environment(request).new_id(), fault.status)
    return await handler(request)


ALL: Final = (
    record,
    answer_errors,
    loopback_only,
    check_key,
    limit_rate,
    break_connection,
    keep_answers,
    fail,
)


def transaction_of(entry: JsonObject) -> JsonValue:
    """The transaction id that a recorded request named in its body, for the filter of the log."""
    return as_object(entry["body"]).get("transactionId")
