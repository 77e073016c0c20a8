"""Rows of the `notify` schema for tests, written as the database's owner, and adapters that look at them.

Every test takes enterprises of its own, so that tests share one database. Not for production code.
"""

import itertools
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, LiteralString, Protocol
from uuid import uuid4

import psycopg
from psycopg.rows import tuple_row
from psycopg.types.json import Jsonb

from xnovu.adapters.supabase import PostgrestGateway, SupabaseDatabase, http_client
from xnovu.core.ids import claim_owner
from xnovu.core.records import Claim, Finish, NewNotification, PollRequest

PERSON = "7d1c1b0e-5c4a-4f0e-8a1e-0d9a4e6b2c11"
_numbers = itertools.count(1)


class Reachable(Protocol):
    """What the fixture `supabase` tells of the stack's database."""

    @property
    def url(self) -> str: ...
    @property
    def service_role_key(self) -> str: ...


@dataclass
class Rows:
    """Writes and reads rows of one enterprise."""

    connection: psycopg.Connection[Any]
    enterprise: str = field(default_factory=lambda: str(uuid4()))

    def other(self) -> "Rows":
        return Rows(self.connection)

    def one(self, statement: LiteralString, *values: object) -> Any:
        """The first column of the first row."""
        row = self.connection.execute(statement, values).fetchone()
        return None if row is None else row[0]

    def execute(self, statement: LiteralString, *values: object) -> None:
        self.connection.execute(statement, values)

    def workflow(self, *, everybodys: bool = False, status: str = "PUBLISH") -> tuple[int, str]:
        key = f"workflow-{uuid4()}"
        made = self.one(
            "insert into notify.ent_notification_workflow"
            " (name, workflow_type, workflow_key, publish_status, enterprise_id)"
            " values (%s, 'STATIC', %s, %s::shared_types.publish_status, %s) returning id",
            key, key, status, None if everybodys else self.enterprise,
        )  # fmt: skip
        return int(made), key

    def notification(self, **columns: object) -> int:
        """A due notification, unless `columns` say otherwise."""
        values = {
            "name": f"notification {next(_numbers)} {uuid4()}",
            "enterprise_id": self.enterprise,
            "publish_status": "PUBLISH",
            "payload": Jsonb({}),
            "recipients": [PERSON],
        } | columns
        casts = {"recipients": "::uuid[]"}
        names = psycopg.sql.SQL(", ").join(psycopg.sql.Identifier(n) for n in values)
        places = psycopg.sql.SQL(", ").join(
            psycopg.sql.SQL("%s" + casts.get(n, "")) for n in values
        )
        query = psycopg.sql.SQL("insert into notify.ent_notification ({}) values ({}) returning id")
        row = self.connection.execute(query.format(names, places), list(values.values())).fetchone()
        assert row is not None
        return int(row[0])

    def status(self, notification: int) -> str:
        return str(
            self.one(
                "select notification_status from notify.ent_notification where id = %s",
                notification,
            )
        )

    def owner(self, notification: int, namespace: str = "default") -> str:
        return claim_owner(namespace, self.enterprise, notification)

    def claim(self, notification: int, namespace: str = "default") -> Claim:
        return Claim(self.enterprise, notification, self.owner(notification, namespace))

    def finish(self, notification: int, status: Any = "SENT", generation: int = 0) -> Finish:
        return Finish(
            self.enterprise, notification, self.owner(notification), generation, status, None, None
        )

    def ask(self, **changes: Any) -> PollRequest:
        values: dict[str, Any] = {"kind": "realtime", "limit": 100, "max_in_flight": 1000} | changes
        return PollRequest(self.enterprise, **values)

    def wanted(self, workflow_key: str | None, key: str, **changes: Any) -> NewNotification:
        values: dict[str, Any] = {
            "name": f"occurrence {key}", "dedupe_key": key, "workflow_id": None, "rule_id": None,
            "payload": {"a": 1}, "recipients": (PERSON, "not-a-uuid"), "topics": ("t",),
            "channels": ("EMAIL",), "overrides": {}, "tags": ("x",), "priority": None,
        }  # fmt: skip
        return NewNotification(
            enterprise_id=self.enterprise, workflow_key=workflow_key, **(values | changes)
        )


Database = Callable[[Rows], SupabaseDatabase]


def connected(dsn: str) -> Iterator[Rows]:
    with psycopg.connect(dsn, autocommit=True, row_factory=tuple_row) as connection:
        yield Rows(connection)


@asynccontextmanager
async def databases(url: str, key: str) -> Any:
    """A function that answers the adapter of an enterprise, all of one gateway."""
    async with http_client() as http:
        gateway = PostgrestGateway(http, url, key)
        yield lambda rows: SupabaseDatabase(gateway, rows.enterprise, 300)
