"""The generated files: CustomResourceDefinitions and the reference, from the models and from nothing else.

`make generate` calls `write`, `make verify` calls `check`. What a field is, is in `core.api`; the dialect of its schema
in `core.schema`; what the pages look like in `xnovu.reference`. Not used while an installation runs. The same models
always give the same bytes: no time, no environment, keys sorted.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import typer
import yaml
from pydantic.json_schema import JsonSchemaValue
from typing_extensions import override

from xnovu import reference
from xnovu.commands.page import commands_page
from xnovu.core.api.v1alpha1 import CATEGORIES, GROUP, VERSION, Enterprise, NotificationRule
from xnovu.core.api.v1alpha1.common import Column, Kind
from xnovu.core.errors import SettingsInvalid
from xnovu.core.schema import structural_schema

Resource = type[Enterprise] | type[NotificationRule]

RESOURCES: Final[tuple[Resource, ...]] = (Enterprise, NotificationRule)

_UNSEEN: Final = {"observedGeneration": -1}
"""Status of a new object. Without it kstatus calls an object Current that no operator has seen yet
(https://github.com/kubernetes-sigs/cli-utils/tree/master/pkg/kstatus)."""

_API_VERSION: Final = f"Always {GROUP}/{VERSION}."


def write(root: Path) -> None:
    """Write every generated file below `root`, a checkout. Writes nothing where nothing differs.

    Raises `SettingsInvalid` where `root` is no checkout.
    """
    wanted = files()
    for path in check(root):
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(wanted[path], encoding="utf-8")


def check(root: Path) -> list[Path]:
    """The generated files that are missing or differ, relative to `root`.

    Raises `SettingsInvalid` where `root` is no checkout.
    """
    if not (root / "crds").is_dir():
        raise SettingsInvalid(
            f"{root} has no folder crds: run this in a checkout of XNovu, or name one with --root"
        )
    return [path for path, text in files().items() if _read(root / path) != text]


def files() -> dict[Path, str]:
    """Every generated file: its path in the checkout and its text."""
    found = {Path("crds", f"{r.definition.crd_name}.yaml"): _yaml(r) for r in RESOURCES}
    pages = Path("docs", "reference")
    for resource in RESOURCES:
        kind = resource.definition
        page = reference.kind_page(kind, structural_schema(resource))
        found[pages / f"{kind.kind.lower()}.md"] = page
    found[pages / "reasons.md"] = reference.reasons_page()
    found[pages / "settings.md"] = reference.settings_page()
    found[pages / "commands.md"] = commands_page(_command_line())
    return found


def _command_line() -> typer.Typer:
    # The command line knows this module; only its page needs it the other way round.
    from xnovu.__main__ import app  # noqa: PLC0415

    return app


def definition(resource: Resource) -> dict[str, object]:
    """The CustomResourceDefinition of a kind, as the API server takes it."""
    kind = resource.definition
    version = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "additionalPrinterColumns": [_column(column) for column in kind.columns],
        "schema": {"openAPIV3Schema": _root(kind, structural_schema(resource))},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": kind.crd_name},
        "spec": {
            "group": GROUP,
            "names": _names(kind),
            "scope": "Namespaced",
            "versions": [version],
        },
    }


def _names(kind: Kind) -> dict[str, object]:
    return {
        "kind": kind.kind,
        "listKind": f"{kind.kind}List",
        "plural": kind.plural,
        "singular": kind.kind.lower(),
        "shortNames": [kind.short_name],
        "categories": list(CATEGORIES),
    }


def _column(column: Column) -> dict[str, object]:
    shown: dict[str, object] = {
        "name": column.name,
        "type": column.type,
        "jsonPath": column.path,
    }
    return {**shown, "priority": 1} if column.wide else shown


def _root(kind: Kind, schema: JsonSchemaValue) -> JsonSchemaValue:
    """The schema of a whole object: ours for spec and status, the API server's own for the rest."""
    members: Mapping[str, JsonSchemaValue] = schema["properties"]
    return {
        "type": "object",
        "description": schema["description"],
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string", "description": _API_VERSION},
            "kind": {"type": "string", "description": f"Always {kind.kind}."},
            "metadata": {"type": "object"},
            "spec": members["spec"],
            "status": {**members["status"], "default": _UNSEEN},
        },
    }


class _Dumper(yaml.SafeDumper):
    """YAML as people write it: no anchors, and lists indented below their key."""

    @override
    def ignore_aliases(self, data: object) -> bool:
        return True

    @override
    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, indentless=False)


def _yaml(resource: Resource) -> str:
    body = yaml.dump(
        definition(resource), Dumper=_Dumper, sort_keys=True, width=110, allow_unicode=True
    )
    return f"# Generated by `make generate` from {resource.__module__}; do not edit.\n---\n{body}"


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None
