"""Templates and DYNAMIC workflows as rows, for tests that render. Not for production code."""

from uuid import uuid4

from psycopg.types.json import Jsonb
from support.rows import Rows

_NAMES = {"EMAIL": "emailTemplateId", "IN_APP": "inAppTemplateId", "SMS": "smsTemplateId"}


def template(
    rows: Rows,
    body: str,
    *,
    channel: str = "IN_APP",
    subject: str | None = None,
    key: str | None = None,
) -> str:
    """A published template of the enterprise; answers its key."""
    made = key or f"template-{uuid4()}"
    rows.execute(
        "insert into notify.ent_notification_template"
        " (name, template_key, channel_type, subject_template, body_template, publish_status, enterprise_id)"
        " values (%s, %s, %s::shared_types.notification_channel_type, %s, %s, 'PUBLISH', %s)",
        made, made, channel, subject, body, rows.enterprise,
    )  # fmt: skip
    return made


def dynamic(rows: Rows, **templates: str) -> int:
    """A published DYNAMIC workflow: the key of a template by channel."""
    key = f"dynamic-{uuid4()}"
    made = rows.one(
        "insert into notify.ent_notification_workflow"
        " (name, workflow_type, workflow_key, publish_status, enterprise_id, default_channels, template_overrides)"
        " values (%s, 'DYNAMIC', %s, 'PUBLISH', %s, %s::shared_types.notification_channel_type[], %s) returning id",
        key, key, rows.enterprise, list(templates),
        Jsonb({_NAMES[channel]: name for channel, name in templates.items()}),
    )  # fmt: skip
    return int(made)
