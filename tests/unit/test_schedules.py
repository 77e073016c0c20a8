"""The digest of a Schedule, and the step to it."""

from datetime import timedelta

import pytest

from xnovu.core.contracts.common import EnterpriseRef
from xnovu.core.contracts.rules import RuleExecutionInput
from xnovu.core.schedules import (
    FoundSchedule,
    Owner,
    Step,
    Timing,
    WantedSchedule,
    plan_removal,
    plan_schedule,
)

ME = Owner(cluster="c", uid="u")
OTHER = Owner(cluster="another", uid="u")


def wish(cron: str = "0 8 * * *", *, paused: bool | None = None, note: str = "") -> WantedSchedule:
    return WantedSchedule(
        id="xnovu.acme.bell",
        owner=ME,
        timing=Timing(time_zone="UTC", cron=cron),
        action=RuleExecutionInput(
            enterprise=EnterpriseRef(id="6f1c2a9e-4b7d-4c35-9a58-1d2e3f4a5b6c"),
            rule_key="nrule:u",
            time_zone="UTC",
            database_rule_id=1,
        ),
        catch_up_window=timedelta(minutes=1),
        paused=paused,
        note=note,
    )


def found(owner: Owner | None = ME, *, paused: bool = False) -> FoundSchedule:
    return FoundSchedule(id="xnovu.acme.bell", owner=owner, digest=wish().digest, paused=paused)


def test_the_digest_is_of_the_wish_and_not_of_its_pause() -> None:
    assert wish().digest == wish(paused=True, note="because").digest
    assert wish().digest != wish("1 8 * * *").digest


def test_the_digest_is_the_same_in_any_process() -> None:
    # A literal: a change of it rewrites every Schedule of every installation once (adr/0005).
    assert wish().digest == "22bcb057aca61a9cbf67a8a193148477"


@pytest.mark.parametrize(
    ("wanted", "there", "step"),
    [
        (wish(), None, Step.CREATE),
        (wish(), found(), Step.NOTHING),
        (wish("1 8 * * *"), found(), Step.UPDATE),
        (wish(paused=True), found(), Step.PAUSE),
        (wish(paused=False), found(paused=True), Step.UNPAUSE),
        (wish(), found(paused=True), Step.NOTHING),
        (wish(), found(OTHER), Step.REFUSE),
        (wish(), found(None), Step.REFUSE),
    ],
)
def test_each_difference_has_its_step(
    wanted: WantedSchedule, there: FoundSchedule | None, step: Step
) -> None:
    assert plan_schedule(wanted, there) is step


def test_only_what_is_ours_is_removed() -> None:
    assert plan_removal(ME, found()) is Step.DELETE
    assert plan_removal(ME, found(OTHER)) is Step.NOTHING
    assert plan_removal(ME, found(None)) is Step.NOTHING
    assert plan_removal(ME, None) is Step.NOTHING
