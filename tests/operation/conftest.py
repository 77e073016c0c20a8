"""Sites: a namespace with an operator (and a worker) of its own."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.operation import ClusterApi, Site


@pytest.fixture(scope="session")
def api(kubeconfig: Path) -> Iterator[ClusterApi]:
    found = ClusterApi(kubeconfig)
    yield found
    found.close()


@pytest.fixture(scope="session")
def sites(
    api: ClusterApi,
    kubeconfig: Path,
    temporal_address: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[], Site]]:
    """New sites; their processes end with the session at the latest."""
    made: list[Site] = []

    def new() -> Site:
        folder = tmp_path_factory.mktemp("site")
        site = Site(api, kubeconfig.with_name("operator.kubeconfig"), temporal_address, folder)
        made.append(site.prepare())
        return site

    yield new
    for site in made:
        site.close()


@pytest.fixture(scope="module")
def site(sites: Callable[[], Site]) -> Iterator[Site]:
    """With operator and worker."""
    found = sites()
    found.start("worker")
    found.start("operator")
    yield found
    found.close()
