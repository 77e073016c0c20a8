"""What is to be said of a notification in one sentence: how it stands, why, and what to do when that is not good.

Pure: the row, its workflow's run and the monitor's configuration in, a sentence out. Used by `xnovu notification show`.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from xnovu.adapters.runs import Run
from xnovu.commands.systems import Enterprise
from xnovu.commands.text import length, number, relative, stamp
from xnovu.core.contracts.common import Mode
from xnovu.core.contracts.notifications import NotificationStatus
from xnovu.core.inspection import Life

LATE: Final = timedelta(minutes=1)
"""Due for longer than this and not claimed is worth a look at the monitor; polls are seconds apart."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was found out. `run` is None where Temporal has none; then `run_problem` may say why it was not asked."""

    life: Life
    enterprise: Enterprise
    run: Run | None
    run_problem: str | None


def verdict(found: Found) -> str:
    """The sentence."""
    match found.life.status:
        case NotificationStatus.PENDING:
            return _pending(found)
        case NotificationStatus.PROCESSING:
            return _processing(found)
        case NotificationStatus.SENT:
            return _sent(found.life)
        case NotificationStatus.FAILED:
            return _failed(found.life)
        case NotificationStatus.RETRACTED:
            return _retracted(found.life)


def _pending(found: Found) -> str:
    life = found.life
    if life.deactivated:
        return "waits: it is deactivated; set deactivated to false to send it"
    if not life.published:
        return f"waits: publish_status is {life.publish_status}, and only PUBLISH is sent"
    if life.due_at > life.asked_at:
        return f"waits until {stamp(life.due_at)}, {relative(life.due_at, life.asked_at)}"
    if found.run is not None and found.run.is_running:
        return "is being picked up now"
    due = f"is due since {length(life.asked_at - life.due_at)}"
    return f"{due}, {_not_picked_up(found)}"


def _not_picked_up(found: Found) -> str:
    enterprise, life = found.enterprise, found.life
    if enterprise.problem is not None:
        return f"and Temporal did not say whether anybody picks it up: {enterprise.problem}"
    if enterprise.config is None:
        return "but no monitor runs for its enterprise: see the conditions of the Enterprise, and that a worker runs"
    if enterprise.config.suspend:
        return "but its enterprise is suspended: set spec.suspend to false to go on"
    scheduled = life.scheduled_for is not None
    intake = enterprise.config.scheduled if scheduled else enterprise.config.realtime
    if intake.mode is not Mode.ACTIVE:
        name = "scheduled" if scheduled else "realtime"
        return f"but {name} intake of its enterprise is {intake.mode}: nothing is sent"
    if life.asked_at - life.due_at > LATE:
        return "and the monitor did not pick it up: see the health of the Enterprise and the worker's log"
    return "the next poll picks it up"


def _processing(found: Found) -> str:
    life, run = found.life, found.run
    failing = [p for p in run.pending if p.failure] if run is not None else []
    if failing:
        newest = failing[0]
        again = (
            f"; tried again {relative(newest.next_try_at, life.asked_at)}"
            if newest.next_try_at is not None
            else ""
        )
        return f"is being sent; {newest.activity} fails (try {newest.attempt}): {newest.failure}{again}"
    if run is not None and run.is_running:
        return "is being sent"
    if run is None and found.run_problem is not None:
        return "is claimed, and Temporal did not say whether anybody works on it"
    if life.lease_expires_at is not None and life.lease_expires_at > life.asked_at:
        left = relative(life.lease_expires_at, life.asked_at)
        return f"is claimed, and nobody works on it in this Temporal namespace: the sweeper looks {left}"
    return "was left behind by its owner: the sweeper hands it on"


def _sent(life: Life) -> str:
    at = relative(life.processed_at or life.updated_at, life.asked_at)
    if life.delivery_problem is not None:
        return f"was accepted by Novu {at}, but did not arrive: {life.delivery_problem}"
    counts = ", ".join(f"{count} {status}" for status, count in life.delivery_counts.items())
    return f"was accepted by Novu {at}" + (f": {counts}" if counts else "")


def _failed(life: Life) -> str:
    at = relative(life.processed_at or life.updated_at, life.asked_at)
    reached = f" after it reached {number(life.reached, 'recipient')}" if life.reached else ""
    return (
        f"failed for good {at}{reached}: {life.reason or 'Unknown'}."
        f" Mend the cause, try `xnovu notification dry-run {life.id}`, then `xnovu notification replay {life.id}`"
    )


def _retracted(life: Life) -> str:
    at = relative(life.retracted_at or life.updated_at, life.asked_at)
    if life.owner is None:
        return f"was withdrawn {at}, before anything was sent"
    if life.retraction_settled_at is None:
        return f"was withdrawn {at}; what can be undone is being undone"
    return f"was withdrawn {at}; what could be undone is undone"
