"""That the sandbox of our tests can fail: production has none, so what it is for must be seen to work here."""

import pytest
from support.careless import Careless
from support.careless_import import CarelessImport
from support.replaying import FOLDER, history_of
from support.runner import sandboxed
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer


async def replay(workflow: type) -> None:
    replayer = Replayer(
        workflows=[workflow],
        data_converter=pydantic_data_converter,
        workflow_runner=sandboxed(),
    )
    await replayer.replay_workflow(history_of(FOLDER / "RuleExecutionWorkflow.created.json"))


async def test_it_refuses_the_time_of_the_machine() -> None:
    with pytest.raises(Exception, match=r"Cannot access datetime\.datetime\.now"):
        await replay(Careless)


async def test_it_refuses_an_import_that_nobody_meant() -> None:
    with pytest.raises(RuntimeError, match="Failed validating workflow") as caught:
        await replay(CarelessImport)
    assert "support.careless_help" in str(caught.value.__cause__)
