"""The filters that templates may use: an allow-list of small pure functions, the original's among them.

Each is called with its value measured against the budget before, and its result after. A filter that answers `Markup`
vouches that the text is harmless HTML. Used by `core.template_language` only.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from operator import methodcaller
from typing import Final

from jinja2.runtime import Undefined
from markupsafe import Markup, escape

from xnovu.core import markdown, sanitise
from xnovu.core.template_budget import MAX_OUTPUT, TemplateRefused

Filter = Callable[..., object]

_MAX_NUMBER: Final = 15
"""Decimal digits: beyond, floats lose them and integers grow without end."""

SMS_LENGTH: Final = 1600


def text_of(value: object) -> str:
    """How a value is shown: null as nothing, true and false as JSON writes them. Lists and objects have no text."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, Undefined):
        return str(value)  # raises: names what is undefined
    raise TemplateRefused("a list or an object cannot be shown: use | join(', ') or | json")


def _default(value: object, other: object = "", boolean: object = None) -> object:
    return (
        other if isinstance(value, Undefined) or value is None or (boolean and not value) else value
    )


def _length(value: object) -> int:
    if isinstance(value, str | Mapping | Sequence):
        return len(value)
    raise TemplateRefused("only a text, a list or an object has a length")


def _items(value: object) -> list[object]:
    if isinstance(value, Mapping):
        return list(value.items())
    raise TemplateRefused("only an object has items")


def _listed(value: object) -> list[object]:
    if isinstance(value, str | Mapping | Sequence):
        return list(value)
    raise TemplateRefused("that is no list")


def _first(value: object) -> object:
    listed = _listed(value)
    return listed[0] if listed else None


def _last(value: object) -> object:
    listed = _listed(value)
    return listed[-1] if listed else None


def _reverse(value: object) -> object:
    return value[::-1] if isinstance(value, str) else _listed(value)[::-1]


def _sort(value: object, reverse: object = None) -> list[object]:
    numbers = [item for item in _listed(value) if isinstance(item, int | float)]
    if len(numbers) == _length(value):
        return sorted(numbers, reverse=bool(reverse))  # type: ignore[return-value]  # list is invariant
    return sorted(_listed(value), key=text_of, reverse=bool(reverse))


def _unique(value: object) -> list[object]:
    seen: dict[str, object] = {}
    for item in _listed(value):
        seen.setdefault(text_of(item), item)
    return list(seen.values())


def _join(value: object, separator: object = "") -> str:
    parts = [text_of(item) for item in _listed(value)]
    glue = text_of(separator)
    if len(parts) * len(glue) > MAX_OUTPUT:
        raise TemplateRefused("join makes too long a text")
    if any(isinstance(part, Markup) for part in parts):
        return escape(glue).join(parts)
    return glue.join(parts)


def _replace(value: object, old: object, new: object) -> str:
    text, wanted, other = text_of(value), text_of(old), text_of(new)
    if (text.count(wanted) + 1) * len(other) > MAX_OUTPUT:
        raise TemplateRefused("replace makes too long a text")
    return text.replace(wanted, other)


def _truncate(value: object, length: object = 255, end: object = "…") -> str:
    text, limit = text_of(value), _integer(length)
    return text if len(text) <= limit else text[: max(limit - len(text_of(end)), 0)] + text_of(end)


def _integer(value: object, other: object = None) -> int:
    try:
        number = _float(value, other)
        return int(number)
    except (ValueError, OverflowError):
        raise TemplateRefused("that is no whole number") from None


def _float(value: object, other: object = None) -> float:
    if isinstance(value, int | float) and abs(value) < 10**_MAX_NUMBER:
        return value
    try:
        # A payload may write 1_0 or an endless row of digits; nobody means them.
        if isinstance(value, str) and len(value) <= 2 * _MAX_NUMBER and "_" not in value:
            return float(value)
    except ValueError:
        pass
    if isinstance(other, int | float):
        return other
    raise TemplateRefused("that is no number")


def _round(value: object, digits: object = 0) -> float:
    places = _integer(digits)
    if not 0 <= places <= _MAX_NUMBER:
        raise TemplateRefused(f"round takes 0 to {_MAX_NUMBER} digits")
    rounded = round(_float(value), places)
    return rounded if places else int(rounded)


def _json(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        raise TemplateRefused("that cannot be written as JSON") from None


def _sanitize_sms(value: object) -> str:
    return sanitise.to_text(text_of(value))[:SMS_LENGTH]


def _harmless(work: Callable[[str], str]) -> Filter:
    return lambda value: Markup(work(text_of(value)))  # noqa: S704  # written anew by an allow-list


def _text(work: Callable[[str], str]) -> Filter:
    return lambda value: work(text_of(value))


FILTERS: Final[Mapping[str, Filter]] = {
    "abs": lambda value: abs(_float(value)),
    "capitalize": _text(methodcaller("capitalize")),
    "count": _length,
    "d": _default,
    "default": _default,
    "e": lambda value: escape(text_of(value)),
    "escape": lambda value: escape(text_of(value)),
    "extract_subject": _text(sanitise.title_of),
    "first": _first,
    "float": _float,
    "html_to_text": _text(sanitise.to_text),
    "int": _integer,
    "items": _items,
    "join": _join,
    "json": _json,
    "last": _last,
    "length": _length,
    "lower": _text(methodcaller("lower")),
    "markdown_to_html": _harmless(markdown.to_html),
    "replace": _replace,
    "reverse": _reverse,
    "round": _round,
    "sanitize_email": _harmless(sanitise.email),
    "sanitize_inapp": _harmless(sanitise.inbox),
    "sanitize_sms": _sanitize_sms,
    "size": _length,
    "sort": _sort,
    "string": text_of,
    "strip_html": _text(sanitise.to_text),
    "title": _text(methodcaller("title")),
    "trim": _text(methodcaller("strip")),
    "truncate": _truncate,
    "unique": _unique,
    "upper": _text(methodcaller("upper")),
}

COSTS: Final[Mapping[str, Callable[[str], int]]] = {
    **dict.fromkeys(
        ["html_to_text", "sanitize_email", "sanitize_inapp", "sanitize_sms", "strip_html"],
        sanitise.cost,
    ),
    "extract_subject": lambda text: 3 * sanitise.cost(text),
    "markdown_to_html": markdown.cost,
}
"""What those take that do more than look at a text once."""
