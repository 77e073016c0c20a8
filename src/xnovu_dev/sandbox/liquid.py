"""Interpolation of `{{ payload.a.b }}` into a step's content: the part of Liquid that our workflows use.

No tags, no filters: what is not a plain path stays as it is written. A missing value is empty, as in Liquid. What is
put in is never read again, so content cannot smuggle in a placeholder. Called by the worker of the sandbox.
"""

import re
from collections.abc import Mapping
from typing import Final

from pydantic import JsonValue

from xnovu_dev.sandbox.json_types import dumps

_PLACEHOLDER: Final = re.compile(r"\{\{-?\s*([A-Za-z_][\w-]*(?:\.[\w-]+|\[\d+\])*)\s*-?\}\}")
_PART: Final = re.compile(r"[\w-]+")


def lookup(variables: Mapping[str, JsonValue], path: str) -> JsonValue:
    """The value at `a.b[0].c`, None where any part is missing."""
    value: JsonValue = dict(variables)
    for part in _PART.findall(path):
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value


def interpolate(text: str, variables: Mapping[str, JsonValue]) -> str:
    return _PLACEHOLDER.sub(lambda match: _spelled(lookup(variables, match[1])), text)


def _spelled(value: JsonValue) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else dumps(value)
