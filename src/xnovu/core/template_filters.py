"""The filters that templates may use: an allow-list of small pure functions, the original's among them.

Each is called with its value measured against the budget before, and its result after. A filter that answers `Markup`
vouches that the text is harmless HTML. Used by `core.template_language` only.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from jinja2.runtime import Undefined
from markupsafe import Markup, escape

from xnovu.core.sanitise import safe_link, sanitise, to_text
from xnovu.core.template_budget import MAX_OUTPUT, TemplateRefused

Filter = Callable[..., object]

_MAX_NUMBER: Final = 15
"""Decimal digits: beyond, floats lose them and integers grow without end."""

SMS_LENGTH: Final = 1600
_SUBJECT: Final = re.compile(
    r"<(title|h1|h2)\b[^>]{0,200}>(.{0,300}?)</\1>", re.IGNORECASE | re.DOTALL
)


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


def _extract_subject(value: object) -> str:
    """The first title or heading of HTML, else the first line of its text."""
    text = text_of(value)
    found = _SUBJECT.search(text)
    lines = to_text(found[2] if found else text).split("\n")
    return lines[0]


def _sanitize_sms(value: object) -> str:
    return to_text(text_of(value))[:SMS_LENGTH]


_MARKDOWN: Final = (
    (re.compile(r"`([^`\n]{1,200})`"), r"<code>\1</code>"),
    (re.compile(r"\*\*([^*\n]{1,200})\*\*"), r"<strong>\1</strong>"),
    (re.compile(r"\*([^*\n]{1,200})\*"), r"<em>\1</em>"),
)
_LINK: Final = re.compile(r"\[([^\[\]\n]{1,200})\]\(([^()\s]{1,300})\)")
_HEADING: Final = re.compile(r"(#{1,6}) (.+)")


def _inline(line: str) -> str:
    text = str(escape(line))
    for pattern, written in _MARKDOWN:
        text = pattern.sub(written, text)

    def link(found: re.Match[str]) -> str:
        return f'<a href="{found[2]}">{found[1]}</a>' if safe_link(found[2]) else found[1]

    return _LINK.sub(link, text)


def _markdown(value: object) -> Markup:
    """Headings, lists, paragraphs, emphasis, code and links; HTML in it is shown, not used."""
    written: list[str] = []
    for block in re.split(r"\n[ \t]*\n", text_of(value).strip()):
        lines = block.splitlines()
        heading = _HEADING.fullmatch(block)
        if heading:
            level = len(heading[1])
            written.append(f"<h{level}>{_inline(heading[2])}</h{level}>")
        elif lines and all(line.startswith(("- ", "* ")) for line in lines):
            items = "".join(f"<li>{_inline(line[2:])}</li>" for line in lines)
            written.append(f"<ul>{items}</ul>")
        elif lines:
            written.append(f"<p>{'<br>'.join(_inline(line) for line in lines)}</p>")
    # Overlapping emphasis leaves crossed elements: the sanitiser closes them.
    return Markup(sanitise("".join(written)))  # noqa: S704  # written anew by the allow-list


FILTERS: Final[Mapping[str, Filter]] = {
    "abs": lambda value: abs(_float(value)),
    "capitalize": lambda value: text_of(value).capitalize(),
    "count": _length,
    "d": _default,
    "default": _default,
    "e": lambda value: escape(text_of(value)),
    "escape": lambda value: escape(text_of(value)),
    "extract_subject": _extract_subject,
    "first": _first,
    "float": _float,
    "html_to_text": lambda value: to_text(text_of(value)),
    "int": _integer,
    "items": _items,
    "join": _join,
    "json": _json,
    "last": _last,
    "length": _length,
    "lower": lambda value: text_of(value).lower(),
    "markdown_to_html": _markdown,
    "replace": _replace,
    "reverse": _reverse,
    "round": _round,
    "sanitize_email": lambda value: Markup(sanitise(text_of(value))),  # noqa: S704  # written anew
    "sanitize_inapp": lambda value: Markup(sanitise(text_of(value), inline=True)),  # noqa: S704  # written anew
    "sanitize_sms": _sanitize_sms,
    "size": _length,
    "sort": _sort,
    "string": text_of,
    "strip_html": lambda value: to_text(text_of(value)),
    "title": lambda value: text_of(value).title(),
    "trim": lambda value: text_of(value).strip(),
    "truncate": _truncate,
    "unique": _unique,
    "upper": lambda value: text_of(value).upper(),
}

SLOW: Final = frozenset(
    name for name in FILTERS if "html" in name or "sanitize" in name or "subject" in name
)
"""They look at every character: some hundred times the work of the others."""
