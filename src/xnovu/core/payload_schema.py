"""A payload against a tenant's JSON schema (draft 2020-12), with bounds: schemas can loop and expressions explode.

Nothing is fetched: a `$ref` that leaves the schema is an error of the schema. Every keyword that is checked costs a
step. Patterns are `core.patterns`', whose time is bounded. Pure. Called by `core.payload`.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any, Final

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from jsonschema.exceptions import ValidationError as SchemaViolation
from jsonschema.validators import extend
from referencing import Registry
from referencing.exceptions import Unresolvable

from xnovu.core.errors import ValidationError, clip
from xnovu.core.formats import FORMATS
from xnovu.core.patterns import PatternRefused, compiled
from xnovu.core.records import JsonObject

MAX_SCHEMA_BYTES: Final = 256 * 1024
MAX_STEPS: Final = 50_000
MAX_MATCHING: Final = 10_000_000
"""Instructions times characters, of all patterns of one check; a tenth of a second where RE2 is slowest."""

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


@dataclass(slots=True)
class _Left:
    """What one check may still take."""

    steps: int = MAX_STEPS
    matching: int = MAX_MATCHING


_left: ContextVar[_Left] = ContextVar("left")


class _TooMuch(Exception):
    """The check would take too long; the message is for people."""


def check_schema(payload: JsonObject, schema: JsonObject, workflow_key: str) -> None:
    """Raises ValidationError, which names up to five places and what is wanted there."""
    whose = f"the payload schema of workflow {clip(workflow_key, 64)!r}"
    try:
        text = json.dumps(schema)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValidationError(f"{whose} is no JSON: {type(error).__name__}") from None
    if len(text) > MAX_SCHEMA_BYTES:
        raise ValidationError(f"{whose} is longer than {MAX_SCHEMA_BYTES} bytes")
    token = _left.set(_Left())
    try:
        validator = _validator(text)
        found = list(islice(validator.iter_errors(dict(payload)), _SHOWN))
    except SchemaError as error:
        place = "/".join(str(part) for part in error.absolute_path)
        raise ValidationError(
            f"{whose} is wrong at {clip(place, 64) or 'its root'}: mend it"
        ) from None
    except (Unresolvable, RecursionError, PatternRefused, _TooMuch) as error:
        told = isinstance(error, _TooMuch | PatternRefused)
        said = str(error) if told else type(error).__name__
        raise ValidationError(f"{whose} cannot be used: {clip(said)}") from None
    finally:
        _left.reset(token)
    if found:
        raise ValidationError(
            f"the payload does not fit workflow {clip(workflow_key, 64)!r}: {'; '.join(map(_told, found))}"
        )


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


@lru_cache(maxsize=128)
def _validator(text: str) -> Draft202012Validator:
    schema = json.loads(text)
    _Bounded.check_schema(schema)
    validator: Draft202012Validator = _Bounded(schema, registry=Registry(), format_checker=FORMATS)
    return validator


Keyword = Callable[[Any, Any, Any, Any], Iterator[SchemaViolation] | None]


def _counted(keyword: Keyword) -> Keyword:
    def check(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[SchemaViolation]:
        left = _left.get()
        left.steps -= 1
        if left.steps < 0:
            raise _TooMuch(f"it takes more than {MAX_STEPS} steps to check")
        yield from keyword(validator, value, instance, schema) or ()

    return check


def _pattern(
    _validator: Any, pattern: str, instance: Any, _schema: Any
) -> Iterator[SchemaViolation]:
    if isinstance(instance, str) and not _matches(pattern, instance):
        yield SchemaViolation("does not match")


def _pattern_properties(
    validator: Any, wanted: Any, instance: Any, _schema: Any
) -> Iterator[SchemaViolation]:
    if not isinstance(instance, dict):
        return
    for pattern, below in wanted.items():
        for name, value in instance.items():
            if _matches(pattern, name):
                yield from validator.descend(value, below, path=name, schema_path=pattern)


def _unique_items(
    _validator: Any, wanted: Any, instance: Any, _schema: Any
) -> Iterator[SchemaViolation]:
    """Linear; the library compares each with each other when they are of several types."""
    if wanted and isinstance(instance, list):
        written = {json.dumps(_canonical(item), sort_keys=True) for item in instance}
        if len(written) != len(instance):
            yield SchemaViolation("has repeated items")


def _canonical(value: Any) -> Any:
    """1 and 1.0 are one number in JSON schema."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_canonical(item) for item in value]
    if isinstance(value, dict):
        return {name: _canonical(item) for name, item in value.items()}
    return value


def _matches(text: str, value: str) -> bool:
    pattern = compiled(text)
    left = _left.get()
    left.matching -= pattern.cost(value)
    if left.matching < 0:
        raise _TooMuch(
            f"the pattern {clip(text, 64)!r} takes too long on a text of {len(value)} characters:"
            " limit its repetitions, or the text by maxLength"
        )
    return pattern.found_in(value)


_Bounded = extend(  # type: ignore[no-untyped-call]  # untyped in types-jsonschema
    Draft202012Validator,
    {
        name: _counted(function)
        for name, function in {
            **Draft202012Validator.VALIDATORS,
            "pattern": _pattern,
            "patternProperties": _pattern_properties,
            "uniqueItems": _unique_items,
        }.items()
    },
)
