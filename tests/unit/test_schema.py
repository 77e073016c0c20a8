"""A model becomes a structural schema that the API server takes, or an error that says why it cannot."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

import pytest
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, ValidationError
from pydantic.errors import PydanticInvalidForJsonSchema
from typing_extensions import override

from xnovu.core.schema import UNIQUE, Cel, ListMap, Match, structural_schema


class Documented(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True)


def field_schema(annotation: Any, **default: object) -> dict[str, Any]:
    """The schema of a single field of that type."""
    model = type(
        "Probe",
        (BaseModel,),
        {"__annotations__": {"field": annotation}, "__module__": __name__, **default},
    )
    schema: dict[str, Any] = structural_schema(model)["properties"]["field"]
    return schema


class Colour(StrEnum):
    """Which colour."""

    RED = "Red"
    BLUE = "Blue"


class Inner(Documented):
    """An inner object."""

    key: Annotated[str, Field(max_length=5)]
    """Its key."""


class Node(BaseModel):
    child: "Node | None" = None


def test_an_optional_field_is_its_type_and_not_required() -> None:
    class Model(BaseModel):
        needed: int
        optional: int | None = None

    assert structural_schema(Model) == {
        "type": "object",
        "properties": {"needed": {"type": "integer"}, "optional": {"type": "integer"}},
        "required": ["needed"],
    }


def test_an_exclusive_bound_is_spelled_as_a_flag() -> None:
    assert field_schema(Annotated[float, Field(gt=0, lt=9)]) == {
        "type": "number",
        "minimum": 0,
        "exclusiveMinimum": True,
        "maximum": 9,
        "exclusiveMaximum": True,
    }


def test_another_model_is_put_in_its_place() -> None:
    schema = field_schema(Inner)
    assert schema["properties"]["key"] == {
        "type": "string",
        "maxLength": 5,
        "description": "Its key.",
    }
    assert schema["description"] == "An inner object."


def test_the_description_of_the_field_beats_that_of_its_type() -> None:
    class Model(Documented):
        inner: Inner
        """What it is for here."""

    assert structural_schema(Model)["properties"]["inner"]["description"] == "What it is for here."


def test_a_paragraph_is_one_line() -> None:
    class Model(Documented):
        field: str
        """First line,
        second line.

        Another paragraph."""

    described = structural_schema(Model)["properties"]["field"]["description"]
    assert described == "First line, second line.\n\nAnother paragraph."


def test_an_enum_lists_its_values() -> None:
    assert field_schema(Colour)["enum"] == ["Red", "Blue"]


@pytest.mark.parametrize(
    ("annotation", "default", "text"),
    [
        (Colour, Colour.RED, "Which colour. Default: Red."),
        (bool, False, " Default: false."),
        (tuple[Colour, ...], (Colour.RED, Colour.BLUE), " Default: Red, Blue."),
    ],
)
def test_a_default_is_said_and_not_set(annotation: Any, default: object, text: str) -> None:
    schema = field_schema(annotation, field=default)
    assert schema["description"] == text
    assert "default" not in schema


@pytest.mark.parametrize(("annotation", "default"), [(int | None, None), (tuple[int, ...], ())])
def test_an_empty_default_is_not_mentioned(annotation: Any, default: object) -> None:
    assert "description" not in field_schema(annotation, field=default)


def test_free_json_keeps_what_it_holds() -> None:
    kept = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    assert field_schema(Mapping[str, JsonValue]) == kept


def test_a_mapping_of_texts_says_so() -> None:
    texts = {"type": "object", "additionalProperties": {"type": "string"}}
    assert field_schema(Mapping[str, str]) == texts


def test_lists_say_how_two_writers_share_them() -> None:
    assert field_schema(Annotated[tuple[int, ...], UNIQUE])["x-kubernetes-list-type"] == "set"
    by_key = field_schema(Annotated[tuple[Inner, ...], ListMap("key")])
    assert by_key["x-kubernetes-list-type"] == "map"
    assert by_key["x-kubernetes-list-map-keys"] == ["key"]


def test_a_time_is_a_string_in_that_format() -> None:
    assert field_schema(AwareDatetime) == {"type": "string", "format": "date-time"}


def test_rules_of_a_type_and_of_its_use_are_both_kept() -> None:
    class Ruled(BaseModel):
        @override
        @classmethod
        def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> Any:
            produced = handler.resolve_ref_schema(handler(schema))
            produced["x-kubernetes-validations"] = [{"rule": "has(self.a)", "message": "a"}]
            return produced

    schema = field_schema(Annotated[Ruled, Cel("self == oldSelf", "fixed")])
    rules = [rule["rule"] for rule in schema["x-kubernetes-validations"]]
    assert rules == ["has(self.a)", "self == oldSelf"]


def test_a_rule_names_the_member_that_it_is_about() -> None:
    rule = Cel("has(self.a)", "a is missing", "a").as_rule()
    assert rule == {"rule": "has(self.a)", "message": "a is missing", "fieldPath": ".a"}


def test_an_expression_is_checked_by_both_sides_over_the_whole_text() -> None:
    class Model(BaseModel):
        field: Annotated[str, Match("[a-z]+|[0-9]+x", "write letters")]

    assert Model(field="abc").field == "abc"
    for bad in ("abc1", "1", "", "abc\n"):
        with pytest.raises(ValidationError, match="write letters"):
            Model(field=bad)


def test_a_unique_list_refuses_the_second_of_two() -> None:
    class Model(BaseModel):
        field: Annotated[tuple[str, ...], UNIQUE]

    with pytest.raises(ValidationError, match="duplicate value: a"):
        Model(field=("a", "b", "a"))


@pytest.mark.parametrize(
    ("annotation", "why"),
    [
        (int | str, "A union: use optional fields"),
        (tuple[int, str], "A tuple of fixed length"),
        (Node, "Node contains itself"),
    ],
)
def test_what_no_structural_schema_can_say_is_an_error(annotation: Any, why: str) -> None:
    with pytest.raises(PydanticInvalidForJsonSchema, match=why):
        field_schema(annotation)
