"""One template rendered as a delivery would render it, with a payload that somebody gives. Called by `template render`."""

from datetime import UTC, datetime
from typing import Final

from xnovu.commands.rehearsal_view import rendered
from xnovu.core.content import OVERRIDE_NAMES, Fetch, load_and_render
from xnovu.core.contracts.notifications import Channel, NotificationStatus, WorkflowType
from xnovu.core.errors import TemplateError, clip
from xnovu.core.records import JsonObject, Notification, Workflow

_NEVER: Final = datetime.fromtimestamp(0, UTC)


async def render_template(
    enterprise_id: str, key: str, channel: Channel | None, variables: JsonObject, fetch: Fetch
) -> tuple[Channel, str, str]:
    """Channel, subject and body. Without a channel, for the template's own. Raises TemplateError, ValidationError."""
    found = (await fetch([key])).get(key)
    if found is None:
        raise TemplateError(
            f"template {clip(key, 64)!r} is not there for enterprise {enterprise_id}: publish one of this key"
        )
    used = channel or found.channel
    content = await load_and_render(
        _notification(enterprise_id, used, variables), _workflow(enterprise_id, used, key), fetch
    )
    subject, body = rendered(content.payload)[used.lower()]
    return used, subject, body


def _workflow(enterprise_id: str, channel: Channel, key: str) -> Workflow:
    """One that has this template, and nothing else."""
    return Workflow(
        id=0,
        key=key,
        type=WorkflowType.DYNAMIC,
        enterprise_id=enterprise_id,
        default_channels=(channel,),
        payload_schema=None,
        template_overrides={OVERRIDE_NAMES[channel]: key},
    )


def _notification(enterprise_id: str, channel: Channel, variables: JsonObject) -> Notification:
    return Notification(
        id=0,
        enterprise_id=enterprise_id,
        name="",
        status=NotificationStatus.PENDING,
        payload=variables,
        recipients=(),
        channels=(channel,),
        overrides={},
        tags=(),
        topics=(),
        priority=None,
        workflow_id=0,
        generation=0,
        due_at=_NEVER,
        attempts=0,
    )
