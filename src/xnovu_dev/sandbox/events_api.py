"""POST /v1/events/trigger, its bulk and broadcast forms, and DELETE to cancel (temporal-and-novu.md §2.2).

Accepts and queues; the worker delivers. 201 means queued, also where the status says that it will not be delivered.
"""

from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, Field, JsonValue

from xnovu_dev.sandbox.faults import Kind
from xnovu_dev.sandbox.json_types import JsonObject
from xnovu_dev.sandbox.refusals import Refused, invalid
from xnovu_dev.sandbox.triggers import (
    Trigger,
    TriggerBody,
    check_payload,
    parse,
    recipients_of,
    why_not,
)
from xnovu_dev.sandbox.web_support import environment, read_body, read_json, wrapped

MOST_EVENTS = 100


class BulkBody(BaseModel):
    events: Annotated[list[JsonValue], Field(min_length=1)]


async def trigger(request: web.Request) -> web.Response:
    body = parse(await read_json(request))
    if body.to is None:
        raise invalid({"to": ("to should not be null or undefined", None)})
    return wrapped(_accept(request, body), 201)


async def bulk(request: web.Request) -> web.Response:
    """Each event by itself: an item that is refused does not fail the batch."""
    body = await read_body(request, BulkBody)
    if len(body.events) > MOST_EVENTS:
        message = f"events must contain no more than {MOST_EVENTS} elements"
        raise invalid({"events": (message, None)})
    results: list[JsonValue] = []
    for event in body.events:
        try:
            results.append(_accept(request, parse(event)))
        except Refused as refused:
            results.append({"acknowledged": True, "status": "error", "error": [refused.message]})
    return wrapped(results, 201)


async def broadcast(request: web.Request) -> web.Response:
    """To every subscriber there is when it is accepted."""
    people = environment(request).people.everybody()
    body = parse(await read_json(request))
    everybody: list[JsonValue] = [person.subscriber_id for person in people]
    return wrapped(_accept(request, body.model_copy(update={"to": everybody})), 201)


async def cancel(request: web.Request) -> web.Response:
    """True when something was delayed and is cancelled now."""
    return wrapped(environment(request).worker.cancel(request.match_info["transactionId"]))


def _accept(request: web.Request, body: TriggerBody) -> JsonObject:
    """Queue one event. Raises Refused 400 or 422; another status than `processed` is not queued."""
    env = environment(request)
    workflow = env.catalogue.get(body.name)
    if workflow is None:
        raise Refused(422, "workflow_not_found")
    check_payload(body, workflow)
    transaction_id = body.transaction_id or f"txn_{env.new_id()}"
    status = why_not(body, workflow)
    if status is None:
        accepted = Trigger(
            workflow.key, transaction_id, recipients_of(body.to), body.payload, body.overrides
        )
        where = (request.method, request.path)
        lag = env.faults.take(Kind.LAG, *where)
        partial = env.faults.take(Kind.PARTIAL, *where)
        lost = env.faults.take(Kind.LOST, *where)
        env.worker.submit(
            accepted,
            partial=partial is not None,
            lost=lost is not None,
            lag_seconds=lag.seconds if lag else None,
        )
    return {
        "acknowledged": True,
        "status": status or "processed",
        "transactionId": transaction_id,
    }


def routes() -> list[web.RouteDef]:
    return [
        web.post("/v1/events/trigger", trigger),
        web.post("/v1/events/trigger/bulk", bulk),
        web.post("/v1/events/trigger/broadcast", broadcast),
        web.delete("/v1/events/trigger/{transactionId}", cancel),
    ]
