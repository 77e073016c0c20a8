"""The formats of JSON schema that are checked in payloads: those that have one meaning and are checked in a moment.

Others are notes for people, as the specification has it. `regex` is not checked: it would compile what a tenant sends.
Pure. Called by `core.payload_schema`.
"""

from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from jsonschema import FormatChecker

FORMATS: Final = FormatChecker(formats=("date", "ipv4", "ipv6", "uuid"))

_LONGEST_EMAIL: Final = 254
_LONGEST_URI: Final = 2048
_TIME_AT: Final = 10


@FORMATS.checks("email")
def _email(value: object) -> bool:
    """One @ between something and a host, no spaces: whether mail arrives, only sending tells."""
    if not isinstance(value, str):
        return True
    name, at, host = value.rpartition("@")
    good = bool(name and at and host) and "@" not in name and len(value) <= _LONGEST_EMAIL
    return good and value.isprintable() and " " not in value


@FORMATS.checks("date-time", raises=ValueError)
def _date_time(value: object) -> bool:
    """RFC 3339: a T and an offset."""
    if not isinstance(value, str):
        return True
    return value[_TIME_AT : _TIME_AT + 1] in {"T", "t"} and bool(
        datetime.fromisoformat(value.upper()).tzinfo
    )


@FORMATS.checks("uri", raises=ValueError)
def _uri(value: object) -> bool:
    if not isinstance(value, str):
        return True
    short = len(value) <= _LONGEST_URI and value.isascii() and value.isprintable()
    return short and " " not in value and bool(urlsplit(value).scheme)
