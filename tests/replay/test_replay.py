"""Histories that earlier code wrote still replay: what runs now in an installation must go on after an upgrade.

A failure says that a workflow's decisions changed: guard the change with `workflow.patched`, or, before the first
release, write the histories anew with `support.histories`.
"""

from pathlib import Path

import pytest
from support.runner import sandboxed
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from xnovu.worker import WORKFLOWS

HISTORIES = sorted((Path(__file__).parent / "histories").glob("*.json"))


def replayer() -> Replayer:
    return Replayer(
        workflows=WORKFLOWS,
        data_converter=pydantic_data_converter,
        workflow_runner=sandboxed(),
    )


def test_there_are_histories_of_every_workflow() -> None:
    kinds = {p.name.split(".")[0] for p in HISTORIES}
    assert kinds == {w.__name__ for w in WORKFLOWS}


@pytest.mark.parametrize("path", HISTORIES, ids=lambda p: p.stem)
async def test_it_replays(path: Path) -> None:
    history = WorkflowHistory.from_json(path.stem, path.read_text())
    await replayer().replay_workflow(history)


async def test_a_changed_history_does_not_replay() -> None:
    """That this test can fail: the same history with another activity in it."""
    path = next(p for p in HISTORIES if p.name.startswith("RuleExecutionWorkflow"))
    changed = path.read_text().replace("EvaluateRule", "AnotherActivity")
    history = WorkflowHistory.from_json(path.stem, changed)
    with pytest.raises(Exception, match=r"[Nn]ondeterminism"):
        await replayer().replay_workflow(history)
