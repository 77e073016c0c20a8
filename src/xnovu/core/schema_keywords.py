"""The keywords of JSON schema (draft 2020-12) as jsonschema has them, each made to pay for what it does.

A step is about ten microseconds: a keyword applied. Patterns go to `core.patterns`; the library would hand them to
Python's backtracking engine, in `additionalProperties` too. Used by `core.payload_schema` only.
"""

import json
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError as SchemaViolation
from jsonschema.validators import extend

from xnovu.core.errors import clip
from xnovu.core.patterns import compiled

MAX_STEPS: Final = 20_000
MAX_MATCHING: Final = 10_000_000
"""Instructions times characters, of all patterns of one check; a tenth of a second where RE2 is slowest."""

_PARTS_PER_STEP: Final = 8
_UNIQUE_PARTS_PER_STEP: Final = 4
_CHARACTERS_PER_PART: Final = 512


class TooMuch(Exception):
    """The check would take too long; the message is for people."""


@dataclass(slots=True)
class Left:
    """What one check may still take."""

    steps: int = MAX_STEPS
    matching: int = MAX_MATCHING
    compiled: set[str] = field(default_factory=set)

    def spend(self, steps: int) -> None:
        self.steps -= steps
        if self.steps < 0:
            raise TooMuch(f"it takes more than {MAX_STEPS} steps to check")


LEFT: ContextVar[Left] = ContextVar("left")

Keyword = Callable[[Any, Any, Any, Any], Iterator[SchemaViolation] | None]


def _parts(value: Any) -> int:
    """How many values there are in a value, long texts counted for more."""
    count = 0
    waiting = [value]
    while waiting:
        item = waiting.pop()
        count += 1
        if isinstance(item, str):
            count += len(item) // _CHARACTERS_PER_PART
        elif isinstance(item, dict):
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
    return count


def _weight(name: str, wanted: Any, instance: Any) -> int:
    """Steps of applying a keyword once, without what it applies below."""
    looked_at = len(instance) // 64 if isinstance(instance, str | list | dict) else 0
    if name in {"enum", "const", "required", "dependentRequired"}:
        looked_at += _parts(wanted) // _PARTS_PER_STEP
    if name == "uniqueItems":
        looked_at += _parts(instance) // _UNIQUE_PARTS_PER_STEP
    return 1 + looked_at


def _paying(name: str, keyword: Keyword) -> Keyword:
    def check(validator: Any, wanted: Any, instance: Any, schema: Any) -> Iterator[SchemaViolation]:
        left = LEFT.get()
        left.spend(_weight(name, wanted, instance))
        for violation in keyword(validator, wanted, instance, schema) or ():
            # The library writes all of the value into a message that we throw away.
            left.spend(1 + _parts(instance) // _PARTS_PER_STEP)
            yield violation

    return check


def _matches(text: str, value: str) -> bool:
    pattern = compiled(text)
    left = LEFT.get()
    left.matching -= pattern.cost(value)
    if text not in left.compiled:
        left.compiled.add(text)
        left.matching -= pattern.cost_to_compile
    if left.matching < 0:
        raise TooMuch(
            f"the pattern {clip(text, 64)!r} takes too long on a text of {len(value)} characters:"
            " limit its repetitions, or the text by maxLength"
        )
    return pattern.found_in(value)


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


def _additional_properties(
    validator: Any, wanted: Any, instance: Any, schema: Any
) -> Iterator[SchemaViolation]:
    if not isinstance(instance, dict):
        return
    named = schema.get("properties", {})
    patterns = schema.get("patternProperties", {})
    for name, value in instance.items():
        if name in named or any(_matches(pattern, name) for pattern in patterns):
            continue
        if wanted is False:
            yield SchemaViolation("has other members")
            return
        yield from validator.descend(value, wanted, path=name)


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


def _ref(validator: Any, ref: str, instance: Any, _schema: Any) -> Iterator[SchemaViolation]:
    """As the library does it, but for `$schema`, for which it would take the class of that draft, which does not pay.

    It knows the drafts' own schemas without fetching them, so a tenant may name one.
    """
    resolved = validator._resolver.lookup(ref)
    contents = resolved.contents
    if isinstance(contents, dict):
        contents = {name: value for name, value in contents.items() if name != "$schema"}
    yield from validator.descend(instance, contents, resolver=resolved.resolver)


def _unavailable(name: str) -> Keyword:
    """What the library does for these cannot be bounded: it walks the schema anew, by itself."""

    def refuse(_validator: Any, _wanted: Any, _instance: Any, _schema: Any) -> None:
        raise TooMuch(f"{name} is not available: write {name.replace('unevaluated', 'additional')}")

    return refuse


_KEYWORDS: Final[dict[str, Keyword]] = {
    **Draft202012Validator.VALIDATORS,
    "$dynamicRef": _ref,
    "$ref": _ref,
    "additionalProperties": _additional_properties,
    "pattern": _pattern,
    "patternProperties": _pattern_properties,
    "unevaluatedItems": _unavailable("unevaluatedItems"),
    "unevaluatedProperties": _unavailable("unevaluatedProperties"),
    "uniqueItems": _unique_items,
}

Bounded = extend(  # type: ignore[no-untyped-call]  # untyped in types-jsonschema
    Draft202012Validator,
    {name: _paying(name, function) for name, function in _KEYWORDS.items()},
)
