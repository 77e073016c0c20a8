"""Taking back what was withdrawn: everything that may have been sent is looked at, and the report says what is left."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from fakes.database import FakeDatabase, Row
from fakes.novu import FakeNovu

from xnovu.core import ids
from xnovu.core.contracts.notifications import Channel, NotificationStatus
from xnovu.core.errors import NovuRejected, NovuThrottled, NovuUnavailable
from xnovu.core.records import FeedJob, JobState
from xnovu_activities import undo

E = "3f0b8a52-9c0e-4a7d-8d55-0d6a1c3f2b10"


def tid(generation: int = 0, chunk: int = 0, round_: int | None = None) -> str:
    return ids.transaction_id(E, 1, generation, chunk, round_)


def withdrawn(**changes: object) -> tuple[FakeDatabase, Row]:
    database = FakeDatabase(E)
    return database, database.add(1, status=NotificationStatus.RETRACTED, **changes)


async def take_back(
    database: FakeDatabase, row: Row, novu: FakeNovu, later: Callable[[], None] = lambda: None
) -> list[float]:
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        later()

    await undo.undo(database, novu, row.notification, verify_delay=10, pause=pause)
    return pauses


async def test_every_chunk_generation_and_round_is_covered() -> None:
    people = tuple(f"u{i:03}" for i in range(150))
    database, row = withdrawn(recipients=people, generation=1, rounds=1)
    novu = FakeNovu(feed={tid(0, 0): ["u000"], tid(1, 1, 1): ["u149"]})
    await take_back(database, row, novu)
    assert {tid(0, 0), tid(1, 0), tid(1, 1), tid(1, 0, 1), tid(1, 1, 1)} == set(novu.cancelled)
    assert {tid(0, 1), tid(0, 0, 1), tid(0, 1, 1)} <= set(novu.lookups)


async def test_the_report_says_it_per_channel_and_recipient() -> None:
    database, row = withdrawn(recipients=("ada", "bob", "eve"))
    novu = FakeNovu(feed={tid(): ["ada", "bob"]})
    novu.jobs["ada"] = (
        FeedJob(Channel.IN_APP, JobState.DELIVERED, ""),
        FeedJob(None, JobState.CANCELLED, ""),
        FeedJob(Channel.EMAIL, JobState.CANCELLED, ""),
        FeedJob(Channel.SMS, JobState.FAILED, ""),
    )
    novu.jobs["bob"] = (
        FeedJob(Channel.EMAIL, JobState.DELIVERED, ""),
        FeedJob(Channel.PUSH, JobState.UNDER_WAY, ""),
    )
    await take_back(database, row, novu)
    assert row.settled == {
        "channels": {
            "EMAIL": {"cancelled": 1, "cannotBeUndone": 1},
            "IN_APP": {"deleted": 1},
            "PUSH": {"underWay": 1},
            "SMS": {"neverSent": 1},
        },
        "recipients": {
            "ada": {"EMAIL": "cancelled", "IN_APP": "deleted", "SMS": "neverSent"},
            "bob": {"EMAIL": "cannotBeUndone", "PUSH": "underWay"},
        },
        "notSeen": ["eve"],
    }


async def test_what_novu_makes_only_now_is_taken_back_too() -> None:
    """A send that is accepted, or may be, shows later: settling at once would leave its message where it is."""
    database, row = withdrawn()
    novu = FakeNovu()
    pauses = await take_back(database, row, novu, lambda: novu.feed.update({tid(): ["ada"]}))
    assert pauses == [10]
    assert row.settled is not None
    assert row.settled["recipients"] == {"ada": {"IN_APP": "deleted"}}


async def test_what_is_all_there_is_looked_at_once() -> None:
    database, row = withdrawn()
    assert await take_back(database, row, FakeNovu(feed={tid(): ["ada"]})) == []


async def test_a_novu_that_is_away_is_no_end() -> None:
    database, row = withdrawn()
    novu = FakeNovu(read_faults=[NovuUnavailable("away")])
    with pytest.raises(NovuUnavailable):
        await take_back(database, row, novu)
    assert row.settled is None


async def test_a_novu_that_throttles_is_waited_for_where_it_was() -> None:
    """A large one is hundreds of calls: begun anew after each 429 it would never come to its end."""
    people = tuple(f"u{i:03}" for i in range(150))
    database, row = withdrawn(recipients=people)
    novu = FakeNovu(feed={tid(0, 0): [*people[:100]], tid(0, 1): [*people[100:]]})
    throttled = NovuThrottled("429", retry_after=timedelta(seconds=3))
    novu.read_faults = [None, None, None, throttled]
    assert await take_back(database, row, novu) == [3]
    assert novu.cancelled == [tid(0, 0), tid(0, 1)]
    assert row.settled is not None


async def test_a_novu_that_refuses_for_good_is_an_end() -> None:
    database, row = withdrawn()
    novu = FakeNovu(read_faults=[NovuRejected("no")] * 2)
    await take_back(database, row, novu)
    assert row.settled is not None
    assert row.settled["refused"] == "NovuRejected"


async def test_what_is_not_withdrawn_is_left_alone() -> None:
    database = FakeDatabase(E)
    row = database.add(1, status=NotificationStatus.SENT)
    novu = FakeNovu(feed={tid(): ["ada"]})
    await take_back(database, row, novu)
    assert (novu.cancelled, novu.deleted, row.settled) == ([], [], None)
