"""Values of a notification's life, for tests of what is said and shown of it. Not for production code."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from xnovu.commands.systems import Enterprise
from xnovu.core.contracts.common import EnterpriseRef
from xnovu.core.contracts.notifications import NotificationStatus, WorkflowType
from xnovu.core.contracts.orchestration import EnterpriseConfig
from xnovu.core.inspection import Life

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
REF = EnterpriseRef(id="6f1c2a9e-4b7d-4c35-9a58-1d2e3f4a5b6c")
CONFIG = EnterpriseConfig(generation=1, enterprise=REF)
WORKING = Enterprise(REF, CONFIG, None)
_NEW = Life(
    id=7, enterprise_id=REF.id, name="n", status=NotificationStatus.PENDING, publish_status="PUBLISH",
    deactivated=False, asked_at=NOW, created_at=NOW - timedelta(seconds=2), scheduled_for=None, updated_at=NOW,
    processed_at=None, retracted_at=None, retraction_reason=None, retraction_settled_at=None, retraction_report=None,
    attempts=0, generation=0, owner=None, lease_expires_at=None, transaction_id=None, reason=None, message=None,
    channels=(), topics=(), recipients=("ada",), workflow_id=1, rule_id=None, dedupe_key=None, workflow="w",
    workflow_type=WorkflowType.STATIC, delivery_problem=None, reached=0, deliveries=(), delivery_counts={},
)  # fmt: skip


def a_life(**changes: Any) -> Life:
    """A new, due row, unless `changes` say otherwise; a status may be its name."""
    if "status" in changes:
        changes["status"] = NotificationStatus(changes["status"])
    return replace(_NEW, **changes)
