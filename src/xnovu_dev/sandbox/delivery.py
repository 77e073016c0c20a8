"""What one step does for one recipient: content, skipped, or a pause. No I/O, no clock; called by the worker."""

from dataclasses import dataclass

from pydantic import JsonValue

from xnovu_dev.sandbox.catalogue import Step
from xnovu_dev.sandbox.conditions import holds
from xnovu_dev.sandbox.json_types import JsonObject, as_object
from xnovu_dev.sandbox.liquid import interpolate
from xnovu_dev.sandbox.people import Subscriber


@dataclass(frozen=True, slots=True)
class Content:
    """What the recipient will see. `subject` None where the step has none."""

    subject: str | None
    body: str


@dataclass(frozen=True, slots=True)
class Pause:
    """A delay step."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Skipped:
    """The step's condition does not hold."""


def run_step(
    step: Step, payload: JsonObject, overrides: JsonObject, subscriber: Subscriber
) -> Content | Pause | Skipped:
    """Overrides as Novu has them at trigger time: the e-mail's subject and the SMS's content, and no other content."""
    person: JsonObject = {"subscriberId": subscriber.subscriber_id, **subscriber.profile}
    variables: dict[str, JsonValue] = {"payload": payload, "subscriber": person}
    if not holds(step.control_values.get("skip"), variables):
        return Skipped()
    if step.delay_seconds is not None and step.type == "delay":
        return Pause(step.delay_seconds)
    subject = _text(step.control_values.get("subject"))
    body = _text(step.control_values.get("body")) or ""
    given = as_object(overrides.get(step.type))
    rendered = Content(
        interpolate(subject, variables) if subject is not None else None,
        interpolate(body, variables),
    )
    if step.type == "email":
        return Content(_text(given.get("subject")) or rendered.subject, rendered.body)
    if step.type == "sms":
        return Content(rendered.subject, _text(given.get("content")) or rendered.body)
    return rendered


def _text(value: JsonValue) -> str | None:
    return value if isinstance(value, str) else None
