"""A case for every test of the workflows: see `support.temporal`."""

import pytest
from support.temporal import Case, a_case


@pytest.fixture
async def case(temporal_address: str) -> Case:
    return await a_case(temporal_address)
