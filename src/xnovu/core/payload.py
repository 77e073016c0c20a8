"""Whether a notification may be sent: recipients, size, and its payload against the workflow's JSON schema.

Both the payload and the schema come from tenants, so the work is bounded, nothing is ever fetched, and messages name
the place and what is wanted, not the value. Pure. Called by ValidateNotification.
"""

import json
from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from xnovu.core.errors import ValidationError
from xnovu.core.payload_schema import check_schema
from xnovu.core.records import JsonObject, Notification, Workflow

MAX_PAYLOAD_BYTES = 512 * 1024
"""Novu answers 413 above 512 KiB (its API reference, POST /v1/events/trigger)."""

MAX_DEPTH = 64
"""Objects and lists inside each other, the outermost one included."""

MAX_NAME = 255
MAX_RECIPIENTS = 10_000


def validate(notification: Notification, workflow: Workflow) -> None:
    """Raises ValidationError; answers nothing when the notification may be sent."""
    if not notification.recipients and not notification.topics:
        raise ValidationError(
            "the notification has no recipients: name at least one recipient or topic"
        )
    if len(notification.recipients) > MAX_RECIPIENTS:
        raise ValidationError(
            f"the notification has {len(notification.recipients)} recipients, more than {MAX_RECIPIENTS}: use a topic"
        )
    _objects("notification", notification.malformed)
    _objects("workflow", workflow.malformed)
    _names("recipients", notification.recipients)
    _names("topics", notification.topics)
    for field, value in (("payload", notification.payload), ("overrides", notification.overrides)):
        _depth(field, value)
        _size(field, value)
    if workflow.payload_schema is not None:
        check_schema(notification.payload, workflow.payload_schema, workflow.key)


def _objects(row: str, malformed: Sequence[str]) -> None:
    if malformed:
        raise ValidationError(
            f"the {row}'s {', '.join(malformed)} must be a JSON object of at most 1 MiB, 200 levels and numbers of at"
            " most 4,000 digits"
        )


def _names(field: str, names: Sequence[str]) -> None:
    for index, name in enumerate(names):
        if not 1 <= len(name) <= MAX_NAME:
            raise ValidationError(
                f"{field}[{index}] has {len(name)} characters: write 1 to {MAX_NAME}"
            )
        if not name.isprintable() or name != name.strip():
            raise ValidationError(f"{field}[{index}] holds a control character or a stray space")


def _depth(field: str, value: JsonObject) -> None:
    """Level by level: no recursion that a hostile value could exhaust."""
    level: list[JsonObject | list[JsonValue]] = [value]
    for _ in range(MAX_DEPTH):
        level = [
            below
            for item in level
            for below in (item.values() if isinstance(item, Mapping) else item)
            if isinstance(below, Mapping | list)
        ]
        if not level:
            return
    raise ValidationError(f"{field} is more than {MAX_DEPTH} levels deep: make it flatter")


def _size(field: str, value: object) -> None:
    try:
        size = len(json.dumps(value, ensure_ascii=False, allow_nan=False).encode())
    except (TypeError, ValueError, RecursionError) as error:
        raise ValidationError(
            f"{field} is no JSON that can be sent: {type(error).__name__}"
        ) from error
    if size > MAX_PAYLOAD_BYTES:
        raise ValidationError(
            f"{field} has {size} bytes, more than the {MAX_PAYLOAD_BYTES} that Novu takes: send a link instead"
        )
