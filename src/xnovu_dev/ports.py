"""Ports of one stack: chosen once per home, kept as long as nobody else took them.

From below the range that the kernel gives to outgoing connections, so that no client sits on one when its server comes
back. Where to begin depends on the home's path: two stacks look in different places.
"""

import hashlib
import json
import socket
from collections.abc import Callable, Sequence
from typing import Final

from xnovu_dev.home import Home, write_private
from xnovu_dev.problems import StackError

HOST: Final = "127.0.0.1"
FIRST: Final = 20_000
LAST: Final = 32_000


def is_free(port: int) -> bool:
    """Whether a server could listen there now; connections that are closing down do not count."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def choose(
    names: Sequence[str], kept: dict[str, int], seed: int, free: Callable[[int], bool]
) -> dict[str, int]:
    """A port for each name: the kept one where it is free, else the next free one from `seed` on."""
    chosen: dict[str, int] = {}
    for name in names:
        port = kept.get(name)
        if port is not None and port not in chosen.values() and free(port):
            chosen[name] = port
    span = LAST - FIRST
    candidates = (FIRST + (seed + step) % span for step in range(span))
    taken = {*chosen.values(), *kept.values()}
    for name in names:
        if name not in chosen:
            chosen[name] = next((p for p in candidates if p not in taken and free(p)), 0)
            if not chosen[name]:
                raise StackError(f"no free port between {FIRST} and {LAST} on {HOST}")
    return chosen


def of_home(home: Home, names: Sequence[str]) -> dict[str, int]:
    """The ports of this home, written down for the next start."""
    try:
        kept = {str(k): int(v) for k, v in json.loads(home.ports_file.read_text()).items()}
    except (FileNotFoundError, ValueError, AttributeError, TypeError):
        kept = {}
    seed = int.from_bytes(hashlib.sha256(str(home.root).encode()).digest()[:4], "big")
    chosen = choose(names, kept, seed, is_free)
    write_private(home.ports_file, json.dumps({**kept, **chosen}, indent=2) + "\n")
    return chosen
