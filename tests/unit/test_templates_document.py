"""Every example of docs/templates.md does what is written below it, and its figures are the code's."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from xnovu.core import (
    content,
    payload,
    payload_schema,
    schema_keywords,
    template_budget,
    template_filters,
    template_language,
    template_rewriter,
    template_syntax,
    templates,
)
from xnovu.core.contracts.notifications import Channel
from xnovu.core.errors import TemplateError
from xnovu.core.formats import FORMATS
from xnovu.core.records import Template
from xnovu.core.template_filters import FILTERS

TEXT = (Path(__file__).parents[2] / "docs" / "templates.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"```(?P<kind>\w+)(?: template=(?P<key>\w+))?\n(?P<body>.*?)\n```", re.DOTALL)
CHANNELS = {"text": Channel.SMS, "html": Channel.EMAIL, "inbox": Channel.IN_APP}


@dataclass
class Example:
    """A template, what it is given, and what it becomes."""

    library: dict[str, str] = field(default_factory=dict)
    values: dict[str, object] = field(default_factory=dict)
    kind: str = ""
    wanted: str = ""


def examples() -> list[Example]:
    found: list[Example] = []
    current = Example()
    for block in BLOCK.finditer(TEXT):
        kind, body = block["kind"], block["body"]
        if kind == "jinja":
            current.library[block["key"] or "example"] = body
        elif kind == "json":
            current.values = json.loads(body)
        else:
            current.kind, current.wanted = kind, body
            found.append(current)
            current = Example()
    return found


def test_there_are_examples_of_every_kind() -> None:
    assert {example.kind for example in examples()} == {*CHANNELS, "error"}
    assert len(examples()) >= 15
    assert TEXT.count("```jinja") == sum(len(example.library) for example in examples())


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.library["example"][:40])
def test_an_example_does_what_is_written_below_it(example: Example) -> None:
    channel = CHANNELS.get(example.kind, Channel.SMS)
    library = {
        key: Template(key, channel, None, None, body) for key, body in example.library.items()
    }
    renderer = templates.Renderer(library)
    if example.kind == "error":
        with pytest.raises(TemplateError, match=re.escape(example.wanted)):
            renderer.template("example", example.values, channel)
    else:
        assert renderer.template("example", example.values, channel)[1] == example.wanted


def test_every_filter_test_and_format_is_named() -> None:
    for name in [*FILTERS, *template_rewriter.TESTS, *FORMATS.checkers]:
        assert f"`{name}" in TEXT, name


@pytest.mark.parametrize(
    "figure",
    [
        f"{template_language.MAX_SOURCE:,} characters, {template_rewriter.MAX_NODES:,} parts",
        f"{template_syntax.MAX_TOKENS:,} words and signs",
        f"{content.MAX_TEMPLATES} templates, {template_budget.MAX_PARTS:,} parts, {templates.MAX_DEPTH} inside",
        f"{template_budget.MAX_OUTPUT:,} characters",
        f"{template_budget.MAX_STEPS:,} steps",
        f"{template_language._BIGGEST:,}",
        f"{payload.MAX_PAYLOAD_BYTES:,} bytes, {payload.MAX_DEPTH} levels",
        f"at most {template_filters.SMS_LENGTH:,} characters",
        f"may have {payload_schema.MAX_SCHEMA_BYTES:,} bytes",
        f"at most {schema_keywords.MAX_STEPS:,} steps",
    ],
)
def test_a_limit_is_the_codes(figure: str) -> None:
    assert figure in TEXT
