"""What Novu is given for a notification."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from pydantic import JsonValue

from xnovu.core.content import load_and_render
from xnovu.core.contracts.notifications import Channel, NotificationStatus, WorkflowType
from xnovu.core.errors import TemplateError, ValidationError
from xnovu.core.records import Notification, Template, Workflow

NOTIFICATION = Notification(
    id=7,
    enterprise_id="e1",
    name="n",
    status=NotificationStatus.PROCESSING,
    payload={"what": "Lift <3>"},
    recipients=("a",),
    channels=(Channel.IN_APP, Channel.EMAIL),
    overrides={},
    tags=(),
    topics=(),
    priority=None,
    workflow_id=1,
    generation=0,
    due_at=datetime(2026, 1, 1, tzinfo=UTC),
    attempts=1,
)
STATIC = Workflow(1, "welcome", WorkflowType.STATIC, "e1", (Channel.SMS,), None, {})
DYNAMIC = replace(
    STATIC,
    key="incident",
    type=WorkflowType.DYNAMIC,
    template_overrides={
        "emailTemplateId": "mail",
        "inAppTemplateId": "app",
        "smsTemplateId": "sms",
    },
)


class Shelf:
    """Templates by key, and what was asked for."""

    def __init__(self, **bodies: str) -> None:
        self.bodies = bodies
        self.asked: list[list[str]] = []

    async def __call__(self, keys: Sequence[str]) -> dict[str, Template]:
        self.asked.append(list(keys))
        return {
            key: Template(key, Channel.EMAIL, None, "{{ what }}\n!", self.bodies[key])
            for key in keys
            if key in self.bodies
        }


async def test_static_content_passes_through_and_fetches_nothing() -> None:
    shelf = Shelf()
    found = await load_and_render(NOTIFICATION, STATIC, shelf)
    assert (found.workflow_key, found.payload, found.overrides) == (
        "welcome",
        NOTIFICATION.payload,
        {},
    )
    assert found.channels == (Channel.EMAIL, Channel.IN_APP)
    assert shelf.asked == []


async def test_dynamic_content_is_rendered_for_each_channel() -> None:
    shelf = Shelf(
        app="{{ what }}",
        mail="<p>{{ what }}</p>{{ xnovu_render('foot', {'w': what}) }}",
        foot="<i>{{ w }}</i>",
    )
    found = await load_and_render(NOTIFICATION, DYNAMIC, shelf)
    assert found.workflow_key == "xnovu-dynamic"
    assert found.payload == {
        "what": "Lift <3>",
        "xnovu": {
            "enterpriseId": "e1",
            "notificationId": 7,
            "workflowKey": "incident",
            "rendered": {
                "email": {
                    "subject": "Lift <3> !",
                    "body": "<p>Lift &lt;3&gt;</p><i>Lift &lt;3&gt;</i>",
                },
                "in_app": {"subject": "Lift <3> !", "body": "Lift <3>"},
            },
        },
    }
    assert shelf.asked == [["app", "mail"], ["foot"]]


async def test_the_workflows_channels_count_where_the_notification_has_none() -> None:
    found = await load_and_render(
        replace(NOTIFICATION, channels=()), DYNAMIC, Shelf(sms="{{ what }}")
    )
    assert found.channels == (Channel.SMS,)


async def test_a_dynamic_workflow_without_a_channel_is_refused() -> None:
    with pytest.raises(ValidationError, match="names a channel"):
        await load_and_render(
            replace(NOTIFICATION, channels=()), replace(DYNAMIC, default_channels=()), Shelf()
        )


@pytest.mark.parametrize("overrides", [{}, {"pushTemplateId": 3}, {"pushTemplateId": ""}])
async def test_a_channel_without_a_template_is_a_template_error(
    overrides: dict[str, JsonValue],
) -> None:
    workflow = replace(DYNAMIC, template_overrides=overrides)
    with pytest.raises(TemplateError, match=r"no template for PUSH: .*pushTemplateId"):
        await load_and_render(replace(NOTIFICATION, channels=(Channel.PUSH,)), workflow, Shelf())


async def test_a_template_that_is_not_there_stops_the_notification() -> None:
    with pytest.raises(TemplateError, match="template 'app' is not there"):
        await load_and_render(NOTIFICATION, DYNAMIC, Shelf(mail="x"))


async def test_overrides_that_ask_for_a_template_are_rendered_and_others_kept() -> None:
    asks = "{{ xnovu_render('foot', {w: what}) }}"
    overrides: dict[str, JsonValue] = {
        "sms": {"content": asks},
        "email": {"from": "{{subscriber.email}}", "tags": [1, None, asks]},
    }
    notification = replace(NOTIFICATION, overrides=overrides)
    shelf = Shelf(foot="[{{ w }}]")
    found = await load_and_render(notification, STATIC, shelf)
    assert found.overrides == {
        "sms": {"content": "[Lift <3>]"},
        "email": {"from": "{{subscriber.email}}", "tags": [1, None, "[Lift <3>]"]},
    }
    assert shelf.asked == [["foot"]]


async def test_html_in_an_override_is_made_harmless_and_a_header_stays_on_one_line() -> None:
    asks = "{{ xnovu_render('foot', {w: what}) }}"
    overrides: dict[str, JsonValue] = {
        "email": {"html": asks, "subject": asks, "replyTo": "a@b.example\r\nBcc: x@y.example"}
    }
    notification = replace(NOTIFICATION, overrides=overrides, payload={"what": "<b>\r\nTo: c"})
    foot = "<p onclick=x>{{ w }}</p><script>y</script>"
    found = await load_and_render(notification, STATIC, Shelf(foot=foot))
    assert found.overrides["email"] == {
        "html": "<p>&lt;b&gt;\nTo: c</p>",
        "subject": "<p onclick=x><b> To: c</p><script>y</script>",
        "replyTo": "a@b.example Bcc: x@y.example",
    }


async def test_a_body_that_nobody_would_see_stops_the_notification() -> None:
    shelf = Shelf(sms="{% if false %}x{% endif %} ")
    with pytest.raises(TemplateError, match="'sms' renders to an empty body for SMS"):
        await load_and_render(replace(NOTIFICATION, channels=()), DYNAMIC, shelf)


async def test_a_cycle_of_templates_ends_and_is_refused() -> None:
    shelf = Shelf(sms="{{ xnovu_render('b') }}", b="{{ xnovu_render('sms') }}")
    with pytest.raises(TemplateError, match="sms → b → sms"):
        await load_and_render(replace(NOTIFICATION, channels=()), DYNAMIC, shelf)
    assert shelf.asked == [["sms"], ["b"]]


async def test_too_many_templates_are_refused_before_they_are_fetched() -> None:
    many = "".join(f"{{{{ xnovu_render('k{n}') }}}}" for n in range(100))
    shelf = Shelf(sms=many)
    with pytest.raises(TemplateError, match="more than 100 templates"):
        await load_and_render(replace(NOTIFICATION, channels=()), DYNAMIC, shelf)
    assert len(shelf.asked) == 1


async def test_content_that_renders_too_large_for_novu_is_refused() -> None:
    notification = replace(
        NOTIFICATION, channels=(), payload={"what": "x" * 180_000, "more": "y" * 300_000}
    )
    with pytest.raises(TemplateError, match="rendered payload has"):
        await load_and_render(notification, DYNAMIC, Shelf(sms="short"))


async def test_the_digest_tells_equal_content_from_other() -> None:
    shelf = Shelf(app="{{ what }}", mail="{{ what }}")
    first = await load_and_render(NOTIFICATION, DYNAMIC, shelf)
    again = await load_and_render(
        replace(NOTIFICATION, channels=(Channel.EMAIL, Channel.IN_APP), attempts=2), DYNAMIC, shelf
    )
    other = await load_and_render(replace(NOTIFICATION, payload={"what": "x"}), DYNAMIC, shelf)
    assert first.digest == again.digest != other.digest
