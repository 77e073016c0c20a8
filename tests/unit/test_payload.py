"""Whether a notification may be sent, by hostile payloads and schemas as well."""

import json
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from xnovu.core.contracts.notifications import NotificationStatus, WorkflowType
from xnovu.core.errors import ValidationError
from xnovu.core.payload import (
    MAX_DEPTH,
    MAX_NAME,
    MAX_PAYLOAD_BYTES,
    MAX_RECIPIENTS,
    validate,
)
from xnovu.core.payload_schema import MAX_SCHEMA_BYTES
from xnovu.core.records import Notification, Workflow

NOTIFICATION = Notification(
    id=7,
    enterprise_id="e1",
    name="n",
    status=NotificationStatus.PROCESSING,
    payload={},
    recipients=("a",),
    channels=(),
    overrides={},
    tags=(),
    topics=(),
    priority=None,
    workflow_id=1,
    generation=0,
    due_at=datetime(2026, 1, 1, tzinfo=UTC),
    attempts=1,
)
WORKFLOW = Workflow(1, "w", WorkflowType.STATIC, "e1", (), None, {})


def check(payload: dict[str, Any], schema: dict[str, Any]) -> None:
    validate(replace(NOTIFICATION, payload=payload), replace(WORKFLOW, payload_schema=schema))


def refusal(payload: dict[str, Any], schema: dict[str, Any]) -> str:
    with pytest.raises(ValidationError) as caught:
        check(payload, schema)
    return str(caught.value)


def test_recipients_or_topics_are_enough() -> None:
    validate(NOTIFICATION, WORKFLOW)
    validate(replace(NOTIFICATION, recipients=(), topics=("t",)), WORKFLOW)


@pytest.mark.parametrize(
    "change",
    [
        {"recipients": ()},
        {"recipients": ("",)},
        {"recipients": ("a", "x" * 256)},
        {"recipients": ("a\nb",)},
        {"recipients": (" a",)},
        {"topics": ("a\x00",)},
        {"recipients": tuple(map(str, range(10_001)))},
        {"payload": {"a": "x" * 600_000}},
        {"overrides": {"a": "x" * 600_000}},
        {"payload": {"a": float("nan")}},
        {"payload": {"a": "\ud800"}},
        {"payload": {"a": object()}},
    ],
)
def test_what_can_never_be_sent_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        validate(replace(NOTIFICATION, **change), WORKFLOW)


def test_a_payload_that_fits_its_schema_passes() -> None:
    schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "required": ["mail"],
        "properties": {
            "mail": {"type": "string", "pattern": r"^[^@\s]+@[^@\s]+\.[a-z]{2,}$"},
            "host": {"$ref": "#/$defs/host"},
            "tags": {"type": "array", "uniqueItems": True},
        },
        "$defs": {"host": {"type": "string", "pattern": "^([a-z]+\\.)+[a-z]+$"}},
    }
    check(
        {
            "mail": "ada.lindqvist@acme.example",
            "host": "a.example",
            "tags": [1, "1", True, {"a": 1}],
        },
        schema,
    )


@pytest.mark.parametrize(
    ("payload", "schema", "said"),
    [
        ({}, {"required": ["site", "desk"]}, "payload lacks site, desk"),
        (
            {"a": {"b": ["x"]}},
            {"properties": {"a": {"properties": {"b": {"items": {"type": "number"}}}}}},
            'payload.a.b.0 must satisfy type "number"',
        ),
        ({"a": 5}, {"properties": {"a": {"enum": [1, 2]}}}, "payload.a must satisfy enum [1, 2]"),
        (
            {"a": [1, 1.0]},
            {"properties": {"a": {"uniqueItems": True}}},
            "payload.a must satisfy uniqueItems",
        ),
        (
            {"a": "x"},
            {"properties": {"a": {"pattern": "^y"}}},
            'payload.a must satisfy pattern "^y"',
        ),
        (
            {"x1": "a"},
            {"patternProperties": {"^x": {"type": "number"}}},
            "payload.x1 must satisfy type",
        ),
        ({"a": 1}, {"additionalProperties": False}, "payload must satisfy additionalProperties"),
    ],
)
def test_a_misfit_names_its_place_and_what_is_wanted(
    payload: dict[str, Any], schema: dict[str, Any], said: str
) -> None:
    assert said in refusal(payload, schema)


def test_a_misfit_never_shows_a_value() -> None:
    schema = {
        "properties": {"a": {"type": "number", "not": {}, "const": 1}},
        "additionalProperties": False,
    }
    assert "hunter2" not in refusal({"a": "hunter2", "b": "hunter2"}, schema)


def test_many_misfits_are_told_in_short() -> None:
    payload = {f"member{number}" * 20: "x" for number in range(1000)}
    said = refusal(payload, {"additionalProperties": {"enum": ["y" * 1000]}})
    assert len(said) < 1500


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "nonsense"},
        {"properties": 3},
        {"properties": {"a": {"pattern": "("}}},
        {"$ref": "http://127.0.0.1:9/schema.json"},
        {"$ref": "file:///etc/passwd"},
        {"$ref": "#/nowhere"},
        {"$ref": "#"},
        {"$dynamicRef": "#"},
        {"title": "x" * 300_000},
    ],
)
def test_a_schema_that_cannot_be_used_is_an_error_of_its_own(schema: dict[str, Any]) -> None:
    assert "the payload schema of workflow 'w'" in refusal({"a": "x"}, schema)


# Ours must not count on the warning that the library gives before it fetches.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_schema_elsewhere_is_never_fetched(tmp_path: Path) -> None:
    elsewhere = tmp_path / "schema.json"
    elsewhere.write_text("{}")
    assert "cannot be used" in refusal({}, {"$ref": elsewhere.as_uri()})


def doubling(levels: int) -> dict[str, Any]:
    definitions = {
        f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}, {"$ref": f"#/$defs/d{n + 1}"}]}
        for n in range(levels)
    }
    return {"$ref": "#/$defs/d0", "$defs": {**definitions, f"d{levels}": {}}}


def each(schema: dict[str, Any]) -> dict[str, Any]:
    return {"properties": {"a": {"items": schema}}}


TREE = {"properties": {"a": {"anyOf": [{"$ref": "#/$defs/t"}] * 3, "minProperties": 1}}}
DRAFT_7 = "http://json-schema.org/draft-07/schema#"
DRAFT_2020 = "https://json-schema.org/draft/2020-12/schema"
MANY_SCHEMAS = {"properties": {f"a{number}": {"allOf": [{}, {}]} for number in range(3000)}}
TOO_MUCH: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "references that double": ({}, doubling(40)),
    "branches that double": (
        {"a": {"a": {"a": {"a": {"a": {"a": {"a": {"a": {"a": {}}}}}}}}}},
        {"$defs": {"t": TREE}, "$ref": "#/$defs/t"},
    ),
    "many items": ({"a": ["x"] * 60_000}, each({"type": "string"})),
    "a slow pattern": ({"a": ["a" * 5000]}, each({"pattern": "(.{900}x|.{800}y)+z"})),
    "many slow texts": ({"a": ["a" * 5000] * 99}, each({"pattern": "[ab]{900}c"})),
    "many patterns": (
        {"a": ["a"]},
        each({"allOf": [{"pattern": f"^[\\p{{L}}{number}]+$"} for number in range(400)]}),
    ),
    "patterns of members": ({"a" * 5000: 1}, {"patternProperties": {"(.{900}x|.{800}y)+z": {}}}),
    "a long enum": ({"a": [[1]] * 9000}, each({"enum": [[1, number] for number in range(9000)]})),
    "many required": (
        {"a": [{}] * 3000},
        each({"anyOf": [{"required": [f"r{number}" for number in range(5000)]}, {}]}),
    ),
    "a value in many messages": (
        {"a": list(range(70_000))},
        {"anyOf": [{"type": "string"}] * 5000},
    ),
    "a format of a long text": (
        {"a": ["1." * 250_000]},
        each({"anyOf": [{"format": "ipv4"}] * 400}),
    ),
    "uniqueness again and again": (
        {"a": [list(range(30_000))]},
        each({"allOf": [{"uniqueItems": True}] * 400}),
    ),
    "a schema of many": ({}, MANY_SCHEMAS),
    "the draft's own schema": (MANY_SCHEMAS, {"$ref": DRAFT_2020}),
    "another draft's own schema": (MANY_SCHEMAS, {"$ref": DRAFT_7}),
    "what is not available": ({"a": 1}, {"unevaluatedProperties": False}),
}


@pytest.mark.parametrize("name", TOO_MUCH)
def test_a_check_that_would_take_too_long_is_refused_at_once(name: str) -> None:
    payload, schema = TOO_MUCH[name]
    started = time.process_time()
    assert "cannot be used" in refusal(payload, schema)
    assert time.process_time() - started < 0.6


@pytest.mark.parametrize(
    ("payload", "schema"),
    [
        ({"a" * 40 + "!": 1}, {"patternProperties": {"^(a+)+$": {}}, "additionalProperties": {}}),
        ({"a": "a" * 40 + "!"}, {"properties": {"a": {"not": {"pattern": "^(a+)+$"}}}}),
        ({"a": "a" * 80}, {"properties": {"a": {"pattern": "^" + "a?" * 40 + "a" * 40}}}),
        ({"a": "a" * 40 + "!"}, {"properties": {"a": {"format": "regex"}}}),
    ],
)
def test_an_expression_that_explodes_elsewhere_is_answered_at_once(
    payload: dict[str, Any], schema: dict[str, Any]
) -> None:
    started = time.process_time()
    check(payload, schema)
    assert time.process_time() - started < 0.6


def test_a_draft_below_the_root_cannot_switch_the_limits_off() -> None:
    below = {"$schema": DRAFT_7, "pattern": "^(a+)+$"}
    said = refusal({"a": "a" * 40 + "!"}, {"properties": {"a": below}})
    assert "has a $schema below its root" in said
    check({"$schema": "x"}, {"$schema": DRAFT_7, "properties": {"$schema": {"type": "string"}}})


@pytest.mark.parametrize(
    ("payload", "schema"),
    [
        ({"a": 10**400}, {"properties": {"a": {"multipleOf": 0.5}}}),
        ({}, {"$id": "http://[", "$ref": "b#/c"}),
        ({}, json.loads('{"not":' * 900 + "{}" + "}" * 900)),
    ],
)
def test_what_makes_the_library_stumble_is_an_error_of_the_schema(
    payload: dict[str, Any], schema: dict[str, Any]
) -> None:
    assert "cannot be used" in refusal(payload, schema)


@pytest.mark.parametrize(
    ("value", "wanted", "other"),
    [
        ("date", "2026-02-28", "2026-02-30"),
        ("date-time", "2026-02-28T09:00:00Z", "2026-02-28T09:00:00"),
        ("date-time", "2026-02-28t09:00:00+01:00", "2026-02-28 09:00:00+01:00"),
        ("email", "ada@acme.example", "ada@"),
        ("email", "a.b+c@acme.example", "a@b@c"),
        ("email", "ada@acme.example", "ada@acme.example\r\nBcc: x@y.example"),
        ("uuid", "11111111-1111-4111-8111-111111111111", "11111111"),
        ("ipv4", "10.0.0.1", "10.0.0.256"),
        ("ipv6", "::1", ":::1"),
        ("uri", "https://acme.example/a?b", "/a"),
        ("uri", "mailto:a@b.example", "https://acme.example/ b"),
    ],
)
def test_a_format_is_checked(value: str, wanted: str, other: str) -> None:
    schema = {"properties": {"a": {"format": value}}}
    check({"a": wanted}, schema)
    check({"a": 5}, schema)
    assert f'payload.a must satisfy format "{value}"' in refusal({"a": other}, schema)


def test_an_unknown_format_is_a_note_for_people() -> None:
    check({"a": "x"}, {"properties": {"a": {"format": "regex"}, "b": {"format": "phone"}}})


def nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(levels - 1):
        value = {"a": value}
    return value


@pytest.mark.parametrize("field", ["payload", "overrides"])
def test_depth_is_bounded_to_the_level(field: str) -> None:
    validate(replace(NOTIFICATION, **{field: nested(MAX_DEPTH)}), WORKFLOW)
    for levels in (MAX_DEPTH + 1, 100_000):
        with pytest.raises(ValidationError, match=f"{field} is more than {MAX_DEPTH} levels deep"):
            validate(replace(NOTIFICATION, **{field: nested(levels)}), WORKFLOW)


def sized(size: int) -> dict[str, Any]:
    """An object that is `size` bytes of UTF-8 as JSON."""
    around = len(json.dumps({"a": ""}))
    return {"a": "é" * ((size - around) // 2) + "x" * ((size - around) % 2)}


@pytest.mark.parametrize("field", ["payload", "overrides"])
def test_size_is_bounded_to_the_byte(field: str) -> None:
    fits = sized(MAX_PAYLOAD_BYTES)
    assert len(json.dumps(fits, ensure_ascii=False).encode()) == MAX_PAYLOAD_BYTES
    validate(replace(NOTIFICATION, **{field: fits}), WORKFLOW)
    with pytest.raises(ValidationError, match=f"{field} has {MAX_PAYLOAD_BYTES + 1} bytes"):
        validate(replace(NOTIFICATION, **{field: sized(MAX_PAYLOAD_BYTES + 1)}), WORKFLOW)


def test_the_number_and_length_of_recipients_are_bounded_to_the_one() -> None:
    most = tuple(f"{number:0{MAX_NAME}}" for number in range(MAX_RECIPIENTS))
    validate(replace(NOTIFICATION, recipients=most), WORKFLOW)
    for recipients in ((*most, "one-more"), ("x" * (MAX_NAME + 1),)):
        with pytest.raises(ValidationError):
            validate(replace(NOTIFICATION, recipients=recipients), WORKFLOW)


def test_the_schemas_size_is_bounded_to_the_byte() -> None:
    around = len(json.dumps({"title": ""}))
    check({}, {"title": "x" * (MAX_SCHEMA_BYTES - around)})
    assert "is longer than" in refusal({}, {"title": "x" * (MAX_SCHEMA_BYTES - around + 1)})


def test_unique_items_of_mixed_types_are_checked_in_a_moment() -> None:
    started = time.monotonic()
    items = [[number] if number % 2 else str(number) for number in range(40_000)]
    check({"a": items}, {"properties": {"a": {"uniqueItems": True}}})
    assert time.monotonic() - started < 2
