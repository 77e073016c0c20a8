"""`python -m xnovu_dev.faults.worker`: the production worker with failpoints around its ports, for the fault suite only.

Wiring, settings, signals and exit codes are the production worker's own; only what it calls is wrapped. Without
XNOVU_FAULT_POINTS it is the worker as it is.
"""

import sys
from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict
from temporalio.client import Client
from temporalio.worker import Worker

from xnovu.settings import Settings
from xnovu.worker import build, run
from xnovu_activities.measures import Measures
from xnovu_activities.ports import Tenants
from xnovu_dev.faults.failpoints import Failpoints, FaultyTenants, Point, StartInterceptor


class FaultSettings(BaseSettings):
    """`points`: separated by commas. `marks`: a folder. `enterprise`: whose calls count; absent: everybody's."""

    model_config = SettingsConfigDict(env_prefix="XNOVU_FAULT_", frozen=True)

    points: str = ""
    marks: Path = Path()
    enterprise: str | None = None


def main() -> int:
    given = FaultSettings()
    points = tuple(Point.parse(text) for text in given.points.split(",") if text)
    if not points:
        return run(Settings())
    failpoints = Failpoints(points, given.marks, given.enterprise)

    def faulty(
        client: Client,
        settings: Settings,
        tenants: Tenants,
        measures: Measures,
        *,
        installation: str | None = None,
    ) -> Worker:
        config = client.config()
        config["interceptors"] = [*config["interceptors"], StartInterceptor(failpoints)]
        wrapped = FaultyTenants(tenants, failpoints)
        return build(Client(**config), settings, wrapped, measures, installation=installation)

    return run(Settings(), faulty)


if __name__ == "__main__":
    sys.exit(main())
