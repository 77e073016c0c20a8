"""One process asks a database once for all the enterprises whose monitors ask at about the same time.

A hub belongs to one database and key. It gathers the requests of a few milliseconds into one round trip. A failure of
the database is everybody's; a request that alone is refused is tried alone, so that it costs nobody else anything.
Called by `xnovu.adapters.supabase`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from xnovu.core.errors import ConfigurationError, DatabaseUnavailable, Unavailable, XNovuError
from xnovu.core.records import PollAnswer, PollRequest

GATHER_SECONDS: Final = 0.005
"""How long the first request waits for company; against a poll interval of 500 ms it is nothing."""

MOST: Final = 200
"""Requests in one round trip."""

Ask = Callable[[Sequence[PollRequest]], Awaitable[tuple[PollAnswer, ...]]]
_Waiting = tuple[PollRequest, asyncio.Future[PollAnswer]]


class PollHub:
    """Gathers concurrent polls. All callers are on one event loop."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._waiting: list[_Waiting] = []
        self._flushes: set[asyncio.Task[None]] = set()

    async def poll(self, request: PollRequest) -> PollAnswer:
        """The answer to this request. Raises what the database raised."""
        future: asyncio.Future[PollAnswer] = asyncio.get_running_loop().create_future()
        self._waiting.append((request, future))
        if len(self._waiting) == 1:
            flush = asyncio.create_task(self._flush())
            self._flushes.add(flush)
            flush.add_done_callback(self._flushes.discard)
        return await future

    async def _flush(self) -> None:
        await asyncio.sleep(GATHER_SECONDS)
        waiting, self._waiting = self._waiting, []
        for start in range(0, len(waiting), MOST):
            batch = [w for w in waiting[start : start + MOST] if not w[1].done()]
            if batch:
                await self._round_trip(batch)

    async def _round_trip(self, batch: list[_Waiting]) -> None:
        try:
            answers = await self._answers([request for request, _ in batch])
        except (Unavailable, ConfigurationError) as error:
            _fail(batch, error)
        except XNovuError as error:
            await self._alone(batch, error)
        except Exception as error:
            # A defect, and nobody must wait for ever because of it.
            _fail(batch, error)
            raise
        else:
            for (_, future), answer in zip(batch, answers, strict=True):
                if not future.done():
                    future.set_result(answer)

    async def _answers(self, requests: list[PollRequest]) -> tuple[PollAnswer, ...]:
        answers = await self._ask(requests)
        if [a.enterprise_id for a in answers] != [r.enterprise_id for r in requests]:
            raise DatabaseUnavailable(
                "the database did not answer each poll in its place: apply supabase/migrations"
            )
        return answers

    async def _alone(self, batch: list[_Waiting], error: XNovuError) -> None:
        if len(batch) == 1:
            _fail(batch, error)
            return
        for one in batch:
            await self._round_trip([one])


def _fail(batch: list[_Waiting], error: Exception) -> None:
    for _, future in batch:
        if not future.done():
            future.set_exception(error)
