"""Writes the histories of tests/replay: `python -m support.histories ADDRESS FOLDER`, with tests on the path.

Run it when a new path of a workflow is worth keeping, against any Temporal; look at the difference before keeping it.
"""

import asyncio
import json
import re
import sys
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

from fakes.novu import Fault, lost_answer
from support.orchestration import ALL, a_config, apply, orchestration, run_exactly, stop
from support.temporal import Case, a_case, eventually
from temporalio.client import WorkflowHandle

from xnovu.core import ids
from xnovu.core.contracts.notifications import NotificationStatus
from xnovu.core.contracts.orchestration import Monitor
from xnovu.core.contracts.rules import NotificationTemplate, ResourceRule, RuleExecutionInput
from xnovu.core.errors import NovuRejected, NovuThrottled
from xnovu_activities.monitors import WORKFLOW_TYPES, monitor_id


async def _keep(handle: WorkflowHandle[object, object], path: Path) -> None:
    text = (await handle.fetch_history()).to_json()
    # Whose machine it was, and where its files lay, is nobody's business and no part of a replay.
    text = re.sub(r"\d+@[\w.-]+", "worker", text)
    text = re.sub(r'"stackTrace": "(?:[^"\\]|\\.)*"', '"stackTrace": ""', text)
    path.write_text(json.dumps(json.loads(text), indent=1, sort_keys=True) + "\n")


async def _deliveries(case: Case, folder: Path) -> None:
    kind = "NotificationProcessingWorkflow"
    scripts = {
        "sent": [],
        "unclear": [lost_answer(accepted=False), lost_answer(accepted=True)],
        "throttled": [Fault(NovuThrottled("429", retry_after=timedelta(milliseconds=50)))] * 2,
        "refused": [lost_answer(accepted=False), Fault(NovuRejected("refused"))],
    }
    for number, (name, script) in enumerate(scripts.items(), 1):
        case.novu.script = list(script)
        handle = await case.start(case.database.add(number))
        await handle.result()
        await _keep(handle, folder / f"{kind}.{name}.json")
    case.novu.script = [None, *[Fault(NovuRejected("refused"))] * 2]
    people = tuple(f"u{i}" for i in range(250))
    handle = await case.start(case.database.add(90, recipients=people))
    await handle.result()
    await _keep(handle, folder / f"{kind}.partial.json")
    withdrawn = case.database.rows[1]
    withdrawn.move(NotificationStatus.RETRACTED)
    handle = await case.start(withdrawn)
    await handle.result()
    await _keep(handle, folder / f"{kind}.withdrawn.json")
    row = case.database.rows[2]
    row.move(NotificationStatus.PROCESSING)
    handle = await case.start(row)
    await handle.result()
    await _keep(handle, folder / f"{kind}.resumed.json")


async def _rule(case: Case, folder: Path) -> None:
    template = NotificationTemplate(workflow="welcome", recipients=("ada",))
    given = RuleExecutionInput(
        enterprise=case.enterprise,
        rule_key=ids.resource_rule_key("uid"),
        resource=ResourceRule(namespace="acme", name="daily", uid="uid", notification=template),
    )
    handle = await case.client.start_workflow(
        "RuleExecutionWorkflow", given, id=f"rule-{case.enterprise.id}", task_queue=case.queue
    )
    await handle.result()
    await _keep(handle, folder / "RuleExecutionWorkflow.created.json")


async def _monitors(case: Case, folder: Path) -> None:
    await apply(case, a_config(case))
    await run_exactly(case, ALL)
    handles = {
        WORKFLOW_TYPES[m]: await _pinned(case, monitor_id(m, case.enterprise.id)) for m in Monitor
    }
    await apply(case, a_config(case, 2))
    await eventually(lambda: _all_ended(handles.values()), "the first runs have ended")
    await stop(case)
    await orchestration(case).result()
    await _keep(orchestration(case), folder / "NotificationOrchestrationWorkflow.shutdown.json")
    for kind, handle in handles.items():
        await _keep(handle, folder / f"{kind}.reconfigured.json")


async def _all_ended(handles: Iterable[WorkflowHandle[object, object]]) -> bool:
    return all([(await h.describe()).close_time is not None for h in handles])


async def _pinned(case: Case, workflow_id: str) -> WorkflowHandle[object, object]:
    found = await case.client.get_workflow_handle(workflow_id).describe()
    return case.client.get_workflow_handle(workflow_id, run_id=found.run_id)


async def main(address: str, folder: Path) -> None:
    case = await a_case(address)
    async with case.worker():
        await _deliveries(case, folder)
        await _rule(case, folder)
        await _monitors(case, folder)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
