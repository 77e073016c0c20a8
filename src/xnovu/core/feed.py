"""What Novu's activity feed says became of a notification: who got it on which channel, and what is wrong.

SENT means that Novu accepted it. Afterwards Novu may drop it without a word: no integration, an inactive step, a worker
that died. So the feed is looked at some times after the send; the findings are `notification_delivery`, a report in the
row, and a problem where somebody should have got it and did not. Pure; called by `xnovu_activities.feed`.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from pydantic import JsonValue

from xnovu.core.contracts.notifications import NotificationStatus
from xnovu.core.reasons import DeliveryProblem
from xnovu.core.records import Delivery, DueFeed, FeedEntry, FeedJob, FeedRecord, JobState

LONGEST: Final = timedelta(days=7).total_seconds()
"""How long a delayed step is waited for: ever longer pauses, then no more."""

MOST_NAMED: Final = 20
_MOST_DETAILS: Final = 5


@dataclass(frozen=True, slots=True)
class Found:
    """One entry of the feed, and the send that it belongs to."""

    generation: int
    transaction_id: str
    entry: FeedEntry


@dataclass(frozen=True, slots=True)
class _People:
    """Recipients by what became of them; each is in one of these."""

    received: frozenset[str]
    under_way: frozenset[str]
    failed: frozenset[str]
    skipped: frozenset[str]
    not_seen: frozenset[str]

    @property
    def all_ended(self) -> bool:
        return not self.under_way and not self.not_seen


def judge(due: DueFeed, found: Sequence[Found], delays: Sequence[float]) -> FeedRecord:
    """The record of one look. `delays`: seconds after the send at which it is looked."""
    notification = due.notification
    people = _people(due, found)
    # A topic's members are Novu's to know: an empty feed is no end.
    ended = people.all_ended and bool(found or not notification.topics)
    # One look alone may just be early.
    is_sure = ended or due.checks + 1 >= min(2, len(delays))
    problem = (
        _problem(people) if is_sure and notification.status is NotificationStatus.SENT else None
    )
    return FeedRecord(
        notification_id=notification.id,
        generation=notification.generation,
        checks=due.checks,
        next_seconds=None if ended else _next(due, delays, waiting=bool(people.under_way)),
        report=_report(people, found, problem),
        problem=problem.value if problem else None,
        deliveries=_deliveries(found),
    )


def _people(due: DueFeed, found: Sequence[Found]) -> _People:
    jobs: dict[str, list[FeedJob]] = {}
    for one in found:
        jobs.setdefault(one.entry.subscriber_id, []).extend(one.entry.jobs)
    n = due.notification
    # Whom a FAILED one did not reach is said by its error already.
    expected = n.recipients if n.status is NotificationStatus.SENT else n.reached
    groups: dict[str, set[str]] = {name: set() for name in ("received", "way", "failed", "skipped")}
    for who, mine in jobs.items():
        groups[_group(mine)].add(who)
    return _People(
        received=frozenset(groups["received"]),
        under_way=frozenset(groups["way"]),
        failed=frozenset(groups["failed"]),
        skipped=frozenset(groups["skipped"]),
        not_seen=frozenset(expected) - jobs.keys(),
    )


def _group(jobs: Sequence[FeedJob]) -> str:
    if any(j.state is JobState.DELIVERED and j.channel is not None for j in jobs):
        return "received"
    states = {j.state for j in jobs}
    if JobState.UNDER_WAY in states or not jobs:
        return "way"
    return "failed" if JobState.FAILED in states else "skipped"


def _problem(people: _People) -> DeliveryProblem | None:
    if not people.received:
        return (
            None
            if people.under_way and not (people.failed or people.not_seen)
            else DeliveryProblem.NOBODY_RECEIVED
        )
    return DeliveryProblem.NOT_ALL_RECEIVED if people.failed or people.not_seen else None


def _next(due: DueFeed, delays: Sequence[float], *, waiting: bool) -> float | None:
    following = due.checks + 1
    if following < len(delays):
        return max(delays[following] - due.age_seconds, 0.05)
    return due.age_seconds if waiting and due.age_seconds < LONGEST else None


def _report(
    people: _People, found: Sequence[Found], problem: DeliveryProblem | None
) -> dict[str, JsonValue]:
    channels: dict[str, Counter[str]] = {}
    details: Counter[str] = Counter()
    for one in found:
        for job in one.entry.jobs:
            if job.channel is not None:
                channels.setdefault(job.channel.value, Counter())[job.state.value] += 1
            if job.state is JobState.FAILED:
                details[job.detail] += 1
    report: dict[str, JsonValue] = {
        "received": len(people.received),
        "underWay": len(people.under_way),
        "failed": len(people.failed),
        "skipped": len(people.skipped),
        "notSeen": len(people.not_seen),
        "channels": {name: dict(states) for name, states in sorted(channels.items())},
    }
    if details:
        report["failures"] = dict(details.most_common(_MOST_DETAILS))
    if people.not_seen:
        report["notSeenAre"] = [*sorted(people.not_seen)[:MOST_NAMED]]
    if problem is not None:
        report["reason"], report["message"] = problem.value, _message(people, problem)
    return report


def _message(people: _People, problem: DeliveryProblem) -> str:
    missed = (
        f"{len(people.failed)} failed, {len(people.skipped)} skipped by a condition or preference,"
        f" {len(people.not_seen)} not in Novu's activity feed"
    )
    who = "nobody" if problem is DeliveryProblem.NOBODY_RECEIVED else f"only {len(people.received)}"
    return (
        f"Novu accepted it, and {who} received it ({missed}): look at the workflow's steps and integrations at"
        " Novu; notify.notification_delivery has every recipient and channel"
    )


def _deliveries(found: Sequence[Found]) -> tuple[Delivery, ...]:
    """One row a recipient and channel; of several sends of one generation the best outcome."""
    best: dict[tuple[int, str, str], tuple[int, Delivery]] = {}
    for one in found:
        for job in one.entry.jobs:
            if job.channel is None:
                continue
            row = Delivery(
                generation=one.generation,
                subscriber_id=one.entry.subscriber_id,
                channel=job.channel.value,
                status=job.state.value,
                detail=job.detail,
                transaction_id=one.transaction_id,
            )
            key = (row.generation, row.subscriber_id, row.channel)
            rank = _RANK.index(job.state)
            if key not in best or rank < best[key][0]:
                best[key] = (rank, row)
    return tuple(row for _, row in best.values())


_RANK: Final = (
    JobState.DELIVERED,
    JobState.UNDER_WAY,
    JobState.FAILED,
    JobState.CANCELLED,
    JobState.SKIPPED,
)
