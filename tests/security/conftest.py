"""Keys for what Temporal keeps."""

import base64
import os
from collections.abc import Callable
from pathlib import Path

import pytest

Keys = Callable[..., Path]


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    """A folder of that name with keys of these ids; those that are there stay."""

    def made(folder: str, *ids: str) -> Path:
        place = tmp_path / folder
        place.mkdir(exist_ok=True)
        for name in ids:
            if not (place / name).exists():
                (place / name).write_bytes(base64.b64encode(os.urandom(32)))
        return place

    return made
