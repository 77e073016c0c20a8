"""What both definitions promise to whoever applies objects: bounds, descriptions, and no defaults."""

from collections.abc import Iterator
from typing import Any

import pytest

from xnovu.core.api.v1alpha1 import Enterprise, NotificationRule
from xnovu.crdgen import RESOURCES, definition

Schema = dict[str, Any]
FREE = {"spec.notification.payload", "spec.notification.overrides"}


def root(resource: type[Enterprise] | type[NotificationRule]) -> Schema:
    found: Any = definition(resource)
    schema: Schema = found["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return schema


def walk(schema: Schema, path: str) -> Iterator[tuple[str, Schema]]:
    yield path, schema
    for name, member in schema.get("properties", {}).items():
        yield from walk(member, f"{path}.{name}")
    if "items" in schema:
        yield from walk(schema["items"], f"{path}[]")


def nodes(part: str) -> list[Any]:
    return [
        pytest.param(path, schema, id=f"{resource.__name__} {path}")
        for resource in RESOURCES
        for path, schema in walk(root(resource)["properties"][part], part)
    ]


@pytest.mark.parametrize(("path", "schema"), nodes("spec"))
def test_everything_that_a_person_writes_is_bounded(path: str, schema: Schema) -> None:
    match schema["type"]:
        case "string":
            assert "enum" in schema or "maxLength" in schema
        case "array":
            assert "maxItems" in schema
        case "integer" | "number":
            assert {"minimum", "maximum"} <= schema.keys()
        case "object":
            assert path in FREE or "properties" in schema
        case kind:
            assert kind == "boolean"


@pytest.mark.parametrize(("path", "schema"), nodes("spec") + nodes("status"))
def test_everything_is_described_and_nothing_is_filled_in(path: str, schema: Schema) -> None:
    assert path.endswith("[]") or schema["description"].strip()
    expected = {"observedGeneration": -1} if path == "status" else None
    assert schema.get("default") == expected


@pytest.mark.parametrize("resource", RESOURCES)
def test_conditions_are_told_apart_by_their_type(
    resource: type[Enterprise] | type[NotificationRule],
) -> None:
    conditions = root(resource)["properties"]["status"]["properties"]["conditions"]
    assert conditions["x-kubernetes-list-type"] == "map"
    assert conditions["x-kubernetes-list-map-keys"] == ["type"]


def columns(resource: type[Enterprise] | type[NotificationRule]) -> tuple[list[str], list[str]]:
    found: Any = definition(resource)
    shown = found["spec"]["versions"][0]["additionalPrinterColumns"]
    narrow = [column["name"] for column in shown if "priority" not in column]
    return narrow, [column["name"] for column in shown if column.get("priority") == 1]


def test_the_columns_of_an_enterprise_are_those_of_the_design() -> None:
    narrow = ["READY", "STATUS", "MODE", "PENDING", "FAILED", "RULES", "AGE"]
    assert columns(Enterprise) == (narrow, ["MESSAGE", "ID"])


def test_the_columns_of_a_rule_are_those_of_the_design() -> None:
    narrow = ["ENTERPRISE", "SCHEDULE", "TIMEZONE", "NEXT", "LAST", "READY", "STATUS", "AGE"]
    assert columns(NotificationRule) == (narrow, ["MESSAGE"])
