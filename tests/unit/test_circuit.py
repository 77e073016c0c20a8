"""A refused key: one question at a time, ever rarer, and everything goes on when it is mended."""

from datetime import timedelta

import pytest

from xnovu.adapters.circuit import FIRST, LONGEST, PROBE, QUIET, Circuit
from xnovu.core.errors import CredentialsRejected


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def circuit() -> tuple[Circuit, Clock]:
    clock = Clock()
    return Circuit(clock), clock


def is_open(found: Circuit) -> bool:
    try:
        found.check()
    except CredentialsRejected:
        return True
    return False


def test_nothing_is_held_back_before_a_refusal() -> None:
    found, _ = circuit()
    found.check()
    assert found.heard(None) is None
    found.check()
    assert found.trouble() is None


def test_a_refusal_holds_everybody_back_and_says_until_when() -> None:
    found, clock = circuit()
    assert found.heard("refused") == timedelta(seconds=FIRST)
    clock.now += FIRST / 2
    with pytest.raises(CredentialsRejected, match="refused") as caught:
        found.check()
    assert caught.value.retry_after == timedelta(seconds=FIRST / 2)


def test_one_asks_and_the_others_wait_for_its_answer() -> None:
    found, clock = circuit()
    found.heard("refused")
    clock.now += FIRST
    assert not is_open(found)
    assert is_open(found)
    clock.now += PROBE
    assert not is_open(found), "one whose answer was lost is followed by another"


def test_the_questions_become_rarer_and_an_answer_ends_it() -> None:
    found, clock = circuit()
    pauses: list[float] = []
    for _ in range(8):
        pause = found.heard("refused")
        assert pause is not None
        pauses.append(pause.total_seconds())
        clock.now += pauses[-1]
        assert not is_open(found)
    assert pauses == [2, 4, 8, 16, 32, LONGEST, LONGEST, LONGEST]
    found.heard(None)
    assert not is_open(found)
    assert not is_open(found)
    assert found.heard("refused") == timedelta(seconds=FIRST)


def test_the_trouble_is_told_without_asking_and_forgotten_when_nobody_asks() -> None:
    found, clock = circuit()
    found.heard("refused")
    clock.now += FIRST + QUIET / 2
    assert found.trouble() is not None
    assert not is_open(found), "telling is no question"
    clock.now += PROBE + QUIET + 1
    assert found.trouble() is None
