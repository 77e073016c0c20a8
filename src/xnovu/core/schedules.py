"""A Temporal Schedule as we want it and as it is found, and the step between the two. Values only; no I/O, no clock.

Made by the operator (NotificationRules) and by cron synchronisation (rules of the database); carried out by
`xnovu.adapters.schedules`. The digest of what a Schedule was made from stands in a search attribute (adr/0005): that is
how a difference is seen without describing every Schedule, because Temporal does not give a cron expression back.
"""

import hashlib
from datetime import date, datetime, timedelta
from enum import StrEnum

from xnovu.core.contracts.common import Contract
from xnovu.core.contracts.rules import RuleExecutionInput


class Owner(Contract):
    """Who may change a Schedule. `cluster`: UID of the kube-system namespace, empty for rules of a database."""

    cluster: str
    uid: str


class Timing(Contract):
    """When: exactly one of `cron`, `every` and `at`. `at`, `start_at`, `end_at` are aware.

    `after_gaps`: instants at which times of `cron` run that the change to summer time leaves out.
    """

    time_zone: str
    cron: str | None = None
    every: timedelta | None = None
    offset: timedelta | None = None
    at: datetime | None = None
    jitter: timedelta | None = None
    start_at: datetime | None = None
    end_at: datetime | None = None
    skip: tuple[date, ...] = ()
    after_gaps: tuple[datetime, ...] = ()


class WantedSchedule(Contract):
    """All that a Schedule is made from. `paused` None: as it is; a new one runs."""

    id: str
    owner: Owner
    timing: Timing
    action: RuleExecutionInput
    catch_up_window: timedelta
    paused: bool | None = None
    note: str = ""

    @property
    def digest(self) -> str:
        """Of everything but the pause, which is compared by itself. Same wish, same digest, in any process."""
        # Where no time falls into a gap, the digest is the one from before there were `after_gaps`.
        timing: set[str] = set() if self.timing.after_gaps else {"after_gaps"}
        text = self.model_dump_json(exclude={"paused": True, "note": True, "timing": timing})
        return hashlib.sha256(text.encode()).hexdigest()[:32]


class FoundSchedule(Contract):
    """A Schedule as Temporal has it. `owner` None: not made by us."""

    id: str
    owner: Owner | None
    digest: str | None
    paused: bool
    note: str = ""
    next_runs: tuple[datetime, ...] = ()
    last_scheduled_for: datetime | None = None
    last_started_at: datetime | None = None
    last_workflow_id: str | None = None
    last_run_id: str | None = None
    missed: int = 0
    exhausted: bool = False
    """No run is left: a one-off that has happened."""


class Step(StrEnum):
    """What brings a found Schedule to the wanted one."""

    NOTHING = "Nothing"
    CREATE = "Create"
    UPDATE = "Update"
    REPLACE = "Replace"
    """Delete and create: Temporal cannot change the memo, where the owner stands."""
    PAUSE = "Pause"
    UNPAUSE = "Unpause"
    DELETE = "Delete"
    REFUSE = "Refuse"
    """Another owner holds it; it stays untouched."""


class Adoption(StrEnum):
    """Which Schedules of others may be taken over."""

    NEVER = "Never"
    IF_UNOWNED = "IfUnowned"
    ALWAYS = "Always"


def plan_schedule(
    wanted: WantedSchedule, found: FoundSchedule | None, adoption: Adoption = Adoption.NEVER
) -> Step:
    """One step; after it was taken, planning again gives NOTHING."""
    if found is None:
        return Step.CREATE
    if found.owner != wanted.owner:
        unowned = found.owner is None and adoption is Adoption.IF_UNOWNED
        return Step.REPLACE if unowned or adoption is Adoption.ALWAYS else Step.REFUSE
    if found.digest != wanted.digest:
        return Step.UPDATE
    if wanted.paused is None or wanted.paused == found.paused:
        return Step.NOTHING
    return Step.PAUSE if wanted.paused else Step.UNPAUSE


def plan_removal(owner: Owner, found: FoundSchedule | None) -> Step:
    """Only what is ours is removed."""
    return Step.DELETE if found is not None and found.owner == owner else Step.NOTHING
