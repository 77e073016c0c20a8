"""The API server takes every good object, and refuses every bad one with a message that helps."""

import pytest
from support import crd_refused_enterprises, crd_refused_rules
from support.crd_cases import ACCEPTED, Case
from support.kube_api import KubeApi, Refused
from support.manifests import Manifest, changed, enterprise, rule

pytestmark = pytest.mark.stack

REFUSED = crd_refused_enterprises.REFUSED + crd_refused_rules.REFUSED


@pytest.mark.parametrize("case", ACCEPTED, ids=str)
def test_a_good_object_is_accepted_and_kept_as_it_was_written(kube: KubeApi, case: Case) -> None:
    stored = kube.create(case.manifest, dry_run=True)
    assert stored["spec"] == case.manifest["spec"]


@pytest.mark.parametrize("case", REFUSED, ids=str)
def test_a_bad_object_is_refused_with_a_message_that_helps(kube: KubeApi, case: Case) -> None:
    with pytest.raises(Refused) as refused:
        kube.create(case.manifest, dry_run=True)
    assert refused.value.code in {400, 422}
    assert case.says in str(refused.value)


def test_a_refusal_names_the_field(kube: KubeApi) -> None:
    case = next(case for case in REFUSED if case.name == "an offset as long as the interval")
    with pytest.raises(Refused) as refused:
        kube.create(case.manifest, dry_run=True)
    assert [field for field, _ in refused.value.causes] == ["spec.schedule.offset"]


@pytest.mark.parametrize(
    ("smallest", "path", "value"),
    [
        (rule(), "spec.schedule", {"every": "soon", "offset": "15m", "jitter": "1s"}),
        (enterprise(), "spec.delivery.retry", {"maximumInterval": "soon"}),
    ],
)
def test_one_wrong_duration_is_one_refusal(
    kube: KubeApi, smallest: Manifest, path: str, value: object
) -> None:
    with pytest.raises(Refused) as refused:
        kube.create(changed(smallest, {path: value}), dry_run=True)
    ((field, message),) = refused.value.causes
    assert field.startswith(path)
    assert "write a duration such as" in message
