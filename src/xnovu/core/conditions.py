"""What was found, as the standard conditions that people, kstatus and Argo CD read. No I/O; the time is given.

Recomputed on every pass. `lastTransitionTime` moves only when a status does, so an unchanged object is not written.
Called by the operator.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from xnovu.core.api.v1alpha1 import Condition
from xnovu.core.plan import Problem
from xnovu.core.reasons import Reason

Verdict = tuple[Literal["True", "False", "Unknown"], str, str]
"""Status, reason, message."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What a pass has found. At most one of `problem` and `waiting`.

    `problem`: only a person can mend it. `waiting`: it goes on by itself.
    """

    generation: int
    problem: Problem | None = None
    waiting: Problem | None = None
    degraded: Problem | None = None
    suspended: Problem | None = None
    drift: Problem | None = None
    completed: bool = False
    ready_message: str = "all is as the object wants it"


def conditions(
    findings: Findings, before: tuple[Condition, ...], now: datetime
) -> tuple[Condition, ...]:
    """The five conditions, in the order of the documentation."""
    trouble = findings.problem or findings.waiting or findings.degraded
    ready: Verdict
    if trouble is not None:
        ready = ("False", trouble.reason, trouble.message)
    elif findings.completed:
        ready = ("True", str(Reason.COMPLETED), "the last run has happened; nothing is left to do")
    elif findings.suspended is not None:
        ready = ("True", findings.suspended.reason, findings.suspended.message)
    else:
        ready = ("True", str(Reason.READY), findings.ready_message)
    wanted: dict[str, Verdict] = {
        "Ready": ready,
        "Reconciling": _of(findings.waiting, Reason.NO_PROBLEM, "nothing is left to do"),
        "Stalled": _of(findings.problem, Reason.NO_PROBLEM, "nothing stands in the way"),
        "Synced": _synced(findings),
        "Suspended": _of(findings.suspended, Reason.NOT_SUSPENDED, "nothing is paused"),
    }
    known = {c.type: c for c in before}
    return tuple(
        Condition(
            type=kind,
            status=status,
            reason=reason,
            message=message,
            observed_generation=findings.generation,
            last_transition_time=_since(known.get(kind), status, now),
        )
        for kind, (status, reason, message) in wanted.items()
    )


def _of(problem: Problem | None, otherwise: Reason, message: str) -> Verdict:
    if problem is None:
        return "False", str(otherwise), message
    return "True", problem.reason, problem.message


def _synced(findings: Findings) -> Verdict:
    if findings.drift is not None:
        return "False", findings.drift.reason, findings.drift.message
    trouble = findings.problem or findings.waiting
    if trouble is not None:
        return "Unknown", trouble.reason, trouble.message
    return "True", str(Reason.IN_SYNC), "Temporal holds what the object says"


def _since(before: Condition | None, status: str, now: datetime) -> datetime:
    return before.last_transition_time if before is not None and before.status == status else now
