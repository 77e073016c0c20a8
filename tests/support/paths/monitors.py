"""Every path of the monitoring workflows and of the orchestration, played."""

from support.orchestration import ALL, a_config, apply, orchestration, run_exactly, stop
from support.paths.playing import Handle, Played, a_worker_of, over, own_worker, pinned
from support.temporal import Case
from temporalio.exceptions import ApplicationError

from xnovu.core.contracts.orchestration import Monitor, MonitorInput
from xnovu_activities.monitors import WORKFLOW_TYPES, monitor_id

ORCHESTRATION = "NotificationOrchestrationWorkflow"
DEFECT = ApplicationError("a defect of XNovu", type="InternalError", non_retryable=True)


def reconfigured(monitor: Monitor) -> Played:
    async def play(case: Case) -> Handle:
        await apply(case, a_config(case))
        await run_exactly(case, ALL)
        handle = await pinned(case, monitor_id(monitor, case.enterprise.id))
        await apply(case, a_config(case, 2))
        await over(handle)
        await stop(case)
        return handle

    return play


def stopped(monitor: Monitor) -> Played:
    async def play(case: Case) -> Handle:
        await apply(case, a_config(case))
        await run_exactly(case, ALL)
        handle = await pinned(case, monitor_id(monitor, case.enterprise.id))
        await stop(case)
        await over(handle)
        return handle

    return play


def windowed(monitor: Monitor, end: Exception | None) -> Played:
    """Its long activity ends by itself, well or for good."""

    @own_worker
    async def play(case: Case) -> Handle:
        async with a_worker_of(case, [end]):
            handle: Handle = await case.client.start_workflow(
                WORKFLOW_TYPES[monitor],
                MonitorInput(config=a_config(case)),
                id=monitor_id(monitor, case.enterprise.id),
                task_queue=case.queue,
            )
            first = await pinned(case, handle.id)
            await over(first)
            await handle.terminate()
        return first

    return play


def of_monitor(monitor: Monitor) -> dict[str, Played]:
    return {
        "reconfigured": reconfigured(monitor),
        "stopped": stopped(monitor),
        "continued": windowed(monitor, None),
        "failed": windowed(monitor, DEFECT),
    }


async def shutdown(case: Case) -> Handle:
    """Started, told something new, asked to end twice."""
    await apply(case, a_config(case))
    await run_exactly(case, ALL)
    await apply(case, a_config(case, 2))
    await stop(case)
    await orchestration(case).result()
    return orchestration(case)


async def suspended(case: Case) -> Handle:
    await apply(case, a_config(case))
    await run_exactly(case, ALL)
    await apply(case, a_config(case, 2, suspend=True))
    await run_exactly(case, [])
    await apply(case, a_config(case, 3))
    await run_exactly(case, ALL)
    await stop(case)
    await orchestration(case).result()
    return orchestration(case)


def orchestrated(end: Exception | None) -> Played:
    """Its long activity ends by itself, well or for good."""

    @own_worker
    async def play(case: Case) -> Handle:
        async with a_worker_of(case, [end]):
            await apply(case, a_config(case))
            first = case.client.get_workflow_handle(
                orchestration(case).id, run_id=await first_run_of(case)
            )
            await over(first)
            await orchestration(case).terminate()
        return first

    return play


async def first_run_of(case: Case) -> str:
    found = await orchestration(case).describe()
    return found.raw_description.workflow_execution_info.first_run_id


@own_worker
async def told_often(case: Case) -> Handle:
    """Told so often that its history is long enough."""
    async with a_worker_of(case, []):
        await apply(case, a_config(case))
        first = await pinned(case, orchestration(case).id)
        generation = 1
        while (await first.describe()).close_time is None:
            generation += 1
            await apply(case, a_config(case, generation))
        await orchestration(case).terminate()
    return first


PATHS: dict[str, Played] = {
    "shutdown": shutdown,
    "suspended": suspended,
    "continued": orchestrated(None),
    "failed": orchestrated(DEFECT),
    "told_often": told_often,
}
