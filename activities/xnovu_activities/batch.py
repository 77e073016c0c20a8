"""The batch lane: above a backlog, a monitor's own activity delivers what it found, with no workflow a notification.

The same steps as the single lane (`xnovu_activities.deliver`), the results an item in the database. Whatever is not plainly
done leaves the batch as its own NotificationProcessingWorkflow. Why nothing is lost or sent twice: docs/adr/0008-fairness.md.
In short: a batch claims under an owner that nobody else has and with a lease; until the lease is over the database keeps
everybody else away (`Held`); no send begins so late that it could still be under way then; afterwards the row's own workflow
takes it over as Resumed, and a resumed one asks Novu's feed before it sends. Called by `xnovu_activities.monitors`.
"""

import asyncio
import logging
import time
import uuid
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Literal, Protocol, TypeVar

from xnovu.core.contracts.notifications import (
    ClaimOutcome,
    FinishOutcome,
    NotificationStatus,
    ProcessingInput,
)
from xnovu.core.errors import (
    ConfigurationError,
    DatabaseUnavailable,
    NotificationError,
    NovuNoTurn,
    NovuThrottled,
    NovuUnavailable,
    OutcomeUnclear,
    RowLocked,
    Unavailable,
    XNovuError,
)
from xnovu.core.ids import batch_owner, claim_owner, released_owner
from xnovu.core.partial import parts
from xnovu.core.recipients import Chunk
from xnovu.core.records import Claim, Claimed, Notification, Release
from xnovu_activities import deliver
from xnovu_activities.beating import Pause
from xnovu_activities.boundary import where
from xnovu_activities.deliver import Prepared
from xnovu_activities.measures import Measures
from xnovu_activities.ports import Database, Novu, Tenants

LEASE: Final = 30
"""Seconds for which the database keeps everybody else away from a batch's rows."""

SENDING: Final = 8.0
"""Seconds after the claim was asked for in which a send may begin. With one whole call (`novu.CALL_SECONDS`, 15 s) it ends
7 s before the lease."""

SENDS_AT_ONCE: Final = 10
"""Sends of one batch that wait for their turn or are under way: the others still see when the batch must end."""

STOPPING: Final = 1.5
"""Seconds that a call may still take when the worker ends, of the 3 s that `worker.build` gives activities."""

LOOK: Final = 0.25
"""Seconds between two looks whether the batch is to come to its end."""

TROUBLES: Final = 3
"""Sends without a clear answer after which the rest of the batch is not tried: Novu is away."""

_T = TypeVar("_T")
_log: Final = logging.getLogger("xnovu.batch")

TRIES: Final = 3
"""Tries of each call of the database, half a second apart and doubling."""


class Starts(Protocol):
    """Starts the workflow of a notification (`monitors.Starter`)."""

    async def start(self, request: ProcessingInput, *, priority: int = 3) -> None:
        """Idempotency key: the workflow id. Raises TemporalUnavailable."""


class Backlog:
    """Which lane: whether this process finds so much due that it goes in batches. `above` rows within a second."""

    def __init__(self, above: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._above, self._monotonic = above, monotonic
        self._found: deque[tuple[float, int]] = deque()

    def add(self, rows: int) -> bool:
        """Count what was just found; whether these go in a batch."""
        now = self._monotonic()
        self._found.append((now, rows))
        while self._found[0][0] <= now - 1:
            self._found.popleft()
        return sum(count for _, count in self._found) > self._above


@dataclass(frozen=True, slots=True)
class Item:
    """One due row: what its workflow would be started with, and how urgent it is."""

    request: ProcessingInput
    priority: int

    @property
    def id(self) -> int:
        return self.request.ref.notification_id


@dataclass(slots=True)
class _Batch:
    """`until`: no send begins later. `stopped`: from outside, when the worker or the monitor ends."""

    enterprise_id: str
    database: Database
    novu: Novu
    owner: str
    until: float
    stopped: Callable[[], bool]
    sends: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(SENDS_AT_ONCE))
    troubles: int = 0
    refused: bool = False
    left: list[tuple[Item, bool]] = field(default_factory=list)
    """What leaves the batch, and whether it may have been sent."""

    def leave(self, item: Item, *, maybe_sent: bool) -> None:
        self.left.append((item, maybe_sent))

    @property
    def over(self) -> bool:
        return self.refused or self.troubles >= TROUBLES or self.stopped()


@dataclass(frozen=True, slots=True)
class BatchLane:
    """`installation`: part of the claims' owner."""

    tenants: Tenants
    installation: str
    starter: Starts
    measures: Measures
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    monotonic: Callable[[], float] = time.monotonic
    pause: Pause = asyncio.sleep

    async def deliver(self, items: Sequence[Item], stopped: Callable[[], bool]) -> None:
        """Deliver due rows of one enterprise; returns when each is finished or has left.

        Nothing is claimed when credentials are missing. Raises the first error of the database or of Temporal, after
        everything else was dealt with. A row that could not even be released is found again when its lease is over.
        """
        enterprise = items[0].request.ref.enterprise
        batch = _Batch(
            enterprise_id=enterprise.id,
            database=self.tenants.database(enterprise),
            novu=self.tenants.novu(enterprise),
            owner=batch_owner(self.installation, uuid.uuid4().hex),
            until=self.monotonic() + SENDING,
            stopped=stopped,
        )
        troubles = await self._all(batch, items)
        troubles += await self._let_go(batch)
        if troubles:
            raise troubles[0]

    async def _all(self, batch: _Batch, items: Sequence[Item]) -> list[XNovuError]:
        """Work on every item at once; once the batch is over, what leaves does not wait for a call that hangs."""
        tasks = {asyncio.create_task(self._one(batch, item)): item for item in items}
        pending, troubles = set(tasks), list[XNovuError]()
        stopped_at: float | None = None
        try:
            while pending:
                if batch.stopped():
                    now = self.monotonic()
                    stopped_at = now if stopped_at is None else stopped_at
                    if now - stopped_at >= STOPPING:
                        break
                done, pending = await asyncio.wait(pending, timeout=LOOK)
                for task in done:
                    troubles += self._ended(batch, tasks[task], task.exception())
                if batch.over:
                    troubles += await self._let_go(batch)
        finally:
            for task in pending:
                task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        for task in pending:
            # Cut off in the middle, as by a crash: verified before it is sent again.
            batch.leave(tasks[task], maybe_sent=True)
        return troubles

    def _ended(self, batch: _Batch, item: Item, error: BaseException | None) -> list[XNovuError]:
        if error is None:
            return []
        if isinstance(error, XNovuError):
            return [error]
        # A defect is that row's alone: its own workflow makes it visible.
        defect = where(error) if isinstance(error, Exception) else type(error).__name__
        _log.error("notification %s: a defect in a batch: %s", item.id, defect)
        batch.leave(item, maybe_sent=True)
        return []

    async def _one(self, batch: _Batch, item: Item) -> None:
        begun = self.monotonic()
        try:
            claimed = await self._claim(batch, item)
        except RowLocked:
            return  # still PENDING: found again by a later poll
        except DatabaseUnavailable:
            # It may be ours, and nothing of it was sent: its own workflow begins afresh, sooner than our lease ends.
            batch.leave(item, maybe_sent=False)
            raise
        row = claimed.notification
        match claimed.outcome:
            case ClaimOutcome.CLAIMED if row is not None and row.unclear:
                # What an earlier generation left open is asked of Novu's feed first, by its own workflow.
                batch.leave(item, maybe_sent=True)
            case ClaimOutcome.CLAIMED if row is not None:
                await self._first_try(batch, item, claimed, row, begun)
            case ClaimOutcome.RESUMED | ClaimOutcome.RETRACTED:
                # Somebody's before us, who may have sent: only its own workflow verifies and undoes.
                batch.leave(item, maybe_sent=True)
            case _:
                pass

    async def _claim(self, batch: _Batch, item: Item) -> Claimed:
        """A try whose answer was lost may have claimed; the next one then says Resumed, and so it is verified."""
        claim = Claim(batch.enterprise_id, item.id, batch.owner, LEASE)
        (claimed,) = await self._tried(lambda: batch.database.claim([claim]))
        return claimed

    async def _tried(self, call: Callable[[], Awaitable[_T]]) -> _T:
        """The answer of an idempotent call of the database, tried some times."""
        for tried in range(1, TRIES):
            try:
                return await call()
            except DatabaseUnavailable:
                await self.pause(0.25 * 2**tried)
        return await call()

    async def _first_try(
        self, batch: _Batch, item: Item, claimed: Claimed, row: Notification, begun: float
    ) -> None:
        try:
            checked = deliver.check(claimed, item.request, self.now())
            prepared = await deliver.prepare(batch.database, *checked)
            if len(prepared.chunks) != 1:
                # Each chunk may end in its own way: its workflow keeps them apart.
                batch.leave(item, maybe_sent=False)
                return
            async with batch.sends:
                await self._trigger(batch, prepared, prepared.chunks[0])
        except NotificationError as error:
            if len(parts(row)) > 1:
                batch.leave(item, maybe_sent=False)
            else:
                await self._finish(batch, item, row, begun, error)
        except (Unavailable, ConfigurationError, OutcomeUnclear) as error:
            unclear = isinstance(error, OutcomeUnclear | NovuUnavailable)
            batch.troubles += unclear
            # A refused key is refused for all; what is away for one may be there for the next.
            batch.refused = batch.refused or isinstance(error, ConfigurationError)
            batch.leave(item, maybe_sent=unclear)
        else:
            await self._finish(batch, item, row, begun, None)

    async def _trigger(self, batch: _Batch, prepared: Prepared, chunk: Chunk) -> None:
        """Once; again only after a 429, which is certainly not accepted, under another idempotency key."""
        refusals = 0
        while True:
            left = batch.until - self.monotonic()
            if batch.over or left <= 0:
                raise NovuNoTurn("the batch is over before this one's turn")
            request = deliver.request_of(prepared, chunk, definite_errors=refusals)
            try:
                await batch.novu.trigger(request, patience=left)
            except NovuThrottled as error:
                if error.retry_after is None or error.retry_after.total_seconds() > left:
                    raise
                # Only a kept answer: without a turn nothing was asked.
                refusals += not isinstance(error, NovuNoTurn)
                self.measures.triggered(batch.enterprise_id, accepted=False)
            except XNovuError:
                self.measures.triggered(batch.enterprise_id, accepted=False)
                raise
            else:
                self.measures.triggered(batch.enterprise_id, accepted=True)
                return

    async def _finish(
        self,
        batch: _Batch,
        item: Item,
        row: Notification,
        begun: float,
        error: NotificationError | None,
    ) -> None:
        final: Literal[NotificationStatus.SENT, NotificationStatus.FAILED] = (
            NotificationStatus.FAILED if error else NotificationStatus.SENT
        )
        try:
            outcome = await self._tried(
                lambda: deliver.finish(batch.database, batch.owner, row, final, error=error)
            )
        except DatabaseUnavailable:
            batch.leave(item, maybe_sent=error is None)
            raise
        if outcome is FinishOutcome.RETRACTED:
            batch.leave(item, maybe_sent=True)
        elif outcome is FinishOutcome.FINISHED:
            self.measures.processed(batch.enterprise_id, final, self.monotonic() - begun)

    async def _let_go(self, batch: _Batch) -> list[XNovuError]:
        """Hand what leaves to its own workflow. What cannot be handed on is found by the sweeper."""
        leaving, batch.left = batch.left, []
        if not leaving:
            return []
        try:
            await self._release(batch, leaving)
        except XNovuError as error:
            return [error]
        starts = [self.starter.start(i.request, priority=i.priority) for i, _ in leaving]
        ends = await asyncio.gather(*starts, return_exceptions=True)
        for end in ends:
            if isinstance(end, BaseException) and not isinstance(end, XNovuError):
                raise end
        return [end for end in ends if isinstance(end, XNovuError)]

    async def _release(self, batch: _Batch, leaving: Sequence[tuple[Item, bool]]) -> None:
        items = [
            Release(
                batch.enterprise_id,
                item.id,
                batch.owner,
                claim_owner(self.installation, batch.enterprise_id, item.id)
                if maybe_sent
                else released_owner(self.installation),
            )
            for item, maybe_sent in leaving
        ]
        await self._tried(lambda: batch.database.release(items))
