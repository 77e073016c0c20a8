"""Every example can be read, refers to what it has, and says how it is applied."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from xnovu.core.api.v1alpha1 import Enterprise, NotificationRule

EXAMPLES = Path(__file__).parents[2] / "examples"
MANIFESTS = sorted(EXAMPLES.glob("*/*.yaml"))
FOLDERS = sorted(path for path in EXAMPLES.iterdir() if path.is_dir())
KINDS: dict[str, type[Enterprise] | type[NotificationRule]] = {
    "Enterprise": Enterprise,
    "NotificationRule": NotificationRule,
}


def objects(folder: Path, kind: str) -> list[dict[str, Any]]:
    found = (
        o for path in sorted(folder.glob("*.yaml")) for o in yaml.safe_load_all(path.read_text())
    )
    return [o for o in found if o["kind"] == kind]


def rows(folder: Path, name: str) -> Any:
    return json.loads((folder / name).read_text())


def by_name(path: Path) -> str:
    return str(path.relative_to(EXAMPLES))


def test_there_are_examples() -> None:
    assert MANIFESTS
    assert all((folder / "README.md").is_file() for folder in FOLDERS)


@pytest.mark.parametrize("path", MANIFESTS, ids=by_name)
def test_an_example_is_read_by_the_models_with_no_field_left_over(path: Path) -> None:
    for manifest in yaml.safe_load_all(path.read_text()):
        if manifest["kind"] in KINDS:
            read = KINDS[manifest["kind"]].model_validate(manifest)
            assert read.spec.model_dump(mode="json", exclude_unset=True) == manifest["spec"]


@pytest.mark.parametrize("path", MANIFESTS, ids=by_name)
def test_an_example_says_what_it_is_and_how_it_is_applied(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert lines[0].startswith("# What: ")
    assert lines[1].startswith(f"# Apply: kubectl apply -f examples/{by_name(path)}")


@pytest.mark.parametrize("folder", FOLDERS, ids=by_name)
def test_a_rule_names_an_enterprise_of_its_namespace(folder: Path) -> None:
    there = {
        (o["metadata"]["namespace"], o["metadata"]["name"]) for o in objects(folder, "Enterprise")
    }
    for rule in objects(folder, "NotificationRule"):
        wanted = (rule["metadata"]["namespace"], rule["spec"]["enterpriseRef"]["name"])
        assert wanted in there, rule["metadata"]["name"]


@pytest.mark.parametrize("folder", FOLDERS, ids=by_name)
def test_what_is_sent_has_a_workflow_and_goes_to_people_that_there_are(folder: Path) -> None:
    workflows = {
        row["workflow_key"] for row in rows(folder, "database.json")["ent_notification_workflow"]
    }
    people = {person["subscriberId"] for person in rows(folder, "people.json")}
    sent = [rule["spec"]["notification"] for rule in objects(folder, "NotificationRule")]
    for notification in (*sent, *rows(folder, "notifications.json")):
        assert notification["workflow"] in workflows
        assert set(notification["recipients"]) <= people
