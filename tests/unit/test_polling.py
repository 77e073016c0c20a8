"""Polls of one moment become one round trip, and one caller's trouble stays with that caller."""

import asyncio
from collections.abc import Callable, Sequence

import pytest

from xnovu.adapters.polling import MOST, PollHub
from xnovu.core.errors import DatabaseUnavailable, NotificationError
from xnovu.core.records import PollAnswer, PollRequest


def request(enterprise: int) -> PollRequest:
    return PollRequest(str(enterprise), "realtime", limit=1, max_in_flight=1)


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
    hub = PollHub(asked)
    answers = await asyncio.gather(*(hub.poll(request(n)) for n in range(20)))
    assert [a.enterprise_id for a in answers] == [str(n) for n in range(20)]
    assert len(asked.trips) == 1
    await hub.poll(request(1))
    assert len(asked.trips) == 2


async def test_a_round_trip_has_a_limit() -> None:
    asked = Asked(well)
    hub = PollHub(asked)
    await asyncio.gather(*(hub.poll(request(n)) for n in range(MOST + 1)))
    assert [len(t) for t in asked.trips] == [MOST, 1]


async def test_a_refused_request_fails_alone() -> None:
    def fail(requests: Sequence[PollRequest]) -> Exception | None:
        bad = any(r.enterprise_id == "1" for r in requests)
        return NotificationError("22P02") if bad else None

    hub = PollHub(Asked(fail))
    found = await asyncio.gather(*(hub.poll(request(n)) for n in range(3)), return_exceptions=True)
    assert found[0] == answer("0")
    assert isinstance(found[1], NotificationError)
    assert found[2] == answer("2")


async def test_a_database_that_is_away_is_away_for_all_and_asked_once() -> None:
    asked = Asked(lambda _: DatabaseUnavailable("away"))
    hub = PollHub(asked)
    found = await asyncio.gather(*(hub.poll(request(n)) for n in range(3)), return_exceptions=True)
    assert [type(f) for f in found] == [DatabaseUnavailable] * 3
    assert len(asked.trips) == 1


@pytest.mark.parametrize("wrong", [(), (answer("2"), answer("1")), (answer("1"),)])
async def test_answers_out_of_place_go_to_nobody(wrong: tuple[PollAnswer, ...]) -> None:
    async def ask(_: Sequence[PollRequest]) -> tuple[PollAnswer, ...]:
        return wrong

    hub = PollHub(ask)
    found = await asyncio.gather(hub.poll(request(1)), hub.poll(request(2)), return_exceptions=True)
    assert [type(f) for f in found] == [DatabaseUnavailable] * 2


async def test_a_defect_leaves_nobody_waiting() -> None:
    hub = PollHub(Asked(lambda _: KeyError("defect")))
    async with asyncio.timeout(5):
        with pytest.raises(KeyError):
            await hub.poll(request(1))


async def test_a_caller_that_gives_up_costs_the_others_nothing() -> None:
    asked = Asked(well)
    hub = PollHub(asked)
    first = asyncio.create_task(hub.poll(request(1)))
    second = asyncio.create_task(hub.poll(request(2)))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == answer("2")
    assert asked.trips == [["2"]]
