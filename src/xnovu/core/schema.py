"""Structural schemas: what turns a pydantic model into the OpenAPI part of a CustomResourceDefinition.

Annotations (`Cel`, `Match`, `ListMap`, `UNIQUE`) say what the API server shall check, beside the type they belong to;
`StructuralSchema` writes a schema that kube-apiserver accepts and returns unchanged, so nothing is patched afterwards.
Not in here: the envelope of a CRD and any file (`xnovu.crdgen`). Used by the models in `core.api` and by `crdgen`.

Kubernetes' rules for structural schemas:
https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from pydantic import BaseModel, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.errors import PydanticInvalidForJsonSchema
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema
from typing_extensions import override

RULES: Final = "x-kubernetes-validations"
PRESERVE: Final = "x-kubernetes-preserve-unknown-fields"
LIST_TYPE: Final = "x-kubernetes-list-type"
LIST_MAP_KEYS: Final = "x-kubernetes-list-map-keys"
_DEFAULT: Final = "x-model-default"
_DROPPED: Final = frozenset({"title", "default", "const", "uniqueItems", _DEFAULT})


@dataclass(frozen=True, slots=True)
class Cel:
    """A CEL rule that the API server checks, and what it says when the rule is broken.

    `field` names the member that the message is about, for rules over an object.
    """

    rule: str
    message: str
    field: str | None = None

    def as_rule(self) -> dict[str, str]:
        rule = {"rule": self.rule, "message": self.message}
        return rule if self.field is None else {**rule, "fieldPath": f".{self.field}"}

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return add_rules(handler(schema), self)


@dataclass(frozen=True, slots=True)
class Match:
    """A regular expression for a string, checked by the API server (as CEL) and by the model, with one message.

    CEL instead of `pattern`, because the API server would answer a broken `pattern` with the expression itself, which
    helps nobody. The dialect is what RE2 and Python share; without `'`, since CEL quotes it so.
    """

    pattern: str
    message: str

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        compiled = re.compile(self.pattern)

        def check(value: str) -> str:
            if compiled.fullmatch(value) is None:
                raise PydanticCustomError("xnovu", "{message}", {"message": self.message})
            return value

        return core_schema.no_info_after_validator_function(check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return add_rules(handler(schema), Cel(f"self.matches(r'^{self.pattern}$')", self.message))


@dataclass(frozen=True, slots=True)
class ListMap:
    """A list whose items are told apart by one field, so that two writers can each own some of them."""

    key: str

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {**handler(schema), LIST_TYPE: "map", LIST_MAP_KEYS: [self.key]}


@dataclass(frozen=True, slots=True)
class ListSet:
    """A list without duplicates."""

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_after_validator_function(_refuse_duplicates, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {**handler(schema), LIST_TYPE: "set"}


UNIQUE: Final = ListSet()


def _refuse_duplicates(values: tuple[object, ...]) -> tuple[object, ...]:
    for index, value in enumerate(values):
        if value in values[:index]:
            raise PydanticCustomError("xnovu", "duplicate value: {value}", {"value": str(value)})
    return values


def add_rules(schema: JsonSchemaValue, *rules: Cel) -> JsonSchemaValue:
    """The schema with more rules; those that it has come first."""
    return {**schema, RULES: [*schema.get(RULES, []), *(rule.as_rule() for rule in rules)]}


def structural_schema(model: type[BaseModel]) -> JsonSchemaValue:
    """The structural schema of a model, complete in itself.

    Raises `PydanticInvalidForJsonSchema` for what cannot be said in one: unions, fixed tuples, recursion.
    """
    return model.model_json_schema(by_alias=True, schema_generator=StructuralSchema)


class StructuralSchema(GenerateJsonSchema):
    """pydantic's generator with Kubernetes' dialect. Defaults go into the description, never into the schema.

    The API server would write a schema's defaults into each stored object, and a GitOps tool would then see a
    difference to what is in git; a default that lives in the model only can also be mended later.
    """

    @override
    def generate(self, schema: CoreSchema, mode: JsonSchemaMode = "validation") -> JsonSchemaValue:
        produced = super().generate(schema, mode)
        return _inline(produced, produced.pop("$defs", {}), ())

    @override
    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    @override
    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        inner = self.generate_inner(schema["schema"])
        text = _default_text(schema.get("default"))
        return inner if text is None else {**inner, _DEFAULT: text}

    @override
    def tuple_schema(self, schema: core_schema.TupleSchema) -> JsonSchemaValue:
        if schema.get("variadic_item_index") != 0 or len(schema["items_schema"]) != 1:
            raise PydanticInvalidForJsonSchema("A tuple of fixed length: use a model.")
        return super().tuple_schema(schema)

    @override
    def union_schema(self, schema: core_schema.UnionSchema) -> JsonSchemaValue:
        raise PydanticInvalidForJsonSchema("A union: use optional fields and a Cel rule.")

    @override
    def tagged_union_schema(self, schema: core_schema.TaggedUnionSchema) -> JsonSchemaValue:
        raise PydanticInvalidForJsonSchema("A tagged union: use optional fields and a Cel rule.")


def _default_text(default: object) -> str | None:
    """How a default reads in a description; None where there is nothing to say."""
    match default:
        case None | BaseModel() | () | "":
            return None
        case tuple():
            return ", ".join(str(_plain(item)) for item in default)
        case bool():
            return str(default).lower()
        case _:
            return str(_plain(default))


def _plain(value: object) -> object:
    return value.value if isinstance(value, Enum) else value


Definitions = Mapping[str, JsonSchemaValue]


def _inline(
    node: JsonSchemaValue, definitions: Definitions, path: tuple[str, ...]
) -> JsonSchemaValue:
    """One schema with everything that it refers to put in its place, in the dialect of the API server."""
    name = str(node.get("$ref", "")).removeprefix("#/$defs/")
    if not name:
        return _members(_keywords(node), definitions, path)
    if name in path:
        raise PydanticInvalidForJsonSchema(f"{name} contains itself: {' > '.join((*path, name))}")
    use = {key: value for key, value in node.items() if key != "$ref"}
    target = definitions[name]
    rules = [*target.get(RULES, []), *use.get(RULES, [])]
    merged = {**target, **use, **({RULES: rules} if rules else {})}
    return _inline(merged, definitions, (*path, name))


def _members(
    node: JsonSchemaValue, definitions: Definitions, path: tuple[str, ...]
) -> JsonSchemaValue:
    if "properties" in node:
        members: dict[str, JsonSchemaValue] = node["properties"]
        node["properties"] = {k: _inline(v, definitions, path) for k, v in members.items()}
    for key in ("items", "additionalProperties"):
        if key in node:
            node[key] = _inline(node[key], definitions, path)
    if node.get("additionalProperties") == {}:
        # Values of any JSON: a structural schema has no empty one.
        del node["additionalProperties"]
        node[PRESERVE] = True
    return node


def _keywords(node: JsonSchemaValue) -> JsonSchemaValue:
    """The keywords of one schema, without its members, in the API server's spelling."""
    out: dict[str, Any] = {key: value for key, value in node.items() if key not in _DROPPED}
    if "const" in node:
        out["enum"] = [node["const"]]
    if node.get("uniqueItems"):
        out[LIST_TYPE] = "set"
    for bound in ("Minimum", "Maximum"):
        if f"exclusive{bound}" in node:
            out[bound.lower()] = node[f"exclusive{bound}"]
            out[f"exclusive{bound}"] = True
    more = out.pop("additionalProperties", False)
    if more is not False:
        out["additionalProperties"] = {} if more is True else more
    text = _description(node)
    return {**out, "description": text} if text else out


def _description(node: JsonSchemaValue) -> str:
    """Paragraphs on one line each (whoever shows them wraps them), then the default."""
    paragraphs = str(node.get("description", "")).split("\n\n")
    text = "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
    return f"{text} Default: {node[_DEFAULT]}." if _DEFAULT in node else text
