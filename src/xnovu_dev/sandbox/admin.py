"""The switches and the oracle under `/__sandbox`: what tests and people use, and Novu does not have.

Needs no key: the server listens on loopback only, and `middleware.loopback_only` keeps other web pages out.
"""

from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from xnovu_dev.sandbox.buckets import ServiceLevel
from xnovu_dev.sandbox.environment import Environment
from xnovu_dev.sandbox.faults import Fault
from xnovu_dev.sandbox.json_types import JsonObject
from xnovu_dev.sandbox.middleware import transaction_of
from xnovu_dev.sandbox.web_support import environment, plain, read_body


class SettingsBody(BaseModel):
    """What may be changed while it runs; what is absent stays."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    idempotency: bool | None = None
    lag_seconds: Annotated[float, Field(ge=0, le=3600)] | None = Field(
        default=None, alias="lagSeconds"
    )
    service_level: ServiceLevel | None = Field(default=None, alias="serviceLevel")


async def deliveries(request: web.Request) -> web.Response:
    """The ledger, oldest first; `?transactionId=` and `?subscriberId=` narrow it."""
    text = environment(request).ledger.deliveries(
        request.query.get("transactionId"), request.query.get("subscriberId")
    )
    return web.Response(text=text, content_type="application/json")


async def status(request: web.Request) -> web.Response:
    """Whether everything accepted is done: `queued` and `delayed` are 0 then; and what was dropped, and why."""
    ledger = environment(request).ledger
    dropped: list[JsonValue] = list(ledger.dropped())
    return plain({**ledger.counts(), "droppedTriggers": dropped})


async def show_requests(request: web.Request) -> web.Response:
    """What was asked of the API, oldest first, the last few thousand; `?path=` (prefix), `?transactionId=`."""
    path, transaction = request.query.get("path", ""), request.query.get("transactionId")
    found: list[JsonValue] = [
        entry
        for entry in environment(request).requests
        if str(entry["path"]).startswith(path)
        and (transaction is None or transaction_of(entry) == transaction)
    ]
    return plain(found)


async def show_faults(request: web.Request) -> web.Response:
    return plain(_armed(environment(request)))


async def add_fault(request: web.Request) -> web.Response:
    """201 with all the switches that are on now."""
    env = environment(request)
    env.faults.add(await read_body(request, Fault))
    return plain(_armed(env), 201)


async def clear_faults(request: web.Request) -> web.Response:
    environment(request).faults.clear()
    return web.Response(status=204)


def _armed(env: Environment) -> list[JsonValue]:
    return [{**fault.model_dump(mode="json"), "left": left} for fault, left in env.faults.armed()]


async def show_settings(request: web.Request) -> web.Response:
    return plain(_settings(environment(request)))


async def change_settings(request: web.Request) -> web.Response:
    env = environment(request)
    body = await read_body(request, SettingsBody)
    if body.idempotency is not None:
        env.idempotency.enabled = body.idempotency
    if body.lag_seconds is not None:
        env.worker.lag_seconds = body.lag_seconds
    if body.service_level is not None:
        env.buckets.set_level(body.service_level)
    return plain(_settings(env))


def _settings(env: Environment) -> JsonObject:
    return {
        "idempotency": env.idempotency.enabled,
        "lagSeconds": env.worker.lag_seconds,
        "serviceLevel": env.buckets.level.value,
    }


async def reset(request: web.Request) -> web.Response:
    """As on the first start; answers when nothing that was waiting can be delivered any more."""
    await environment(request).reset()
    return web.Response(status=204)


def routes() -> list[web.RouteDef]:
    return [
        web.get("/__sandbox/deliveries", deliveries),
        web.get("/__sandbox/status", status),
        web.get("/__sandbox/requests", show_requests),
        web.get("/__sandbox/faults", show_faults),
        web.post("/__sandbox/faults", add_fault),
        web.delete("/__sandbox/faults", clear_faults),
        web.get("/__sandbox/settings", show_settings),
        web.patch("/__sandbox/settings", change_settings),
        web.post("/__sandbox/reset", reset),
    ]
