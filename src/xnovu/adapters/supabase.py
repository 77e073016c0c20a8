"""The `notify` schema of one enterprise over PostgREST: implements `xnovu_activities.ports.Database`.

Uses the PostgREST half of supabase-py with an HTTP/1.1 client of our own (its default of HTTP/2 loses idle connections,
supabase-py #1064) and without its retries: retrying belongs to Temporal. Every function takes the enterprise's id, and
every row that comes back is checked to be of it. Nothing else in XNovu speaks to a database.
"""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Final, TypeVar

import httpx
from httpx import codes
from postgrest import AsyncPostgrestClient
from postgrest.base_request_builder import RequestConfig
from pydantic import BaseModel, JsonValue, TypeAdapter

from xnovu.adapters.polling import Hub
from xnovu.core.contracts.notifications import Channel, ClaimOutcome, FinishOutcome
from xnovu.core.errors import (
    Conflict,
    CredentialsRejected,
    DatabaseUnavailable,
    NotificationError,
    RowLocked,
    WorkflowNotFound,
    XNovuError,
    clip,
)
from xnovu.core.ids import is_enterprise_id
from xnovu.core.records import (
    Claim,
    Claimed,
    DueFeeds,
    FeedRecord,
    Finish,
    Finished,
    JsonObject,
    NewNotification,
    Pace,
    PollAnswer,
    PollRequest,
    Release,
    Rule,
    Swept,
    Template,
)

PAGE: Final = 500
"""Rows asked for at once; Supabase cuts answers at 1000 without a word (its default of db-max-rows)."""

CLAIMS: Final = 100
"""Claims in one round trip: each answer holds its row's payload."""

TIMEOUT: Final = httpx.Timeout(10.0, connect=3.0)

_REJECTED: Final = ("PGRST30", "42501", "28")
"""Codes for a key that is wrong, has expired or lacks rights (docs.postgrest.org, Errors; SQLSTATE)."""

_AWAY: Final = ("PGRST00", "08", "25006", "40", "53", "55", "57", "58", "XX")
"""Codes for a database that is away, busy, read-only or in a conflict that another try resolves."""


_UNKNOWN: Final = ("PGRST", "42", "3F")
"""Codes for a schema that is not ours, or older. No row can cause them, so no notification may end because of them."""

_QUOTED: Final = re.compile(r'"[^"]*"?')
_T = TypeVar("_T")


def http_client() -> httpx.AsyncClient:
    """The HTTP client of all databases of a process; `aclose` it."""
    limits = httpx.Limits(max_connections=50, max_keepalive_connections=20, keepalive_expiry=30)
    return httpx.AsyncClient(timeout=TIMEOUT, limits=limits, http2=False, follow_redirects=False)


class PostgrestGateway:
    """Calls of one PostgREST with one key. Shared by all the enterprises that use it."""

    def __init__(self, http: httpx.AsyncClient, url: str, service_role_key: str) -> None:
        headers = {"apikey": service_role_key, "Authorization": f"Bearer {service_role_key}"}
        self._client = AsyncPostgrestClient(
            f"{url.rstrip('/')}/rest/v1",
            schema="notify",
            headers=headers,
            http_client=http,
            retry_enabled=False,
        )
        self.polls = Hub(self.poll, lambda q, a: q.enterprise_id == a.enterprise_id)
        # Two of one row never share a round trip: the functions keep no order among them.
        self.claims: Hub[tuple[Claim, int], Claimed] = Hub(
            self.claim,
            lambda q, a: q[0].notification_id == a.notification_id,
            apart=lambda q: q[0].notification_id,
            most=CLAIMS,
        )
        self.finishes: Hub[Finish, Finished] = Hub(
            self.finish,
            lambda q, a: q.notification_id == a.notification_id,
            apart=lambda q: q.notification_id,
        )

    async def claim(self, requests: Sequence[tuple[Claim, int]]) -> list[Claimed]:
        """One round trip; the claims of any enterprises, each with its lease in seconds."""
        claims = [asdict(c) | {"lease_seconds": c.lease_seconds or own} for c, own in requests]
        answer = await self.rpc("claim_notifications", {"claims": claims})
        found = {c.notification_id: c for c in _parse(list[Claimed], answer)}
        return [found[c.notification_id] for c, _ in requests if c.notification_id in found]

    async def finish(self, items: Sequence[Finish]) -> list[Finished]:
        """One round trip; the rows of any enterprises."""
        answer = await self.rpc("finish_notifications", {"items": [asdict(i) for i in items]})
        found = {f.notification_id: f for f in _parse(list[Finished], answer)}
        return [found[i.notification_id] for i in items if i.notification_id in found]

    async def poll(self, requests: Sequence[PollRequest]) -> tuple[PollAnswer, ...]:
        """One round trip for many enterprises; answers in the order of the requests."""
        answer = await self.rpc("poll", {"requests": [asdict(r) for r in requests]})
        return _parse(tuple[PollAnswer, ...], answer)

    async def rpc(self, function: str, arguments: dict[str, object]) -> JsonValue:
        """Call a function of the schema. Raises only `xnovu.core.errors`."""
        # The library types arguments as dict[str, str] and sends any JSON.
        call = self._client.rpc(function, arguments)  # type: ignore[arg-type]
        return await _run(call.request, function)

    async def select(self, table: str, filters: dict[str, str], *, after: int = 0) -> JsonValue:
        """Rows of a table by PostgREST's own filters, by id, at most `PAGE`."""
        query = self._client.from_(table).select("*").gt("id", after).order("id").limit(PAGE)
        for column, condition in filters.items():
            operator, _, value = condition.partition(".")
            query = query.or_(value) if column == "or" else query.filter(column, operator, value)
        return await _run(query.request, table)


class SupabaseDatabase:
    """One enterprise's part of a database. Methods as documented at `ports.Database`."""

    def __init__(
        self,
        gateway: PostgrestGateway,
        enterprise_id: str,
        lease_seconds: int,
        feed_seconds: float | None = None,
    ) -> None:
        """`lease_seconds`: after that long without news a claimed row is looked at by the sweeper.

        `feed_seconds`: so long after a send Novu's feed is first asked what became of it; None: never.
        Raises Conflict for an id that could say something else to a filter than which enterprise.
        """
        if not is_enterprise_id(enterprise_id):
            raise Conflict("the enterprise's id is no UUID in lower case; nothing was asked")
        self._gateway = gateway
        self._enterprise = enterprise_id
        self._lease = lease_seconds
        self._feed = feed_seconds

    async def poll(self, request: PollRequest) -> PollAnswer:
        self._own(request.enterprise_id)
        answer = await self._gateway.polls.get(request)
        self._own(answer.enterprise_id)
        return answer

    async def claim(self, claims: Sequence[Claim]) -> tuple[Claimed, ...]:
        for claim in claims:
            self._own(claim.enterprise_id)
        hub = self._gateway.claims
        answers = await asyncio.gather(*(hub.get((claim, self._lease)) for claim in claims))
        for claimed in answers:
            if claimed.outcome is ClaimOutcome.LOCKED:
                raise _locked(claimed.notification_id)
        return tuple(self._claimed(c) for c in answers)

    async def fetch(self, notification_id: int, owner: str | None = None) -> Claimed:
        answer = await self._gateway.rpc(
            "fetch_notification",
            {"enterprise": self._enterprise, "notification": notification_id, "owner": owner},
        )
        return self._claimed(_parse(Claimed, answer))

    async def finish(self, items: Sequence[Finish]) -> tuple[Finished, ...]:
        for item in items:
            self._own(item.enterprise_id)
        hub = self._gateway.finishes
        timed = [replace(item, feed_seconds=self._feed) for item in items]
        answers = await asyncio.gather(*(hub.get(item) for item in timed))
        for finished in answers:
            if finished.outcome is FinishOutcome.LOCKED:
                raise _locked(finished.notification_id)
        return tuple(answers)

    async def release(self, items: Sequence[Release]) -> frozenset[int]:
        for item in items:
            self._own(item.enterprise_id)
        answer = await self._gateway.rpc(
            "release_notifications", {"items": [asdict(i) for i in items]}
        )
        return _parse(frozenset[int], answer)

    async def take_pace(self, wanted: int, rate: float, *, reserve: bool = False) -> Pace:
        asked = {"enterprise": self._enterprise, "rate": rate, "wanted": wanted, "reserve": reserve}
        return _parse(Pace, await self._gateway.rpc("take_pace", asked))

    async def note_round(self, notification_id: int, round_: int) -> None:
        await self._gateway.rpc("note_round", {**self._row(notification_id), "round": round_})

    async def sweep(self, installation: str, most: int) -> Swept:
        arguments = {"enterprise": self._enterprise, "installation": installation, "most": most}
        return _parse(Swept, await self._gateway.rpc("sweep", arguments))

    async def extend_leases(self, notification_ids: Sequence[int]) -> None:
        arguments: dict[str, object] = {
            "enterprise": self._enterprise,
            "notifications": list(notification_ids),
            "lease_seconds": self._lease,
        }
        await self._gateway.rpc("extend_leases", arguments)

    async def due_feeds(self, most: int) -> DueFeeds:
        answer = await self._gateway.rpc(
            "due_feeds", {"enterprise": self._enterprise, "most": most}
        )
        found = _parse(DueFeeds, answer)
        for row in found.rows:
            self._own(row.notification.enterprise_id)
        return found

    async def record_deliveries(self, record: FeedRecord) -> bool:
        arguments: dict[str, object] = {
            **self._row(record.notification_id),
            "generation": record.generation,
            "checks": record.checks,
            "next_seconds": record.next_seconds,
            "report": record.report,
            "problem": record.problem,
            "deliveries": [asdict(d) for d in record.deliveries],
        }
        return _parse(bool, await self._gateway.rpc("record_deliveries", arguments))

    async def settle_retraction(self, notification_id: int, report: JsonObject) -> None:
        await self._gateway.rpc("settle_retraction", self._report(notification_id, report))

    async def record_shadow(self, notification_id: int, report: JsonObject) -> None:
        await self._gateway.rpc("record_shadow", self._report(notification_id, report))

    async def templates(self, keys: Sequence[str]) -> dict[str, Template]:
        quoted = ",".join('"' + k.replace("\\", "\\\\").replace('"', '\\"') + '"' for k in keys)
        rows = await self._gateway.select(
            "ent_notification_template",
            {"template_key": f"in.({quoted})", **self._visible(), **_PUBLISHED},
        )
        found: dict[str, Template] = {}
        for row in _rows(rows):
            template = Template(
                key=str(row["template_key"]),
                channel=Channel(str(row["channel_type"])),
                enterprise_id=_optional(row["enterprise_id"]),
                subject=_optional(row["subject_template"]),
                body=str(row["body_template"]),
            )
            if template.enterprise_id is not None or template.key not in found:
                found[template.key] = template
        return found

    async def rules(self) -> tuple[Rule, ...]:
        found: list[Rule] = []
        own = {"enterprise_id": f"eq.{self._enterprise}"}
        while True:
            after = found[-1].id if found else 0
            page = _rows(await self._gateway.select("ent_notification_rule", own, after=after))
            found.extend(self._rule(row) for row in page)
            if len(page) < PAGE:
                return tuple(
                    r for r in found if r.trigger_type in {"CRON", "SCHEDULED", "SCHEDULE"}
                )

    async def rule(self, rule_id: int) -> Rule | None:
        own = {"enterprise_id": f"eq.{self._enterprise}", "id": f"eq.{rule_id}"}
        page = _rows(await self._gateway.select("ent_notification_rule", own))
        return self._rule(page[0]) if page else None

    async def create(self, notification: NewNotification) -> tuple[int, bool]:
        self._own(notification.enterprise_id)
        answer = await self._gateway.rpc("create_notification", {"item": asdict(notification)})
        row = _parse(dict[str, JsonValue], answer)
        if row["id"] is None:
            key = notification.workflow_key or notification.workflow_id
            raise WorkflowNotFound(
                f"workflow {clip(str(key))!r} is not there for this enterprise, or not published:"
                " publish a row of notify.ent_notification_workflow with this key"
            )
        return _parse(int, row["id"]), bool(row["created"])

    def _visible(self) -> dict[str, str]:
        return {"or": f"or.enterprise_id.eq.{self._enterprise},enterprise_id.is.null"}

    def _row(self, notification_id: int) -> dict[str, object]:
        return {"enterprise": self._enterprise, "notification": notification_id}

    def _report(self, notification_id: int, report: JsonObject) -> dict[str, object]:
        return {**self._row(notification_id), "report": report}

    def _claimed(self, claimed: Claimed) -> Claimed:
        if claimed.notification is not None:
            self._own(claimed.notification.enterprise_id)
        return claimed

    def _rule(self, row: dict[str, JsonValue]) -> Rule:
        self._own(str(row["enterprise_id"]))
        config = row["trigger_config"]
        fields = {
            **{k: row[k] for k in ("id", "enterprise_id", "name", "rule_payload", "updated_at")},
            "trigger_type": row["trigger_type"] or "",
            "trigger_config": config if isinstance(config, dict) else {},
            "workflow_id": row["notification_workflow_id"],
            "active": row["publish_status"] == "PUBLISH" and not row["deactivated"],
        }
        return _parse(Rule, fields)

    def _own(self, enterprise_id: str) -> None:
        """Refuse what is of another enterprise: the last line of tenant isolation, never expected."""
        if enterprise_id != self._enterprise:
            raise Conflict(
                "a row of another enterprise was asked for or answered; nothing was done"
            )


_PUBLISHED: Final = {"publish_status": "eq.PUBLISH", "deactivated": "is.false"}


async def _run(request: RequestConfig[httpx.AsyncClient], what: str) -> JsonValue:
    """Send one request; every failure becomes one of our errors, without URL, key or row.

    The library's own `execute` drops the HTTP status, by which alone a gateway's refusal (it carries no code) can be
    told from PostgREST's.
    """
    try:
        response = await request.send(httpx.Headers())
    except httpx.HTTPError as error:
        raise DatabaseUnavailable(
            f"the database did not answer ({type(error).__name__}, {what})"
        ) from None
    if not response.is_success:
        raise _converted(response, what)
    if not response.content:
        return None
    try:
        data: JsonValue = response.json()
    except (ValueError, RecursionError):
        raise DatabaseUnavailable(f"the database's answer is no JSON ({what})") from None
    return data


def _locked(notification_id: int) -> RowLocked:
    return RowLocked(
        f"notification {notification_id} is locked by a transaction that somebody has left open: end it"
    )


class _Refusal(BaseModel):
    """PostgREST's error body; a gateway's has no code. Fields of other types are read as absent."""

    code: str | None = None
    message: str | None = None


def _converted(response: httpx.Response, what: str) -> XNovuError:
    try:
        refusal = _Refusal.model_validate_json(response.content)
    except ValueError:
        refusal = _Refusal()
    status = response.status_code
    code = refusal.code or f"HTTP {status}"
    text = clip(refusal.message or "no message")
    if status in {codes.UNAUTHORIZED, codes.FORBIDDEN} or code.startswith(_REJECTED):
        return CredentialsRejected(
            f"the database refused the service role key ({code}, {what}): check serviceRoleKey"
        )
    if code.startswith(_UNKNOWN) and not code.startswith(_AWAY):
        return DatabaseUnavailable(
            f"the database does not know {what} ({code}): apply supabase/migrations, expose the schema notify"
        )
    busy = response.is_server_error or status == codes.TOO_MANY_REQUESTS
    if refusal.code is None or busy or code.startswith(_AWAY):
        return DatabaseUnavailable(f"the database could not answer ({code}, {what}): {text}")
    return NotificationError(f"the database refused {what} ({code}){_why(code, text)}")


def _why(code: str, text: str) -> str:
    """What of a refusal may stand in a history. Postgres quotes values, and names what is violated before a colon."""
    head = text.partition(":")[0]
    if code.startswith("23"):
        return f": {head}"
    return f": {_QUOTED.sub('…', head)}" if code.startswith("22") else ""


def _parse(kind: type[_T], value: object) -> _T:
    """Narrow an answer; one of a wrong shape means another version of the schema."""
    try:
        parsed: _T = TypeAdapter(kind).validate_python(value)
    except ValueError as error:
        raise DatabaseUnavailable(
            f"the database answered in a shape that is not known ({clip(type(error).__name__)}):"
            " apply supabase/migrations"
        ) from None
    return parsed


def _rows(value: JsonValue) -> list[dict[str, JsonValue]]:
    return _parse(list[dict[str, JsonValue]], value)


def _optional(value: JsonValue) -> str | None:
    return None if value is None else str(value)
