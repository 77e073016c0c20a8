"""Subscribers (v2, and v1's bulk) and the members of topics, in the shapes of temporal-and-novu.md §2.2."""

from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from xnovu_dev.sandbox.json_types import JsonObject, as_object, text_or_none
from xnovu_dev.sandbox.people import Subscriber
from xnovu_dev.sandbox.refusals import Refused, invalid
from xnovu_dev.sandbox.web_support import (
    ENVIRONMENT_ID,
    ORGANIZATION_ID,
    environment,
    page,
    plain,
    read_body,
    read_json,
    wrapped,
)

MOST_IN_BULK = 500


class SubscriberBody(BaseModel):
    """Fields that are not a subscriber's are ignored when it is stored."""

    model_config = ConfigDict(extra="allow", frozen=True)

    subscriber_id: Annotated[str, Field(min_length=1, alias="subscriberId")]

    def profile(self) -> JsonObject:
        return dict(self.model_extra or {})


class BulkBody(BaseModel):
    subscribers: Annotated[list[JsonValue], Field(min_length=1, max_length=MOST_IN_BULK)]


class MembersBody(BaseModel):
    subscriber_ids: Annotated[list[str], Field(min_length=1, max_length=100, alias="subscriberIds")]


def _shape(subscriber: Subscriber) -> JsonObject:
    return {
        "_id": subscriber.id,
        "_organizationId": ORGANIZATION_ID,
        "_environmentId": ENVIRONMENT_ID,
        "subscriberId": subscriber.subscriber_id,
        "deleted": False,
        "createdAt": subscriber.created_at,
        "updatedAt": subscriber.updated_at,
        **subscriber.profile,
    }


def _found(request: web.Request) -> Subscriber:
    subscriber_id = request.match_info["subscriberId"]
    subscriber = environment(request).people.get(subscriber_id)
    if subscriber is None:
        raise Refused(404, f"Subscriber: {subscriber_id} was not found")
    return subscriber


async def create(request: web.Request) -> web.Response:
    """Makes or changes; 409 only where `?failIfExists=true` asks for it."""
    env = environment(request)
    body = await read_body(request, SubscriberBody)
    strict = request.query.get("failIfExists") == "true"
    if strict and env.people.get(body.subscriber_id):
        raise Refused(409, f"Subscriber with id: {body.subscriber_id} already exists")
    subscriber, _ = env.people.upsert(body.subscriber_id, body.profile())
    env.changes.rewritten()
    return wrapped(_shape(subscriber), 201)


async def bulk(request: web.Request) -> web.Response:
    env = environment(request)
    created: list[JsonValue] = []
    updated: list[JsonValue] = []
    failed: list[JsonValue] = []
    for raw in (await read_body(request, BulkBody)).subscribers:
        fields = as_object(raw)
        subscriber_id = text_or_none(fields.get("subscriberId"))
        if subscriber_id is None:
            failed.append({"message": "subscriberId should not be empty"})
            continue
        _, new = env.people.upsert(subscriber_id, fields)
        (created if new else updated).append({"subscriberId": subscriber_id})
    env.changes.rewritten()
    return wrapped({"created": created, "updated": updated, "failed": failed}, 201)


async def search(request: web.Request) -> web.Response:
    """All, or those that `email`, `name`, `phone` or `subscriberId` name; `page` is not Novu's: it has cursors."""
    number, limit = page(request)
    wanted = {
        field: request.query[field].lower()
        for field in ("email", "name", "phone", "subscriberId")
        if request.query.get(field)
    }
    found = [
        subscriber
        for subscriber in environment(request).people.everybody()
        if all(text in _searched(subscriber, field) for field, text in wanted.items())
    ]
    shown = found[number * limit : (number + 1) * limit]
    return plain(
        {
            "data": [_shape(subscriber) for subscriber in shown],
            "next": None,
            "previous": None,
            "totalCount": len(found),
            "totalCountCapped": False,
        }
    )


def _searched(subscriber: Subscriber, field: str) -> str:
    known = {"name": subscriber.name, "subscriberId": subscriber.subscriber_id}
    return str(known.get(field) or subscriber.profile.get(field) or "").lower()


async def get(request: web.Request) -> web.Response:
    return wrapped(_shape(_found(request)))


async def patch(request: web.Request) -> web.Response:
    env = environment(request)
    found = _found(request)
    changes = await read_json(request)
    if not isinstance(changes, dict):
        raise invalid({"body": ("must be an object", None)})
    subscriber, _ = env.people.upsert(found.subscriber_id, changes)
    env.changes.rewritten()
    return wrapped(_shape(subscriber))


async def delete(request: web.Request) -> web.Response:
    env = environment(request)
    env.people.delete(_found(request).subscriber_id)
    env.changes.rewritten()
    return wrapped({"acknowledged": True, "status": "deleted"})


async def subscribe(request: web.Request) -> web.Response:
    """Adds members to a topic, made where it is not there."""
    body = await read_body(request, MembersBody)
    topic_key = request.match_info["topicKey"]
    environment(request).people.subscribe(topic_key, body.subscriber_ids)
    return plain(_members(topic_key, body.subscriber_ids), 201)


async def unsubscribe(request: web.Request) -> web.Response:
    body = await read_body(request, MembersBody)
    topic_key = request.match_info["topicKey"]
    environment(request).people.unsubscribe(topic_key, body.subscriber_ids)
    return plain(_members(topic_key, body.subscriber_ids))


def _members(topic_key: str, subscriber_ids: list[str]) -> JsonObject:
    data: list[JsonValue] = [
        {"topic": {"key": topic_key}, "subscriber": {"subscriberId": subscriber_id}}
        for subscriber_id in subscriber_ids
    ]
    total = len(subscriber_ids)
    return {"data": data, "meta": {"totalCount": total, "successful": total, "failed": 0}}


def routes() -> list[web.RouteDef]:
    return [
        web.get("/v2/subscribers", search),
        web.post("/v2/subscribers", create),
        web.get("/v2/subscribers/{subscriberId}", get),
        web.patch("/v2/subscribers/{subscriberId}", patch),
        web.delete("/v2/subscribers/{subscriberId}", delete),
        web.post("/v1/subscribers/bulk", bulk),
        web.post("/v2/topics/{topicKey}/subscriptions", subscribe),
        web.delete("/v2/topics/{topicKey}/subscriptions", unsubscribe),
    ]
