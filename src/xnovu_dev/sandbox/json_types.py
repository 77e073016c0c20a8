"""JSON in and out: the types, narrowing of foreign values, and the spelling of times. Called by every module here."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from pydantic import JsonValue

JsonObject = dict[str, JsonValue]


def dumps(value: JsonValue | Mapping[str, JsonValue]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def as_object(value: JsonValue) -> JsonObject:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def load_object(text: str) -> JsonObject:
    """An object that this program wrote itself."""
    value: JsonValue = json.loads(text)
    return as_object(value)


def text_or_none(value: JsonValue) -> str | None:
    return value if isinstance(value, str) and value else None


def stamp(moment: datetime) -> str:
    """As Novu writes times: UTC, milliseconds, `Z`. Sorts as text."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
