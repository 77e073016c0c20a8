"""GET /v1/notifications and /v1/messages, DELETE of messages: what Novu says has become of a trigger.

The feed is how XNovu verifies an unclear send, so its shapes are exact (temporal-and-novu.md §2.2), its pages unwrapped
and its entries late: they appear when the worker has made the jobs.
"""

import sqlite3
from typing import Final

from aiohttp import web
from pydantic import JsonValue

from xnovu_dev.sandbox.environment import Environment
from xnovu_dev.sandbox.json_types import JsonObject, load_object
from xnovu_dev.sandbox.ledger import Notification
from xnovu_dev.sandbox.refusals import Refused
from xnovu_dev.sandbox.web_support import (
    ENVIRONMENT_ID,
    ORGANIZATION_ID,
    any_of,
    environment,
    page,
    plain,
    repeated,
    wrapped,
)

_PROVIDERS: Final = {
    "in_app": "novu",
    "email": "novu-email",
    "sms": "novu-sms",
    "push": "push-webhook",
    "chat": "chat-webhook",
}
_DETAILS: Final = {
    "completed": ("Success", "Message sent"),
    "failed": ("Failed", "Unexpected provider error"),
    "skipped": ("Success", "Step was skipped based on conditions"),
    "delayed": ("Pending", "Step is delayed"),
    "canceled": ("Success", "Execution canceled"),
    "pending": ("Queued", "Step queued"),
}


async def notifications(request: web.Request) -> web.Response:
    """Newest first. Filters: transactionId, subscriberIds, templates (ids), channels; each may be repeated."""
    env = environment(request)
    number, limit = page(request)
    names = [
        workflow.key
        for identifier in repeated(request, "templates")
        if (workflow := env.catalogue.get(identifier))
    ]
    wanted = [
        any_of("n.transaction_id", repeated(request, "transactionId")),
        any_of("n.subscriber_id", repeated(request, "subscriberIds")),
        any_of("n.workflow_id", names or repeated(request, "templates")),
        _with_channel(repeated(request, "channels")),
    ]
    found = env.ledger.notifications(
        " AND ".join(condition for condition, _ in wanted),
        tuple(value for _, values in wanted for value in values),
        limit=limit + 1,
        offset=number * limit,
    )
    data: list[JsonValue] = [_activity(env, item) for item in found[:limit]]
    return plain({"hasMore": len(found) > limit, "data": data, "pageSize": limit, "page": number})


def _with_channel(channels: list[str]) -> tuple[str, tuple[str, ...]]:
    condition, values = any_of("m.channel", channels)
    if not channels:
        return condition, values
    return (
        f"EXISTS (SELECT 1 FROM messages m WHERE m.notification_id = n.id AND {condition})",  # noqa: S608 - our own text
        values,
    )


async def notification(request: web.Request) -> web.Response:
    env = environment(request)
    found = env.ledger.notification(request.match_info["notificationId"])
    if found is None:
        raise Refused(404, "Notification not found")
    return wrapped(_activity(env, found))


def _activity(env: Environment, item: Notification) -> JsonObject:
    trigger = item.accepted.trigger
    subscriber = env.people.get(item.subscriber_id)
    workflow = env.catalogue.get(trigger.workflow_key)
    name = workflow.body.name if workflow else trigger.workflow_key
    internal_id = subscriber.id if subscriber else item.id
    channels: list[JsonValue] = [job["type"] for job in item.jobs if job["type"] in _PROVIDERS]
    return {
        "_id": item.id,
        "_environmentId": ENVIRONMENT_ID,
        "_organizationId": ORGANIZATION_ID,
        "_subscriberId": internal_id,
        "transactionId": trigger.transaction_id,
        "createdAt": item.created_at,
        "channels": channels,
        "payload": trigger.payload,
        "subscriber": {
            "_id": internal_id,
            "subscriberId": item.subscriber_id,
            **{
                field: value
                for field, value in (subscriber.profile if subscriber else {}).items()
                if field in ("firstName", "lastName", "email", "phone")
            },
        },
        "template": {
            **({"_id": workflow.id} if workflow else {}),
            "name": name,
            "triggers": [{"type": "event", "identifier": trigger.workflow_key, "variables": []}],
        },
        "jobs": [_job(item, job) for job in item.jobs],
    }


def _job(item: Notification, job: JsonObject) -> JsonObject:
    status, detail = _DETAILS[str(job["status"])]
    return {
        "_id": job["_id"],
        "type": job["type"],
        "status": job["status"],
        "providerId": _PROVIDERS.get(str(job["type"]), "novu"),
        "step": {"_id": job["_id"], "active": True, "filters": [], "_templateId": item.id},
        "executionDetails": [
            {
                "_id": job["_id"],
                "status": status,
                "detail": detail,
                "isRetry": False,
                "isTest": False,
                "source": "Internal",
            }
        ],
    }


async def messages(request: web.Request) -> web.Response:
    """Newest first, withdrawn ones left out. Filters: channel, subscriberId, transactionId (repeated)."""
    env = environment(request)
    number, limit = page(request)
    wanted = [
        any_of("transaction_id", repeated(request, "transactionId")),
        any_of("subscriber_id", repeated(request, "subscriberId")),
        any_of("channel", repeated(request, "channel")),
    ]
    where = " AND ".join(["withdrawn_at IS NULL", *(condition for condition, _ in wanted)])
    values = tuple(value for _, values in wanted for value in values)
    rows = env.ledger.messages(where, values, limit=limit + 1, offset=number * limit)
    data: list[JsonValue] = [_message(env, row) for row in rows[:limit]]
    return plain({"hasMore": len(rows) > limit, "data": data, "pageSize": limit, "page": number})


def _message(env: Environment, row: sqlite3.Row) -> JsonObject:
    subscriber = env.people.get(row["subscriber_id"])
    return {
        "_id": row["id"],
        "_environmentId": ENVIRONMENT_ID,
        "_organizationId": ORGANIZATION_ID,
        "_notificationId": row["notification_id"],
        "_subscriberId": subscriber.id if subscriber else row["subscriber_id"],
        "templateIdentifier": row["workflow_id"],
        "transactionId": row["transaction_id"],
        "createdAt": row["delivered_at"],
        "channel": row["channel"],
        "subject": row["subject"] or "",
        "content": row["body"],
        "payload": load_object(row["payload"]),
        "providerId": _PROVIDERS[row["channel"]],
        "read": False,
        "seen": False,
        "cta": {},
        "status": "sent",
    }


async def delete_message(request: web.Request) -> web.Response:
    env = environment(request)
    if not env.ledger.withdraw("id = ?", (request.match_info["messageId"],), env.now()):
        raise Refused(404, "Message not found")
    env.changes.rewritten()
    return wrapped({"acknowledged": True, "status": "deleted"})


async def delete_transaction(request: web.Request) -> web.Response:
    """204 without a body; 404 when the transaction has no messages (any more)."""
    env = environment(request)
    condition, values = any_of("channel", repeated(request, "channel"))
    where = f"transaction_id = ? AND {condition}"
    if not env.ledger.withdraw(where, (request.match_info["transactionId"], *values), env.now()):
        raise Refused(404, "Invalid transactionId or channel")
    env.changes.rewritten()
    return web.Response(status=204)


def routes() -> list[web.RouteDef]:
    return [
        web.get("/v1/notifications", notifications),
        web.get("/v1/notifications/{notificationId}", notification),
        web.get("/v1/messages", messages),
        web.delete("/v1/messages/transaction/{transactionId}", delete_transaction),
        web.delete("/v1/messages/{messageId}", delete_message),
    ]
