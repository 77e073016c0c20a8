"""Regular expressions of tenants, on RE2: time is bounded by the pattern's size times the text's, whatever they are.

What RE2 cannot do, it refuses: look-around and back references, which JSON schema advises against as well (core,
6.4). Pure. Called by `core.payload_schema`.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Protocol

import re2

from xnovu.core.errors import clip

MAX_MEMORY: Final = 512 * 1024
"""Bytes for one pattern's program and the states it makes while it runs."""

_KEPT: Final = 64
_CODE_POINT: Final = re.compile(r"\\u([0-9A-Fa-f]{4})")
_TO_COMPILE: Final = 200
"""Compiling takes as long as matching a text of this many characters; measured."""


class PatternRefused(Exception):
    """A pattern that cannot be used; the message shows the pattern and no text."""


class _Compiled(Protocol):
    programsize: int

    def search(self, text: str) -> object: ...


@dataclass(frozen=True, slots=True)
class Pattern:
    r"""Unanchored, as JSON schema wants it. Letters and digits of `\w` and `\d` are ASCII, as in JavaScript."""

    _program: _Compiled

    def cost(self, text: str) -> int:
        """Instructions times characters that `found_in` takes at most."""
        return self._program.programsize * (len(text) + 1)

    @property
    def cost_to_compile(self) -> int:
        """What making this pattern took, in the same measure."""
        return self._program.programsize * _TO_COMPILE

    def found_in(self, text: str) -> bool:
        return self._program.search(text) is not None


@lru_cache(maxsize=_KEPT)
def compiled(text: str) -> Pattern:
    """Raises PatternRefused."""
    options = re2.Options()
    options.log_errors = False
    options.max_mem = MAX_MEMORY
    try:
        program: _Compiled = re2.compile(_CODE_POINT.sub(r"\\x{\1}", text), options)
    except (re2.error, ValueError) as error:
        raise PatternRefused(
            f"the pattern {clip(text, 64)!r} is none, is too large, or needs look-around or back references:"
            " write it without"
        ) from error
    return Pattern(program)
