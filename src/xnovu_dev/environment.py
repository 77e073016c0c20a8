"""What the local stack takes from the person's environment: the only place of `xnovu_dev` that reads it.

The stack's programs and processes get the environment of whoever starts it (proxies, certificates, caches), and the
finder looks for the variables that name a program. Everything else is passed down as arguments.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

HOME_VARIABLE: Final = "XNOVU_HOME"
DEFAULT_HOME: Final = ".xnovu"


def inherited() -> Mapping[str, str]:
    """A copy of the environment as it is now."""
    return dict(os.environ)  # noqa: TID251 - the one place; no setting of XNovu is read here


def home(given: Path | None, environ: Mapping[str, str]) -> Path:
    """The folder of the stack's state: as given, else `XNOVU_HOME`, else `.xnovu` in the current folder."""
    return (given or Path(environ.get(HOME_VARIABLE) or DEFAULT_HOME)).expanduser().resolve()


def cache(environ: Mapping[str, str]) -> Path:
    """Where built programs are kept for all stacks of this user: `XDG_CACHE_HOME/xnovu`."""
    base = environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path(environ.get("HOME", "/")) / ".cache") / "xnovu"
