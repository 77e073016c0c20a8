"""Every workflow and every path of it has a history; a path that nobody recorded shows as lines that no replay runs.

To add one: write it into PATHS of its file in tests/support/paths, then `make histories`.
"""

from pathlib import Path

from coverage import Coverage
from support.histories import PATHS, names
from support.replaying import HISTORIES, history_of, replayer

import xnovu_workflows.notification_processing
from xnovu.worker import WORKFLOWS

FOLDER = Path(xnovu_workflows.notification_processing.__file__).parent
PASSED_THROUGH = {"__init__.py", "policies.py", "sandbox.py"}
"""Values; Temporal's sandbox does not load them, so they count as run by nobody."""

NOT_SEEN = [r"\.validator$", r"@workflow\.query$", r"^\s*break$"]
"""What leaves no event (refusing an update, answering a query), and a jump that Python joins with the line before."""


def test_every_workflow_has_its_paths() -> None:
    assert set(PATHS) == {workflow.__name__ for workflow in WORKFLOWS}


def test_every_path_has_its_history() -> None:
    missing = set(names()) - {path.stem for path in HISTORIES}
    assert not missing, f"make histories records {sorted(missing)}"


async def test_the_histories_run_every_line_of_the_workflows() -> None:
    found = await unreached()
    assert not found, f"no history of tests/replay runs {found}: record a path that does"


async def unreached() -> list[str]:
    """Places in the workflows' code that replaying all histories does not come to."""
    seen = Coverage(data_file=None, config_file=False, include=[f"{FOLDER}/*.py"])
    for pattern in NOT_SEEN:
        seen.exclude(pattern)
    seen.start()
    try:
        for path in HISTORIES:
            await replayer().replay_workflow(history_of(path))
    finally:
        seen.stop()
    files = [p for p in sorted(FOLDER.glob("*.py")) if p.name not in PASSED_THROUGH]
    return [f"{p.name}:{line}" for p in files for line in seen.analysis2(str(p))[3]]
