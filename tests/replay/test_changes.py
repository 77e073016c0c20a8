"""What a changed workflow does with the histories of before: `patched` goes on with them, anything else is caught here.

Nothing is released yet, so no workflow of XNovu has a patch. These tests show the mechanism with one that has.
"""

from pathlib import Path

import pytest
from support.newer import Changed, Patched
from support.replaying import HISTORIES, history_of, replayer
from temporalio.worker import UnsandboxedWorkflowRunner

OF_RULES = [path for path in HISTORIES if path.name.startswith("RuleExecutionWorkflow.")]


@pytest.mark.parametrize("path", OF_RULES, ids=lambda p: p.stem)
async def test_a_patched_change_goes_on_with_old_histories(path: Path) -> None:
    await replayer(Patched, runner=UnsandboxedWorkflowRunner()).replay_workflow(history_of(path))


@pytest.mark.parametrize("path", OF_RULES, ids=lambda p: p.stem)
async def test_a_change_without_a_patch_is_caught(path: Path) -> None:
    changed = replayer(Changed, runner=UnsandboxedWorkflowRunner())
    with pytest.raises(Exception, match=r"[Nn]ondeterminism"):
        await changed.replay_workflow(history_of(path))
