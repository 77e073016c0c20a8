"""The API server keeps the committed definitions as they are, and explains the fields to people."""

from pathlib import Path

import pytest
import yaml
from support.kube_api import KubeApi

pytestmark = pytest.mark.stack

ROOT = Path(__file__).parents[2]
NAMES = ("enterprises.xnovu.io", "notificationrules.xnovu.io")
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


@pytest.mark.parametrize("name", NAMES)
def test_what_is_stored_is_what_was_committed(kube: KubeApi, name: str) -> None:
    committed = yaml.safe_load((ROOT / "crds" / f"{name}.yaml").read_text())["spec"]
    stored = kube.get(f"{CRDS}/{name}")["spec"]
    # The one default that the API server adds by itself.
    assert stored == {**committed, "conversion": {"strategy": "None"}}


@pytest.mark.parametrize("name", NAMES)
def test_the_definition_is_established_and_structural(kube: KubeApi, name: str) -> None:
    conditions = kube.get(f"{CRDS}/{name}")["status"]["conditions"]
    found = {condition["type"]: condition["status"] for condition in conditions}
    assert found["Established"] == "True"
    assert found["NamesAccepted"] == "True"
    assert "NonStructuralSchema" not in found


def test_kubectl_finds_both_kinds_by_their_short_names(kube: KubeApi) -> None:
    resources = kube.get("/apis/xnovu.io/v1alpha1")["resources"]
    kinds = {r["kind"]: r for r in resources if "/" not in r["name"]}
    assert kinds["Enterprise"]["shortNames"] == ["ent"]
    assert kinds["NotificationRule"]["shortNames"] == ["nrule"]
    assert all(r["categories"] == ["xnovu"] and r["namespaced"] for r in kinds.values())


def test_kubectl_explains_the_schedule(kube: KubeApi) -> None:
    schemas = kube.get("/openapi/v3/apis/xnovu.io/v1alpha1")["components"]["schemas"]
    rule = schemas["io.xnovu.v1alpha1.NotificationRule"]["properties"]
    schedule = rule["spec"]["properties"]["schedule"]
    assert schedule["description"].startswith("When the rule is due")
    assert "0 8 * * 1-5" in schedule["properties"]["cron"]["description"]
