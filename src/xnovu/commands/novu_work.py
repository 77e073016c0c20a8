"""What `xnovu novu …` does. Called by `novu`."""

from pathlib import Path

from xnovu.adapters.tenants import INSTALLATION
from xnovu.commands.common import Output, console, run
from xnovu.commands.printing import print_document
from xnovu.commands.systems import open_systems
from xnovu.core.ids import DYNAMIC_WORKFLOW_KEY
from xnovu.core.novu_workflow import Synced, dynamic_workflow


def sync(home: Path | None, enterprise: str | None, output: Output) -> None:
    """Write the generic workflow where it is missing or differs, and say what was done."""

    async def work() -> Synced:
        async with open_systems(home) as systems:
            given = None if enterprise is None else await systems.enterprise(enterprise)
            client = systems.tenants.novu(given.ref if given else INSTALLATION)
            return await client.sync_workflow(dynamic_workflow())

    done = run(work())
    if output is not Output.TABLE:
        print_document({"workflow": DYNAMIC_WORKFLOW_KEY, "result": done}, output)
    else:
        console().print(f"Novu's workflow {DYNAMIC_WORKFLOW_KEY}: {done}", markup=False)
