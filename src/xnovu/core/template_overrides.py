"""The overrides of a notification: strings in it that include a template are rendered, as the original did; others stay.

What a member is called says what it is: `html` becomes the body of an e-mail and is made harmless like one, a subject
or an address stays on one line, so that it cannot start a header. Pure. Called by `core.content`.
"""

from collections.abc import Mapping
from typing import Final

from pydantic import JsonValue

from xnovu.core.errors import clip
from xnovu.core.records import JsonObject
from xnovu.core.template_syntax import RENDER
from xnovu.core.templates import MARKS, Renderer, single_line

_HEADERS: Final = frozenset({"subject", "from", "to", "cc", "bcc", "replyto", "sendername"})


def includes(text: str) -> bool:
    """Whether a text of an override asks for a template."""
    return RENDER in text and any(mark in text for mark in MARKS)


def rendered_overrides(
    overrides: JsonObject, payload: JsonObject, renderer: Renderer
) -> dict[str, JsonValue]:
    """Raises TemplateError, which names the member."""
    return {
        key: _rendered(value, payload, renderer, f"overrides.{clip(key, 64)}", key)
        for key, value in overrides.items()
    }


def _rendered(
    value: JsonValue, payload: JsonObject, renderer: Renderer, name: str, member: str
) -> JsonValue:
    if isinstance(value, str):
        return _text(value, payload, renderer, name, member.lower())
    if isinstance(value, list):
        return [
            _rendered(item, payload, renderer, f"{name}[{index}]", member)
            for index, item in enumerate(value)
        ]
    if isinstance(value, Mapping):
        return {
            key: _rendered(item, payload, renderer, f"{name}.{clip(key, 64)}", key)
            for key, item in value.items()
        }
    return value


def _text(text: str, payload: JsonObject, renderer: Renderer, name: str, member: str) -> str:
    if includes(text):
        text = (
            renderer.html(text, payload, name)
            if "html" in member
            else renderer.text(text, payload, name)
        )
    return single_line(text) if member in _HEADERS else text
