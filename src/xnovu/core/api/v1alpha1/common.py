"""What both kinds share: names of the group, the base models, durations, times, zones, conditions, metadata.

The models describe what the API server stores. Their docstrings are what `kubectl explain` and the reference show.
Unknown fields are ignored on reading, because an older operator must be able to read a newer object; the API server
prunes or refuses them on writing. Used by the two kinds, by `xnovu.crdgen` and by the operator.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, ClassVar, Final, Literal

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainSerializer,
)
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema
from typing_extensions import override

from xnovu.core.schema import Cel, ListMap, Match, add_rules

GROUP: Final = "xnovu.io"
VERSION: Final = "v1alpha1"
API_VERSION: Final = "xnovu.io/v1alpha1"
CATEGORIES: Final = ("xnovu",)

_UNITS: Final = {"h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
_DURATION: Final = r"([0-9]{1,5}h)?([0-9]{1,5}m)?([0-9]{1,5}s)?([0-9]{1,5}ms)?"
_DURATION_HELP: Final = "write a duration such as 500ms, 5s, 10m, 1h or 1h30m"


class ApiModel(BaseModel):
    """Base of everything inside the two kinds: frozen, camelCase outside, described by its docstrings.

    `object_rules` are checked by the API server over the whole object.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        use_attribute_docstrings=True,
    )

    object_rules: ClassVar[tuple[Cel, ...]] = ()

    @override
    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        produced = handler.resolve_ref_schema(handler(schema))
        produced.update(add_rules(produced, *cls.object_rules) if cls.object_rules else {})
        return produced


class Duration(str):
    """A length of time as people write it; `delta` is its value. The text is kept, so nothing ever looks changed."""

    __slots__ = ()

    @property
    def delta(self) -> timedelta:
        parts = re.findall(r"([0-9]+)(ms|[hms])", self)
        return timedelta(milliseconds=sum(int(count) * _UNITS[unit] for count, unit in parts))

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        text = Annotated[str, Field(min_length=2, max_length=32), Match(_DURATION, _DURATION_HELP)]
        return core_schema.no_info_after_validator_function(cls, handler.generate_schema(text))


def is_duration(operand: str) -> str:
    """CEL: whether a text is a duration. Rules over several fields ask it first, or a wrong field would be answered
    with an error of the evaluation beside its own message.
    """
    return f"{operand}.matches(r'^{_DURATION}$')"


@dataclass(frozen=True, slots=True)
class Between:
    """Bounds of a `Duration`, both included, checked by the API server and by the model.

    `whole_seconds`: Temporal's intervals have no smaller unit.
    """

    low: str
    high: str
    whole_seconds: bool = False

    @property
    def message(self) -> str:
        return f"write a duration from {self.low} to {self.high}"

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        # What is no duration at all has its own rule and message.
        inside = (
            f"duration(self) >= duration('{self.low}') && duration(self) <= duration('{self.high}')"
        )
        bounds = Cel(f"!{is_duration('self')} || ({inside})", self.message)
        whole = (Cel("!self.contains('ms')", "write whole seconds"),) if self.whole_seconds else ()
        return add_rules(handler(schema), bounds, *whole)

    def _check(self, value: Duration) -> Duration:
        if not Duration(self.low).delta <= value.delta <= Duration(self.high).delta:
            raise PydanticCustomError("xnovu", "{message}", {"message": self.message})
        if self.whole_seconds and "ms" in value:
            raise PydanticCustomError("xnovu", "write whole seconds")
        return value


TimeZone = Annotated[
    str,
    Field(min_length=1, max_length=64),
    Match(
        r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}",
        "write an IANA time zone such as Europe/Berlin or UTC; an offset such as +02:00 is not a zone",
    ),
]
"""The name of a zone; whether there is one of that name only the operator can tell."""

LOCAL_DATE: Final = r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
LOCAL_TIME: Final = r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
OFFSET: Final = r"(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"

LocalDate = Annotated[
    str,
    Field(min_length=10, max_length=10),
    Match(LOCAL_DATE, "write a date such as 2026-12-24"),
]

Moment = Annotated[
    str,
    Field(min_length=19, max_length=25),
    Match(
        f"{LOCAL_DATE}T{LOCAL_TIME}{OFFSET}?",
        "write a time such as 2026-12-24T08:00:00 (in the schedule's time zone) or 2026-12-24T08:00:00+01:00",
    ),
]
"""A local time of the schedule's zone, or an instant with its offset. ISO 8601, `datetime.fromisoformat` reads it."""

ObjectName = Annotated[
    str,
    Field(min_length=1, max_length=253),
    Match(
        r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?",
        "write the name of an object of the same namespace: lower-case letters, digits, - and .",
    ),
]


def _seconds(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


Timestamp = Annotated[AwareDatetime, PlainSerializer(_seconds, return_type=str, when_used="json")]
"""A time in a status: UTC, to the second, as Kubernetes writes its own."""

Count = Annotated[int, Field(ge=0)]
Text = Annotated[str, Field(max_length=1024)]


class SecretReference(ApiModel):
    """A secret of the same namespace."""

    name: ObjectName
    """Name of the secret."""


class Condition(ApiModel):
    """One aspect of the object's state, in the standard form of Kubernetes."""

    type: Annotated[str, Field(min_length=1, max_length=316)]
    """Ready, Reconciling, Stalled, Synced or Suspended."""

    status: Literal["True", "False", "Unknown"]
    """True, False or Unknown."""

    reason: Annotated[str, Field(min_length=1, max_length=1024)]
    """A constant in CamelCase, part of the API; the reference of reasons lists them."""

    message: Annotated[str, Field(max_length=32768)]
    """What is the case, and what to do where something is wrong."""

    observed_generation: Annotated[int, Field(ge=0)]
    """The metadata.generation that this condition speaks about."""

    last_transition_time: Timestamp
    """When the status last changed."""


Conditions = Annotated[tuple[Condition, ...], Field(max_length=16), ListMap("type")]


class Metadata(ApiModel):
    """What XNovu reads of an object's metadata; the API server owns the rest."""

    name: str
    namespace: str = ""
    uid: str = ""
    generation: int = 0
    resource_version: str = ""
    labels: Mapping[str, str] = Field(default_factory=dict)
    annotations: Mapping[str, str] = Field(default_factory=dict)
    finalizers: tuple[str, ...] = ()
    creation_timestamp: AwareDatetime | None = None
    deletion_timestamp: AwareDatetime | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """A column of `kubectl get`. `wide`: with `-o wide` only."""

    name: str
    path: str
    type: Literal["string", "integer", "date"] = "string"
    wide: bool = False


def condition_column(name: str, member: str, *, wide: bool = False) -> Column:
    """A column that shows one member of the Ready condition."""
    return Column(name, f'.status.conditions[?(@.type=="Ready")].{member}', wide=wide)


@dataclass(frozen=True, slots=True)
class Kind:
    """How Kubernetes names a kind and lists its objects."""

    kind: str
    plural: str
    short_name: str
    columns: tuple[Column, ...]

    @property
    def crd_name(self) -> str:
        return f"{self.plural}.{GROUP}"
