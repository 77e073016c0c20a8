"""The faults that were asked for are done once, several at a time; each test then looks at what came of its own."""

import asyncio
from pathlib import Path

import pytest

from xnovu_dev.faults.run import Result, run
from xnovu_dev.faults.table import CASES
from xnovu_dev.faults.world import world
from xnovu_dev.state import Stack


@pytest.fixture(scope="session")
def results(
    request: pytest.FixtureRequest, servers: Stack, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Result]:
    """What came of each chosen fault, by its id."""
    names = {item.callspec.params["name"] for item in request.session.items if hasattr(item, "callspec") and "name" in item.callspec.params}  # fmt: skip
    cases = [case for case in CASES if case.id in names]
    folder: Path = tmp_path_factory.mktemp("faults")

    async def do() -> list[Result]:
        async with world(servers, folder) as made:
            return await run(made, cases, lambda _: None)

    return {result.case.id: result for result in asyncio.run(do())}
