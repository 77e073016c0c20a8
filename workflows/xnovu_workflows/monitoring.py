"""What the three monitoring workflows have in common: one long activity after the other, until told otherwise.

A base, not a workflow. Each window is one activity; then the run continues as new, so histories stay short. A new
configuration (signal `configure`) ends the window at once; cancelling the workflow stops the monitor.
"""

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
    from xnovu_workflows.sandbox import reloaded
with reloaded():
    from xnovu_workflows.windows import end_of_window


class MonitoringLoop:
    """State and loop of a monitor."""

    def __init__(self, given: MonitorInput) -> None:
        self._config = given.config

    def accept(self, config: EnterpriseConfig) -> None:
        """Newer configurations only: signals may arrive late."""
        if config.supersedes(self._config):
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
        await end_of_window(handle, lambda: self._config != working)
        workflow.continue_as_new(MonitorInput(config=self._config))
