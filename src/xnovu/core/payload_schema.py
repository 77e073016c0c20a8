"""A payload against a tenant's JSON schema (draft 2020-12), with bounds: schemas can loop and expressions explode.

Nothing is fetched: a `$ref` that leaves the schema is an error of the schema. What each keyword costs is
`core.schema_keywords`'; a schema is checked against the draft's own by the same rules. Pure. Called by `core.payload`.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from typing import Final

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError as SchemaViolation
from pydantic import JsonValue
from referencing import Registry

from xnovu.core.errors import ValidationError, clip
from xnovu.core.formats import FORMATS
from xnovu.core.patterns import PatternRefused
from xnovu.core.records import JsonObject
from xnovu.core.schema_keywords import LEFT, Bounded, Left, TooMuch
from xnovu.core.weighed_cache import Cache

MAX_SCHEMA_BYTES: Final = 256 * 1024

_KEPT: Final = 4 * 1024 * 1024
"""Bytes of schemas, as texts, that are kept ready; in memory they take some times that."""

_SHOWN: Final = 5
_WANTED: Final = frozenset(
    {
        "type",
        "required",
        "enum",
        "const",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
    }
    | {"minLength", "maxLength", "pattern", "minItems", "maxItems", "multipleOf", "format"}
)
"""Keywords whose value is shown: it is the schema's, not the payload's."""


class _Wrong(Exception):
    """The schema is none; the message names the place."""


def check_schema(payload: JsonObject, schema: JsonObject, workflow_key: str) -> None:
    """Raises ValidationError, which names up to five places and what is wanted there."""
    with _blaming(f"the payload schema of workflow {clip(workflow_key, 64)!r}"):
        text = json.dumps(schema)
        if len(text) > MAX_SCHEMA_BYTES:
            raise _Wrong(f"is longer than {MAX_SCHEMA_BYTES} bytes")
        validator = _VALIDATORS.get(text)
        found = _violations(validator, dict(payload))
    if found:
        raise ValidationError(
            f"the payload does not fit workflow {clip(workflow_key, 64)!r}: {'; '.join(map(_told, found))}"
        )


@contextmanager
def _blaming(schema: str) -> Iterator[None]:
    """Whatever goes wrong here is the schema's: the payload has been looked at before. Messages hold no value."""
    try:
        yield
    except _Wrong as error:
        raise ValidationError(f"{schema} {error}: mend it") from None
    except (PatternRefused, TooMuch) as error:
        raise ValidationError(f"{schema} cannot be used: {clip(str(error))}") from None
    except Exception as error:  # noqa: BLE001  # the library has no list of what a schema can make it raise
        raise ValidationError(f"{schema} cannot be used: {type(error).__name__}") from None


def _violations(validator: Draft202012Validator, value: object) -> list[SchemaViolation]:
    token = LEFT.set(Left())
    try:
        return list(islice(validator.iter_errors(value), _SHOWN))
    finally:
        LEFT.reset(token)


def _validator(text: str) -> Draft202012Validator:
    schema = _without_dialect(json.loads(text))
    for wrong in _violations(_SCHEMA_OF_SCHEMAS, schema):
        place = "/".join(str(part) for part in wrong.absolute_path)
        raise _Wrong(f"is wrong at {clip(place, 64) or 'its root'}")
    made: Draft202012Validator = Bounded(schema, registry=Registry(), format_checker=FORMATS)
    return made


def _without_dialect(schema: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Without the root's `$schema`. Below it the library would take the class of that draft, which is not bounded."""
    root = {name: value for name, value in schema.items() if name != "$schema"}
    waiting: list[JsonValue] = [root]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            if isinstance(item.get("$schema"), str):
                raise _Wrong("has a $schema below its root")
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
    return root


def _told(error: SchemaViolation) -> str:
    place = ".".join(str(part) for part in error.absolute_path)
    keyword = str(error.validator)
    where = f"payload.{clip(place, 64)}" if place else "payload"
    if (
        keyword == "required"
        and isinstance(error.instance, Mapping)
        and isinstance(error.validator_value, list)
    ):
        missing = [str(name) for name in error.validator_value if name not in error.instance]
        return f"{where} lacks {clip(', '.join(missing), 100)}"
    wanted = clip(json.dumps(error.validator_value), 100) if keyword in _WANTED else ""
    return f"{where} must satisfy {keyword} {wanted}".rstrip()


_SCHEMA_OF_SCHEMAS: Final[Draft202012Validator] = Bounded(
    {name: value for name, value in Draft202012Validator.META_SCHEMA.items() if name != "$schema"}
)
_VALIDATORS: Final = Cache(_validator, lambda text, _: len(text), _KEPT)
