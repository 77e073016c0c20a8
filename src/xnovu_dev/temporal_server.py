"""Temporal's dev server with its UI: frontend, history, matching and worker in one process over SQLite.

`temporal server start-dev` makes the namespace `default` and the search attributes at its start.
"""

from typing import Final

from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.client import Client

from xnovu.core.ids import SEARCH_ATTRIBUTES
from xnovu_dev import firstborn
from xnovu_dev.context import Context
from xnovu_dev.ports import HOST
from xnovu_dev.process import Probe, Spec

PORTS: Final = ("temporal", "temporal-ui", "temporal-http", "temporal-metrics")
NAMESPACE: Final = "default"


def spec(context: Context) -> Spec:
    database = firstborn.folder(context.home, "temporal") / "temporal.db"
    attributes = [f"--search-attribute={name}=Keyword" for name in SEARCH_ATTRIBUTES]
    ports = context.ports
    return Spec(
        name="temporal",
        command=(
            *(str(context.programs["temporal"]), "server", "start-dev"),
            f"--db-filename={database}",
            f"--ip={HOST}",
            f"--ui-ip={HOST}",
            f"--port={ports['temporal']}",
            f"--ui-port={ports['temporal-ui']}",
            f"--http-port={ports['temporal-http']}",
            f"--metrics-port={ports['temporal-metrics']}",
            f"--namespace={NAMESPACE}",
            *attributes,
            "--log-level=warn",
        ),
        log=context.home.log("temporal"),
        probe=firstborn.counted(context.home, "temporal", _probe(context.address("temporal"))),
        environ=context.environ,
        cwd=context.home.root,
    )


def _probe(address: str) -> Probe:
    async def probe() -> None:
        client = await Client.connect(address, namespace=NAMESPACE)
        found = await client.operator_service.list_search_attributes(
            ListSearchAttributesRequest(namespace=NAMESPACE)
        )
        missing = set(SEARCH_ATTRIBUTES) - set(found.custom_attributes)
        if missing:
            raise LookupError(f"search attributes are missing: {', '.join(sorted(missing))}")

    return probe
