"""One process asks a database once for what many of its tasks ask at about the same time.

A hub belongs to one function of one database and key: polls of all enterprises, claims, finishes. It gathers the requests
of a few milliseconds into one round trip. A failure of the database is everybody's; a request that alone is refused is
tried alone, so that it costs nobody else anything. Called by `xnovu.adapters.supabase`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Final, Generic, TypeVar

from xnovu.core.errors import ConfigurationError, DatabaseUnavailable, Unavailable, XNovuError

GATHER_SECONDS: Final = 0.005
"""How long the first request waits for company; against a poll interval of 500 ms it is nothing."""

MOST: Final = 200
"""Requests in one round trip."""

_Q = TypeVar("_Q")
_A = TypeVar("_A")


class Hub(Generic[_Q, _A]):
    """Gathers concurrent requests. All callers are on one event loop.

    `ask` answers in the order of the requests. `same` says whether an answer belongs to a request. Two requests of one
    `apart` never share a round trip: where the database keeps no order among them, neither could get the other's answer.
    """

    def __init__(
        self,
        ask: Callable[[Sequence[_Q]], Awaitable[Sequence[_A]]],
        same: Callable[[_Q, _A], bool],
        *,
        apart: Callable[[_Q], Hashable] | None = None,
        most: int = MOST,
    ) -> None:
        self._ask, self._same, self._apart, self._most = ask, same, apart, most
        self._waiting: list[tuple[_Q, asyncio.Future[_A]]] = []
        self._flushes: set[asyncio.Task[None]] = set()

    async def get(self, request: _Q) -> _A:
        """The answer to this request. Raises what the database raised."""
        future: asyncio.Future[_A] = asyncio.get_running_loop().create_future()
        self._waiting.append((request, future))
        if len(self._waiting) == 1:
            flush = asyncio.create_task(self._flush())
            self._flushes.add(flush)
            flush.add_done_callback(self._flushes.discard)
        return await future

    async def _flush(self) -> None:
        await asyncio.sleep(GATHER_SECONDS)
        waiting, self._waiting = self._waiting, []
        await asyncio.gather(*(self._round_trip(trip) for trip in self._trips(waiting)))

    def _trips(
        self, waiting: list[tuple[_Q, asyncio.Future[_A]]]
    ) -> list[list[tuple[_Q, asyncio.Future[_A]]]]:
        trips: list[list[tuple[_Q, asyncio.Future[_A]]]] = []
        seen: list[set[Hashable]] = []
        for one in waiting:
            if one[1].done():
                continue
            key = self._apart(one[0]) if self._apart else object()
            for trip, keys in zip(trips, seen, strict=True):
                if len(trip) < self._most and key not in keys:
                    trip.append(one)
                    keys.add(key)
                    break
            else:
                trips.append([one])
                seen.append({key})
        return trips

    async def _round_trip(self, trip: list[tuple[_Q, asyncio.Future[_A]]]) -> None:
        try:
            answers = await self._answers([request for request, _ in trip])
        except (Unavailable, ConfigurationError) as error:
            _fail(trip, error)
        except XNovuError as error:
            await self._alone(trip, error)
        except Exception as error:
            # A defect, and nobody must wait for ever because of it.
            _fail(trip, error)
            raise
        else:
            for (_, future), answer in zip(trip, answers, strict=True):
                if not future.done():
                    future.set_result(answer)

    async def _answers(self, requests: list[_Q]) -> Sequence[_A]:
        answers = await self._ask(requests)
        if len(answers) != len(requests) or not all(map(self._same, requests, answers)):
            raise DatabaseUnavailable(
                "the database did not answer each request in its place: apply supabase/migrations"
            )
        return answers

    async def _alone(self, trip: list[tuple[_Q, asyncio.Future[_A]]], error: XNovuError) -> None:
        if len(trip) == 1:
            _fail(trip, error)
            return
        for one in trip:
            await self._round_trip([one])


def _fail(trip: list[tuple[_Q, asyncio.Future[_A]]], error: Exception) -> None:
    for _, future in trip:
        if not future.done():
            future.set_exception(error)
