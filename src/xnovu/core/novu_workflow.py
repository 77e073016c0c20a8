"""The one workflow that Novu needs for content rendered by us, as data, and what syncing it would change.

Novu cannot override in-app, push and chat content at trigger time, so its steps show what the payload brings under
`xnovu.rendered.<channel>` and run only where that is there. Pure. Used by `adapters.novu` (sync) and by the sandbox,
which has it from the start. Fields: CreateWorkflowDto and UpdateWorkflowDto of Novu's v2 API.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from pydantic import JsonValue

from xnovu.core.contracts.notifications import Channel
from xnovu.core.ids import DYNAMIC_WORKFLOW_KEY
from xnovu.core.records import JsonObject

_WITH_SUBJECT: Final = frozenset({Channel.IN_APP, Channel.EMAIL, Channel.PUSH})
_MORE: Final[Mapping[Channel, JsonObject]] = {
    # Novu would write & as &amp; in a text that its inbox shows as text; ours is sanitised already.
    Channel.IN_APP: {"disableOutputSanitization": True},
    # Its default, the block editor, reads the body as JSON.
    Channel.EMAIL: {"editorType": "html"},
}


class Synced(StrEnum):
    """What a sync did."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


def dynamic_workflow() -> JsonObject:
    """The definition of `xnovu-dynamic`: one step a channel.

    The name is the id: versions of Novu before workflowId was taken made the id from the name.
    """
    return {
        "workflowId": DYNAMIC_WORKFLOW_KEY,
        "name": DYNAMIC_WORKFLOW_KEY,
        "description": "Shows what XNovu rendered. Kept up to date by XNovu: edits are overwritten.",
        "tags": ["xnovu"],
        "active": True,
        "steps": [_step(channel) for channel in Channel],
    }


def _step(channel: Channel) -> dict[str, JsonValue]:
    name = channel.value.lower()
    rendered = f"payload.xnovu.rendered.{name}"
    subject: JsonObject = (
        {"subject": f"{{{{{rendered}.subject}}}}"} if channel in _WITH_SUBJECT else {}
    )
    return {
        "type": name,
        "name": name,
        "stepId": name,
        "controlValues": {
            **subject,
            "body": f"{{{{{rendered}.body}}}}",
            # Novu runs the step when this holds, in spite of the name.
            "skip": {"!!": [{"var": rendered}]},
            **_MORE.get(channel, {}),
        },
    }


def update_of(definition: JsonObject, found: JsonObject) -> JsonObject | None:
    """The body of the PUT that makes `found` (a workflow as Novu answers it) what is defined; None when it is.

    Members that the definition does not name stay as they are; so do the preferences, which people set in Novu.
    """
    plain = {name: value for name, value in definition.items() if name != "steps"}
    if _holds(found, plain) and _same_steps(_items(definition), _items(found)):
        return None
    known = {step.get("stepId"): step.get("_id") for step in _items(found)}
    steps: list[JsonValue] = []
    for step in _items(definition):
        # Without its _id Novu makes a second step and forgets the first one's history.
        identified = known.get(step.get("stepId"))
        steps.append({**step, "_id": identified} if identified else dict(step))
    preferences = found.get("preferences")
    kept = preferences if isinstance(preferences, Mapping) else {}
    return {
        **plain,
        "steps": steps,
        "origin": found.get("origin") or "novu-cloud",
        "preferences": {"user": kept.get("user"), "workflow": kept.get("default")},
    }


def _items(workflow: JsonObject) -> list[JsonObject]:
    steps = workflow.get("steps")
    return [step for step in steps if isinstance(step, Mapping)] if isinstance(steps, list) else []


def _same_steps(wanted: list[JsonObject], found: list[JsonObject]) -> bool:
    return len(wanted) == len(found) and all(
        _holds({**there, "controlValues": _controls(there)}, step)
        for step, there in zip(wanted, found, strict=True)
    )


def _controls(step: JsonObject) -> JsonValue:
    """Novu answers them in one place or the other, by version."""
    controls = step.get("controls")
    values = controls.get("values") if isinstance(controls, Mapping) else None
    return step.get("controlValues") or values


def _holds(found: JsonValue | JsonObject, wanted: JsonValue | JsonObject) -> bool:
    """Whether all that is wanted is there; Novu adds members with their defaults."""
    if isinstance(wanted, Mapping):
        return isinstance(found, Mapping) and all(
            _holds(found.get(name), value) for name, value in wanted.items()
        )
    return found == wanted
