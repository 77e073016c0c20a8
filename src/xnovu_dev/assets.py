"""The files that the stack needs beside its code: pinned Go modules, migrations, CRDs, the example.

In a checkout they are where people edit them; in an installed wheel they are in `_assets` (see pyproject.toml).
"""

from pathlib import Path
from typing import Final

from xnovu_dev.problems import StackError

_PACKAGE: Final = Path(__file__).resolve().parent


def path(name: str) -> Path:
    """The folder or file `name`, relative to the checkout's root. Raises StackError where it is in neither place."""
    for base in (_PACKAGE / "_assets", _PACKAGE.parent.parent):
        if (found := base / name).exists():
            return found
    raise StackError(f"{name} belongs to XNovu and is missing: install xnovu again")
