"""Gives the worker the credentials that the operator projects, as the chart does with a mounted volume.

Secrets labelled `xnovu.io/credentials=true` in the installation's namespace become files: the keys of a secret's data
are exactly the names of the files. Watches the Kubernetes API as administrator; runs inside the supervisor. What goes
from the secrets goes from the folder.
"""

import asyncio
import base64
import binascii
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx
from pydantic import BaseModel, Field, ValidationError

from xnovu_dev import kubeconfig
from xnovu_dev.cluster import INSTALL_NAMESPACE
from xnovu_dev.home import private_folder, write_private

PATH: Final = f"/api/v1/namespaces/{INSTALL_NAMESPACE}/secrets"
SELECTOR: Final = "xnovu.io/credentials=true"
RETRY_SECONDS: Final = 1.0
WATCH_SECONDS: Final = 300
# The API server allows no other keys; checked all the same, because they become file names.
_KEY: Final = re.compile(r"^(?!\.)[-._a-zA-Z0-9]{1,253}$")
_log: Final = logging.getLogger(__name__)


class _Metadata(BaseModel):
    resource_version: str = Field(alias="resourceVersion", default="")


class _Secret(BaseModel):
    data: dict[str, str] = Field(default_factory=dict, repr=False)


class _Secrets(BaseModel):
    metadata: _Metadata
    items: list[_Secret] = Field(repr=False)


def mirror(secrets: list[dict[str, str]], folder: Path) -> None:
    """Make the folder's files those of the secrets (key to base64 value). Unchanged files are not touched."""
    wanted = {key: value for secret in secrets for key, value in _texts(secret)}
    private_folder(folder)
    for name, text in wanted.items():
        path = folder / name
        if not path.exists() or path.read_text() != text:
            write_private(path, text)
    for path in folder.iterdir():
        if path.name not in wanted:
            path.unlink()


def _texts(secret: dict[str, str]) -> Iterator[tuple[str, str]]:
    for key, value in secret.items():
        if _KEY.match(key):
            try:
                yield key, base64.b64decode(value, validate=True).decode()
            except (binascii.Error, UnicodeDecodeError):
                _log.warning("the value of %s is no text, it is left out", key)


async def run(config: Path, folder: Path) -> None:
    """Mirror until cancelled. An API server that is away is waited for."""
    access = kubeconfig.read(config)
    timeout = httpx.Timeout(15.0, read=WATCH_SECONDS + 30)
    async with httpx.AsyncClient(
        base_url=access.server, verify=access.tls, timeout=timeout, trust_env=False
    ) as http:
        while True:
            try:
                await _follow(http, folder)
            except (httpx.HTTPError, ValidationError, OSError) as error:
                _log.warning("credentials are not mirrored: %s", type(error).__name__)
                await asyncio.sleep(RETRY_SECONDS)


async def _follow(http: httpx.AsyncClient, folder: Path) -> None:
    """List, then list again at each change: there are few of them, and a list is never wrong."""
    answer = await http.get(PATH, params={"labelSelector": SELECTOR})
    found = _Secrets.model_validate_json(answer.raise_for_status().content)
    mirror([secret.data for secret in found.items], folder)
    watch = {
        "labelSelector": SELECTOR,
        "watch": "true",
        "resourceVersion": found.metadata.resource_version,
        "timeoutSeconds": str(WATCH_SECONDS),
    }
    async with http.stream("GET", PATH, params=watch) as changes:
        changes.raise_for_status()
        async for _ in changes.aiter_lines():
            return
