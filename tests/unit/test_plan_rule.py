"""What a NotificationRule's plan says. Values only."""

from datetime import UTC, datetime
from typing import Any

import pytest
from support.manifests import Manifest, changed, enterprise, rule

from xnovu.core.api.v1alpha1 import Enterprise, NotificationRule
from xnovu.core.ids import FINALIZER
from xnovu.core.plan import (
    AddFinalizer,
    ChangeSchedule,
    Plan,
    RemoveFinalizer,
    RuleView,
    plan_rule,
    wanted_schedule,
)
from xnovu.core.schedules import FoundSchedule, Owner, Step

CLUSTER = "cluster"


def the_enterprise(**changes: object) -> Enterprise:
    return Enterprise.model_validate(changed(enterprise(), _paths(changes)))


def the_rule(**changes: object) -> NotificationRule:
    manifest: Manifest = changed(rule(), {"metadata.uid": "u1", "metadata.generation": 1})
    return NotificationRule.model_validate(changed(manifest, _paths(changes)))


def _paths(changes: dict[str, object]) -> dict[str, object]:
    return {key.replace("__", "."): value for key, value in changes.items()}


def found_for(the: NotificationRule, **changes: Any) -> FoundSchedule:
    wanted = wanted_schedule(the, the_enterprise(), CLUSTER)
    given = {"id": wanted.id, "owner": wanted.owner, "digest": wanted.digest, "paused": False}
    return FoundSchedule.model_validate(given | changes)


def steps(plan: Plan) -> list[object]:
    return [s.step if isinstance(s, ChangeSchedule) else type(s) for s in plan.steps]


def plan(the: NotificationRule, found: FoundSchedule | None, **view: Any) -> Plan:
    return plan_rule(
        RuleView(the, view.pop("enterprise", the_enterprise()), found, CLUSTER, **view)
    )


HELD = {"metadata__finalizers": [FINALIZER]}
LEAVING = {**HELD, "metadata__deletionTimestamp": datetime(2026, 1, 1, tzinfo=UTC).isoformat()}


def test_a_new_rule_is_held_before_anything_is_made() -> None:
    assert steps(plan(the_rule(), None)) == [AddFinalizer, Step.CREATE]


def test_what_is_as_wanted_needs_nothing() -> None:
    the = the_rule(**HELD)
    assert plan(the, found_for(the)) == Plan()


@pytest.mark.parametrize(
    ("suspend", "paused", "step"),
    [
        (True, False, [Step.PAUSE]),
        (True, True, []),
        (False, True, [Step.UNPAUSE]),
        (None, True, []),
        (None, False, []),
    ],
)
def test_only_what_the_rule_says_changes_a_pause(
    suspend: bool | None, paused: bool, step: list[Step]
) -> None:
    the = the_rule(**HELD, **({} if suspend is None else {"spec__suspend": suspend}))
    assert steps(plan(the, found_for(the, paused=paused))) == step


def test_a_suspended_enterprise_pauses_its_rules() -> None:
    the = the_rule(**HELD)
    suspended = the_enterprise(spec__suspend=True)
    assert steps(plan(the, found_for(the), enterprise=suspended)) == [Step.PAUSE]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"spec__schedule__timeZone": "Mars/Base"}, "Mars/Base"),
        ({"spec__schedule__cron": "0 8 31 2 *"}, ""),
    ],
)
def test_a_schedule_that_cannot_be_removes_what_ran_before(
    change: dict[str, object], word: str
) -> None:
    before = found_for(the_rule(**HELD))
    got = plan(the_rule(**HELD, **change), before)
    assert steps(got) == [Step.DELETE]
    assert got.problem is not None
    assert got.problem.reason == "ScheduleInvalid"
    assert word in got.problem.message


def test_a_rule_never_acts_for_an_enterprise_whose_id_is_anothers() -> None:
    the = the_rule(**HELD)
    got = plan(the, found_for(the), holder="other/acme")
    assert steps(got) == [Step.DELETE]
    assert got.problem is not None
    assert got.problem.reason == "EnterpriseIdTaken"
    assert "other/acme" in got.problem.message


def test_without_its_enterprise_a_rule_stops() -> None:
    the = the_rule(**HELD)
    got = plan(the, found_for(the), enterprise=None)
    assert steps(got) == [Step.DELETE]
    assert got.problem is not None
    assert got.problem.reason == "EnterpriseNotFound"


@pytest.mark.parametrize(
    ("policy", "owner", "expected"),
    [
        ("Never", None, []),
        ("IfUnowned", None, [Step.REPLACE]),
        ("IfUnowned", Owner(cluster=CLUSTER, uid="another"), []),
        ("Always", Owner(cluster=CLUSTER, uid="another"), [Step.REPLACE]),
    ],
)
def test_what_belongs_to_others_is_taken_only_as_far_as_the_rule_allows(
    policy: str, owner: Owner | None, expected: list[Step]
) -> None:
    the = the_rule(**HELD, spec__adoptionPolicy=policy)
    got = plan(the, found_for(the, owner=owner))
    assert steps(got) == expected
    assert (got.problem is None) == bool(expected)


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("Delete", [Step.DELETE, RemoveFinalizer]),
        ("Suspend", [Step.PAUSE, RemoveFinalizer]),
        ("Orphan", [RemoveFinalizer]),
    ],
)
def test_a_rule_that_leaves_does_as_its_policy_says(policy: str, expected: list[object]) -> None:
    the = the_rule(**LEAVING, spec__deletionPolicy=policy)
    assert steps(plan(the, found_for(the))) == expected


def test_a_rule_that_leaves_touches_nothing_of_others() -> None:
    the = the_rule(**LEAVING)
    foreign = found_for(the, owner=Owner(cluster=CLUSTER, uid="another"))
    assert steps(plan(the, foreign)) == [RemoveFinalizer]


def test_by_force_a_rule_leaves_its_schedule() -> None:
    the = the_rule(**LEAVING, metadata__annotations={"xnovu.io/force-finalize": "true"})
    assert steps(plan(the, found_for(the))) == [RemoveFinalizer]


@pytest.mark.parametrize(
    ("cron", "gap", "runs"),
    [
        ("30 2 * * *", "RunAfter", True),
        ("30 2 * * *", "Skip", False),
        ("0 9 * * *", "RunAfter", False),
    ],
)
def test_a_time_that_summer_time_leaves_out_runs_after_the_gap(
    cron: str, gap: str, runs: bool
) -> None:
    at_night = {"cron": cron, "timeZone": "Europe/Berlin", "dst": {"gap": gap}}
    timing = wanted_schedule(the_rule(spec__schedule=at_night), the_enterprise(), CLUSTER).timing
    assert (datetime(2027, 3, 28, 1, tzinfo=UTC) in timing.after_gaps) == runs
