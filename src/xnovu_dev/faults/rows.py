"""Rows as a producer writes them, past PostgREST, and what the database says about them afterwards.

A trigger keeps every status that a row had and when, so that a move backwards is seen even if it lasted a millisecond.
Each row has recipients of its own, so the ledger of Novu needs no transaction id to be read. Used by `site` and `oracle`.
"""

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, LiteralString

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb
from pydantic import JsonValue

AWAY_SECONDS: Final = 120.0
"""How long a producer goes on trying while Postgres is away."""

_WATCH: Final[LiteralString] = """
create schema if not exists xnovu_faults;
create table if not exists xnovu_faults.history (
  seq bigint generated always as identity primary key,
  enterprise_id uuid, notification_id bigint, was text, became text, at timestamptz default clock_timestamp());
create index if not exists history_enterprise_idx on xnovu_faults.history (enterprise_id);
create or replace function xnovu_faults.keep() returns trigger language plpgsql security definer as $$
begin
  insert into xnovu_faults.history (enterprise_id, notification_id, was, became)
  values (new.enterprise_id, new.id, case when tg_op = 'UPDATE' then old.notification_status::text end,
          new.notification_status::text);
  return new;
end $$;
create or replace trigger xnovu_faults_insert after insert on notify.ent_notification
  for each row execute function xnovu_faults.keep();
create or replace trigger xnovu_faults_update after update on notify.ent_notification
  for each row when (old.notification_status is distinct from new.notification_status)
  execute function xnovu_faults.keep();
"""
_UNWATCH: Final[LiteralString] = """
drop trigger if exists xnovu_faults_insert on notify.ent_notification;
drop trigger if exists xnovu_faults_update on notify.ent_notification;
drop schema if exists xnovu_faults cascade;
"""


class Sql:
    """Postgres as its owner, one connection, made again when it breaks. Safe for concurrent callers."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self._connection: psycopg.AsyncConnection[tuple[object, ...]] | None = None
        self._lock = asyncio.Lock()

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.close()

    async def run(
        self, statement: LiteralString | sql.Composed, *values: object
    ) -> list[tuple[object, ...]]:
        """All rows. Tried again while Postgres is away, so statements must be safe to repeat."""
        deadline = asyncio.get_running_loop().time() + AWAY_SECONDS
        while True:
            try:
                async with self._lock:
                    return await self._run(statement, values)
            except psycopg.OperationalError:
                if asyncio.get_running_loop().time() > deadline:
                    raise
                await asyncio.sleep(0.1)

    async def _run(
        self, statement: LiteralString | sql.Composed, values: Sequence[object]
    ) -> list[tuple[object, ...]]:
        if self._connection is None or self._connection.closed:
            self._connection = await psycopg.AsyncConnection.connect(
                self.dsn, autocommit=True, connect_timeout=3
            )
        cursor = await self._connection.execute(statement, values or None)
        return await cursor.fetchall() if cursor.description is not None else []

    async def watch(self, *, guarded: bool) -> None:
        """Keep every status from here on. Idempotent.

        `guarded`: whether our guard against steps back stays on. The baseline takes them, and ran on a database without.
        """
        await self.run(_WATCH)
        if not guarded:
            await self.run("alter table notify.ent_notification disable trigger xnovu_guard_status")

    async def unwatch(self) -> None:
        """As it was before."""
        await self.run(_UNWATCH)
        await self.run("alter table notify.ent_notification enable trigger xnovu_guard_status")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A row to insert. `ends`: how it must end, and `reason` what a FAILED one must say.

    `skew`: seconds by which the producer's clock is ahead of the database's. `what`: for people.
    """

    payload: Mapping[str, JsonValue] = field(default_factory=dict)
    people: int = 1
    workflow_id: int | None = None
    ends: Literal["SENT", "FAILED"] = "SENT"
    reason: str | None = None
    skew: float = 0.0
    what: str = ""


@dataclass(frozen=True, slots=True)
class Planted:
    """A row that is there."""

    id: int
    enterprise: str
    recipients: tuple[str, ...]
    wanted: Wanted


@dataclass(frozen=True, slots=True)
class Found:
    """What the database says of a row at the end, and when it came to each status (epoch seconds)."""

    status: str
    reason: str | None
    history: tuple[tuple[str | None, str, float], ...]

    @property
    def ended_at(self) -> float | None:
        """When it came to a final status."""
        final = [at for _, became, at in self.history if became in {"SENT", "FAILED", "RETRACTED"}]
        return final[-1] if final else None

    @property
    def begun_at(self) -> float:
        return self.history[0][2]


INSERT: Final[LiteralString] = """
insert into notify.ent_notification
  (name, enterprise_id, publish_status, notification_workflow_id, payload, recipients, channels, created_at, updated_at)
select r.name, r.enterprise, 'PUBLISH', r.workflow, r.payload, r.recipients, '{IN_APP}',
  now() + r.skew * interval '1 second', now() + r.skew * interval '1 second'
from jsonb_to_recordset(%s) as r(name text, enterprise uuid, workflow bigint, payload jsonb, recipients uuid[], skew float)
on conflict do nothing
"""
_IDS: Final[LiteralString] = """
select name, id from notify.ent_notification where enterprise_id = any(%s::uuid[]) and name = any(%s)
"""


Order = tuple[str, Wanted]
"""An enterprise, and a row for it."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows that are not inserted yet. The tenant is in every payload: a proxy can tell whose call it is."""

    orders: tuple[Order, ...]
    rows: tuple[dict[str, JsonValue], ...]
    recipients: tuple[tuple[str, ...], ...]


def batch(orders: Sequence[Order], workflow: int) -> Batch:
    """Names and recipients are ours, so inserting twice inserts once and the ledger needs no ids."""
    people = tuple(tuple(str(uuid.uuid4()) for _ in range(w.people)) for _, w in orders)
    made: list[dict[str, JsonValue]] = [
        {
            "name": f"fault {uuid.uuid4()}",
            "enterprise": enterprise,
            "workflow": one.workflow_id or workflow,
            "payload": {"text": f"number {number}", "tenant": enterprise, **one.payload},
            "recipients": list(who),
            "skew": one.skew,
        }
        for number, ((enterprise, one), who) in enumerate(zip(orders, people, strict=True))
    ]
    return Batch(tuple(orders), tuple(made), people)


async def plant(database: Sql, orders: Sequence[Order], workflow: int) -> list[Planted]:
    """Insert all in one statement. Safe while Postgres comes and goes."""
    given = batch(orders, workflow)
    await database.run(INSERT, Jsonb(list(given.rows)))
    return await planted(database, given)


async def planted(database: Sql, given: Batch) -> list[Planted]:
    """Rows that somebody inserted, with their ids."""
    names = [str(row["name"]) for row in given.rows]
    enterprises = list({enterprise for enterprise, _ in given.orders})
    ids = {str(name): int(str(id_)) for name, id_ in await database.run(_IDS, enterprises, names)}
    return [
        Planted(ids[name], enterprise, who, one)
        for name, (enterprise, one), who in zip(names, given.orders, given.recipients, strict=True)
    ]


async def unfinished(database: Sql, planted: Sequence[Planted]) -> int:
    """How many of these rows have no final status."""
    found = await database.run(
        "select count(*) from notify.ent_notification where id = any(%s)"
        " and notification_status in ('PENDING', 'PROCESSING')",
        [row.id for row in planted],
    )
    return int(str(found[0][0]))


async def look(database: Sql, enterprises: Sequence[str]) -> dict[int, Found]:
    """All rows of the enterprises, by id."""
    statuses = await database.run(
        "select id, notification_status::text, error_details ->> 'reason'"
        " from notify.ent_notification where enterprise_id = any(%s::uuid[])",
        list(enterprises),
    )
    steps = await database.run(
        "select notification_id, was, became, at from xnovu_faults.history"
        " where enterprise_id = any(%s::uuid[]) order by seq",
        list(enterprises),
    )
    histories: dict[int, list[tuple[str | None, str, float]]] = {}
    for id_, was, became, at in steps:
        if isinstance(id_, int) and isinstance(at, datetime):
            step = (None if was is None else str(was), str(became), at.timestamp())
            histories.setdefault(id_, []).append(step)
    return {
        int(str(id_)): Found(
            str(status),
            None if reason is None else str(reason),
            tuple(histories.get(int(str(id_)), ())),
        )
        for id_, status, reason in statuses
    }
