"""Every identifier that XNovu gives to something outside itself, made and parsed in one place.

Workflow ids, schedule ids, transaction ids, claim owners, dedupe keys and search attribute names come from here
and from nowhere else: the id *is* the idempotency key, so two spellings of one id would be two deliveries.
Called by the operator, the workflows, the activities and the tests. No I/O, no clock, no randomness.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

SEARCH_ATTRIBUTE_ENTERPRISE: Final = "XnovuEnterprise"
"""Keyword: the tenant's UUID, on every workflow and schedule of ours."""

SEARCH_ATTRIBUTE_RULE: Final = "XnovuRule"
"""Keyword: the key of the rule (see `RuleKey`), on its schedule and on each of its executions."""

SEARCH_ATTRIBUTE_SPEC: Final = "XnovuSpec"
"""Keyword: digest of what a Schedule was made from; listing shows it and an update can change it (adr/0005)."""

SEARCH_ATTRIBUTES: Final = (
    SEARCH_ATTRIBUTE_ENTERPRISE,
    SEARCH_ATTRIBUTE_RULE,
    SEARCH_ATTRIBUTE_SPEC,
)

FINALIZER: Final = "xnovu.io/finalizer"
ANNOTATION_RECONCILE: Final = "xnovu.io/reconcile-requested-at"
ANNOTATION_TRIGGER: Final = "xnovu.io/trigger-requested-at"
ANNOTATION_FORCE_FINALIZE: Final = "xnovu.io/force-finalize"

RECIPIENTS_PER_TRIGGER: Final = 100
"""Novu takes at most 100 recipients in one trigger call (its API reference, POST /v1/events/trigger)."""

DYNAMIC_WORKFLOW_KEY: Final = "xnovu-dynamic"
"""The one Novu workflow that carries content rendered by XNovu: a step a channel, each skipped when not rendered."""

_ENTERPRISE: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NOTIFICATION: Final = re.compile(r"^notification-([0-9a-f-]{36})-(\d+)$")
_DATABASE_SCHEDULE: Final = re.compile(r"^xnovu-rule-([0-9a-f-]{36})-(\d+)$")
_RESOURCE_SCHEDULE: Final = re.compile(r"^xnovu\.([a-z0-9-]+)\.([a-z0-9.-]+)$")
_TRANSACTION: Final = re.compile(r"^xn-([0-9a-f]{32})-(\d+)-g(\d+)-c(\d+)(?:-m(\d+))?$")


def is_enterprise_id(text: str) -> bool:
    """Whether it is a UUID as the database writes it. Whoever may start a workflow names an enterprise, and the name goes
    into filters and queries: what is none must not get there.
    """
    return _ENTERPRISE.fullmatch(text) is not None


def orchestration_workflow_id(enterprise_id: str) -> str:
    return f"xnovu-orchestration-{enterprise_id}"


def realtime_workflow_id(enterprise_id: str) -> str:
    return f"xnovu-realtime-{enterprise_id}"


def scheduled_workflow_id(enterprise_id: str) -> str:
    return f"xnovu-scheduled-{enterprise_id}"


def cron_workflow_id(enterprise_id: str) -> str:
    return f"xnovu-cron-{enterprise_id}"


def notification_workflow_id(enterprise_id: str, notification_id: int) -> str:
    """The mutex of a notification: Temporal runs at most one workflow of this id at a time."""
    return f"notification-{enterprise_id}-{notification_id}"


def parse_notification_workflow_id(workflow_id: str) -> tuple[str, int] | None:
    match = _NOTIFICATION.match(workflow_id)
    return (match[1], int(match[2])) if match else None


def resource_schedule_id(namespace: str, name: str) -> str:
    """The Schedule of a NotificationRule. A namespace has no dots, so the two parts stay apart."""
    return f"xnovu.{namespace}.{name}"


def parse_resource_schedule_id(schedule_id: str) -> tuple[str, str] | None:
    match = _RESOURCE_SCHEDULE.match(schedule_id)
    return (match[1], match[2]) if match else None


def database_schedule_id(enterprise_id: str, rule_id: int) -> str:
    """The Schedule of a rule that lives in `notify.ent_notification_rule`."""
    return f"xnovu-rule-{enterprise_id}-{rule_id}"


def parse_database_schedule_id(schedule_id: str) -> tuple[str, int] | None:
    match = _DATABASE_SCHEDULE.match(schedule_id)
    return (match[1], int(match[2])) if match else None


def legacy_schedule_id(enterprise_id: str, rule_id: int) -> str:
    """What the TypeScript original called the Schedule of a database rule; adoptable, never made by us."""
    return f"rule-{rule_id}-{enterprise_id}"


def resource_rule_key(uid: str) -> str:
    return f"nrule:{uid}"


def database_rule_key(rule_id: int) -> str:
    return f"rule:{rule_id}"


def occurrence_key(rule_key: str, nominal: datetime) -> str:
    """The dedupe key of the notification that a rule creates for one occurrence.

    `nominal` is the time that the schedule meant, before jitter; it must be aware. UTC to the second, so that the
    key does not depend on the zone's spelling; a workflow that suppresses a repeated wall time does so before.
    """
    return f"{rule_key}@{nominal.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def execution_workflow_id(schedule_id: str) -> str:
    """Base of a rule execution's workflow id; Temporal appends `-<nominal time>` and rejects duplicates."""
    return f"{schedule_id}-run"


@dataclass(frozen=True, slots=True)
class Transaction:
    """What a Novu `transactionId` of ours says."""

    enterprise_id: str
    notification_id: int
    generation: int
    chunk: int
    missing_round: int | None = None


def transaction_id(
    enterprise_id: str,
    notification_id: int,
    generation: int,
    chunk: int,
    missing_round: int | None = None,
) -> str:
    """One id per notification, generation and chunk of recipients.

    Novu checks the id over the whole environment and silently drops the second use, so every chunk has its own;
    the whole enterprise id is in it because one Novu environment may serve several databases. A deliberate replay
    raises `generation`; `missing_round` names the send to those recipients that the feed shows as missing.
    """
    base = f"xn-{enterprise_id.replace('-', '')}-{notification_id}-g{generation}-c{chunk}"
    return base if missing_round is None else f"{base}-m{missing_round}"


def parse_transaction_id(value: str) -> Transaction | None:
    match = _TRANSACTION.match(value)
    if match is None:
        return None
    h = match[1]
    enterprise = f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"
    missing = int(match[5]) if match[5] is not None else None
    return Transaction(enterprise, int(match[2]), int(match[3]), int(match[4]), missing)


def idempotency_key(transaction: str, definite_errors: int) -> str:
    """Kept after an unclear outcome, changed after a definite error: Novu caches error answers for 24 hours."""
    return f"{transaction}#e{definite_errors}"


def claim_owner(temporal_namespace: str, enterprise_id: str, notification_id: int) -> str:
    """Who holds a PROCESSING row. Stable over retries and runs: a second run of the same workflow resumes."""
    return f"{temporal_namespace}/{notification_workflow_id(enterprise_id, notification_id)}"
