"""Things made of what tenants wrote, kept in memory and bounded by what they weigh: one with huge ones must not fill it.

Least recently used goes first. Not shared between processes. Holds compiled templates and payload schemas.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Cache(Generic[K, V]):
    """Values by key, made by `make` where they are not there; `weigh` says how much of `limit` one takes."""

    def __init__(self, make: Callable[[K], V], weigh: Callable[[K, V], int], limit: int) -> None:
        self._make = make
        self._weigh = weigh
        self._limit = limit
        self._kept: OrderedDict[K, V] = OrderedDict()
        self._weight = 0
        self._lock = threading.Lock()

    def get(self, key: K) -> V:
        """Raises what `make` raises; that is not kept."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return found
        made = self._make(key)
        with self._lock:
            self._keep(key, made)
        return made

    @property
    def weight(self) -> int:
        """What is kept weighs this much."""
        return self._weight

    def _keep(self, key: K, made: V) -> None:
        if key in self._kept:
            return
        self._kept[key] = made
        self._weight += self._weigh(key, made)
        while self._weight > self._limit and len(self._kept) > 1:
            other, value = self._kept.popitem(last=False)
            self._weight -= self._weigh(other, value)
