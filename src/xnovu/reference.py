"""The pages of docs/reference that are generated: a kind's fields, the reasons, the settings. Text only, no files.

Everything said here comes from docstrings of the models, the errors, the reasons and the settings; a page is mended
there. Used by `xnovu.crdgen`, and by `xnovu.commands.page`, which has the page of the commands.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic.json_schema import JsonSchemaValue

from xnovu.core import ids
from xnovu.core.api.v1alpha1 import API_VERSION, CATEGORIES
from xnovu.core.api.v1alpha1.common import Kind
from xnovu.core.errors import XNovuError
from xnovu.core.reasons import DeliveryProblem, Reason
from xnovu.core.schema import PRESERVE, RULES
from xnovu.settings import Settings

_ANNOTATIONS: Final[tuple[tuple[str, str], ...]] = (
    (
        ids.ANNOTATION_RECONCILE,
        "Any new value, a time by custom: the object is looked at now. Acknowledged in `status.lastHandledReconcile`.",
    ),
    (
        ids.ANNOTATION_TRIGGER,
        "Any new value: the rule runs now, once. Acknowledged in `status.lastHandledTrigger`.",
    ),
    (
        ids.ANNOTATION_FORCE_FINALIZE,
        '"true": lets the object be deleted although Temporal does not answer. What is left there stays.',
    ),
)

_CONDITIONS: Final = (
    ("Ready", "True: the object does what it says."),
    ("Reconciling", "True: the operator is at it. Wait."),
    ("Stalled", "True: somebody must mend something; the message says what."),
    ("Synced", "True: what is in Temporal is what the object says. False: it was changed there."),
    ("Suspended", "True: nothing starts, because somebody wanted so."),
)


def kind_page(kind: Kind, schema: JsonSchemaValue) -> str:
    """Fields, columns and annotations of one kind."""
    members: Mapping[str, JsonSchemaValue] = schema["properties"]
    triggered = "lastHandledTrigger" in members["status"]["properties"]
    annotations = (a for a in _ANNOTATIONS if triggered or a[0] != ids.ANNOTATION_TRIGGER)
    names = f"`{kind.plural}`, `{kind.short_name}` (and `{'`, `'.join(CATEGORIES)}` for all kinds)"
    return page(
        "the models in src/xnovu/core/api",
        kind.kind,
        str(schema["description"]),
        f"`{API_VERSION}`, namespaced. For kubectl: {names}.",
        *_sections("spec", members["spec"]),
        *_sections("status", members["status"]),
        "## Columns",
        table(
            ("column", "shows", "when"),
            (
                (c.name, f"`{c.path}`", "with `-o wide`" if c.wide else "always")
                for c in kind.columns
            ),
        ),
        "## Annotations",
        table(("annotation", "value and effect"), ((f"`{n}`", text) for n, text in annotations)),
    )


def reasons_page() -> str:
    """Every reason of a condition, an event, an `error_details` or a metric."""
    return page(
        "src/xnovu/core/reasons.py and src/xnovu/core/errors.py",
        "Reasons",
        "A reason is a constant in CamelCase and part of the API: it is never renamed. The message beside it says"
        " what to do in the case at hand.",
        "## Conditions",
        table(("condition", "meaning"), _CONDITIONS),
        "## Reasons of conditions",
        table(("reason", "meaning"), ((f"`{r.value}`", r.meaning) for r in Reason)),
        "## Reasons of errors",
        "They appear in conditions and events of objects, in `error_details` of notifications, and as a label of"
        " metrics. *Tried again*: XNovu goes on by itself, at growing intervals.",
        table(
            ("reason", "meaning", "tried again"),
            (
                (f"`{e.reason}`", _first_paragraph(e.__doc__), "yes" if e.retryable else "no")
                for e in _errors(XNovuError)
            ),
        ),
        "## Delivery problems",
        "In `delivery_problem` of a notification that Novu accepted, and as a label of the metric"
        " `notification_unreached_total`. Its status stays SENT; `delivery_report` has the numbers, and"
        " `notify.notification_delivery` every recipient and channel.",
        table(("problem", "meaning"), ((f"`{p.value}`", p.meaning) for p in DeliveryProblem)),
    )


def settings_page() -> str:
    """Every environment variable of the operator and the worker."""
    groups = ((name, f.annotation) for name, f in Settings.model_fields.items())
    return page(
        "src/xnovu/settings.py",
        "Settings",
        "Settings are of a process: environment variables of the operator and the worker, read once at the start."
        " What an enterprise wants is configuration and stands in its Enterprise. `xnovu check-config` shows the"
        " settings as read, secrets hidden.",
        *(
            part
            for name, group in groups
            if isinstance(group, type) and issubclass(group, BaseModel)
            for part in _settings(name, group)
        ),
    )


def _settings(name: str, group: type[BaseModel]) -> Iterator[str]:
    yield f"## {name.capitalize()}"
    yield _first_paragraph(group.__doc__)
    yield table(
        ("variable", "type", "default", "meaning"),
        (
            (
                f"`XNOVU_{name.upper()}__{field.upper()}`",
                _python_type(info.annotation),
                _python_default(info),
                info.description or "",
            )
            for field, info in group.model_fields.items()
        ),
    )


def _sections(path: str, schema: JsonSchemaValue, level: int = 2) -> Iterator[str]:
    """One section for an object, then one for each object in it."""
    members: Mapping[str, JsonSchemaValue] = schema.get("properties", {})
    required = frozenset(schema.get("required", ()))
    yield f"{'#' * level} {path}"
    yield str(schema.get("description", ""))
    yield table(
        ("field", "type", "meaning"),
        (
            (
                f"`{n}`" + (" (required)" if n in required else ""),
                _type(s),
                s.get("description", ""),
            )
            for n, s in members.items()
        ),
    )
    refusals = tuple(_refusals(schema, members))
    if refusals:
        yield "The API server refuses what breaks these:"
        yield "\n".join(f"- {refusal}" for refusal in refusals)
    for name, member in members.items():
        inner, suffix = (member["items"], "[]") if "items" in member else (member, "")
        if "properties" in inner:
            yield from _sections(f"{path}.{name}{suffix}", inner, level=3)


def _refusals(schema: JsonSchemaValue, members: Mapping[str, JsonSchemaValue]) -> Iterator[str]:
    """What the rules of an object and of its values say; an object in it has its own section."""
    yield from (rule["message"] for rule in schema.get(RULES, ()))
    for name, member in members.items():
        values = () if "properties" in member else (member, member.get("items", {}))
        for rule in (rule for value in values for rule in value.get(RULES, ())):
            yield f"`{name}`: {rule['message']}"


def _type(schema: JsonSchemaValue) -> str:
    match schema:
        case {"enum": [*values]}:
            return " | ".join(str(value) for value in values)
        case {"items": inner}:
            return f"list{_bounds(schema, 'Items')}: {_type(inner)}"
        case {"format": "date-time"}:
            return "time"
        case {"type": "object"}:
            return "free JSON object" if schema.get(PRESERVE) else "object"
        case {"type": "string"}:
            # Rules say more than the lengths that stand beside them.
            return "string" if RULES in schema else f"string{_bounds(schema, 'Length')}"
        case _:
            return f"{schema['type']}{_bounds(schema, 'imum')}"


def _bounds(schema: JsonSchemaValue, of: str) -> str:
    """The bounds of a length (`Length`), of a list (`Items`) or of a number (`imum`)."""
    unit = {"Length": " characters", "Items": "", "imum": ""}[of]
    low, high = schema.get(f"min{of}"), schema.get(f"max{of}")
    match low, high:
        case None, None:
            return ""
        case None, _:
            return f", up to {high}{unit}"
        case _, None:
            return f", {low} or more"
        case _:
            above = "above " if schema.get("exclusiveMinimum") else ""
            return f", {above}{low} to {high}{unit}"


def _errors(base: type[XNovuError]) -> Iterator[type[XNovuError]]:
    """The class and everything below it, in the order of the source."""
    yield base
    for error in base.__subclasses__():
        if error.__module__ == base.__module__:
            yield from _errors(error)


def _python_type(annotation: Any) -> str:
    if get_origin(annotation) in (Union, UnionType):
        return ", ".join(_python_type(a) for a in get_args(annotation) if a is not NoneType)
    if get_origin(annotation) is Literal:
        return " | ".join(str(value) for value in get_args(annotation))
    if get_origin(annotation) is tuple:
        return "JSON list" if get_args(annotation)[0] is str else "JSON list of numbers"
    names = {str: "text", int: "number", float: "number", bool: "true | false"}
    return {**names, Path: "path", SecretStr: "secret"}.get(annotation, str(annotation))


def _python_default(info: FieldInfo) -> str:
    match info.default:
        case None:
            return ""
        case tuple() as values:
            return f"`[{', '.join(f'{value:g}' for value in values)}]`"
        case bool() as value:
            return f"`{str(value).lower()}`"
        case float() as value:
            return f"`{value:g}`"
        case Enum() as value:
            return f"`{value.value}`"
        case value:
            return f"`{value}`"


def _first_paragraph(text: str | None) -> str:
    return " ".join((text or "").split("\n\n")[0].split())


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [header, ["---"] * len(header), *([_cell(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(text: str) -> str:
    """One line; a bar would end the cell."""
    return " ".join(text.split()).replace("|", "\\|")


def page(source: str, title: str, *parts: str) -> str:
    """A generated page: where it comes from, its title, its parts; empty ones are left out."""
    notice = f"<!-- Generated by `make generate` from {source}; do not edit. -->"
    return "\n\n".join((notice, f"# {title}", *(part for part in parts if part))) + "\n"
