"""The language of templates: a small, bounded part of Jinja2, compiled and kept.

`core.template_rewriter` says what a template may hold; here is what it means when it runs, paying from the `Budget`.
Used by `core.templates` only; the sandbox of Jinja2 is the second wall, not the first.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Any, Final

from jinja2 import nodes, pass_context
from jinja2.environment import Template as Compiled
from jinja2.runtime import Context, LoopContext, StrictUndefined, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup
from typing_extensions import override

from xnovu.core.sanitise import unopened
from xnovu.core.template_budget import Budget, TemplateRefused
from xnovu.core.template_filters import COSTS, FILTERS, text_of
from xnovu.core.template_rewriter import TESTS, references, rewritten, size, words
from xnovu.core.template_syntax import INCLUDE, JOINED, LOOP, MEASURED, RENDER, SLICED, RenderTag
from xnovu.core.weighed_cache import Cache

MAX_SOURCE: Final = 64 * 1024
MAX_KEPT: Final = 64 * 1024 * 1024
"""Bytes of compiled templates in memory, about; measured: 110 to 180 a node, and the source."""

_BYTES_PER_NODE: Final = 256

BUDGET: Final = "xnovu budget"
INCLUDER: Final = "xnovu includer"
"""Names in the context that no template can spell: they hold a space."""


_OF_LOOP: Final = words(
    "index index0 revindex revindex0 first last length previtem nextitem depth depth0"
)
_OPERATORS: Final = words("+ - * / // %")
_BIGGEST: Final = 10**15
_INCLUDING: Final = 20
"""Steps that entering another template takes."""


Includer = Callable[[str, Mapping[str, object]], str]


class Format(Enum):
    """What becomes of a value that is shown."""

    TEXT = "text"
    """It stays as it is."""
    EMAIL = "email"
    """It is escaped, as HTML wants it."""
    IN_APP = "in-app"
    """No tag opens in it; otherwise it stays: some inboxes show text, some HTML."""


@dataclass(frozen=True, slots=True)
class Outline:
    """What a template includes, and its number of nodes: what running it once costs."""

    references: frozenset[str]
    size: int


@dataclass(frozen=True, slots=True)
class Program:
    """A compiled template."""

    compiled: Compiled
    size: int


@lru_cache(maxsize=1024)
def outline(source: str) -> Outline:
    """Read, without compiling. Raises TemplateSyntaxError or TemplateRefused."""
    with _reading():
        tree = _parsed(source, _ENVIRONMENTS[Format.TEXT])
        return Outline(references(tree), size(tree))


def program(source: str, form: Format) -> Program:
    """Compile, or find it compiled. Raises TemplateSyntaxError or TemplateRefused."""
    return _PROGRAMS.get((source, form))


def _compiled(wanted: tuple[str, Format]) -> Program:
    source, form = wanted
    environment = _ENVIRONMENTS[form]
    with _reading():
        tree = _parsed(source, environment)
        references(tree)
        nodes_in_it = size(tree)
        code = environment.compile(rewritten(tree, environment))
    return Program(Compiled.from_code(environment, code, {}, None), nodes_in_it)


def _parsed(source: str, environment: "_Environment") -> nodes.Template:
    if len(source) > MAX_SOURCE:
        raise TemplateRefused(f"it is longer than {MAX_SOURCE} characters")
    return environment._parse(source, None, None)


@contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except (RecursionError, MemoryError, OverflowError, ValueError, SyntaxError) as error:
        raise TemplateRefused(f"it is too deeply nested: {type(error).__name__}") from None


def line_of(error: BaseException, compiled: Compiled) -> int | None:
    """The line of the template in which an error came up."""
    line: int | None = None
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code is compiled.root_render_func.__code__:
            line = compiled.get_corresponding_lineno(trace.tb_lineno)
        trace = trace.tb_next
    return line


class _Environment(ImmutableSandboxedEnvironment):
    """Attributes are members of objects only; arithmetic is of numbers only."""

    intercepted_binops = _OPERATORS
    form: Format

    @override
    def getattr(self, obj: Any, attribute: str) -> Any:  # whatever a payload holds
        if type(obj) is dict and attribute in obj:
            return obj[attribute]
        if isinstance(obj, Undefined):
            return obj._fail_with_undefined_error()
        if isinstance(obj, LoopContext):
            return (
                getattr(obj, attribute) if attribute in _OF_LOOP else self.undefined(name=attribute)
            )
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        return self.undefined(hint=f"{attribute!r} is undefined: no such member before it")

    @override
    def getitem(self, obj: Any, argument: Any) -> Any:  # whatever a payload holds
        if isinstance(obj, Undefined):
            return obj._fail_with_undefined_error()
        if isinstance(obj, Mapping):
            if isinstance(argument, str) and argument in obj:
                return obj[argument]
        elif isinstance(obj, str | list | tuple):
            if isinstance(argument, slice):
                return obj[argument]
            whole = isinstance(argument, int) and not isinstance(argument, bool)
            if whole and -len(obj) <= argument < len(obj):
                return obj[argument]
        # Without a name: it may be a value of the payload.
        return self.undefined(hint="a member or item that a value does not have is undefined")

    @override
    def call_binop(
        self, context: Context, operator: str, left: Any, right: Any
    ) -> Any:  # any values
        if operator == "+" and isinstance(left, str) and isinstance(right, str):
            return _joined(context, left, right)
        for value in (left, right):
            if isinstance(value, Undefined):
                value._fail_with_undefined_error()
            if not isinstance(value, int | float) or abs(value) > _BIGGEST:
                raise TemplateRefused(
                    f"{operator} takes numbers up to {_BIGGEST}, or two texts to put together"
                )
        return super().call_binop(context, operator, left, right)


def _budget(context: Context) -> Budget:
    budget: Budget = context.parent[BUDGET]
    return budget


@pass_context
def _finalize(context: Context, value: object) -> str:
    text = value if type(value) is str else text_of(value)
    budget: Budget = context.parent[BUDGET]
    budget.show(text)
    return text


@pass_context
def _finalize_in_app(context: Context, value: object) -> str:
    return _unopened(_finalize(context, value))


def _unopened(text: str) -> Markup:
    return text if isinstance(text, Markup) else Markup(unopened(text))  # noqa: S704  # opens no tag


@pass_context
def _loop(context: Context, value: object, inside: int) -> list[object]:
    if isinstance(value, Undefined):
        value._fail_with_undefined_error()
    if not isinstance(value, str | Mapping | list | tuple):
        raise TemplateRefused("only a list can be looped over")
    _budget(context).spend(1 + len(value) * inside)
    return list(value)


@pass_context
def _measured(context: Context, value: object) -> object:
    _budget(context).measure(value)
    return value


@pass_context
def _sliced(context: Context, value: object) -> object:
    if isinstance(value, str | list | tuple):
        _budget(context).copy(len(value))
    return value


@pass_context
def _joined(context: Context, *parts: object) -> str:
    texts = [text_of(part) for part in parts]
    form = _form(context)
    joined = "".join(texts)
    if form is not Format.TEXT and any(isinstance(text, Markup) for text in texts):
        safe = _unopened if form is Format.IN_APP else Markup.escape
        joined = Markup("").join([safe(text) for text in texts])
    _budget(context).measure(joined)
    return joined


@pass_context
def _include(context: Context, key: str, variables: object = None) -> str:
    scope = {} if variables is None else variables
    if not isinstance(scope, Mapping) or not all(isinstance(name, str) for name in scope):
        raise TemplateRefused(f"the second argument of {RENDER} is an object")
    budget = _budget(context)
    budget.spend(_INCLUDING)
    budget.measure(scope)
    includer: Includer = context.parent[INCLUDER]
    return Markup(includer(key, scope))  # noqa: S704  # its values were made harmless in there


def _form(context: Context) -> Format:
    environment = context.environment
    return environment.form if isinstance(environment, _Environment) else Format.TEXT


def _paid(name: str, function: Callable[..., object]) -> Callable[..., object]:
    """A filter that pays for what it reads and for what it answers."""
    cost = COSTS.get(name)

    @pass_context
    def paid(context: Context, value: object, *args: object, **kwargs: object) -> object:
        budget = _budget(context)
        for item in (value, *args, *kwargs.values()):
            budget.measure(item)
        if cost is not None and isinstance(value, str):
            budget.spend(cost(value))
        answer = function(value, *args, **kwargs)
        budget.measure(answer)
        return answer

    return paid


def _environment(form: Format) -> _Environment:
    made = _Environment(
        autoescape=form is Format.EMAIL,
        undefined=StrictUndefined,
        finalize=_finalize_in_app if form is Format.IN_APP else _finalize,
        extensions=[RenderTag],
        optimized=False,
        keep_trailing_newline=True,
        cache_size=0,
    )
    made.form = form
    made.globals.clear()
    made.filters.clear()
    made.filters.update({name: _paid(name, function) for name, function in FILTERS.items()})
    made.filters.update(
        {INCLUDE: _include, LOOP: _loop, MEASURED: _measured, SLICED: _sliced, JOINED: _joined}
    )
    made.tests = {name: test for name, test in made.tests.items() if name in TESTS}
    return made


_ENVIRONMENTS: Final = {form: _environment(form) for form in Format}
_PROGRAMS: Final = Cache(
    _compiled,
    lambda wanted, made: len(wanted[0]) * 4 + made.size * _BYTES_PER_NODE,
    MAX_KEPT,
)
