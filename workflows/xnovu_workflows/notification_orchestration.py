"""NotificationOrchestrationWorkflow: keeps the monitors of one enterprise running, with its newest configuration.

The monitors are peers that an activity starts, not children: children do not survive a continue-as-new of their parent.
The operator starts it by update-with-start and speaks to it by updates; it never polls and never delivers.
"""

import asyncio

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from xnovu.core.contracts.common import Mode
    from xnovu.core.contracts.orchestration import (
        EnterpriseConfig,
        Monitor,
        OrchestrationInput,
        OrchestrationStatus,
        PollInput,
        ShutdownInput,
        StopInput,
    )
    from xnovu_workflows.policies import FOREVER, HEARTBEAT, STEP, WINDOW
    from xnovu_workflows.sandbox import reloaded
with reloaded():
    from xnovu_workflows.windows import end_of_window


@workflow.defn
class NotificationOrchestrationWorkflow:
    """Runs until `shutdown`."""

    @workflow.init
    def __init__(self, given: OrchestrationInput) -> None:
        self._config = given.config
        self._stopping = False
        self._stop: workflow.ActivityHandle[None] | None = None

    @workflow.run
    async def run(self, given: OrchestrationInput) -> None:
        del given
        while not self._stopping and not workflow.info().is_continue_as_new_suggested():
            if await self._window():
                break
        await workflow.wait_condition(workflow.all_handlers_finished)
        if not self._stopping:
            workflow.continue_as_new(OrchestrationInput(config=self._config))

    async def _window(self) -> bool:
        """One window of EnsureMonitors; True when it came to its end, False when something new interrupted it."""
        working = self._config
        handle = workflow.start_activity(
            "EnsureMonitors",
            PollInput(config=working, monitor=Monitor.REALTIME),
            start_to_close_timeout=WINDOW,
            heartbeat_timeout=HEARTBEAT,
            retry_policy=FOREVER,
        )
        return await end_of_window(handle, lambda: self._stopping or self._config != working)

    @workflow.update
    async def apply_config(self, config: EnterpriseConfig) -> OrchestrationStatus:
        """Idempotency key: object and generation. The monitors hear of it from the next EnsureMonitors, at once."""
        if config.supersedes(self._config):
            self._config = config
        return self.status()

    @apply_config.validator
    def _check_config(self, config: EnterpriseConfig) -> None:
        if self._stopping:
            raise ApplicationError("it is shutting down", type="Stopping")
        if config.enterprise.id != self._config.enterprise.id:
            raise ApplicationError("a configuration of another enterprise", type="Conflict")
        same = config.source == self._config.source
        if same and config.generation < self._config.generation:
            raise ApplicationError(
                f"generation {config.generation} is older than {self._config.generation}",
                type="Outdated",
            )

    @workflow.update
    async def shutdown(self, request: ShutdownInput) -> None:
        """Stop the monitors, wait for what is under way, bounded by `drain`, and end. A second call waits too."""
        self._stopping = True
        if self._stop is None:
            self._stop = workflow.start_activity(
                "StopMonitors",
                StopInput(config=self._config, drain=request.drain),
                start_to_close_timeout=request.drain + STEP,
                heartbeat_timeout=HEARTBEAT,
                retry_policy=FOREVER,
            )
        await asyncio.shield(self._stop)

    @workflow.query
    def status(self) -> OrchestrationStatus:
        """What it works with."""
        modes = {
            Monitor.REALTIME: self._config.realtime.mode,
            Monitor.SCHEDULED: self._config.scheduled.mode,
            Monitor.CRON: self._config.cron.mode,
        }
        wanted = (
            () if self._config.suspend else tuple(m for m in Monitor if modes[m] is not Mode.OFF)
        )
        return OrchestrationStatus(
            config_generation=self._config.generation, monitors=wanted, stopping=self._stopping
        )
