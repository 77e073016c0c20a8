"""The language of templates: a small, bounded part of Jinja2, compiled and kept.

What a template may hold is a list of allowed syntax nodes: output, if, for, set, filters, tests, comparison,
arithmetic, and `xnovu_render`. No calls, no attributes of Python objects, no macros, no imports. Everything whose cost
depends on data is rewritten so that it pays from the `Budget`. Used by `core.templates` only; the sandbox of Jinja2 is
the second wall, not the first.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from jinja2 import TemplateSyntaxError, nodes, pass_context
from jinja2.environment import Template as Compiled
from jinja2.runtime import Context, LoopContext, StrictUndefined, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer
from markupsafe import Markup
from typing_extensions import override

from xnovu.core.template_budget import Budget, TemplateRefused
from xnovu.core.template_filters import FILTERS, SLOW, text_of
from xnovu.core.template_syntax import INCLUDE, RENDER, RenderTag

MAX_SOURCE: Final = 64 * 1024
MAX_NODES: Final = 5000
KEPT: Final = 512
"""Compiled templates kept in memory, at most `MAX_SOURCE` each."""

BUDGET: Final = "xnovu budget"
INCLUDER: Final = "xnovu includer"
"""Names in the context that no template can spell: they hold a space."""

_LOOP: Final = "xnovu loop"
_MEASURED: Final = "xnovu measured"
_JOINED: Final = "xnovu joined"
_FILE: Final = "<template>"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ALLOWED: Final = _words(
    "Template Output TemplateData Name Const Dict Pair List Tuple Keyword CondExpr Filter Test Compare Operand And Or"
    " Not Neg Pos Add Sub Mul Div FloorDiv Mod Concat Getattr Getitem Slice For If Assign"
)
_TESTS: Final = _words(
    "defined undefined none boolean true false number integer float string mapping sequence odd even"
)
_OF_LOOP: Final = _words(
    "index index0 revindex revindex0 first last length previtem nextitem depth depth0"
)
_OPERATORS: Final = _words("+ - * / // %")
_BIGGEST: Final = 10**15

Includer = Callable[[str, Mapping[str, object]], str]


@dataclass(frozen=True, slots=True)
class Program:
    """A compiled template, the keys it includes, and its number of nodes: what running it once costs."""

    compiled: Compiled
    references: frozenset[str]
    size: int


@lru_cache(maxsize=KEPT)
def program(source: str, *, html: bool) -> Program:
    """Compile. `html`: values are escaped. Raises TemplateSyntaxError or TemplateRefused."""
    if len(source) > MAX_SOURCE:
        raise TemplateRefused(f"it is longer than {MAX_SOURCE} characters")
    environment = _HTML if html else _PLAIN
    try:
        tree = environment._parse(source, None, None)
        references = frozenset(_references(tree))
        size = _size(tree)
        if size > MAX_NODES:
            raise TemplateRefused(f"it has more than {MAX_NODES} parts")
        code = environment.compile(_Rewriter(environment).visit(tree))
    except (RecursionError, MemoryError, OverflowError, ValueError, SyntaxError) as error:
        raise TemplateRefused(f"it is too deeply nested: {type(error).__name__}") from None
    compiled = Compiled.from_code(environment, code, {}, None)
    return Program(compiled, references, size)


def line_of(error: BaseException, compiled: Compiled) -> int | None:
    """The line of the template in which an error came up."""
    line: int | None = None
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code is compiled.root_render_func.__code__:
            line = compiled.get_corresponding_lineno(trace.tb_lineno)
        trace = trace.tb_next
    return line


def _size(tree: nodes.Node) -> int:
    return 1 + sum(1 for _ in tree.find_all(nodes.Node))


def _references(tree: nodes.Node) -> list[str]:
    found: list[str] = []
    for call in tree.find_all(nodes.Call):
        key = _key(call)
        if key is None:
            raise TemplateSyntaxError(
                f"only {RENDER}('key', {{...}}) can be called, with the key written out; use a filter",
                call.lineno,
            )
        found.append(key)
    return found


def _key(call: nodes.Call) -> str | None:
    if not isinstance(call.node, nodes.Name) or call.node.name != RENDER:
        return None
    plain = not call.kwargs and call.dyn_args is None and call.dyn_kwargs is None
    key = call.args[0] if plain and 1 <= len(call.args) <= 2 else None  # noqa: PLR2004  # key, variables
    return key.value if isinstance(key, nodes.Const) and isinstance(key.value, str) else None


def _filter(node: nodes.Node, name: str, *args: nodes.Expr) -> nodes.Filter:
    return nodes.Filter(node, name, list(args), [], None, None, lineno=node.lineno)


class _Rewriter(NodeTransformer):
    """Refuses what is not allowed, and lets the rest pay."""

    def __init__(self, environment: "_Environment") -> None:
        self._environment = environment

    @override
    def visit(self, node: nodes.Node, *args: Any, **kwargs: Any) -> Any:  # signature of jinja2
        kind = type(node).__name__
        if isinstance(node, nodes.Call):
            return self._include(node)
        if kind not in _ALLOWED:
            raise TemplateSyntaxError(f"{kind} is not available in templates", node.lineno)
        self._check(node)
        size = _size(node) if isinstance(node, nodes.For) else 0
        self.generic_visit(node)
        return self._paying(node, size)

    def _check(self, node: nodes.Node) -> None:
        if isinstance(node, nodes.Test) and node.name not in _TESTS:
            raise TemplateSyntaxError(f"there is no test {node.name!r}", node.lineno)
        if isinstance(node, nodes.Filter) and (node.name not in FILTERS or node.node is None):
            raise TemplateSyntaxError(f"there is no filter {node.name!r}", node.lineno)
        if isinstance(node, nodes.Filter) and (node.dyn_args or node.dyn_kwargs):
            raise TemplateSyntaxError("* and ** are not available in templates", node.lineno)
        if isinstance(node, nodes.For) and node.recursive:
            raise TemplateSyntaxError("a recursive loop is not available in templates", node.lineno)

    def _paying(self, node: nodes.Node, size: int) -> nodes.Node:
        if isinstance(node, nodes.For):
            node.iter = _filter(node.iter, _LOOP, nodes.Const(size))
        elif isinstance(node, nodes.Compare):
            node.expr = _filter(node.expr, _MEASURED)
            for operand in node.ops:
                operand.expr = _filter(operand.expr, _MEASURED)
        elif isinstance(node, nodes.Concat):
            return _filter(node.nodes[0], _JOINED, *node.nodes[1:])
        return node

    def _include(self, call: nodes.Call) -> nodes.Node:
        key = _key(call)
        variables = [self.visit(argument) for argument in call.args[1:]]
        return _filter(nodes.Const(key, lineno=call.lineno), INCLUDE, *variables)


class _Environment(ImmutableSandboxedEnvironment):
    """Attributes are members of objects only; arithmetic is of numbers only."""

    intercepted_binops = _OPERATORS

    @override
    def getattr(self, obj: Any, attribute: str) -> Any:  # whatever a payload holds
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
    text = text_of(value)
    _budget(context).measure(text)
    return text


@pass_context
def _loop(context: Context, value: object, size: int) -> list[object]:
    if isinstance(value, Undefined):
        value._fail_with_undefined_error()
    if not isinstance(value, str | Mapping | list | tuple):
        raise TemplateRefused("only a list can be looped over")
    _budget(context).spend(1 + len(value) * size)
    return list(value)


@pass_context
def _measured(context: Context, value: object) -> object:
    _budget(context).measure(value)
    return value


@pass_context
def _joined(context: Context, *parts: object) -> str:
    budget = _budget(context)
    texts = [text_of(part) for part in parts]
    joined = (
        Markup("").join(texts)
        if context.eval_ctx.autoescape and any(isinstance(text, Markup) for text in texts)
        else "".join(texts)
    )
    budget.measure(joined)
    return joined


@pass_context
def _include(context: Context, key: str, variables: object = None) -> str:
    scope = {} if variables is None else variables
    if not isinstance(scope, Mapping) or not all(isinstance(name, str) for name in scope):
        raise TemplateRefused(f"the second argument of {RENDER} is an object")
    _budget(context).measure(scope)
    includer: Includer = context.parent[INCLUDER]
    text = includer(key, scope)
    return Markup(text) if context.eval_ctx.autoescape else text  # noqa: S704  # rendered with escaping


def _paid(name: str, function: Callable[..., object]) -> Callable[..., object]:
    """A filter that pays for what it reads and for what it answers."""

    @pass_context
    def paid(context: Context, value: object, *args: object, **kwargs: object) -> object:
        budget = _budget(context)
        for item in (value, *args, *kwargs.values()):
            budget.measure(item)
        if name in SLOW:
            budget.spend_on_text(value)
        answer = function(value, *args, **kwargs)
        budget.measure(answer)
        return answer

    return paid


def _environment(*, html: bool) -> _Environment:
    made = _Environment(
        autoescape=html,
        undefined=StrictUndefined,
        finalize=_finalize,
        extensions=[RenderTag],
        optimized=False,
        keep_trailing_newline=True,
        cache_size=0,
    )
    made.globals.clear()
    made.filters.clear()
    made.filters.update({name: _paid(name, function) for name, function in FILTERS.items()})
    made.filters.update({INCLUDE: _include, _LOOP: _loop, _MEASURED: _measured, _JOINED: _joined})
    made.tests = {name: test for name, test in made.tests.items() if name in _TESTS}
    return made


_PLAIN: Final = _environment(html=False)
_HTML: Final = _environment(html=True)
