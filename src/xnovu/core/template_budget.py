"""What one rendering may cost, counted in steps: a sandbox keeps templates from reaching out, not from running for ever.

A step is about a microsecond's work: a node evaluated, or 32 characters handled. Counting instead of a clock keeps
the result the same on every machine. Used by the template modules and by `core.content`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

MAX_STEPS = 200_000
MAX_OUTPUT = 256 * 1024
"""Characters of everything that one notification renders together."""

MAX_PARTS = 2000
"""Syntax nodes of all templates of one notification together: compiling one takes some 90 microseconds."""

_PARTS_PER_TEMPLATE = 10
_CHARACTERS_PER_STEP = 32
_ITEMS_PER_STEP = 4


class TemplateRefused(Exception):
    """A template does what it may not. The message holds nothing of the variables."""


@dataclass(slots=True)
class Budget:
    """Shared by a template and everything that it includes."""

    steps: int = MAX_STEPS
    output: int = MAX_OUTPUT
    parts: int = MAX_PARTS
    path: list[str] = field(default_factory=list)
    """Keys of the templates that are being rendered, outermost first."""
    _compiled: set[str] = field(default_factory=set)

    def spend(self, steps: int) -> None:
        self.steps -= steps
        if self.steps < 0:
            raise TemplateRefused(f"it takes more than {MAX_STEPS} steps to render")

    def written(self, parts: Iterable[str]) -> str:
        """What a template writes, put together. The part that is too much is never kept."""
        kept: list[str] = []
        for part in parts:
            self.output -= len(part)
            if self.output < 0:
                raise TemplateRefused(f"it renders to more than {MAX_OUTPUT} characters")
            kept.append(part)
        return "".join(kept)

    def compile(self, source: str, size: Callable[[], int]) -> None:
        """Count the parts of a template, once for each: whether it is in a cache makes no difference."""
        if source in self._compiled:
            return
        self._compiled.add(source)
        self.parts -= size() + _PARTS_PER_TEMPLATE
        if self.parts < 0:
            raise TemplateRefused(
                f"the templates of one notification have more than {MAX_PARTS} parts together"
            )

    def copy(self, length: int) -> None:
        """Spend what a copy of a list or text of this length costs."""
        self.spend(1 + length // _ITEMS_PER_STEP)

    def show(self, text: str) -> None:
        """Spend what showing a text costs; as `measure` does, for what is done most."""
        self.steps -= 1 + len(text) // _CHARACTERS_PER_STEP
        if self.steps < 0:
            self.spend(0)

    def measure(self, value: object) -> None:
        """Spend what it costs to look at all of a value: one reached by two ways counts twice."""
        waiting = [value]
        while waiting:
            item = waiting.pop()
            if isinstance(item, str):
                self.spend(1 + len(item) // _CHARACTERS_PER_STEP)
            elif isinstance(item, Mapping):
                self.spend(1 + len(item))
                waiting.extend(item)
                waiting.extend(item.values())
            elif isinstance(item, list | tuple):
                self.spend(1 + len(item))
                waiting.extend(item)
            else:
                self.spend(1)
