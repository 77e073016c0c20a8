"""What was accepted, what became of it, and what each recipient got: the oracle of every exactly-once test.

Rows of triggers, notifications (one a recipient) and messages (one a recipient and channel). A message that is withdrawn
stays: the recipient has got it. Called by the worker, which writes, and by the API, the admin routes and the page.
"""

import json
import sqlite3
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from xnovu_dev.sandbox.json_types import JsonObject, dumps, load_object, stamp
from xnovu_dev.sandbox.store import Store
from xnovu_dev.sandbox.triggers import Recipient, Trigger

NOT_UNIQUE: Final = "transactionId property is not unique"
JobStatus = Literal["pending", "delayed", "completed", "failed", "skipped", "canceled"]


@dataclass(frozen=True, slots=True)
class Accepted:
    """A stored trigger. `partial`: half of the recipients are to be lost (a fault switch)."""

    seq: int
    trigger: Trigger
    partial: bool
    accepted_at: str


@dataclass(slots=True)
class Notification:
    """One trigger's work for one recipient. `jobs`: one a step, status and time. `next_step`: where a delay ends."""

    id: str
    accepted: Accepted
    subscriber_id: str
    created_at: str
    jobs: list[JsonObject]
    next_step: int | None
    due_at: str | None


@dataclass(frozen=True, slots=True)
class Message:
    """What a recipient gets on one channel."""

    id: str
    channel: str
    subject: str | None
    body: str


class Ledger:
    """The rows of one environment."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def accept(self, trigger: Trigger, now: datetime, *, partial: bool) -> Accepted:
        """Store a trigger; from here on it survives a kill."""
        accepted_at = stamp(now)
        recipients = dumps([recipient.as_json() for recipient in trigger.recipients])
        seq = self._store.insert(
            "INSERT INTO triggers (transaction_id, workflow_id, recipients, payload, overrides, "
            "partial, accepted_at, state) VALUES (?, ?, ?, ?, ?, ?, ?, 'queued')",
            *(trigger.transaction_id, trigger.workflow_key, recipients),
            *(dumps(trigger.payload), dumps(trigger.overrides), partial, accepted_at),
        )
        return Accepted(seq, trigger, partial, accepted_at)

    def queued(self) -> list[Accepted]:
        """What an earlier process accepted and did not work on."""
        rows = self._store.rows("SELECT * FROM triggers WHERE state = 'queued' ORDER BY seq")
        return [_accepted(row) for row in rows]

    def settle(self, seq: int, state: Literal["done", "dropped"], reason: str | None) -> None:
        self._store.run(
            "UPDATE triggers SET state = ?, reason = ? WHERE seq = ?", state, reason, seq
        )

    def has_jobs(self, transaction_id: str) -> bool:
        """Novu's check for uniqueness: whether jobs of this transaction exist *by now*."""
        found = self._store.row(
            "SELECT 1 FROM notifications WHERE transaction_id = ? LIMIT 1", transaction_id
        )
        return found is not None

    def add(self, notification: Notification) -> None:
        trigger = notification.accepted.trigger
        self._store.run(
            "INSERT INTO notifications (id, trigger_seq, transaction_id, subscriber_id, "
            "workflow_id, created_at, jobs, next_step, due_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            *(notification.id, notification.accepted.seq, trigger.transaction_id),
            *(notification.subscriber_id, trigger.workflow_key, notification.created_at),
            *(dumps(list(notification.jobs)), notification.next_step, notification.due_at),
        )

    def update(self, notification: Notification) -> None:
        self._store.run(
            "UPDATE notifications SET jobs = ?, next_step = ?, due_at = ? WHERE id = ?",
            *(dumps(list(notification.jobs)), notification.next_step, notification.due_at),
            notification.id,
        )

    def notification(self, notification_id: str) -> Notification | None:
        rows = self.notifications("n.id = ?", (notification_id,), limit=1)
        return rows[0] if rows else None

    def delayed(self) -> list[Notification]:
        return self.notifications("n.due_at IS NOT NULL", (), limit=-1)

    def notifications(
        self, where: str, values: tuple[object, ...], *, limit: int, offset: int = 0
    ) -> list[Notification]:
        """Newest first. `where` is a condition written in this program, over `n` and `t`; limit -1: all."""
        rows = self._store.rows(
            "SELECT t.*, n.id, n.subscriber_id, n.created_at, n.jobs, n.next_step, n.due_at "  # noqa: S608
            f"FROM notifications n JOIN triggers t ON t.seq = n.trigger_seq WHERE {where} "
            "ORDER BY n.seq DESC LIMIT ? OFFSET ?",
            *(*values, limit, offset),
        )
        return [_notification(row) for row in rows]

    def deliver(self, notification: Notification, message: Message, now: datetime) -> None:
        """One entry: the recipient has got it."""
        accepted = notification.accepted
        self._store.run(
            "INSERT INTO messages (id, notification_id, transaction_id, subscriber_id, workflow_id,"
            " channel, payload, subject, body, accepted_at, delivered_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            *(message.id, notification.id, accepted.trigger.transaction_id),
            *(notification.subscriber_id, accepted.trigger.workflow_key, message.channel),
            *(dumps(accepted.trigger.payload), message.subject, message.body),
            *(accepted.accepted_at, stamp(now)),
        )

    def messages(
        self, where: str, values: tuple[object, ...], *, limit: int, offset: int = 0
    ) -> list[sqlite3.Row]:
        """Newest first. `where` is a condition written in this program; limit -1: all."""
        return self._store.rows(
            f"SELECT * FROM messages WHERE {where} ORDER BY seq DESC LIMIT ? OFFSET ?",  # noqa: S608
            *(*values, limit, offset),
        )

    def withdraw(self, where: str, values: tuple[object, ...], now: datetime) -> int:
        """Delete messages as the API does: they leave the inbox and stay in the ledger. Answers how many."""
        return self._store.run(
            f"UPDATE messages SET withdrawn_at = ? WHERE withdrawn_at IS NULL AND {where}",  # noqa: S608
            *(stamp(now), *values),
        )

    def deliveries(self, transaction_id: str | None, subscriber_id: str | None) -> str:
        """The ledger as a JSON array, oldest first; stored JSON is put in as it is, so that 10,000 are quick."""
        wanted = (("transaction_id", transaction_id), ("subscriber_id", subscriber_id))
        given = [(column, value) for column, value in wanted if value is not None]
        where = " AND ".join(f"{column} = ?" for column, _ in given) or "1"
        rows = self._store.rows(
            f"SELECT * FROM messages WHERE {where} ORDER BY seq",  # noqa: S608 - our own columns
            *(value for _, value in given),
        )
        return "[" + ",".join(_entry(row) for row in rows) + "]"

    def counts(self) -> JsonObject:
        """How many triggers are in each state, how many notifications are delayed, how many messages were delivered."""
        states = self._store.rows("SELECT state, count(*) AS n FROM triggers GROUP BY state")
        totals = {row["state"]: row["n"] for row in states}
        delayed = self._store.rows("SELECT 1 FROM notifications WHERE due_at IS NOT NULL")
        row = self._store.row("SELECT count(*) AS n FROM messages")
        return {
            "queued": totals.get("queued", 0),
            "done": totals.get("done", 0),
            "dropped": totals.get("dropped", 0),
            "delayed": len(delayed),
            "deliveries": row["n"] if row else 0,
        }

    def dropped(self) -> list[JsonObject]:
        """Triggers that were accepted and never delivered, with the reason that Novu's log would have."""
        rows = self._store.rows("SELECT * FROM triggers WHERE state = 'dropped' ORDER BY seq")
        return [
            {
                "transactionId": r["transaction_id"],
                "workflowId": r["workflow_id"],
                "reason": r["reason"],
            }
            for r in rows
        ]


def _entry(row: sqlite3.Row) -> str:
    fields: JsonObject = {
        "transactionId": row["transaction_id"],
        "workflowId": row["workflow_id"],
        "subscriberId": row["subscriber_id"],
        "channel": row["channel"],
        "content": {"subject": row["subject"], "body": row["body"]},
        "acceptedAt": row["accepted_at"],
        "deliveredAt": row["delivered_at"],
    }
    return f'{dumps(fields)[:-1]},"payload":{row["payload"]}}}'


def _accepted(row: sqlite3.Row) -> Accepted:
    trigger = Trigger(
        workflow_key=row["workflow_id"],
        transaction_id=row["transaction_id"],
        recipients=tuple(_recipients(row["recipients"])),
        payload=load_object(row["payload"]),
        overrides=load_object(row["overrides"]),
    )
    return Accepted(row["seq"], trigger, bool(row["partial"]), row["accepted_at"])


def _recipients(text: str) -> list[Recipient]:
    return [
        Recipient(item["subscriberId"], item["topicKey"], item["profile"], tuple(item["exclude"]))
        for item in json.loads(text)
    ]


def _notification(row: sqlite3.Row) -> Notification:
    return Notification(
        id=row["id"],
        accepted=_accepted(row),
        subscriber_id=row["subscriber_id"],
        created_at=row["created_at"],
        jobs=json.loads(row["jobs"]),
        next_step=row["next_step"],
        due_at=row["due_at"],
    )
