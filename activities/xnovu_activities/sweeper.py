"""Returns what a dead owner left: PROCESSING rows whose lease is over, after asking Temporal whether the owner lives.

The question and the answer are one call: starting the notification's workflow under the rule that a running one refuses.
It runs: its lease is extended, so that others have their turn. It does not: the new run resumes, and asks Novu's feed
before it sends. What another installation holds is left alone and counted. Called by `upkeep`.
"""

import asyncio
import logging
from dataclasses import dataclass
from typing import Final, Protocol

from xnovu.core.contracts.notifications import NotificationRef, ProcessingInput
from xnovu.core.contracts.orchestration import EnterpriseConfig
from xnovu.core.records import Swept
from xnovu_activities.measures import Measures
from xnovu_activities.ports import Tenants

BATCH: Final = 100
_log: Final = logging.getLogger("xnovu.sweeper")


class Resumes(Protocol):
    """Starts the workflow of a notification anew (`monitors.Starter`)."""

    async def resume(self, request: ProcessingInput) -> bool:
        """False: it runs already, and nothing was started. Raises TemporalUnavailable."""


@dataclass(frozen=True, slots=True)
class Sweeper:
    """`installation`: whose claims these are (`ids.installation_id`)."""

    tenants: Tenants
    starter: Resumes
    installation: str
    measures: Measures

    async def sweep(self, config: EnterpriseConfig) -> tuple[Swept, int]:
        """One look; answers what was found, and how many were resumed. Raises what the ports raise."""
        database = self.tenants.database(config.enterprise)
        found = await database.sweep(self.installation, BATCH)
        self.measures.foreign(config.enterprise.id, found.foreign_count)
        requests = [
            ProcessingInput(
                ref=NotificationRef(enterprise=config.enterprise, notification_id=notification_id),
                delivery=config.delivery,
            )
            for notification_id in found.stale
        ]
        began = await asyncio.gather(*(self.starter.resume(request) for request in requests))
        alive = [i for i, new in zip(found.stale, began, strict=True) if not new]
        if alive:
            await database.extend_leases(alive)
        resumed = len(found.stale) - len(alive)
        if resumed:
            _log.warning(
                "%d notifications of %s were left by a workflow that is gone and are resumed",
                resumed,
                config.enterprise.id,
            )
        return found, resumed
