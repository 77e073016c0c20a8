"""What Novu is given for a notification: workflow key, channels, payload and overrides, rendered before anything is sent.

STATIC content lives in Novu: the payload passes through. DYNAMIC content is rendered here and travels inside the
payload of one generic workflow, because Novu cannot override in-app, push and chat content at trigger time. Templates
come from `fetch`; no other I/O. Called by RenderTemplate, TriggerNovu and the composite delivery.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

from xnovu.core import ids
from xnovu.core.contracts.notifications import Channel, WorkflowType
from xnovu.core.errors import TemplateError, ValidationError, clip
from xnovu.core.payload import MAX_PAYLOAD_BYTES
from xnovu.core.records import JsonObject, Notification, Template, Workflow
from xnovu.core.template_budget import Budget
from xnovu.core.template_overrides import includes, rendered_overrides
from xnovu.core.templates import MAX_DEPTH, Renderer, references

Fetch = Callable[[Sequence[str]], Awaitable[dict[str, Template]]]

MAX_TEMPLATES: Final = 100

OVERRIDE_NAMES: Final = {
    Channel.EMAIL: "emailTemplateId",
    Channel.IN_APP: "inAppTemplateId",
    Channel.SMS: "smsTemplateId",
    Channel.PUSH: "pushTemplateId",
    Channel.CHAT: "chatTemplateId",
}
"""Members of `ent_notification_workflow.template_overrides`, by the original's names; each holds a template's key."""


@dataclass(frozen=True, slots=True)
class Content:
    """What is sent to every chunk of recipients. `digest`: of all the rest, equal for equal content."""

    workflow_key: str
    channels: tuple[Channel, ...]
    payload: JsonObject
    overrides: JsonObject
    digest: str


async def load_and_render(notification: Notification, workflow: Workflow, fetch: Fetch) -> Content:
    """Fetch the templates that are needed, level by level, and render.

    Raises TemplateError, ValidationError, and what `fetch` raises. Deterministic for the same rows: a repeated try
    renders the same.
    """
    channels = tuple(sorted(set(notification.channels or workflow.default_channels)))
    keys = _template_keys(workflow, channels)
    budget = Budget()
    library = await _load(_first_level(notification.overrides, keys, budget), fetch, budget)
    renderer = Renderer(library, budget)
    overrides = rendered_overrides(notification.overrides, notification.payload, renderer)
    if workflow.type is WorkflowType.STATIC:
        return _content(workflow.key, channels, notification.payload, overrides)
    rendered: dict[str, JsonValue] = {}
    for channel, key in keys.items():
        subject, body = renderer.template(key, notification.payload, channel)
        rendered[channel.value.lower()] = {"subject": subject, "body": body}
    payload: JsonObject = {
        **notification.payload,
        "xnovu": {
            "enterpriseId": notification.enterprise_id,
            "notificationId": notification.id,
            "workflowKey": workflow.key,
            "rendered": rendered,
        },
    }
    return _content(ids.DYNAMIC_WORKFLOW_KEY, channels, payload, overrides)


def _template_keys(workflow: Workflow, channels: Sequence[Channel]) -> dict[Channel, str]:
    if workflow.type is WorkflowType.STATIC:
        return {}
    if not channels:
        raise ValidationError(
            f"neither the notification nor workflow {workflow.key!r} names a channel: name at least one"
        )
    found: dict[Channel, str] = {}
    for channel in channels:
        key = workflow.template_overrides.get(OVERRIDE_NAMES[channel])
        if not isinstance(key, str) or not key:
            raise TemplateError(
                f"workflow {clip(workflow.key, 64)!r} has no template for {channel.value}:"
                f" write its key into template_overrides.{OVERRIDE_NAMES[channel]}"
            )
        found[channel] = key
    return found


def _first_level(
    overrides: JsonObject, keys: Mapping[Channel, str], budget: Budget
) -> frozenset[str]:
    found = set(keys.values())
    waiting: list[JsonValue] = [dict(overrides)]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str) and includes(item):
            found |= references(item, "overrides", budget)
        elif isinstance(item, list):
            waiting.extend(item)
        elif isinstance(item, Mapping):
            waiting.extend(item.values())
    return frozenset(found)


async def _load(first: frozenset[str], fetch: Fetch, budget: Budget) -> dict[str, Template]:
    """All templates that can be reached. One that is missing is an error only when it is rendered."""
    library: dict[str, Template] = {}
    asked: frozenset[str] = frozenset()
    wanted = first
    # One level more than may be rendered: what is too deep is said to be that, not to be missing.
    for _ in range(MAX_DEPTH + 1):
        if not wanted:
            break
        asked |= wanted
        if len(asked) > MAX_TEMPLATES:
            raise TemplateError(f"one notification includes more than {MAX_TEMPLATES} templates")
        found = await fetch(sorted(wanted))
        library |= found
        below = (_references(template, budget) for template in found.values())
        wanted = frozenset[str]().union(*below) - asked
    return library


def _references(template: Template, budget: Budget) -> frozenset[str]:
    name = f"template {clip(template.key, 64)!r}"
    return references(template.body, name, budget) | references(
        template.subject or "", name, budget
    )


def _content(
    workflow_key: str, channels: tuple[Channel, ...], payload: JsonObject, overrides: JsonObject
) -> Content:
    whole = {
        "workflow": workflow_key,
        "channels": channels,
        "payload": payload,
        "overrides": overrides,
    }
    text = json.dumps(whole, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    size = len(json.dumps(payload, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    if size > MAX_PAYLOAD_BYTES:
        raise TemplateError(
            f"the rendered payload has {size} bytes, more than the {MAX_PAYLOAD_BYTES} that Novu takes"
        )
    return Content(
        workflow_key, channels, payload, overrides, hashlib.sha256(text.encode()).hexdigest()
    )
