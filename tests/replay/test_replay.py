"""Histories that earlier code wrote still replay: what runs now in an installation must go on after an upgrade.

A failure says that a workflow's decisions changed: guard the change with `workflow.patched`, or, before the first
release, record anew with `make histories ANEW=1` (docs/adr/0012-evolution.md).
"""

from pathlib import Path

import pytest
from support.replaying import FOLDER, HISTORIES, history_of, replayer


@pytest.mark.parametrize("path", HISTORIES, ids=lambda p: p.stem)
async def test_it_replays(path: Path) -> None:
    await replayer().replay_workflow(history_of(path))


async def test_a_changed_history_does_not_replay() -> None:
    """That this test can fail: the same history with another activity in it."""
    path = FOLDER / "RuleExecutionWorkflow.created.json"
    history = history_of(path, replaced=("EvaluateRule", "AnotherActivity"))
    with pytest.raises(Exception, match=r"[Nn]ondeterminism"):
        await replayer().replay_workflow(history)
