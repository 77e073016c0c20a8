"""What would happen to a notification if it were sent now: the worker's own steps up to the send, and not that one.

Reads the row, its workflow and its templates; claims, sends and writes nothing. Used by `notification dry-run` and by
the dry run of a replay.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from xnovu.commands.systems import Enterprise, Systems
from xnovu.core.content import Content
from xnovu.core.contracts.common import DeliveryConfig
from xnovu.core.contracts.notifications import NotificationRef, ProcessingInput
from xnovu.core.errors import NotificationError, NotificationNotFound
from xnovu.core.ids import transaction_id
from xnovu.core.recipients import Chunk
from xnovu.core.records import Claimed, Notification, Workflow
from xnovu_activities import deliver


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """`prepared` is None where it could not be sent; then `reason` and `message` say why, as `error_details` would.

    `generation`: the one that it would be sent as.
    """

    notification: Notification
    workflow_key: str | None
    generation: int
    prepared: deliver.Prepared | None
    reason: str | None
    message: str | None

    @property
    def content(self) -> Content | None:
        return None if self.prepared is None else self.prepared.content

    @property
    def chunks(self) -> tuple[Chunk, ...]:
        return () if self.prepared is None else self.prepared.chunks

    def transaction(self, chunk: Chunk) -> str:
        n = self.notification
        return transaction_id(n.enterprise_id, n.id, self.generation, chunk.index)


async def rehearse(
    systems: Systems, enterprise: Enterprise, notification_id: int, *, replayed: bool = False
) -> Rehearsal:
    """`replayed`: as the next generation. Raises NotificationNotFound, and what the database raises."""
    database = systems.tenants.database(enterprise.ref)
    claimed = await database.fetch(notification_id)
    row = claimed.notification
    if row is None:
        raise NotificationNotFound(
            f"notification {notification_id} is not there for enterprise {enterprise.id}:"
            " check the id and --enterprise"
        )
    key = claimed.workflow.key if claimed.workflow else None
    generation = row.generation + int(replayed)
    try:
        prepared = await deliver.prepare(database, *_checked(enterprise, claimed))
    except NotificationError as error:
        return Rehearsal(row, key, generation, None, error.reason, error.message)
    return Rehearsal(row, key, generation, prepared, None, None)


def _checked(enterprise: Enterprise, claimed: Claimed) -> tuple[Notification, Workflow]:
    """The worker's checks, with the enterprise's own `expireAfter` where its monitor says it."""
    delivery = enterprise.config.delivery if enterprise.config else DeliveryConfig()
    ref = NotificationRef(enterprise=enterprise.ref, notification_id=claimed.notification_id)
    return deliver.check(claimed, ProcessingInput(ref=ref, delivery=delivery), datetime.now(UTC))
