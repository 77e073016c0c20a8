"""Polls of one moment become one round trip, and one caller's trouble stays with that caller."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest

from xnovu.adapters.polling import MOST, Hub
from xnovu.core.errors import DatabaseUnavailable, NotificationError
from xnovu.core.records import PollAnswer, PollRequest

Ask = Callable[[Sequence[PollRequest]], Awaitable[tuple[PollAnswer, ...]]]


def request(enterprise: int) -> PollRequest:
    return PollRequest(str(enterprise), "realtime", limit=1, max_in_flight=1)


def hub_of(ask: Ask) -> Hub[PollRequest, PollAnswer]:
    return Hub(ask, lambda q, a: q.enterprise_id == a.enterprise_id)


def answer(enterprise: str) -> PollAnswer:
    return PollAnswer(enterprise, (), (), (), None, None, None)


class Asked:
    """A database that notes its round trips and fails as told."""

    def __init__(self, fail: Callable[[Sequence[PollRequest]], Exception | None]) -> None:
        self.trips: list[list[str]] = []
        self._fail = fail

    async def __call__(self, requests: Sequence[PollRequest]) -> tuple[PollAnswer, ...]:
        self.trips.append([r.enterprise_id for r in requests])
        if error := self._fail(requests):
            raise error
        return tuple(answer(r.enterprise_id) for r in requests)


def well(requests: Sequence[PollRequest]) -> None:
    return None


async def test_concurrent_polls_share_a_round_trip() -> None:
    asked = Asked(well)
    hub = hub_of(asked)
    answers = await asyncio.gather(*(hub.get(request(n)) for n in range(20)))
    assert [a.enterprise_id for a in answers] == [str(n) for n in range(20)]
    assert len(asked.trips) == 1
    await hub.get(request(1))
    assert len(asked.trips) == 2


async def test_a_round_trip_has_a_limit() -> None:
    asked = Asked(well)
    hub = hub_of(asked)
    await asyncio.gather(*(hub.get(request(n)) for n in range(MOST + 1)))
    assert [len(t) for t in asked.trips] == [MOST, 1]


async def test_a_refused_request_fails_alone() -> None:
    def fail(requests: Sequence[PollRequest]) -> Exception | None:
        bad = any(r.enterprise_id == "1" for r in requests)
        return NotificationError("22P02") if bad else None

    hub = hub_of(Asked(fail))
    found = await asyncio.gather(*(hub.get(request(n)) for n in range(3)), return_exceptions=True)
    assert found[0] == answer("0")
    assert isinstance(found[1], NotificationError)
    assert found[2] == answer("2")


async def test_a_database_that_is_away_is_away_for_all_and_asked_once() -> None:
    asked = Asked(lambda _: DatabaseUnavailable("away"))
    hub = hub_of(asked)
    found = await asyncio.gather(*(hub.get(request(n)) for n in range(3)), return_exceptions=True)
    assert [type(f) for f in found] == [DatabaseUnavailable] * 3
    assert len(asked.trips) == 1


@pytest.mark.parametrize("wrong", [(), (answer("2"), answer("1")), (answer("1"),)])
async def test_answers_out_of_place_go_to_nobody(wrong: tuple[PollAnswer, ...]) -> None:
    async def ask(_: Sequence[PollRequest]) -> tuple[PollAnswer, ...]:
        return wrong

    hub = hub_of(ask)
    found = await asyncio.gather(hub.get(request(1)), hub.get(request(2)), return_exceptions=True)
    assert [type(f) for f in found] == [DatabaseUnavailable] * 2


async def test_a_defect_leaves_nobody_waiting() -> None:
    hub = hub_of(Asked(lambda _: KeyError("defect")))
    async with asyncio.timeout(5):
        with pytest.raises(KeyError):
            await hub.get(request(1))


async def test_a_caller_that_gives_up_costs_the_others_nothing() -> None:
    asked = Asked(well)
    hub = hub_of(asked)
    first = asyncio.create_task(hub.get(request(1)))
    second = asyncio.create_task(hub.get(request(2)))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == answer("2")
    assert asked.trips == [["2"]]


async def test_two_requests_of_one_row_never_share_a_round_trip() -> None:
    trips: list[list[str]] = []

    async def ask(requests: Sequence[str]) -> list[str]:
        trips.append(list(requests))
        return list(requests)

    hub: Hub[str, str] = Hub(ask, lambda q, a: q == a, apart=lambda q: q[0])
    found = await asyncio.gather(*(hub.get(q) for q in ("a1", "b1", "a2", "c1")))
    assert found == ["a1", "b1", "a2", "c1"]
    assert sorted(trips) == [["a1", "b1", "c1"], ["a2"]]
