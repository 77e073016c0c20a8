"""A plan that was carried out leaves nothing to plan, whatever was found."""

from hypothesis import given
from hypothesis import strategies as st
from support.manifests import changed, enterprise, rule

from xnovu.core.api.v1alpha1 import Enterprise, NotificationRule
from xnovu.core.plan import wanted_schedule
from xnovu.core.schedules import Adoption, FoundSchedule, Owner, Step, WantedSchedule, plan_schedule

OWNERS = st.sampled_from([None, Owner(cluster="c", uid="u1"), Owner(cluster="c", uid="u2")])


def wanted(suspend: bool | None, minute: int) -> WantedSchedule:
    changes = {"metadata.uid": "u1", "spec.schedule.cron": f"{minute} 8 * * *"}
    manifest = changed(rule(), changes | ({} if suspend is None else {"spec.suspend": suspend}))
    return wanted_schedule(
        NotificationRule.model_validate(manifest), Enterprise.model_validate(enterprise()), "c"
    )


def taken(step: Step, wish: WantedSchedule, found: FoundSchedule | None) -> FoundSchedule | None:
    """What Temporal holds after a step, as `xnovu.adapters.schedules` takes it."""
    was = found.paused if found else False
    paused = was if wish.paused is None else wish.paused
    match step:
        case Step.CREATE | Step.REPLACE:
            return FoundSchedule(id=wish.id, owner=wish.owner, digest=wish.digest, paused=paused)
        case Step.UPDATE:
            assert found is not None
            return found.model_copy(update={"digest": wish.digest, "paused": paused})
        case Step.PAUSE | Step.UNPAUSE:
            assert found is not None
            return found.model_copy(update={"paused": step is Step.PAUSE})
        case _:
            return found


@given(
    suspend=st.sampled_from([None, True, False]),
    minute=st.integers(0, 59),
    before=st.integers(0, 59),
    there=st.booleans(),
    paused=st.booleans(),
    owner=OWNERS,
    adoption=st.sampled_from(list(Adoption)),
)
def test_a_second_plan_is_empty(
    suspend: bool | None,
    minute: int,
    before: int,
    there: bool,
    paused: bool,
    owner: Owner | None,
    adoption: Adoption,
) -> None:
    wish = wanted(suspend, minute)
    digest = wanted(None, before).digest
    found = FoundSchedule(id=wish.id, owner=owner, digest=digest, paused=paused) if there else None
    step = plan_schedule(wish, found, adoption)
    after = taken(step, wish, found)
    again = plan_schedule(wish, after, adoption)
    assert again is (Step.REFUSE if step is Step.REFUSE else Step.NOTHING)
    if step is Step.REFUSE:
        assert after == found
    elif after is not None and suspend is not None:
        assert after.paused == suspend
