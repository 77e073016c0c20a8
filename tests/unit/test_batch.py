"""A batch delivers, fails and lets go of each row by itself; and wherever it dies, each row arrives once."""

import asyncio
import uuid
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from fakes.database import FakeDatabase
from fakes.novu import FakeNovu, FakeTenants, Fault, lost_answer
from temporalio.common import MetricMeter

from xnovu.core import errors, ids
from xnovu.core.contracts.common import EnterpriseRef
from xnovu.core.contracts.notifications import (
    ClaimOutcome,
    NotificationRef,
    NotificationStatus,
    ProcessingInput,
)
from xnovu.core.records import Claim, Finish, TriggerRequest
from xnovu_activities import batch as batches
from xnovu_activities.batch import Backlog, BatchLane, Item
from xnovu_activities.measures import Measures

SENT, FAILED = NotificationStatus.SENT, NotificationStatus.FAILED
PROCESSING = NotificationStatus.PROCESSING
MEASURES = Measures(MetricMeter.noop)


@dataclass
class Started:
    """Notes whose workflows were started."""

    ids: list[int] = field(default_factory=list)

    async def start(self, request: ProcessingInput, *, priority: int = 3) -> None:
        assert priority == 3
        self.ids.append(request.ref.notification_id)


class Lane:
    """An enterprise with rows 1 to `rows`, and a batch lane for them."""

    def __init__(self, rows: int = 3) -> None:
        self.enterprise = EnterpriseRef(id=str(uuid.uuid4()))
        self.database = FakeDatabase(self.enterprise.id)
        self.novu = FakeNovu()
        self.started = Started()
        self.clock = 100.0
        for number in range(1, rows + 1):
            self.database.add(number, recipients=(f"p{number}",))
        tenants = FakeTenants({self.enterprise.id: self.database}, {self.enterprise.id: self.novu})
        self.tenants = tenants
        self.lane = BatchLane(
            tenants,
            "ns",
            self.started,
            MEASURES,
            monotonic=lambda: self.clock,
            pause=self.pass_time,
        )

    async def pass_time(self, seconds: float) -> None:
        self.clock += seconds

    def items(self) -> list[Item]:
        return [
            Item(
                ProcessingInput(ref=NotificationRef(enterprise=self.enterprise, notification_id=i)),
                3,
            )
            for i in self.database.rows
        ]

    async def deliver(self, *, stopped: bool = False) -> None:
        await self.lane.deliver(self.items(), lambda: stopped)

    @property
    def statuses(self) -> list[NotificationStatus]:
        return [row.status for row in self.database.rows.values()]

    def own(self, number: int) -> str:
        return ids.claim_owner("ns", self.enterprise.id, number)

    async def workflow(self, number: int) -> ClaimOutcome:
        """What the row's own workflow finds when it claims."""
        claim = Claim(self.enterprise.id, number, self.own(number))
        (claimed,) = await self.database.claim([claim])
        return claimed.outcome


async def test_every_row_is_sent_once_and_no_workflow_is_started() -> None:
    lane = Lane()
    await lane.deliver()
    assert lane.statuses == [SENT] * 3
    assert sorted(lane.novu.people) == ["p1", "p2", "p3"]
    assert lane.started.ids == []


async def test_a_row_that_can_never_be_delivered_fails_alone() -> None:
    lane = Lane()
    lane.database.add(2, recipients=())
    await lane.deliver()
    assert lane.statuses == [SENT, FAILED, SENT]
    assert lane.database.rows[2].error_details == {
        "reason": "ValidationError",
        "message": lane.database.rows[2].error_details["message"],
    }
    assert sorted(lane.novu.people) == ["p1", "p3"]


async def test_a_refusal_of_novu_fails_that_row_alone() -> None:
    lane = Lane()
    lane.novu.script = [Fault(errors.NovuRejected("no"))]
    await lane.deliver()
    assert sorted(lane.statuses) == [FAILED, SENT, SENT]


@pytest.mark.parametrize("accepted", [True, False])
async def test_an_unclear_send_leaves_with_its_own_workflow_which_must_verify(
    accepted: bool,
) -> None:
    lane = Lane()
    lane.novu.script = [lost_answer(accepted=accepted)]
    await lane.deliver()
    (left,) = lane.started.ids
    assert lane.statuses.count(SENT) == 2
    assert await lane.workflow(left) is ClaimOutcome.RESUMED


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [(errors.NovuThrottled, ["e0", "e1"]), (errors.NovuNoTurn, ["e0", "e0"])],
)
async def test_only_a_429_of_novu_itself_is_followed_by_another_key(
    kind: type[errors.NovuThrottled], wanted: list[str]
) -> None:
    lane = Lane(rows=1)
    lane.novu.script = [Fault(kind("429", retry_after=timedelta(seconds=1)))]
    await lane.deliver()
    assert lane.statuses == [SENT]
    keys = [request.idempotency_key for request in lane.novu.requests]
    assert [key.partition("#")[2] for key in keys] == wanted
    assert lane.started.ids == []


async def test_what_is_throttled_beyond_the_batch_leaves_unsent_and_needs_no_verification() -> None:
    lane = Lane(rows=1)
    lane.novu.script = [Fault(errors.NovuThrottled("429", retry_after=timedelta(minutes=1)))]
    await lane.deliver()
    assert lane.started.ids == [1]
    assert lane.statuses == [PROCESSING]
    assert await lane.workflow(1) is ClaimOutcome.CLAIMED
    assert await lane.workflow(1) is ClaimOutcome.RESUMED


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (errors.CredentialsRejected("401"), {ClaimOutcome.CLAIMED}),
        (errors.NovuUnavailable("away"), {ClaimOutcome.CLAIMED, ClaimOutcome.RESUMED}),
    ],
)
async def test_a_novu_that_refuses_or_is_away_is_not_asked_for_every_row(
    error: errors.XNovuError, outcome: set[ClaimOutcome]
) -> None:
    lane = Lane(rows=60)
    lane.novu.script = [Fault(error)] * 60
    lane.novu.hold = asyncio.Event()
    work = asyncio.create_task(lane.deliver())
    while len(lane.novu.requests) < batches.SENDS_AT_ONCE:
        await asyncio.sleep(0)
    lane.novu.hold.set()
    await work
    assert len(lane.novu.requests) == batches.SENDS_AT_ONCE
    assert sorted(lane.started.ids) == list(range(1, 61))
    assert {await lane.workflow(number) for number in range(1, 61)} == outcome


async def test_a_defect_costs_the_batch_mates_nothing_and_its_row_leaves() -> None:
    lane = Lane()

    def fail(request: TriggerRequest) -> None:
        if request.recipients == ("p2",):
            raise KeyError("a defect")

    lane.novu.before_trigger = fail
    await lane.deliver()
    assert lane.statuses == [SENT, PROCESSING, SENT]
    assert lane.started.ids == [2]
    assert await lane.workflow(2) is ClaimOutcome.RESUMED


async def test_missing_credentials_are_said_before_anything_is_claimed() -> None:
    lane = Lane()
    lane.tenants.missing = errors.CredentialsMissing("no secret")
    with pytest.raises(errors.CredentialsMissing):
        await lane.deliver()
    assert lane.statuses == [NotificationStatus.PENDING] * 3


async def test_a_stopped_batch_sends_nothing_more_and_hands_everything_on_unsent() -> None:
    lane = Lane()
    await lane.deliver(stopped=True)
    assert lane.novu.requests == []
    assert sorted(lane.started.ids) == [1, 2, 3]
    assert await lane.workflow(1) is ClaimOutcome.CLAIMED


async def test_no_send_begins_after_its_time() -> None:
    lane = Lane(rows=1)

    async def slow_claim(claims: list[Claim]) -> object:
        lane.clock += batches.SENDING
        return await FakeDatabase.claim(lane.database, claims)

    lane.database.claim = slow_claim  # type: ignore[method-assign,assignment]
    await lane.deliver()
    assert lane.novu.requests == []
    assert lane.started.ids == [1]


def test_the_last_send_ends_before_the_lease() -> None:
    from xnovu.adapters.novu import CALL_SECONDS

    assert batches.SENDING + CALL_SECONDS + 5 <= batches.LEASE


async def test_a_living_batch_keeps_the_rows_own_workflow_away() -> None:
    lane = Lane(rows=1)
    lane.novu.hold = asyncio.Event()
    work = asyncio.create_task(lane.deliver())
    while not lane.novu.requests:
        await asyncio.sleep(0)
    assert await lane.workflow(1) is ClaimOutcome.HELD
    lane.novu.hold.set()
    await work
    assert lane.statuses == [SENT]
    assert await lane.workflow(1) is ClaimOutcome.DONE


async def test_a_row_that_its_workflow_holds_is_left_alone() -> None:
    lane = Lane(rows=1)
    assert await lane.workflow(1) is ClaimOutcome.CLAIMED
    await lane.deliver()
    assert lane.novu.requests == []
    assert lane.started.ids == []
    assert lane.database.rows[1].owner == lane.own(1)


async def test_what_a_dead_batch_left_is_not_sent_by_another_batch_but_verified() -> None:
    lane = Lane(rows=1)
    dead = Claim(lane.enterprise.id, 1, ids.batch_owner("ns", "dead"))
    await lane.database.claim([dead])
    lane.database.rows[1].held = False
    await lane.deliver()
    assert lane.novu.requests == []
    assert lane.started.ids == [1]
    assert await lane.workflow(1) is ClaimOutcome.RESUMED


async def test_a_batch_whose_rows_were_taken_over_writes_nothing() -> None:
    """A zombie: stopped for longer than its lease, it wakes up after the row's own workflow went on."""
    lane = Lane(rows=1)
    lane.novu.hold = asyncio.Event()
    zombie = asyncio.create_task(lane.deliver())
    while not lane.novu.requests:
        await asyncio.sleep(0)
    lane.database.rows[1].held = False
    assert await lane.workflow(1) is ClaimOutcome.RESUMED
    own = Finish(lane.enterprise.id, 1, lane.own(1), 0, FAILED, None, {"reason": "x"})
    await lane.database.finish([own])
    lane.novu.hold.set()
    await zombie
    assert lane.statuses == [FAILED]


async def test_a_lost_answer_of_the_claim_is_asked_again_and_then_verified() -> None:
    lane = Lane(rows=1)
    lane.database.after["claim"] = [errors.DatabaseUnavailable("lost")]
    await lane.deliver()
    assert lane.novu.requests == []
    assert lane.started.ids == [1]
    assert await lane.workflow(1) is ClaimOutcome.RESUMED


async def test_a_lost_answer_of_the_finish_is_written_again() -> None:
    lane = Lane(rows=1)
    lane.database.after["finish"] = [errors.DatabaseUnavailable("lost")]
    await lane.deliver()
    assert lane.statuses == [SENT]
    assert lane.novu.people == ["p1"]


@pytest.mark.parametrize(
    ("call", "then"), [("claim", ClaimOutcome.CLAIMED), ("finish", ClaimOutcome.RESUMED)]
)
async def test_a_call_that_stays_unanswered_is_said_and_the_row_goes_on_at_once(
    call: str, then: ClaimOutcome
) -> None:
    """What was sent is verified by its own workflow; what was only claimed begins afresh."""
    lane = Lane(rows=1)
    faults = lane.database.after if call == "claim" else lane.database.faults
    faults[call] = [errors.DatabaseUnavailable("away")] * batches.TRIES
    with pytest.raises(errors.DatabaseUnavailable):
        await lane.deliver()
    assert lane.started.ids == [1]
    assert await lane.workflow(1) is then


async def test_a_database_that_is_away_altogether_leaves_the_row_to_its_lease() -> None:
    lane = Lane(rows=1)
    for call in ("finish", "release"):
        lane.database.faults[call] = [errors.DatabaseUnavailable("away")] * batches.TRIES
    with pytest.raises(errors.DatabaseUnavailable):
        await lane.deliver()
    row = lane.database.rows[1]
    assert (row.status, row.held) == (PROCESSING, True)
    row.held = False
    assert await lane.workflow(1) is ClaimOutcome.RESUMED


@pytest.mark.parametrize("cut", [False, True], ids=["it ends", "it is cut off"])
async def test_a_call_that_hangs_holds_up_nothing_that_leaves_when_the_worker_ends(
    cut: bool,
) -> None:
    lane = Lane(rows=2)
    hanging, begun = asyncio.Event(), asyncio.Event()

    def first_hangs(_: TriggerRequest) -> None:
        lane.novu.hold = hanging
        begun.set()

    lane.novu.before_trigger = first_hangs
    work = asyncio.create_task(lane.lane.deliver(lane.items(), begun.is_set))
    async with asyncio.timeout(5):
        while lane.started.ids != [2]:
            assert not work.done()
            await asyncio.sleep(0)
    if not cut:
        hanging.set()
    async with asyncio.timeout(5):
        while not work.done():
            lane.clock += batches.STOPPING if cut else 0
            await asyncio.sleep(0)
    await work
    assert lane.statuses == [PROCESSING if cut else SENT, PROCESSING]
    assert await lane.workflow(2) is ClaimOutcome.CLAIMED
    assert await lane.workflow(1) is (ClaimOutcome.RESUMED if cut else ClaimOutcome.DONE)


async def test_what_is_withdrawn_while_it_is_sent_is_undone_by_its_own_workflow() -> None:
    lane = Lane(rows=1)
    lane.novu.before_trigger = lambda _: lane.database.rows[1].move(NotificationStatus.RETRACTED)
    await lane.deliver()
    assert lane.started.ids == [1]
    assert await lane.workflow(1) is ClaimOutcome.RETRACTED


@pytest.mark.parametrize("point", ["claim", "trigger", "finish", "release"])
async def test_killed_at_any_point_every_row_is_found_and_none_is_sent_twice(point: str) -> None:
    """The kill is a cancellation that nothing cleans up after; then leases end, and the rows' own workflows go on."""
    lane = Lane(rows=4)
    reached = asyncio.Event()

    async def stop_here(*_: object) -> None:
        reached.set()
        await asyncio.Event().wait()

    if point == "trigger":
        accept = lane.novu._accept
        lane.novu._accept = lambda request, only: (accept(request, only), reached.set())[0]  # type: ignore[method-assign]
        lane.database.finish = stop_here  # type: ignore[method-assign,assignment]
    elif point == "release":
        lane.novu.script = [lost_answer(accepted=True)]
        lane.database.release = stop_here  # type: ignore[method-assign,assignment]
    else:
        call = getattr(FakeDatabase, point)

        async def dies_after(given: list[object]) -> object:
            answer = await call(lane.database, given)
            await stop_here()
            return answer

        setattr(lane.database, point, dies_after)
    work = asyncio.create_task(lane.deliver())
    await reached.wait()
    for _ in range(50):
        await asyncio.sleep(0)
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    for name in ("claim", "finish", "release"):
        lane.database.__dict__.pop(name, None)
    for number, row in lane.database.rows.items():
        if row.status is SENT:
            continue
        assert row.status is PROCESSING, (number, row.status)
        # Taken over, it is verified: whoever was reached is in Novu's feed.
        row.held = False
        assert await lane.workflow(number) is ClaimOutcome.RESUMED
    assert len(lane.novu.people) == len(set(lane.novu.people))


def test_the_lane_is_chosen_by_what_was_found_within_a_second() -> None:
    clock = 0.0
    backlog = Backlog(20, monotonic=lambda: clock)
    assert not backlog.add(20)
    assert backlog.add(1)
    clock = 1.0
    assert not backlog.add(1)


async def test_the_chunks_of_many_recipients_leave_for_their_own_workflow() -> None:
    lane = Lane(rows=1)
    many = tuple(f"p{number}" for number in range(1000))
    row = lane.database.rows[1]
    row.notification = replace(row.notification, recipients=many)
    await lane.deliver()
    assert lane.novu.requests == []
    assert lane.started.ids == [1]
    assert await lane.workflow(1) is ClaimOutcome.CLAIMED
