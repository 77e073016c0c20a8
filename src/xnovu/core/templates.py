"""Rendering: templates and values in, text out, or a TemplateError that names the template and its line.

What templates can do is `core.template_language`'s, what they may cost `core.template_budget`'s. Nothing is fetched in
here: `references` says which templates a template includes, so that `core.content` can have them ready. Pure. Called
by `core.content` and `core.occurrences`; workflows may not import it, because rendering is an activity's work.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from jinja2 import TemplateSyntaxError
from jinja2.exceptions import TemplateError as JinjaError
from jinja2.exceptions import UndefinedError
from pydantic import JsonValue

from xnovu.core import sanitise
from xnovu.core.contracts.notifications import Channel
from xnovu.core.errors import TemplateError, clip
from xnovu.core.records import Template
from xnovu.core.template_budget import Budget, TemplateRefused
from xnovu.core.template_language import (
    BUDGET,
    INCLUDER,
    Format,
    Includer,
    Program,
    line_of,
    outline,
    program,
)

MAX_DEPTH: Final = 10
"""Templates inside templates, the outermost one included; the original's bound."""

MARKS: Final = ("{{", "{%", "{#")


_FORMATS: Final = {Channel.EMAIL: Format.EMAIL, Channel.IN_APP: Format.IN_APP}


def references(source: str, name: str, budget: Budget) -> frozenset[str]:
    """Keys of the templates that a source includes, taken or not. Raises TemplateError, naming `name`."""
    with _named(name):
        found = outline(source)
        budget.compile(source, lambda: found.size)
        return found.references


@dataclass(slots=True)
class Renderer:
    """Renders the texts of one notification, which share one budget and one library of templates by key."""

    library: Mapping[str, Template]
    budget: Budget = field(default_factory=Budget)

    def template(
        self, key: str, variables: Mapping[str, object], channel: Channel
    ) -> tuple[str, str]:
        """Subject and body for a channel. Raises TemplateError, also for a body that nobody would see.

        Values are escaped in the body of an e-mail, and open no tag in the inbox; both are cleaned as HTML at the end.
        """
        template = self._find(key)
        form = _FORMATS.get(channel, Format.TEXT)
        of_subject = Format.TEXT if channel is Channel.EMAIL else form
        subject = self._cleaned(key, template.subject or "", variables, of_subject)
        body = self._cleaned(key, template.body, variables, form)
        if not body.strip():
            raise TemplateError(
                f"template {clip(key, 64)!r} renders to an empty body for {channel.value}"
            )
        return single_line(subject), body

    def html(self, source: str, variables: Mapping[str, object], name: str) -> str:
        """A text that is no stored template, as the body of an e-mail."""
        return self._clean(self.text(source, variables, name, Format.EMAIL), name, Format.EMAIL)

    def text(
        self,
        source: str,
        variables: Mapping[str, object],
        name: str,
        form: Format = Format.TEXT,
    ) -> str:
        """A text that is no stored template; `name` is what errors call it."""
        with _named(name):
            self.budget.compile(source, lambda: outline(source).size)
            made = program(source, form)
            self.budget.spend(made.size)
        try:
            return self._run(made, variables, form)
        except TemplateError:
            raise
        except Exception as error:  # noqa: BLE001  # whatever a value does, it is the template's error
            raise _failed(name, line_of(error, made.compiled), error) from None

    def _run(self, made: Program, variables: Mapping[str, object], form: Format) -> str:
        context = made.compiled.new_context(
            {**variables, BUDGET: self.budget, INCLUDER: self._includer(form)}
        )
        return self.budget.written(made.compiled.root_render_func(context))

    def strings(self, value: JsonValue, variables: Mapping[str, object], name: str) -> JsonValue:
        """A JSON value with the strings in it rendered: those with template marks."""
        if isinstance(value, str):
            wanted = any(mark in value for mark in MARKS)
            return self.text(value, variables, name) if wanted else value
        if isinstance(value, list):
            return [
                self.strings(item, variables, f"{name}[{index}]")
                for index, item in enumerate(value)
            ]
        if isinstance(value, Mapping):
            return {
                key: self.strings(item, variables, f"{name}.{clip(key, 64)}")
                for key, item in value.items()
            }
        return value

    def _find(self, key: str) -> Template:
        found = self.library.get(key)
        if found is None:
            raise TemplateError(
                f"template {clip(key, 64)!r} is not there: publish one of this key, for this enterprise or for all"
            )
        return found

    def _includer(self, form: Format) -> Includer:
        def include(key: str, variables: Mapping[str, object]) -> str:
            return self._keyed(key, self._find(key).body, variables, form)

        return include

    def _cleaned(self, key: str, source: str, variables: Mapping[str, object], form: Format) -> str:
        text = self._keyed(key, source, variables, form)
        return self._clean(text, f"template {clip(key, 64)!r}", form)

    def _clean(self, text: str, name: str, form: Format) -> str:
        if form is Format.TEXT:
            return text
        with _named(name):
            self.budget.spend(sanitise.cost(text))
        return sanitise.email(text) if form is Format.EMAIL else sanitise.inbox_or_text(text)

    def _keyed(self, key: str, source: str, variables: Mapping[str, object], form: Format) -> str:
        path = self.budget.path
        if key in path:
            raise TemplateError(
                f"template {clip(key, 64)!r} includes itself: {_path([*path, key])}"
            )
        if len(path) >= MAX_DEPTH:
            raise TemplateError(f"templates are more than {MAX_DEPTH} deep: {_path([*path, key])}")
        path.append(key)
        try:
            return self.text(source, variables, f"template {clip(key, 64)!r}", form)
        finally:
            path.pop()


def condition(expression: str, variables: Mapping[str, object]) -> bool:
    """Whether an expression of the templates' language is true. Raises TemplateError."""
    name = "the condition"
    if any(mark in expression for mark in (*MARKS, "%}", "}}")):
        raise TemplateError(f"{name} is an expression: leave out the braces")
    source = f"{{% if ({expression}\n) %}}1{{% endif %}}"
    return Renderer({}).text(source, variables, name) == "1"


def single_line(text: str) -> str:
    """For subjects: a line break in one could start another header of an e-mail."""
    return "".join(char if char.isprintable() else " " for char in " ".join(text.split())).strip()


def _path(keys: list[str]) -> str:
    return " → ".join(clip(key, 64) for key in keys)


@contextmanager
def _named(name: str) -> Iterator[None]:
    """What goes wrong with a template as a whole, told with its name."""
    try:
        yield
    except TemplateSyntaxError as error:
        raise _failed(name, error.lineno, error) from None
    except (JinjaError, TemplateRefused) as error:
        raise _failed(name, None, error) from None


def _failed(name: str, line: int | None, error: Exception) -> TemplateError:
    """Only texts that hold nothing of the values: other exceptions may quote them."""
    if isinstance(error, TemplateSyntaxError):
        said = error.message or "it cannot be read"
    elif isinstance(error, UndefinedError | TemplateRefused):
        said = str(error)
    elif isinstance(error, ZeroDivisionError):
        said = "it divides by zero"
    else:
        said = f"an expression cannot be evaluated: {type(error).__name__}"
    where = "" if line is None else f", line {line}"
    return TemplateError(f"{name}{where}: {clip(said)}")
