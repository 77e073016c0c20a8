"""Records the histories of tests/replay: `make histories` those that are missing, `make histories ANEW=1` all of them.

Starts a Temporal of its own, plays every path of `support.paths` there, with a worker and an enterprise each, and writes
what the server kept. A new path: add it to PATHS of its workflow's file, run `make histories`, look at the file.
Histories of a release are never recorded anew (docs/adr/0012-evolution.md).
"""

import argparse
import asyncio
import json
import logging
import re
import time
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Final

from support.paths import deliveries, monitors, rules
from support.paths.playing import OWN_WORKER, Handle, Played
from support.temporal import a_case
from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter
from temporalio.testing import WorkflowEnvironment

from xnovu.core.contracts.orchestration import Monitor
from xnovu_activities.monitors import WORKFLOW_TYPES
from xnovu_dev import environment, programs
from xnovu_dev.progress import silent

FOLDER: Final = Path(__file__).parents[1] / "replay" / "histories"
AT_ONCE: Final = 6
LONG: Final = 120
"""Events after which the server suggests to continue as new: of 4096, nobody could read the file."""

PATHS: Final[Mapping[str, Mapping[str, Played]]] = {
    deliveries.KIND: deliveries.PATHS,
    rules.KIND: rules.PATHS,
    monitors.ORCHESTRATION: monitors.PATHS,
    **{WORKFLOW_TYPES[m]: monitors.of_monitor(m) for m in Monitor},
}
"""By workflow and path; the name of a file is both."""


def names() -> list[str]:
    return [f"{kind}.{path}" for kind, paths in PATHS.items() for path in paths]


def file_of(name: str) -> Path:
    return FOLDER / f"{name}.json"


async def keep(handle: Handle, path: Path) -> None:
    text = (await handle.fetch_history()).to_json()
    # Whose machine it was, and where its files lay, is nobody's business and no part of a replay.
    text = re.sub(r"\d+@[\w.-]+", "worker", text)
    text = re.sub(r'"stackTrace": "(?:[^"\\]|\\.)*"', '"stackTrace": ""', text)
    path.write_text(json.dumps(json.loads(text), indent=1, sort_keys=True) + "\n")


async def record(address: str, name: str) -> None:
    """Play one path, with a worker of XNovu unless the path brings its own."""
    kind, path = name.split(".")
    play = PATHS[kind][path]
    case = await a_case(address)
    async with nullcontext() if play in OWN_WORKER else case.worker():
        await keep(await play(case), file_of(name))


async def record_all(wanted: list[str]) -> None:
    program = programs.PROGRAMS["temporal"]
    environ = environment.inherited()
    found = programs.find(program, environ, environment.cache(environ), silent)
    gate, left = asyncio.Semaphore(AT_ONCE), len(wanted)

    async def one(name: str, address: str) -> None:
        nonlocal left
        try:
            async with gate, asyncio.timeout(90):
                await record(address, name)
        except Exception as error:
            error.add_note(f"while recording {name}")
            raise
        left -= 1
        print(f"{name} ({left} left)", flush=True)  # noqa: T201 - a program that people run

    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(found.path),
        dev_server_log_level="error",
        dev_server_extra_args=[
            f"--dynamic-config-value=limit.historyCount.suggestContinueAsNew={LONG}"
        ],
    ) as server:
        address = server.client.service_client.config.target_host
        async with asyncio.TaskGroup() as group:
            for name in wanted:
                group.create_task(one(name, address))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--anew", action="store_true", help="record all of them again")
    parser.add_argument("names", nargs="*", help="only these, anew: Workflow.path")
    given = parser.parse_args()
    if given.anew:
        for left in {*FOLDER.glob("*.json")} - {file_of(name) for name in names()}:
            left.unlink()
    wanted = given.names or [n for n in names() if given.anew or not file_of(n).exists()]
    # Half of what is played here goes wrong on purpose.
    logging.basicConfig(level=logging.CRITICAL)
    quiet = LoggingConfig(TelemetryFilter(core_level="ERROR", other_level="ERROR"))
    Runtime.set_default(Runtime(telemetry=TelemetryConfig(logging=quiet)))
    begun = time.monotonic()
    asyncio.run(record_all(wanted))
    print(f"{len(wanted)} histories recorded in {time.monotonic() - begun:.0f} s")  # noqa: T201 - as above


if __name__ == "__main__":
    main()
