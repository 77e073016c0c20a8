"""What can be said of templates before anything is rendered with them.

As the worker reads them: syntax, filters and limits; templates that others include and that are not there; circles;
channels of a DYNAMIC workflow that have no template. Not in here: names that a payload lacks, which only `render` can
tell. Pure. Called by `xnovu template lint`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from xnovu.core.content import OVERRIDE_NAMES
from xnovu.core.contracts.notifications import WorkflowType
from xnovu.core.errors import TemplateError, clip
from xnovu.core.records import Template, Workflow
from xnovu.core.template_budget import Budget
from xnovu.core.templates import MAX_DEPTH, references


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that would stop a notification. `where`: the file, template or workflow."""

    where: str
    message: str


@dataclass(frozen=True, slots=True)
class Linted:
    """What was looked at, and what is wrong."""

    looked_at: int
    problems: tuple[Problem, ...]


def lint_sources(sources: Mapping[str, str]) -> Linted:
    """Texts by the name of their file: each by itself."""
    found: list[Problem] = []
    for name, source in sources.items():
        try:
            _references(name, source)
        except TemplateError as error:
            found.append(Problem(name, error.message))
    return Linted(len(sources), tuple(found))


def lint_library(templates: Sequence[Template], workflows: Sequence[Workflow]) -> Linted:
    """All that an enterprise may use, together."""
    included: dict[str, frozenset[str]] = {}
    found: list[Problem] = []
    for template in templates:
        where = f"template {clip(template.key, 64)!r}"
        try:
            below = _references(where, template.body, template.subject or "")
        except TemplateError as error:
            found.append(Problem(where, error.message))
            below = frozenset()
        included[template.key] = below
    for key in included:
        found.extend(_includes(key, included))
    for workflow in workflows:
        found.extend(_workflow(workflow, frozenset(included)))
    return Linted(len(templates) + len(workflows), tuple(found))


def _references(name: str, *sources: str) -> frozenset[str]:
    """Keys of what the texts of one template include. Raises TemplateError."""
    budget = Budget()
    return frozenset[str]().union(*(references(source, name, budget) for source in sources))


def _includes(key: str, included: Mapping[str, frozenset[str]]) -> Iterator[Problem]:
    where = f"template {clip(key, 64)!r}"
    for name in sorted(included[key] - included.keys()):
        yield Problem(where, f"it includes {clip(name, 64)!r}, which is not there or not published")
    depth = _depth(key, included)
    if depth is None:
        yield Problem(where, "it includes itself, or one that does")
    elif depth > MAX_DEPTH:
        yield Problem(where, f"with what it includes it is {depth} deep, more than {MAX_DEPTH}")


def _depth(key: str, included: Mapping[str, frozenset[str]]) -> int | None:
    """Levels of templates from this one down; None where they go round in a circle."""
    known: dict[str, int | None] = {}

    def measure(name: str, path: frozenset[str]) -> int | None:
        if name in path:
            return None
        if name not in known:
            if len(path) > MAX_DEPTH:
                return 1
            below = [measure(n, path | {name}) for n in included.get(name, frozenset())]
            known[name] = None if None in below else 1 + max((d for d in below if d), default=0)
        return known[name]

    return measure(key, frozenset())


def _workflow(workflow: Workflow, templates: frozenset[str]) -> Iterator[Problem]:
    where = f"workflow {clip(workflow.key, 64)!r}"
    for column in workflow.malformed:
        yield Problem(where, f"{column} must be a JSON object")
    if workflow.type is not WorkflowType.DYNAMIC:
        return
    for channel, name in OVERRIDE_NAMES.items():
        key = workflow.template_overrides.get(name)
        if key is None and channel not in workflow.default_channels:
            continue
        if not isinstance(key, str) or not key:
            yield Problem(
                where, f"no template for {channel}: write its key into template_overrides.{name}"
            )
        elif key not in templates:
            yield Problem(
                where,
                f"template_overrides.{name} names {clip(key, 64)!r}, which is not there or not published",
            )
