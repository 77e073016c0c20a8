"""What the three monitoring workflows have in common: one long activity after the other, until told otherwise.

A base, not a workflow. Each window is one activity; then the run continues as new, so histories stay short. A new
configuration (signal `configure`) ends the window at once; cancelling the workflow stops the monitor.
"""

import asyncio
from typing import NoReturn

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from xnovu.core.contracts.orchestration import (
        EnterpriseConfig,
        Monitor,
        MonitorInput,
        PollInput,
        PollResult,
    )
    from xnovu_workflows.policies import FOREVER, HEARTBEAT, WINDOW


class MonitoringLoop:
    """State and loop of a monitor."""

    def __init__(self, given: MonitorInput) -> None:
        self._config = given.config

    def accept(self, config: EnterpriseConfig) -> None:
        """Newer configurations only: signals may arrive late."""
        if config.generation > self._config.generation:
            self._config = config

    async def watch(self, activity: str, monitor: Monitor) -> NoReturn:
        """Run one window, then continue as new."""
        working = self._config
        handle = workflow.start_activity(
            activity,
            PollInput(config=working, monitor=monitor),
            result_type=PollResult,
            start_to_close_timeout=WINDOW,
            heartbeat_timeout=HEARTBEAT,
            retry_policy=FOREVER,
        )
        changed = asyncio.create_task(workflow.wait_condition(lambda: self._config != working))
        await workflow.wait([handle, changed], return_when=asyncio.FIRST_COMPLETED)
        if handle.done():
            # Retried for ever, so an error here is a defect or a time-out: the next run begins anew.
            handle.exception() if not handle.cancelled() else None
        else:
            handle.cancel()
        changed.cancel()
        workflow.continue_as_new(MonitorInput(config=self._config))
