"""Data folders of servers that cannot go on from a first start that was killed.

etcd without its first entry never elects itself; Temporal's dev server finds half of its tables. So data counts only
once the server was ready with it: until then every start begins with an empty folder. Nothing is lost that anybody could
have stored.
"""

import shutil
from pathlib import Path

from xnovu_dev.home import Home, private_folder
from xnovu_dev.process import Probe


def folder(home: Home, name: str) -> Path:
    """The data folder of the server `name`: as it is when it counts, else empty."""
    data = home.data(name)
    if not _mark(home, name).exists():
        shutil.rmtree(data, ignore_errors=True)
    return private_folder(data)


def counted(home: Home, name: str, probe: Probe) -> Probe:
    """The probe; when it has seen the server ready, the data counts."""

    async def seen() -> None:
        await probe()
        _mark(home, name).touch()

    return seen


def _mark(home: Home, name: str) -> Path:
    data = home.data(name)
    return data.with_name(f"{data.name}.counts")
