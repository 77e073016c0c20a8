"""What the API server does with objects that it has stored: what cannot change, the status, the columns."""

from collections.abc import Iterator

import pytest
from support.kube_api import KubeApi, Refused
from support.manifests import Manifest, changed, enterprise, rule

pytestmark = pytest.mark.stack

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


@pytest.fixture
def stored_enterprise(kube: KubeApi) -> Iterator[Manifest]:
    stored = kube.create(enterprise("crd-test"))
    yield stored
    kube.delete(stored)


@pytest.fixture
def stored_rule(kube: KubeApi) -> Iterator[Manifest]:
    stored = kube.create(rule("crd-test"))
    yield stored
    kube.delete(stored)


def row(kube: KubeApi, manifest: Manifest) -> dict[str, object]:
    plural = manifest["kind"].lower() + "s"
    path = f"/apis/xnovu.io/v1alpha1/namespaces/default/{plural}/{manifest['metadata']['name']}"
    table = kube.get(path, accept=TABLE)
    names = [column["name"] for column in table["columnDefinitions"]]
    return dict(zip(names, table["rows"][0]["cells"], strict=True))


def test_an_enterprise_keeps_its_id(kube: KubeApi, stored_enterprise: Manifest) -> None:
    other = {"spec.enterpriseId": "0b2f6f3e-8d2b-4f4e-9a39-1f6f5e0c7a11"}
    with pytest.raises(Refused, match="enterpriseId cannot be changed: delete this Enterprise"):
        kube.replace(changed(stored_enterprise, other))


def test_a_rule_keeps_its_enterprise(kube: KubeApi, stored_rule: Manifest) -> None:
    with pytest.raises(Refused, match="enterpriseRef cannot be changed: delete this rule"):
        kube.replace(changed(stored_rule, {"spec.enterpriseRef.name": "other"}))


def test_what_may_change_changes(kube: KubeApi, stored_rule: Manifest) -> None:
    after = kube.replace(changed(stored_rule, {"spec.schedule.cron": "@hourly"}))
    assert after["spec"]["schedule"] == {"cron": "@hourly"}
    assert after["metadata"]["generation"] == 2


def test_a_new_object_says_that_nobody_has_seen_it(
    stored_enterprise: Manifest, stored_rule: Manifest
) -> None:
    unseen = {"observedGeneration": -1}
    assert (stored_enterprise["status"], stored_rule["status"]) == (unseen, unseen)


def test_whoever_writes_the_object_does_not_write_the_status(
    kube: KubeApi, stored_rule: Manifest
) -> None:
    after = kube.replace(changed(stored_rule, {"status.scheduleId": "forged"}))
    assert after["status"] == {"observedGeneration": -1}


def test_writing_the_status_is_no_new_generation(kube: KubeApi, stored_rule: Manifest) -> None:
    after = kube.patch_status(
        stored_rule, {"observedGeneration": 1, "scheduleId": "xnovu.default.bell"}
    )
    assert after["status"] == {"observedGeneration": 1, "scheduleId": "xnovu.default.bell"}
    assert after["metadata"]["generation"] == 1


def test_a_rule_without_a_status_shows_its_schedule(kube: KubeApi, stored_rule: Manifest) -> None:
    shown = row(kube, stored_rule)
    assert (shown["ENTERPRISE"], shown["SCHEDULE"]) == ("acme", "0 8 * * 1-5")


@pytest.mark.parametrize("schedule", [{"every": "15m"}, {"at": "2030-01-07T09:00:00"}])
def test_each_kind_of_schedule_is_shown(
    kube: KubeApi, stored_rule: Manifest, schedule: dict[str, str]
) -> None:
    kube.replace(changed(stored_rule, {"spec.schedule": schedule}))
    assert row(kube, stored_rule)["SCHEDULE"] == next(iter(schedule.values()))


def condition(kind: str, status: str, reason: str) -> Manifest:
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": f"{kind} is {status}.",
        "observedGeneration": 1,
        "lastTransitionTime": "2026-11-24T06:00:00Z",
    }


def test_the_columns_tell_how_a_rule_is(kube: KubeApi, stored_rule: Manifest) -> None:
    status = {
        "conditions": [
            condition("Synced", "True", "InSync"),
            condition("Ready", "False", "EnterpriseNotFound"),
        ],
        "timeZone": "Europe/Berlin",
        "nextRuns": ["2026-11-25T08:00:00+01:00", "2026-11-26T08:00:00+01:00"],
    }
    kube.patch_status(stored_rule, status)
    shown = row(kube, stored_rule)
    assert shown["TIMEZONE"] == "Europe/Berlin"
    assert shown["NEXT"] == "2026-11-25T08:00:00+01:00"
    assert (shown["READY"], shown["STATUS"]) == ("False", "EnterpriseNotFound")
    assert shown["MESSAGE"] == "Ready is False."


def test_the_columns_tell_how_an_enterprise_is(kube: KubeApi, stored_enterprise: Manifest) -> None:
    status = {
        "conditions": [condition("Ready", "True", "Ready")],
        "mode": "Active",
        "deliveries": {"pending": 7, "processing": 1, "sent24h": 10, "failed24h": 3},
        "rules": {"total": 4, "ready": 3, "summary": "3/4"},
    }
    kube.patch_status(stored_enterprise, status)
    shown = row(kube, stored_enterprise)
    assert (shown["READY"], shown["STATUS"], shown["MODE"]) == ("True", "Ready", "Active")
    assert (shown["PENDING"], shown["FAILED"], shown["RULES"]) == (7, 3, "3/4")
    assert shown["ID"] == stored_enterprise["spec"]["enterpriseId"]


def test_a_condition_stands_once_in_the_status(kube: KubeApi, stored_rule: Manifest) -> None:
    twice = [condition("Ready", "True", "Ready"), condition("Ready", "False", "Conflict")]
    with pytest.raises(Refused, match="Duplicate value"):
        kube.patch_status(stored_rule, {"conditions": twice})
