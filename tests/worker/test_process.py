"""The worker process from outside: readiness, its end, its memory, its metrics, and a Temporal that is away."""

import time
from pathlib import Path

import pytest
from support.orchestration import ALL, a_config, apply, health_of, run_exactly
from support.temporal import Case, a_case, eventually
from support.worker_process import WorkerProcess, free_port

from xnovu.core.contracts.orchestration import Monitor

pytestmark = pytest.mark.stack


@pytest.fixture
async def case(temporal_address: str) -> Case:
    return await a_case(temporal_address)


def a_worker(case: Case, folder: Path) -> WorkerProcess:
    return WorkerProcess(case.settings.temporal.address, case.queue, folder / "worker.log")


async def test_it_ends_with_0_within_ten_seconds_while_monitors_run(
    case: Case, tmp_path: Path
) -> None:
    with a_worker(case, tmp_path) as worker:
        await eventually(worker.is_ready, "the worker is ready")
        await apply(case, a_config(case))
        await run_exactly(case, ALL)

        async def polls() -> bool:
            found = await health_of(case, Monitor.REALTIME)
            return found is not None and found.consecutive_errors > 0

        await eventually(polls, "its monitor says that there is no database")
        assert worker.memory_mb() < 200
        status, metrics = worker.get("/metrics", worker.metrics_port)
        assert status == 200
        assert "active_monitoring_workflows" in metrics
        begun = time.monotonic()
        assert worker.terminate(10) == 0
        assert time.monotonic() - begun < 10
    text = worker.log.read_text()
    assert "a-test-key" not in text
    assert "Traceback" not in text
    assert "never retrieved" not in text


async def test_the_monitors_go_on_with_the_next_worker(case: Case, tmp_path: Path) -> None:
    with a_worker(case, tmp_path) as first:
        await eventually(first.is_ready, "the first is ready")
        await apply(case, a_config(case))
        await run_exactly(case, ALL)
        assert first.terminate(10) == 0
    case.database.add(1)
    async with case.worker():

        async def sent() -> bool:
            return case.novu.people == ["ada"]

        await eventually(sent, "the row is delivered by the next worker", 30)


async def test_it_waits_for_temporal_and_says_so(tmp_path: Path) -> None:
    with WorkerProcess(f"127.0.0.1:{free_port()}", "nobody", tmp_path / "worker.log") as worker:

        async def waits() -> bool:
            return "did not answer" in worker.get("/readyz")[1]

        await eventually(waits, "it says what it waits for")
        assert worker.get("/readyz")[0] == 503
        assert worker.get("/healthz")[0] == 200
        assert worker.terminate(10) == 0
