"""The `notify` schema in memory: a ports.Database with the same rules of claim, finish and retraction, and faults on demand.

Not a proof of the SQL (tests/database is that). One `Tables` may be shared by several enterprises.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from xnovu.core.contracts.notifications import (
    Channel,
    ClaimOutcome,
    FinishOutcome,
    NotificationStatus,
    WorkflowType,
)
from xnovu.core.errors import WorkflowNotFound
from xnovu.core.records import (
    Claim,
    Claimed,
    DeliveryCounts,
    DueFeed,
    DueFeeds,
    DueRow,
    FeedRecord,
    Finish,
    Finished,
    JsonObject,
    NewNotification,
    Notification,
    Pace,
    PollAnswer,
    PollRequest,
    Release,
    Rule,
    Swept,
    Template,
    Unclear,
    Workflow,
)

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def a_workflow(**changes: Any) -> Workflow:
    plain = Workflow(
        id=1,
        key="welcome",
        type=WorkflowType.STATIC,
        enterprise_id=None,
        default_channels=(Channel.IN_APP,),
        payload_schema=None,
        template_overrides={},
    )
    return replace(plain, **changes)


@dataclass
class Row:
    """A notification with what the database alone keeps of it."""

    notification: Notification
    owner: str | None = None
    transaction_id: str | None = None
    error_details: JsonObject | None = None
    settled: JsonObject | None = None
    shadow: JsonObject | None = None
    stale: bool = False
    feed_seconds: float | None = None
    feed: list[FeedRecord] = field(default_factory=list)
    held: bool = False
    """Its batch's lease runs; a test ends it."""

    @property
    def status(self) -> NotificationStatus:
        return self.notification.status

    def move(self, status: NotificationStatus) -> None:
        self.notification = replace(self.notification, status=status)

    def replay(self) -> None:
        """As notify.replay_notification does."""
        assert self.status is NotificationStatus.FAILED
        self.error_details = None
        generation = self.notification.generation + 1
        self.notification = replace(
            self.notification, status=NotificationStatus.PENDING, generation=generation
        )

    def remember(self, state: Any) -> None:
        """The column delivery_state."""
        self.notification = replace(
            self.notification,
            reached=tuple(state["recipients"]),
            reached_topics=tuple(state["topics"]),
            unclear=tuple(
                Unclear(tuple(u["transactions"]), tuple(u["topics"])) for u in state["unclear"]
            ),
        )


@dataclass
class FakeDatabase:
    """`faults`: by method name, errors that its next calls raise; `after` is raised when the call has had its effect."""

    enterprise_id: str
    rows: dict[int, Row] = field(default_factory=dict)
    workflows: dict[int, Workflow] = field(default_factory=lambda: {1: a_workflow()})
    library: dict[str, Template] = field(default_factory=dict)
    rule_rows: dict[int, Rule] = field(default_factory=dict)
    created: dict[str, int] = field(default_factory=dict)
    faults: dict[str, list[Exception]] = field(default_factory=lambda: defaultdict(list))
    after: dict[str, list[Exception]] = field(default_factory=lambda: defaultdict(list))
    calls: list[str] = field(default_factory=list)
    feed_seconds: float | None = None
    tokens: float = 1000.0

    def add(self, notification_id: int, **changes: Any) -> Row:
        plain = Notification(
            id=notification_id,
            enterprise_id=self.enterprise_id,
            name="a notification",
            status=NotificationStatus.PENDING,
            payload={"name": "Ada"},
            recipients=("ada",),
            channels=(Channel.IN_APP,),
            overrides={},
            tags=(),
            topics=(),
            priority=None,
            workflow_id=1,
            generation=0,
            due_at=LONG_AGO,
            attempts=0,
        )
        row = Row(replace(plain, **changes))
        self.rows[notification_id] = row
        return row

    async def _call(self, method: str) -> None:
        self.calls.append(method)
        await asyncio.sleep(0)
        if self.faults[method]:
            raise self.faults[method].pop(0)

    def _done(self, method: str) -> None:
        if self.after[method]:
            raise self.after[method].pop(0)

    async def poll(self, request: PollRequest) -> PollAnswer:
        await self._call("poll")
        rows = self.rows.values()
        due = [r for r in rows if r.status is NotificationStatus.PENDING and r.shadow is None]
        running = sum(r.status is NotificationStatus.PROCESSING for r in rows)
        room = max(min(request.limit, request.max_in_flight - running), 0)
        withdrawn = [
            r
            for r in rows
            if r.status is NotificationStatus.RETRACTED and r.owner and r.settled is None
        ]
        counts = DeliveryCounts(
            pending=len(due),
            processing=running,
            sent_24h=sum(r.status is NotificationStatus.SENT for r in rows),
            failed_24h=sum(r.status is NotificationStatus.FAILED for r in rows),
        )
        realtime = request.kind == "realtime"
        return PollAnswer(
            enterprise_id=self.enterprise_id,
            due=tuple(DueRow(r.notification.id, 3) for r in due[:room]) if realtime else (),
            withdrawn=tuple(r.notification.id for r in withdrawn) if request.withdrawn else (),
            stale=tuple(r.notification.id for r in rows if r.stale) if request.sweep else (),
            lag_seconds=1.5 if due else None,
            next_due_seconds=None,
            counts=counts if request.counts else None,
        )

    async def claim(self, claims: Sequence[Claim]) -> tuple[Claimed, ...]:
        await self._call("claim")
        answers = tuple(self._claim(c) for c in claims)
        self._done("claim")
        return answers

    def _claim(self, claim: Claim) -> Claimed:
        row = self.rows.get(claim.notification_id)
        if row is None or claim.enterprise_id != self.enterprise_id:
            return Claimed(claim.notification_id, ClaimOutcome.MISSING, None, None)
        outcome = ClaimOutcome.DONE
        batch = row.owner is not None and "/batch-" in row.owner
        if row.held and batch and row.owner != claim.owner:
            return self._seen(row, ClaimOutcome.HELD)
        if batch and row.status is NotificationStatus.PROCESSING:
            row.owner = claim.owner
        released = row.owner is not None and row.owner.endswith("/released")
        match row.status:
            case NotificationStatus.PENDING:
                row.owner = claim.owner
                row.held = "/batch-" in claim.owner
                row.move(NotificationStatus.PROCESSING)
                outcome = ClaimOutcome.CLAIMED
            case NotificationStatus.PROCESSING if released:
                row.owner = claim.owner
                outcome = ClaimOutcome.CLAIMED
            case NotificationStatus.PROCESSING:
                if row.owner != claim.owner:
                    return Claimed(claim.notification_id, ClaimOutcome.FOREIGN, None, None)
                row.stale = False
                outcome = ClaimOutcome.RESUMED
            case NotificationStatus.RETRACTED if row.owner and row.settled is None:
                outcome = ClaimOutcome.RETRACTED
            case _:
                pass
        return self._seen(row, outcome)

    def _seen(self, row: Row, outcome: ClaimOutcome) -> Claimed:
        workflow = self.workflows.get(row.notification.workflow_id or 0)
        return Claimed(row.notification.id, outcome, row.notification, workflow)

    async def finish(self, items: Sequence[Finish]) -> tuple[Finished, ...]:
        await self._call("finish")
        answers = tuple(Finished(i.notification_id, self._finish(i)) for i in items)
        self._done("finish")
        return answers

    def _finish(self, item: Finish) -> FinishOutcome:
        row = self.rows[item.notification_id]
        if row.status is NotificationStatus.RETRACTED:
            return FinishOutcome.RETRACTED
        if row.owner != item.owner or row.notification.generation != item.generation:
            return FinishOutcome.LOST
        if row.status is item.status:
            return FinishOutcome.ALREADY
        if row.status is not NotificationStatus.PROCESSING:
            return FinishOutcome.LOST
        row.move(item.status)
        row.held = False
        row.transaction_id, row.error_details = item.transaction_id, item.error_details
        sent = item.status is NotificationStatus.SENT or item.delivery_state is not None
        row.feed_seconds = self.feed_seconds if sent else None
        if item.delivery_state is not None:
            row.remember(item.delivery_state)
        return FinishOutcome.FINISHED

    async def release(self, items: Sequence[Release]) -> frozenset[int]:
        await self._call("release")
        ours = [i for i in items if self.rows[i.notification_id].owner == i.owner]
        for item in ours:
            row = self.rows[item.notification_id]
            row.owner, row.held = item.next_owner, False
        self._done("release")
        return frozenset(i.notification_id for i in ours)

    async def take_pace(self, wanted: int, rate: float, *, reserve: bool = False) -> Pace:
        await self._call("take_pace")
        granted = wanted if reserve else min(wanted, int(self.tokens))
        self.tokens -= granted
        return Pace(granted, max(0.0, -self.tokens if reserve else 1 - self.tokens) / rate)

    async def fetch(self, notification_id: int, owner: str | None = None) -> Claimed:
        await self._call("fetch")
        row = self.rows.get(notification_id)
        if row is None:
            return Claimed(notification_id, ClaimOutcome.MISSING, None, None)
        held = row.status is NotificationStatus.PROCESSING and row.owner is not None
        if held and owner is not None and row.owner != owner:
            return Claimed(notification_id, ClaimOutcome.FOREIGN, None, None)
        return self._seen(row, ClaimOutcome.DONE)

    async def note_round(self, notification_id: int, round_: int) -> None:
        await self._call("note_round")
        row = self.rows[notification_id]
        rounds = max(row.notification.rounds, round_)
        row.notification = replace(row.notification, rounds=rounds)

    async def sweep(self, installation: str, most: int) -> Swept:
        await self._call("sweep")
        late = [r for r in self.rows.values() if r.stale]
        ours = [r for r in late if r.owner is None or r.owner.startswith(f"{installation}/")]
        others = [r for r in late if r not in ours]
        return Swept(
            tuple(r.notification.id for r in ours[:most]),
            len(others),
            tuple(sorted({str(r.owner).partition("/")[0] for r in others})),
        )

    async def extend_leases(self, notification_ids: Sequence[int]) -> None:
        await self._call("extend_leases")
        for i in notification_ids:
            self.rows[i].stale = False

    async def due_feeds(self, most: int) -> DueFeeds:
        await self._call("due_feeds")
        due = [r for r in self.rows.values() if r.feed_seconds is not None]
        rows = tuple(DueFeed(r.notification, len(r.feed), 60.0) for r in due[:most])
        problems = sum(bool(r.feed and r.feed[-1].problem) for r in self.rows.values())
        return DueFeeds(rows, None, problems)

    async def record_deliveries(self, record: FeedRecord) -> bool:
        await self._call("record_deliveries")
        row = self.rows[record.notification_id]
        if record.checks != len(row.feed):
            return False
        row.feed.append(record)
        row.feed_seconds = record.next_seconds
        return True

    async def settle_retraction(self, notification_id: int, report: JsonObject) -> None:
        await self._call("settle_retraction")
        self.rows[notification_id].settled = report

    async def record_shadow(self, notification_id: int, report: JsonObject) -> None:
        await self._call("record_shadow")
        self.rows[notification_id].shadow = report

    async def templates(self, keys: Sequence[str]) -> dict[str, Template]:
        await self._call("templates")
        return {k: self.library[k] for k in keys if k in self.library}

    async def rules(self) -> tuple[Rule, ...]:
        await self._call("rules")
        return tuple(self.rule_rows[i] for i in sorted(self.rule_rows))

    async def rule(self, rule_id: int) -> Rule | None:
        await self._call("rule")
        return self.rule_rows.get(rule_id)

    async def create(self, notification: NewNotification) -> tuple[int, bool]:
        await self._call("create")
        if notification.dedupe_key in self.created:
            return self.created[notification.dedupe_key], False
        known = {w.key: w.id for w in self.workflows.values()}
        workflow_id = notification.workflow_id or known.get(notification.workflow_key or "")
        if workflow_id not in self.workflows:
            raise WorkflowNotFound("no such workflow")
        made = max(self.rows, default=1000) + 1
        self.add(
            made,
            payload=notification.payload,
            recipients=notification.recipients,
            workflow_id=workflow_id,
        )
        self.created[notification.dedupe_key] = made
        self._done("create")
        return made, True
