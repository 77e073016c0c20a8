"""The syntax of templates: a list of what they may hold, and everything whose cost depends on data made to pay.

No calls, no attributes of Python objects, no macros, no imports. Works on Jinja's syntax tree, before it becomes code.
Used by `core.template_language` only.
"""

from typing import Any, Final

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.visitor import NodeTransformer
from typing_extensions import override

from xnovu.core.template_budget import TemplateRefused
from xnovu.core.template_filters import FILTERS
from xnovu.core.template_syntax import INCLUDE, JOINED, LOOP, MEASURED, RENDER, SLICED

MAX_NODES: Final = 1500


def words(text: str) -> frozenset[str]:
    """Names in a row, as a set."""
    return frozenset(text.split())


TESTS: Final = words(
    "defined undefined none boolean true false number integer float string mapping sequence odd even"
)
_ALLOWED: Final = words(
    "Template Output TemplateData Name Const Dict Pair List Tuple Keyword CondExpr Filter Test Compare Operand And Or"
    " Not Neg Pos Add Sub Mul Div FloorDiv Mod Concat Getattr Getitem Slice For If Assign"
)


def references(tree: nodes.Node) -> frozenset[str]:
    """Keys that a template includes, taken or not. Raises TemplateSyntaxError for any other call."""
    found: set[str] = set()
    for call in tree.find_all(nodes.Call):
        key = _key(call)
        if key is None:
            raise TemplateSyntaxError(
                f"only {RENDER}('key', {{...}}) can be called, with the key written out; use a filter",
                call.lineno,
            )
        found.add(key)
    return frozenset(found)


def size(tree: nodes.Node) -> int:
    """How many nodes a tree has. Raises TemplateRefused above `MAX_NODES`."""
    found = _size(tree)
    if found > MAX_NODES:
        raise TemplateRefused(f"it has more than {MAX_NODES} parts")
    return found


def rewritten(tree: nodes.Template, environment: Environment) -> nodes.Template:
    """The tree that is compiled. Raises TemplateSyntaxError for what is not allowed."""
    made: nodes.Template = _Rewriter(environment).visit(tree)
    return made


def _size(tree: nodes.Node) -> int:
    return 1 + sum(1 for _ in tree.find_all(nodes.Node))


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

    def __init__(self, environment: Environment) -> None:
        self._environment = environment

    @override
    def visit(self, node: nodes.Node, *args: Any, **kwargs: Any) -> Any:  # signature of jinja2
        kind = type(node).__name__
        if isinstance(node, nodes.Call):
            return self._include(node)
        if kind not in _ALLOWED:
            raise TemplateSyntaxError(f"{kind} is not available in templates", node.lineno)
        self._check(node)
        inside = _size(node) if isinstance(node, nodes.For) else 0
        self.generic_visit(node)
        return self._paying(node, inside)

    def _check(self, node: nodes.Node) -> None:
        if isinstance(node, nodes.Test) and node.name not in TESTS:
            raise TemplateSyntaxError(f"there is no test {node.name!r}", node.lineno)
        if isinstance(node, nodes.Filter) and (node.name not in FILTERS or node.node is None):
            raise TemplateSyntaxError(f"there is no filter {node.name!r}", node.lineno)
        if isinstance(node, nodes.Filter) and (node.dyn_args or node.dyn_kwargs):
            raise TemplateSyntaxError("* and ** are not available in templates", node.lineno)
        if isinstance(node, nodes.For) and node.recursive:
            raise TemplateSyntaxError("a recursive loop is not available in templates", node.lineno)

    def _paying(self, node: nodes.Node, inside: int) -> nodes.Node:
        if isinstance(node, nodes.For):
            node.iter = _filter(node.iter, LOOP, nodes.Const(inside))
        elif isinstance(node, nodes.Compare):
            node.expr = _filter(node.expr, MEASURED)
            for operand in node.ops:
                operand.expr = _filter(operand.expr, MEASURED)
        elif isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Slice):
            node.node = _filter(node.node, SLICED)
        elif isinstance(node, nodes.Concat):
            return _filter(node.nodes[0], JOINED, *node.nodes[1:])
        return node

    def _include(self, call: nodes.Call) -> nodes.Node:
        key = _key(call)
        variables = [self.visit(argument) for argument in call.args[1:]]
        return _filter(nodes.Const(key, lineno=call.lineno), INCLUDE, *variables)
