"""The models read what the API server stores and write what it takes."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest
from pydantic import BaseModel, ValidationError
from support import crd_refused_enterprises, crd_refused_rules
from support.crd_cases import ACCEPTED, Case
from support.manifests import changed, enterprise, rule

from xnovu.core.api.v1alpha1 import Enterprise, LastRun, NotificationRule
from xnovu.core.contracts.common import DeliveryConfig, RetryConfig
from xnovu.core.contracts.orchestration import CronConfig, RealtimeConfig, ScheduledConfig

REFUSED = crd_refused_enterprises.REFUSED + crd_refused_rules.REFUSED
MODELS: dict[str, type[Enterprise] | type[NotificationRule]] = {
    "Enterprise": Enterprise,
    "NotificationRule": NotificationRule,
}
DELTAS = {"poll_interval", "check_interval", "initial_interval", "maximum_interval"}


def read(case: Case) -> Enterprise | NotificationRule:
    return MODELS[case.manifest["kind"]].model_validate(case.manifest)


@pytest.mark.parametrize("case", ACCEPTED, ids=str)
def test_what_the_api_server_accepts_is_read_and_written_back_the_same(case: Case) -> None:
    written = read(case).model_dump(mode="json", exclude_unset=True)
    assert written["spec"] == case.manifest["spec"]


@pytest.mark.parametrize("case", [case for case in REFUSED if case.by_model], ids=str)
def test_a_bad_field_is_refused_by_the_models_as_well(case: Case) -> None:
    with pytest.raises(ValidationError):
        read(case)


def test_a_newer_object_is_read_by_an_older_operator() -> None:
    newer = changed(enterprise(), {"spec.fromTheFuture": {"a": 1}, "status.alsoNew": 2})
    assert Enterprise.model_validate(newer).spec.time_zone == "UTC"


def test_an_object_that_nobody_has_seen_says_so() -> None:
    assert Enterprise.model_validate(enterprise()).status.observed_generation == -1
    assert NotificationRule.model_validate(rule()).status.observed_generation == -1


def test_another_kind_is_not_read_as_this_one() -> None:
    with pytest.raises(ValidationError, match="kind"):
        Enterprise.model_validate({**enterprise(), "kind": "NotificationRule"})


def test_a_time_in_a_status_is_written_in_utc_to_the_second() -> None:
    berlin = timezone(timedelta(hours=1))
    run = LastRun(scheduled_for=datetime(2026, 12, 24, 8, 0, 0, 999, berlin))
    assert run.model_dump(mode="json", exclude_unset=True) == {
        "scheduledFor": "2026-12-24T07:00:00Z"
    }
    assert run.scheduled_for.astimezone(UTC).microsecond == 999


@pytest.mark.parametrize(
    ("part", "contract"),
    [
        ("realtime", RealtimeConfig()),
        ("cron", CronConfig()),
        ("scheduled", ScheduledConfig()),
        ("delivery", DeliveryConfig()),
    ],
)
def test_the_defaults_are_those_of_the_workflows(part: str, contract: BaseModel) -> None:
    spec = getattr(Enterprise.model_validate(enterprise()).spec, part)
    if isinstance(contract, DeliveryConfig):
        assert values(spec.retry) == dict(contract.retry)
        assert (spec.rate_per_second, spec.expire_after) == (None, None)
    else:
        assert values(spec) == dict(contract)


def test_the_design_gives_the_numbers_of_the_retry() -> None:
    assert dict(RetryConfig()) == {
        "initial_interval": timedelta(seconds=1),
        "backoff_coefficient": 2,
        "maximum_interval": timedelta(minutes=5),
        "maximum_attempts": 3,
    }


def values(spec: BaseModel) -> dict[str, object]:
    return {name: value.delta if name in DELTAS else value for name, value in spec}


def fields(model: type[BaseModel]) -> Iterator[tuple[str, str | None]]:
    for name, info in model.model_fields.items():
        yield f"{model.__name__}.{name}", info.description
        inner = info.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from fields(inner)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_every_field_of_spec_and_status_is_described(model: type[BaseModel]) -> None:
    parts = (model.model_fields[part].annotation for part in ("spec", "status"))
    undescribed = [
        name
        for part in parts
        if isinstance(part, type) and issubclass(part, BaseModel)
        for name, description in fields(part)
        if not description
    ]
    assert undescribed == []
