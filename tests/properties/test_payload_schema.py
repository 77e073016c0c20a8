"""Whatever schema and payload a tenant writes, checking answers or is refused, soon."""

import time
from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from xnovu.core.errors import ValidationError
from xnovu.core.payload_schema import check_schema

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.sampled_from(["a", "a" * 30 + "!", "", "x@y.example", "2026-02-30", "é"]),
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abc"), inner),
    max_leaves=12,
)
PATTERNS = st.sampled_from(["^(a+)+$", "(a|aa)+$", "^a", "(", "(?=a)", r"\u0061", "[", "a{0,900}"])
REFERENCES = st.sampled_from(
    ["#", "#/$defs/a", "#/properties/a", "#a", "b", "http://[", "file:///etc/passwd", ""]
)
FORMATS = st.sampled_from(["date", "date-time", "email", "ipv4", "ipv6", "uri", "uuid", "regex"])


def objects(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    names = st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    several = st.lists(inner, min_size=1, max_size=3)
    keywords: dict[str, st.SearchStrategy[Any]] = {
        **dict.fromkeys(("properties", "$defs", "dependentSchemas"), names),
        **dict.fromkeys(("allOf", "anyOf", "oneOf", "prefixItems"), several),
        **dict.fromkeys(("not", "items", "contains", "additionalProperties", "if", "then"), inner),
        **dict.fromkeys(("propertyNames", "unevaluatedProperties"), inner),
        "patternProperties": st.dictionaries(PATTERNS, inner, max_size=2),
        **dict.fromkeys(("$ref", "$dynamicRef", "$id", "$schema", "$anchor"), REFERENCES),
        "pattern": PATTERNS,
        "format": FORMATS,
        "enum": st.lists(VALUES, max_size=3),
        "const": VALUES,
        "type": st.sampled_from(["string", "object", "array", "number", "nonsense"]),
        "required": st.lists(st.sampled_from("abc")),
        **dict.fromkeys(("minimum", "multipleOf", "maxLength", "minContains"), SCALARS),
        "uniqueItems": st.booleans(),
    }
    return st.fixed_dictionaries({}, optional=keywords)


SCHEMAS = st.recursive(st.booleans() | st.just({}), objects, max_leaves=6)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(["a", "b", "a" * 40 + "!"]), VALUES), objects(SCHEMAS))
def test_a_check_answers_or_is_refused(payload: dict[str, Any], schema: dict[str, Any]) -> None:
    started = time.process_time()
    with suppress(ValidationError):
        check_schema(payload, schema, "w")
    assert time.process_time() - started < 1
