"""The generic workflow as data, and what a sync of it would write."""

import copy
from typing import Any

import pytest
from novu_py.models import CreateWorkflowDto, UpdateWorkflowDto

from xnovu.core.novu_workflow import dynamic_workflow, update_of


def as_novu_answers(definition: dict[str, Any]) -> dict[str, Any]:
    """With ids and defaults added, as GET /v2/workflows/{id} has them."""
    found = copy.deepcopy(definition)
    for number, step in enumerate(found["steps"]):
        values = {"layoutId": None, **step.pop("controlValues")}
        step |= {"_id": f"step-{number}", "controls": {"values": values}, "origin": "novu-cloud"}
    return found | {
        "_id": "w1",
        "origin": "novu-cloud",
        "severity": "none",
        "preferences": {
            "user": {"all": {"enabled": False, "readOnly": False}, "channels": {}},
            "default": {"all": {"enabled": True, "readOnly": True}, "channels": {}},
        },
    }


def definition() -> dict[str, Any]:
    return copy.deepcopy(dict(dynamic_workflow()))


def test_each_channel_has_a_step_that_runs_only_where_it_was_rendered() -> None:
    steps = {step["type"]: step["controlValues"] for step in definition()["steps"]}
    assert set(steps) == {"in_app", "email", "sms", "push", "chat"}
    for channel, values in steps.items():
        assert values["body"] == f"{{{{payload.xnovu.rendered.{channel}.body}}}}"
        assert values["skip"] == {"!!": [{"var": f"payload.xnovu.rendered.{channel}"}]}
    assert steps["email"]["editorType"] == "html"


def test_it_is_what_novus_own_sdk_takes() -> None:
    made = CreateWorkflowDto.model_validate(definition())
    assert made.workflow_id == "xnovu-dynamic"
    assert made.active is True
    changed = as_novu_answers(definition()) | {"active": False}
    UpdateWorkflowDto.model_validate(update_of(definition(), changed))


def test_what_is_as_defined_is_not_written() -> None:
    assert update_of(definition(), as_novu_answers(definition())) is None


@pytest.mark.parametrize("place", ["controls", "controlValues"])
def test_control_values_are_found_in_either_place(place: str) -> None:
    found = as_novu_answers(definition())
    for step in found["steps"]:
        values = step.pop("controls")["values"]
        step[place] = values if place == "controlValues" else {"values": values}
    assert update_of(definition(), found) is None


def test_a_change_keeps_the_steps_ids_and_what_people_prefer() -> None:
    found = as_novu_answers(definition())
    found["steps"][1]["controls"]["values"]["body"] = "edited by hand"
    found["steps"].reverse()
    update = update_of(definition(), found)
    assert update is not None
    assert [step["_id"] for step in update["steps"]] == [f"step-{n}" for n in range(5)]
    assert update["steps"][1]["controlValues"]["body"].startswith("{{payload.xnovu")
    assert update["preferences"]["user"]["all"]["enabled"] is False
    assert update["preferences"]["workflow"]["all"]["readOnly"] is True


@pytest.mark.parametrize(
    "change",
    [
        lambda found: found.update(active=False),
        lambda found: found.update(name="Renamed"),
        lambda found: found["steps"].pop(),
        lambda found: found["steps"].append(copy.deepcopy(found["steps"][0])),
        lambda found: found["steps"][0]["controls"]["values"].pop("skip"),
        lambda found: found["steps"].insert(0, found["steps"].pop()),
        lambda found: found.update(steps=None),
    ],
)
def test_every_difference_is_written(change: Any) -> None:
    found = as_novu_answers(definition())
    change(found)
    assert update_of(definition(), found) is not None


def test_a_missing_step_is_added_without_an_id() -> None:
    found = as_novu_answers(definition())
    del found["steps"][2]
    update = update_of(definition(), found)
    assert update is not None
    assert ["_id" in step for step in update["steps"]] == [True, True, False, True, True]
