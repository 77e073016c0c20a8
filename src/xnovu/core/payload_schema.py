"""A payload against a tenant's JSON schema (draft 2020-12), with bounds: schemas can loop and expressions explode.

Nothing is fetched: a `$ref` that leaves the schema is an error of the schema. Every keyword that is checked costs a
step. Regular expressions run on Python's backtracking engine, so a pattern is tried only on texts that are short enough
for its worst case. Pure. Called by `core.payload`.
"""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
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
from xnovu.core.records import JsonObject

MAX_SCHEMA_BYTES: Final = 256 * 1024
MAX_STEPS: Final = 50_000
MAX_BACKTRACKING: Final = 20_000_000
"""Steps of the worst case that a pattern may take on one text; some tenths of a second."""

_SHOWN: Final = 5
_FEW: Final = 5
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
    | {"minLength", "maxLength", "pattern", "minItems", "maxItems", "multipleOf"}
)
"""Keywords whose value is shown: it is the schema's, not the payload's."""

_steps: ContextVar[int] = ContextVar("steps")


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
    token = _steps.set(MAX_STEPS)
    try:
        validator = _validator(text)
        found = list(islice(validator.iter_errors(dict(payload)), _SHOWN))
    except SchemaError as error:
        place = "/".join(str(part) for part in error.absolute_path)
        raise ValidationError(
            f"{whose} is wrong at {clip(place, 64) or 'its root'}: mend it"
        ) from None
    except (Unresolvable, RecursionError, re.error, _TooMuch) as error:
        said = str(error) if isinstance(error, _TooMuch) else type(error).__name__
        raise ValidationError(f"{whose} cannot be used: {clip(said)}") from None
    finally:
        _steps.reset(token)
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
    validator: Draft202012Validator = _Bounded(schema, registry=Registry())
    return validator


Keyword = Callable[[Any, Any, Any, Any], Iterator[SchemaViolation] | None]


def _counted(keyword: Keyword) -> Keyword:
    def check(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[SchemaViolation]:
        left = _steps.get() - 1
        if left < 0:
            raise _TooMuch(f"it takes more than {MAX_STEPS} steps to check")
        _steps.set(left)
        yield from keyword(validator, value, instance, schema) or ()

    return check


def _pattern(
    _validator: Any, pattern: str, instance: Any, _schema: Any
) -> Iterator[SchemaViolation]:
    if isinstance(instance, str) and not _search(pattern, instance):
        yield SchemaViolation("does not match")


def _pattern_properties(
    validator: Any, wanted: Any, instance: Any, _schema: Any
) -> Iterator[SchemaViolation]:
    if not isinstance(instance, dict):
        return
    for pattern, below in wanted.items():
        for name, value in instance.items():
            if _search(pattern, name):
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


def _search(pattern: str, text: str) -> bool:
    if _worst_case(pattern, len(text)) > MAX_BACKTRACKING:
        raise _TooMuch(
            f"the pattern {clip(pattern, 64)!r} could take too long on a text of {len(text)} characters:"
            " limit its repetitions, or the text by maxLength"
        )
    return re.search(pattern, text) is not None


def _worst_case(pattern: str, length: int) -> float:
    repeats, nested = _repeats(pattern)
    if nested:
        return 2.0 ** min(length, 1000)
    return float(max(length, 1)) ** (repeats + 1)


_PARTS: Final = re.compile(
    r"(?P<back>\\[1-9]|\(\?P=)|(?P<skip>\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?(?:<[=!]|P?<|[=!:#]))"
    r"|(?P<quantifier>[*+?]|\{\d*,?\d*\})\??|(?P<other>.)",
    re.DOTALL,
)


@lru_cache(maxsize=512)
def _repeats(pattern: str) -> tuple[int, bool]:
    """How many open-ended repetitions a pattern has, and whether one repeats what can match in several ways."""
    repeats, nested = 0, False
    varying = [False]
    closed = False
    for part in _PARTS.finditer(pattern):
        text = part["quantifier"]
        if part["back"]:
            nested = True
        elif text:
            low, high = _bounds(text)
            nested |= closed and high > 1
            repeats += high - low > _FEW
            varying[-1] |= high != low
        elif part[0].startswith("("):
            varying.append(False)
        elif part[0] == "|":
            varying[-1] = True
        closed = part[0] == ")" and varying[-1]
        if part[0] == ")" and len(varying) > 1:
            inner = varying.pop()
            varying[-1] |= inner
    return repeats, nested


def _bounds(quantifier: str) -> tuple[float, float]:
    simple = {"*": (0.0, math.inf), "+": (1.0, math.inf), "?": (0.0, 1.0)}
    if quantifier in simple:
        return simple[quantifier]
    low, comma, high = quantifier[1:-1].partition(",")
    least = float(low or 0)
    return least, (float(high or math.inf) if comma else least)


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
