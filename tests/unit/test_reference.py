"""The generated pages say everything that there is to say, and it is true."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from xnovu import reference
from xnovu.__main__ import app
from xnovu.core import errors
from xnovu.core.reasons import DeliveryProblem, Reason
from xnovu.crdgen import RESOURCES, files
from xnovu.settings import Settings

SETTINGS = reference.settings_page()
VARIABLES = re.findall(
    r"^\| `(XNOVU_[A-Z0-9_]+)` \| ([^|]+(?:\\\|[^|]+)*) \|", SETTINGS, re.MULTILINE
)
SAMPLES = {
    "text": "other",
    "number": "1234",
    "path": "/some/file",
    "secret": "hidden",
    "JSON list": '["a"]',
    "JSON list of numbers": "[7]",
}


def test_every_reason_is_on_the_page_of_reasons_once() -> None:
    page = reference.reasons_page()
    listed = re.findall(r"^\| `([A-Za-z]+)` \|", page, re.MULTILINE)
    classes = [value for value in vars(errors).values() if isinstance(value, type)]
    wanted = {c.reason for c in classes if issubclass(c, errors.XNovuError)}
    wanted |= {*map(str, Reason), *map(str, DeliveryProblem)}
    assert sorted(listed) == sorted(wanted)


@pytest.mark.parametrize("reason", [*Reason, *DeliveryProblem])
def test_a_reason_is_camel_case_and_has_a_meaning(reason: Reason | DeliveryProblem) -> None:
    assert re.fullmatch(r"([A-Z][a-z]*)+", reason.value)
    assert reason.meaning.endswith(".")


def test_every_setting_is_on_the_page() -> None:
    wanted = {
        f"XNOVU_{group}__{field}".upper()
        for group, info in Settings.model_fields.items()
        for field in type(info.default).model_fields
    }
    assert {name for name, _ in VARIABLES} == wanted


@pytest.mark.parametrize(("name", "kind"), VARIABLES)
def test_a_variable_on_the_page_changes_its_setting(
    monkeypatch: pytest.MonkeyPatch, name: str, kind: str
) -> None:
    group, field = name.removeprefix("XNOVU_").lower().split("__")
    before = getattr(getattr(Settings(), group), field)
    choices = [
        value for value in kind.replace("\\", "").split(" | ") if value != str(before).lower()
    ]
    monkeypatch.setenv(name, SAMPLES.get(kind) or next(c for c in choices if c != str(before)))
    assert getattr(getattr(Settings(), group), field) != before


@pytest.mark.parametrize("resource", RESOURCES)
def test_every_field_of_a_kind_is_on_its_page(resource: type) -> None:
    page = files()[Path("docs", "reference", f"{resource.__name__.lower()}.md")]
    sections = re.findall(r"^#+ ((?:spec|status)\S*)$", page, re.MULTILINE)
    assert "spec" in sections
    assert "status.conditions[]" in sections
    assert len(sections) == len(set(sections))


def test_a_table_has_the_same_number_of_cells_in_each_line() -> None:
    for path, text in files().items():
        if path.suffix != ".md":
            continue
        for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
            widths = {len(re.split(r"(?<!\\)\|", line)) for line in table.splitlines()}
            assert len(widths) == 1, f"{path}: {table[:200]}"


def test_only_rules_can_be_triggered() -> None:
    pages = files()
    enterprise = pages[Path("docs", "reference", "enterprise.md")]
    rule = pages[Path("docs", "reference", "notificationrule.md")]
    assert "xnovu.io/trigger-requested-at" not in enterprise.split("## Annotations")[1]
    assert "xnovu.io/trigger-requested-at" in rule.split("## Annotations")[1]


def test_every_command_is_on_the_page_of_commands() -> None:
    page = files()[Path("docs", "reference", "commands.md")]
    shown = set(re.findall(r"^### `xnovu ([a-z -]+?)(?: [A-Z\[].*)?`$", page, re.MULTILINE))
    assert shown == set(_commands(app))
    assert "`--reason`, `-r` (required) | text" in page


def _commands(group: typer.Typer, before: str = "") -> Iterator[str]:
    for command in group.registered_commands:
        name = command.name or getattr(command.callback, "__name__", "")
        yield f"{before}{name}"
    for inner in group.registered_groups:
        assert inner.typer_instance is not None
        yield from _commands(inner.typer_instance, f"{before}{inner.name} ")
