"""Secrets that the operator projects become the worker's files, and go when the secrets go."""

import base64
import stat
import time
from pathlib import Path
from uuid import uuid4

import pytest

from xnovu_dev.kubernetes import KubernetesApi

pytestmark = pytest.mark.stack


def test_a_projected_secret_is_a_file_until_it_is_deleted(kubeconfig):
    enterprise = str(uuid4())
    key = f"{enterprise}.novu.secretKey"
    manifest = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": f"mirrored-{enterprise[:8]}",
            "namespace": "xnovu-system",
            "labels": {"xnovu.io/credentials": "true"},
        },
        "data": {key: base64.b64encode(b"s3cret").decode()},
    }
    file = Path(kubeconfig).parent / "credentials" / key
    api = KubernetesApi(kubeconfig)
    try:
        api.apply(manifest)
        wait(file.exists)
        assert file.read_text() == "s3cret"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        manifest["data"][key] = base64.b64encode(b"rotated").decode()
        api.apply(manifest)
        wait(lambda: file.read_text() == "rotated")
        api.delete(manifest)
        wait(lambda: not file.exists())
    finally:
        api.close()


def wait(probe, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not probe():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.05)
