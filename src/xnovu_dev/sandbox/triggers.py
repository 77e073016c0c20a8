"""A trigger request: its parsing, its limits, and Novu's own reasons to accept and yet not send it.

No I/O. The limits and statuses are of temporal-and-novu.md §2.1 and §2.2. Called by `events_api`; what it makes is
stored by the ledger and delivered by the worker.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final

from jsonschema import Draft202012Validator
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from xnovu_dev.sandbox.catalogue import Workflow
from xnovu_dev.sandbox.json_types import JsonObject, as_object, dumps, text_or_none
from xnovu_dev.sandbox.refusals import Refused, invalid, of_validation

MOST_RECIPIENTS: Final = 100
LARGEST_PAYLOAD: Final = 512 * 1024


@dataclass(frozen=True, slots=True)
class Recipient:
    """A subscriber with what the trigger says about them, or all subscribers of a topic but `exclude`."""

    subscriber_id: str | None
    topic_key: str | None = None
    profile: Mapping[str, JsonValue] | None = None
    exclude: tuple[str, ...] = ()

    def as_json(self) -> JsonObject:
        return {
            "subscriberId": self.subscriber_id,
            "topicKey": self.topic_key,
            "profile": dict(self.profile or {}),
            "exclude": list(self.exclude),
        }


@dataclass(frozen=True, slots=True)
class Trigger:
    """One event to deliver. `recipients` as written: a topic is looked up when it is delivered."""

    workflow_key: str
    transaction_id: str
    recipients: tuple[Recipient, ...]
    payload: JsonObject
    overrides: JsonObject


class TriggerBody(BaseModel):
    """What POST /v1/events/trigger takes; fields that change nothing here are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: Annotated[str, Field(min_length=1)]
    to: JsonValue = None
    payload: JsonObject = Field(default_factory=dict)
    overrides: JsonObject = Field(default_factory=dict)
    transaction_id: str | None = Field(default=None, alias="transactionId")
    tenant: JsonValue = None


def parse(raw: JsonValue) -> TriggerBody:
    """Raises Refused 413 or 422."""
    try:
        body = TriggerBody.model_validate(raw)
    except ValidationError as error:
        raise of_validation(error) from None
    if len(dumps(body.payload).encode()) > LARGEST_PAYLOAD:
        raise Refused(413, f"Payload exceeds the limit of {LARGEST_PAYLOAD} bytes")
    if isinstance(body.to, list) and len(body.to) > MOST_RECIPIENTS:
        message = f"to must contain no more than {MOST_RECIPIENTS} elements"
        raise invalid({"to": (message, None)})
    return body


def recipients_of(to: JsonValue) -> tuple[Recipient, ...]:
    """Raises ValueError for what Novu calls invalid recipients."""
    entries = to if isinstance(to, list) else [to]
    if not entries:
        raise ValueError("no recipients")
    return tuple(_recipient(entry) for entry in entries)


def _recipient(entry: JsonValue) -> Recipient:
    if isinstance(entry, str) and entry:
        return Recipient(entry)
    fields = as_object(entry)
    if str(fields.get("type", "")).lower() == "topic":
        topic, exclude = text_or_none(fields.get("topicKey")), fields.get("exclude")
        if topic is None:
            raise ValueError("a topic without topicKey")
        names = exclude if isinstance(exclude, list) else []
        return Recipient(None, topic, exclude=tuple(str(name) for name in names))
    subscriber_id = text_or_none(fields.get("subscriberId"))
    if subscriber_id is None:
        raise ValueError("a recipient without subscriberId")
    return Recipient(subscriber_id, profile=fields)


def why_not(body: TriggerBody, workflow: Workflow) -> str | None:
    """The status with which Novu accepts a trigger that it will not deliver; None when it will.

    There are no tenants here, so any tenant is one that does not exist: the real Novu discards such triggers.
    """
    if not workflow.body.active:
        return "trigger_not_active"
    if not workflow.body.steps:
        return "no_workflow_steps_defined"
    if body.tenant is not None:
        return "no_tenant_found"
    try:
        recipients_of(body.to)
    except ValueError:
        return "invalid_recipients"
    return None


def check_payload(body: TriggerBody, workflow: Workflow) -> None:
    """Raises Refused 400 where the workflow validates payloads and this one does not fit its schema."""
    schema = workflow.body.payload_schema
    if not workflow.body.validate_payload or schema is None:
        return
    errors: list[JsonValue] = [
        {
            "field": "/".join(str(part) for part in error.absolute_path),
            "message": error.message,
            "schemaPath": "#/" + "/".join(str(part) for part in error.absolute_schema_path),
        }
        for error in Draft202012Validator(schema).iter_errors(body.payload)
    ]
    if errors:
        extra: JsonObject = {
            "type": "PAYLOAD_VALIDATION_ERROR",
            "errors": errors,
            "schema": schema,
        }
        raise Refused(400, "Payload validation failed", extra=extra)
