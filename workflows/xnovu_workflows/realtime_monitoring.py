"""RealtimeMonitoringWorkflow: picks up what is due at once (INSERT) and takes back what was withdrawn (UPDATE).

One long, heartbeating activity a window (`monitoring`). Started by the orchestration's EnsureMonitors; its id holds the
enterprise's, so there is one.
"""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from xnovu.core.contracts.orchestration import EnterpriseConfig, Monitor, MonitorInput
    from xnovu_workflows.sandbox import reloaded
with reloaded():
    from xnovu_workflows.monitoring import MonitoringLoop


@workflow.defn
class RealtimeMonitoringWorkflow:
    """Runs until it is cancelled."""

    @workflow.init
    def __init__(self, given: MonitorInput) -> None:
        self._loop = MonitoringLoop(given)

    @workflow.run
    async def run(self, given: MonitorInput) -> None:
        del given
        await self._loop.watch("PollSupabase", Monitor.REALTIME)

    @workflow.signal
    def configure(self, config: EnterpriseConfig) -> None:
        """A configuration of a lower or the same generation changes nothing."""
        self._loop.accept(config)
