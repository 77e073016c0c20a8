"""The API server under test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.kube_api import KubeApi


@pytest.fixture(scope="session")
def kube(kubeconfig: Path) -> Iterator[KubeApi]:
    api = KubeApi(kubeconfig)
    yield api
    api.close()
