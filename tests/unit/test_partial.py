"""Who is left of a notification that failed in part, and what its row says and remembers."""

from fakes.database import FakeDatabase

from xnovu.core import ids, partial
from xnovu.core.contracts.notifications import ChunkOutcome, ChunkResult
from xnovu.core.records import Notification, Unclear

E = "3f0b8a52-9c0e-4a7d-8d55-0d6a1c3f2b10"
PEOPLE = tuple(f"u{i:03}" for i in range(250))
RESULTS = (
    ChunkResult(chunk=0, outcome=ChunkOutcome.ACCEPTED),
    ChunkResult(chunk=1, outcome=ChunkOutcome.UNCLEAR, reason="OutcomeUnclear", message="m"),
)
SEEN = {1: frozenset({"u100", "stranger"})}


def notification(**changes: object) -> Notification:
    return FakeDatabase(E).add(1, **{"recipients": PEOPLE, **changes}).notification


def test_whom_an_earlier_generation_reached_is_left_out() -> None:
    left = partial.parts(
        notification(reached=PEOPLE[:100], topics=("a", "b"), reached_topics=("a",))
    )
    assert left[0].recipients == PEOPLE[100:200]
    assert left[1].recipients + left[1].topics == (*PEOPLE[200:], "b")


def test_the_memory_holds_whom_it_reached_and_what_is_to_be_looked_up() -> None:
    before = Unclear(("xn-earlier",), ("t",))
    state = partial.delivery_state(notification(reached=("old",), unclear=(before,)), RESULTS, SEEN)
    assert state == {
        "recipients": sorted(["old", *PEOPLE[:100], "u100"]),
        "topics": [],
        "unclear": [
            {"transactions": ["xn-earlier"], "topics": ["t"]},
            {"transactions": [ids.transaction_id(E, 1, 0, 1)], "topics": []},
        ],
    }


def test_the_details_say_who_was_reached_who_was_not_and_why() -> None:
    first, second, third = partial.chunk_details(notification(), RESULTS, SEEN)
    assert first == {
        "chunk": 0, "outcome": "Accepted", "reached": [*PEOPLE[:100]], "notReached": [],
    }  # fmt: skip
    assert second == {
        "chunk": 1, "outcome": "Unclear", "reached": ["u100"], "notReached": [*PEOPLE[101:200]],
        "reason": "OutcomeUnclear", "message": "m",
    }  # fmt: skip
    assert third == {
        "chunk": 2, "outcome": "NotTried", "reached": [], "notReached": [*PEOPLE[200:]],
    }  # fmt: skip
    assert partial.summary([first, second, third]).startswith("101 of 250 recipients were reached")


def test_only_what_was_or_may_have_been_accepted_makes_it_partial() -> None:
    refused = ChunkResult(chunk=0, outcome=ChunkOutcome.REFUSED)
    assert not partial.is_partial([refused])
    assert partial.is_partial([refused, RESULTS[0]])
    assert partial.is_partial([refused, RESULTS[1]])
    assert not partial.is_partial([])
