"""The inbox page: who got what, live. Serves the files of `static/`, the rows for them, and server-sent events.

The page writes foreign text by textContent only, and everything it loads is its own (Content-Security-Policy); the HTML
of an e-mail is a document of its own that may run nothing and load nothing.
"""

import asyncio
import contextlib
import sqlite3
from pathlib import Path
from typing import Final

from aiohttp import web
from pydantic import JsonValue

from xnovu_dev.sandbox.environment import Environment
from xnovu_dev.sandbox.json_types import JsonObject, dumps
from xnovu_dev.sandbox.refusals import Refused
from xnovu_dev.sandbox.web_support import any_of, environment, plain, repeated

_STATIC: Final = Path(__file__).parent / "static"
_PAGE_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "frame-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
# No script runs in an e-mail: neither source nor sandbox allows one. `allow-same-origin` lets the page measure how tall
# the document is, which without scripts gives the document nothing.
_EMAIL_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'; sandbox allow-same-origin"
)
_EMAIL_HEAD: Final = (
    "<!doctype html><meta charset=utf-8><style>body{margin:14px 16px;font:15px/1.5 system-ui,"
    "sans-serif;color:#1c1f26;background:#fff;overflow-wrap:anywhere}img{max-width:100%}</style>"
)
_TYPES: Final = {"inbox.css": "text/css", "inbox.js": "text/javascript"}
_MOST: Final = 100
_HEARTBEAT_SECONDS: Final = 15.0
_PACE_SECONDS: Final = 0.1


async def show(_: web.Request) -> web.Response:
    return _file("inbox.html", "text/html", _PAGE_POLICY)


async def asset(request: web.Request) -> web.Response:
    name = request.match_info["name"]
    if name not in _TYPES:
        raise Refused(404, "No such file")
    return _file(name, _TYPES[name], "default-src 'none'")


def _file(name: str, content_type: str, policy: str) -> web.Response:
    headers = {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-cache",
    }
    text = (_STATIC / name).read_text(encoding="utf-8")
    return web.Response(text=text, content_type=content_type, charset="utf-8", headers=headers)


async def email(request: web.Request) -> web.Response:
    """The HTML of one e-mail, to be framed by the page."""
    env = environment(request)
    rows = env.ledger.messages(
        "id = ? AND channel = 'email'", (request.match_info["messageId"],), limit=1
    )
    if not rows:
        raise Refused(404, "No such e-mail")
    headers = {"Content-Security-Policy": _EMAIL_POLICY, "X-Content-Type-Options": "nosniff"}
    text = _EMAIL_HEAD + str(rows[0]["body"])
    return web.Response(text=text, content_type="text/html", charset="utf-8", headers=headers)


async def people(request: web.Request) -> web.Response:
    """Everybody who is known, with the number of their messages by channel; and the last sequence number."""
    env = environment(request)
    counts: dict[str, JsonObject] = {}
    for row in env.store.rows(
        "SELECT subscriber_id, channel, count(*) AS n FROM messages GROUP BY subscriber_id, channel"
    ):
        counts.setdefault(row["subscriber_id"], {})[row["channel"]] = row["n"]
    shown: list[JsonValue] = [
        {
            "subscriberId": person.subscriber_id,
            "name": person.name,
            "email": person.profile.get("email"),
            "counts": counts.pop(person.subscriber_id, {}),
        }
        for person in env.people.everybody()
    ]
    shown += [
        {"subscriberId": subscriber_id, "name": subscriber_id, "email": None, "counts": by_channel}
        for subscriber_id, by_channel in counts.items()
    ]
    last = env.store.row("SELECT max(seq) AS seq FROM messages")
    seq = (last["seq"] or 0) if last else 0
    return plain({"people": shown, "lastSeq": seq})


async def messages(request: web.Request) -> web.Response:
    """Newest first, a page at a time: `?before=` (sequence number), `?person=`, `?channel=`, `?q=`."""
    env = environment(request)
    before, query = request.query.get("before", ""), request.query.get("q", "")
    wanted = [
        any_of("subscriber_id", repeated(request, "person")),
        any_of("channel", repeated(request, "channel")),
    ]
    conditions = [condition for condition, _ in wanted]
    values: list[object] = [value for _, given in wanted for value in given]
    if before.isdigit():
        conditions.append("seq < ?")
        values.append(int(before))
    if query:
        condition, given = _holding(env, query)
        conditions.append(condition)
        values += given
    rows = env.ledger.messages(" AND ".join(conditions), tuple(values), limit=_MOST + 1)
    shown: list[JsonValue] = [_shape(env, row) for row in rows[:_MOST]]
    return plain({"messages": shown, "more": len(rows) > _MOST})


def _holding(env: Environment, query: str) -> tuple[str, list[object]]:
    """Messages whose text, workflow or recipient's name holds the query."""
    low = query.lower()
    named = [p.subscriber_id for p in env.people.everybody() if low in p.name.lower()][:500]
    by_name, names = any_of("subscriber_id", named) if named else ("0", ())
    columns = ("subject", "body", "workflow_id", "subscriber_id", "transaction_id")
    like = " OR ".join(f"{column} LIKE ? ESCAPE '!'" for column in columns)
    escaped = low.replace("!", "!!").replace("%", "!%").replace("_", "!_")
    return f"({like} OR {by_name})", [*[f"%{escaped}%"] * len(columns), *names]


def _shape(env: Environment, row: sqlite3.Row) -> JsonObject:
    person = env.people.get(row["subscriber_id"])
    workflow = env.catalogue.get(row["workflow_id"])
    return {
        "seq": row["seq"],
        "id": row["id"],
        "subscriberId": row["subscriber_id"],
        "name": person.name if person else row["subscriber_id"],
        "address": _address(person.profile if person else {}, row["channel"]),
        "channel": row["channel"],
        "workflowId": row["workflow_id"],
        "workflowName": workflow.body.name if workflow else row["workflow_id"],
        "transactionId": row["transaction_id"],
        "subject": row["subject"],
        "body": row["body"],
        "deliveredAt": row["delivered_at"],
        "withdrawn": row["withdrawn_at"] is not None,
    }


def _address(profile: JsonObject, channel: str) -> JsonValue:
    return profile.get({"email": "email", "sms": "phone"}.get(channel, ""))


async def stream(request: web.Request) -> web.StreamResponse:
    """Server-sent events: `messages` after `?after=` (or Last-Event-ID), `refresh` when shown rows have changed."""
    env = environment(request)
    after = request.headers.get("Last-Event-ID") or request.query.get("after", "0")
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
    )
    await response.prepare(request)
    with contextlib.suppress(ConnectionResetError):  # the page was closed
        await _follow(env, response, int(after) if after.isdigit() else 0)
    return response


async def _follow(env: Environment, response: web.StreamResponse, after: int) -> None:
    revision = env.changes.revision
    await response.write(b"retry: 1000\n\n")
    while not env.changes.closed():
        version = env.changes.version
        if env.changes.revision != revision:
            revision = env.changes.revision
            await response.write(b"event: refresh\ndata: {}\n\n")
        rows = env.ledger.messages("seq > ?", (after,), limit=-1)
        if len(rows) > _MOST:
            await response.write(b"event: refresh\ndata: {}\n\n")
        elif rows:
            data: list[JsonValue] = [_shape(env, row) for row in reversed(rows)]
            text = f"id: {rows[0]['seq']}\nevent: messages\ndata: {dumps(data)}\n\n"
            await response.write(text.encode())
        after = rows[0]["seq"] if rows else after
        await asyncio.sleep(_PACE_SECONDS)  # many at once are one event
        await env.changes.wait(version, _HEARTBEAT_SECONDS)
        await response.write(b": alive\n\n")


async def home(_: web.Request) -> web.Response:
    raise web.HTTPFound("/inbox")


async def icon(_: web.Request) -> web.Response:
    return web.Response(status=204)


def routes() -> list[web.RouteDef]:
    return [
        web.get("/", home),
        web.get("/favicon.ico", icon),
        web.get("/inbox", show),
        web.get("/inbox/static/{name}", asset),
        web.get("/inbox/people", people),
        web.get("/inbox/messages", messages),
        web.get("/inbox/email/{messageId}", email),
        web.get("/inbox/stream", stream),
    ]
