"""Partial success at a real Novu and database: the row says who was reached, and a replay sends to the others only."""

import asyncio
import uuid
from collections import Counter

import pytest
from support.real_case import IN_APP, RealCase
from support.sandbox import eventually

pytestmark = pytest.mark.stack

PEOPLE = sorted(str(uuid.uuid4()) for _ in range(250))


async def test_a_replay_sends_to_those_that_were_not_reached(case: RealCase) -> None:
    workflow = case.workflow(IN_APP)
    n = case.rows.notification(notification_workflow_id=workflow, recipients=PEOPLE)
    key = "select workflow_key from notify.ent_notification_workflow where id = %s"
    path = f"/v2/workflows/{case.rows.one(key, workflow)}"
    async with case.worker():
        # The first chunk is delivered before its answer comes, and by then the workflow is gone.
        case.sandbox.fault("slow", seconds=1, count=1)
        delivering = asyncio.create_task(case.deliver(n))
        await asyncio.to_thread(remove_when_done, case, path)
        assert (await delivering).reason == "WorkflowNotFound"
        details = case.column(n, "error_details")
        assert "100 of 250 recipients were reached" in details["message"]
        assert [c["outcome"] for c in details["chunks"]] == ["Accepted", "Refused", "NotTried"]
        assert details["chunks"][0]["reached"] == PEOPLE[:100]
        assert details["chunks"][1]["notReached"] == PEOPLE[100:200]
        with case.sandbox.client() as api:
            name = path.rpartition("/")[2]
            api.put(path, json={"workflowId": name, "name": name, "steps": [IN_APP]})
        replay = "select notify.replay_notification(%s, %s)"
        assert case.rows.one(replay, case.rows.enterprise, n) == 1
        assert (await case.deliver(n)).status == "SENT"
    await asyncio.to_thread(case.sandbox.settled)
    assert Counter(d["subscriberId"] for d in case.sandbox.deliveries()) == Counter(PEOPLE)


def remove_when_done(case: RealCase, path: str) -> None:
    eventually(lambda: case.sandbox.admin("GET", "/status")["done"] == 1, "the first is delivered")
    with case.sandbox.client() as api:
        api.delete(path).raise_for_status()
