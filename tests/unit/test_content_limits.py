"""Each limit of content, at it and one above it."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from xnovu.core.content import MAX_TEMPLATES, load_and_render
from xnovu.core.contracts.notifications import Channel, NotificationStatus, WorkflowType
from xnovu.core.errors import TemplateError
from xnovu.core.payload import MAX_PAYLOAD_BYTES
from xnovu.core.records import Notification, Template, Workflow
from xnovu.core.template_budget import MAX_OUTPUT, MAX_PARTS, MAX_STEPS, Budget
from xnovu.core.template_language import MAX_SOURCE, outline
from xnovu.core.template_rewriter import MAX_NODES
from xnovu.core.template_syntax import MAX_TOKENS
from xnovu.core.templates import MAX_DEPTH, Renderer

NOTIFICATION = Notification(
    id=7,
    enterprise_id="e1",
    name="n",
    status=NotificationStatus.PROCESSING,
    payload={},
    recipients=("a",),
    channels=(Channel.SMS,),
    overrides={},
    tags=(),
    topics=(),
    priority=None,
    workflow_id=1,
    generation=0,
    due_at=datetime(2026, 1, 1, tzinfo=UTC),
    attempts=1,
)
WORKFLOW = Workflow(
    1,
    "incident",
    WorkflowType.DYNAMIC,
    "e1",
    (),
    None,
    {"smsTemplateId": "sms", "pushTemplateId": "push"},
)


def shown(source: str, **values: object) -> str:
    return Renderer({}).text(source, values, "t")


def shelf(**bodies: str):
    async def fetch(keys: Sequence[str]) -> dict[str, Template]:
        return {key: Template(key, Channel.SMS, None, None, bodies[key]) for key in keys}

    return fetch


def test_a_source_of_the_longest() -> None:
    assert len(shown("a" * MAX_SOURCE)) == MAX_SOURCE
    with pytest.raises(TemplateError, match=f"longer than {MAX_SOURCE} characters"):
        shown("a" * (MAX_SOURCE + 1))


def test_a_source_of_the_most_parts() -> None:
    around = outline("{{ [] | length }}").size
    most = "{{ [" + "1," * (MAX_NODES - around) + "] | length }}"
    assert outline(most).size == MAX_NODES
    assert shown(most) == str(MAX_NODES - around)
    with pytest.raises(TemplateError, match=f"more than {MAX_NODES} parts"):
        shown(most.replace("[", "[1,"))


def test_a_source_of_the_most_words() -> None:
    around = 5  # braces, a text, and what the parser adds
    most = "{{ 'a'" + " ~ 'a'" * ((MAX_TOKENS - around) // 2) + " }}"
    with pytest.raises(TemplateError, match=f"more than {MAX_NODES} parts"):
        shown(most)
    with pytest.raises(TemplateError, match=f"more than {MAX_TOKENS} words"):
        shown(most.replace(" }}", " ~ 'a'" * 3 + " }}"))


def test_the_longest_output() -> None:
    half = "y" * (MAX_OUTPUT // 2)
    assert len(shown("{{ v }}{{ v }}", v=half)) == MAX_OUTPUT
    with pytest.raises(TemplateError, match=f"more than {MAX_OUTPUT} characters"):
        shown("{{ v }}{{ v }}.", v=half)


def test_the_output_counts_for_all_texts_of_a_notification() -> None:
    renderer = Renderer({})
    half = "y" * (MAX_OUTPUT // 2)
    for _ in range(2):
        renderer.text("{{ v }}", {"v": half}, "t")
    with pytest.raises(TemplateError, match="characters"):
        renderer.text("{{ v }}", {"v": "y"}, "t")


def test_the_most_steps() -> None:
    source = "{% for a in v %}{% endfor %}"
    budget = Budget()
    Renderer({}, budget).text(source, {"v": []}, "t")
    empty = MAX_STEPS - budget.steps
    each = outline(source).size - 1
    most = [0] * ((MAX_STEPS - empty) // each)
    assert shown(source, v=most) == ""
    with pytest.raises(TemplateError, match=f"more than {MAX_STEPS} steps"):
        shown(source, v=[*most, 0])


async def test_the_most_templates() -> None:
    def fan(count: int) -> dict[str, str]:
        bodies = {f"k{number:02}": f"{number:02}" for number in range(count - 1)}
        return {"sms": "".join(f"{{{{ xnovu_render('{key}') }}}}" for key in bodies)} | bodies

    content = await load_and_render(NOTIFICATION, WORKFLOW, shelf(**fan(MAX_TEMPLATES)))
    assert content.payload["xnovu"]["rendered"]["sms"]["body"].endswith("969798")
    with pytest.raises(TemplateError, match=f"more than {MAX_TEMPLATES} templates"):
        await load_and_render(NOTIFICATION, WORKFLOW, shelf(**fan(MAX_TEMPLATES + 1)))


async def test_the_deepest_templates() -> None:
    def chain(length: int) -> dict[str, str]:
        names = ["sms", *(f"k{number}" for number in range(length - 1))]
        bodies = [f"{{{{ xnovu_render('{name}') }}}}" for name in names[1:]]
        return dict(zip(names, [*bodies, "end"], strict=True))

    content = await load_and_render(NOTIFICATION, WORKFLOW, shelf(**chain(MAX_DEPTH)))
    assert content.payload["xnovu"]["rendered"]["sms"]["body"] == "end"
    with pytest.raises(TemplateError, match=f"more than {MAX_DEPTH} deep"):
        await load_and_render(NOTIFICATION, WORKFLOW, shelf(**chain(MAX_DEPTH + 1)))


async def test_the_parts_count_for_all_templates_of_a_notification() -> None:
    half = "{{ [" + "1," * (MAX_PARTS // 2 - 60) + "] | length }}"
    both = replace(NOTIFICATION, channels=(Channel.SMS, Channel.PUSH))
    await load_and_render(both, WORKFLOW, shelf(sms=half, push=half + " "))
    with pytest.raises(TemplateError, match=f"more than {MAX_PARTS} parts together"):
        await load_and_render(
            both, WORKFLOW, shelf(sms=half, push=half + "{{ [" + "1," * 120 + "] | length }}")
        )


@pytest.mark.parametrize("type_", WorkflowType)
async def test_the_largest_payload_that_is_sent(type_: WorkflowType) -> None:
    workflow = replace(WORKFLOW, type=type_)

    async def of(size: int) -> int:
        notification = replace(NOTIFICATION, payload={"a": "y" * size})
        content = await load_and_render(notification, workflow, shelf(sms="short"))
        return len(json.dumps(content.payload, ensure_ascii=False).encode())

    around = await of(0)
    assert await of(MAX_PAYLOAD_BYTES - around) == MAX_PAYLOAD_BYTES
    with pytest.raises(TemplateError, match=f"has {MAX_PAYLOAD_BYTES + 1} bytes"):
        await of(MAX_PAYLOAD_BYTES - around + 1)
