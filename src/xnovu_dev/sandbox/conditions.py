"""Step conditions: the part of JSONLogic that decides whether a step runs.

Novu keeps a step's condition under `controlValues.skip` and runs the step when it holds: its executor inverts the
result, in spite of the name (`construct-framework-workflow.usecase.ts`, processSkipOption). Operators here: var, !!,
!, ==, !=, and, or; any other is refused when the workflow is stored. Called by the workflow API and the worker.
"""

from collections.abc import Mapping
from typing import Final

from pydantic import JsonValue

from xnovu_dev.sandbox.liquid import lookup

_OPERATORS: Final = frozenset({"var", "!!", "!", "==", "!=", "and", "or"})


def check(rule: JsonValue) -> None:
    """Raises ValueError, naming the operator, for what `holds` cannot judge."""
    if isinstance(rule, list):
        for item in rule:
            check(item)
    elif isinstance(rule, dict):
        for operator, operands in rule.items():
            if operator not in _OPERATORS:
                raise ValueError(f"step condition: the operator {operator!r} is not known here")
            check(operands)


def holds(rule: JsonValue, variables: Mapping[str, JsonValue]) -> bool:
    """Whether a checked rule holds; an empty rule does."""
    return rule in (None, {}) or bool(_value(rule, variables))


def _value(rule: JsonValue, variables: Mapping[str, JsonValue]) -> JsonValue:
    if not isinstance(rule, dict) or len(rule) != 1:
        return rule
    operator, raw = next(iter(rule.items()))
    operands = raw if isinstance(raw, list) else [raw]
    values = [_value(operand, variables) for operand in operands]
    first = values[0] if values else None
    if operator == "var":
        return lookup(variables, first) if isinstance(first, str) else None
    second = values[1] if len(values) > 1 else None
    return {
        "!!": bool(first),
        "!": not first,
        "and": all(values),
        "or": any(values),
        "==": first == second,
        "!=": first != second,
    }[operator]
