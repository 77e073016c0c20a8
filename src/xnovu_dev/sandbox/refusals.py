"""The error bodies of Novu's API, which are never wrapped in `data` (its exception filter; temporal-and-novu.md §2.1).

Raised by the handlers as `Refused` and turned into an answer by the outermost middleware, and nowhere else.
"""

from collections.abc import Mapping
from datetime import datetime

from pydantic import JsonValue, ValidationError

from xnovu_dev.sandbox.json_types import JsonObject, stamp


class Refused(Exception):
    """An answer with an error status. `extra` joins the body, `headers` the response."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        extra: Mapping[str, JsonValue] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.extra = dict(extra or {})
        self.headers = dict(headers or {})


def error_body(refused: Refused, path: str, now: datetime) -> JsonObject:
    return {
        "statusCode": refused.status,
        "timestamp": stamp(now),
        "path": path,
        "message": refused.message,
        **refused.extra,
    }


def invalid(fields: Mapping[str, tuple[str, JsonValue]]) -> Refused:
    """422 of Novu's DTO validation: messages by field."""
    errors: JsonObject = {
        field: {"messages": [message], "value": value} for field, (message, value) in fields.items()
    }
    return Refused(422, "Validation Error", extra={"errors": errors})


def of_validation(error: ValidationError) -> Refused:
    """422 from what pydantic found, by dotted field; values are left out, they are the caller's."""
    fields: dict[str, tuple[str, JsonValue]] = {}
    for item in error.errors(include_url=False, include_context=False, include_input=False):
        name = ".".join(str(part) for part in item["loc"]) or "body"
        fields[name] = (f"{name}: {item['msg']}", None)
    return invalid(fields)
