"""The stored histories, and what replays them: the code of now, in Temporal's sandbox. Used by tests/replay and tests/faults."""

from pathlib import Path

from support.runner import sandboxed
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer, WorkflowRunner

from xnovu.worker import WORKFLOWS

FOLDER = Path(__file__).parents[1] / "replay" / "histories"
HISTORIES = sorted(FOLDER.glob("*.json"))


def replayer(*instead: type, runner: WorkflowRunner | None = None) -> Replayer:
    """All workflows; `instead`: subclasses that take the place of their bases."""
    names = {workflow.__bases__[0].__name__ for workflow in instead}
    return Replayer(
        workflows=[*instead, *(w for w in WORKFLOWS if w.__name__ not in names)],
        data_converter=pydantic_data_converter,
        workflow_runner=runner or sandboxed(),
    )


def history_of(path: Path, *, replaced: tuple[str, str] | None = None) -> WorkflowHistory:
    """`replaced`: a text in it, and what stands there instead."""
    text = path.read_text()
    return WorkflowHistory.from_json(path.stem, text.replace(*replaced) if replaced else text)
