"""A soak's plan and its judgement of memory: replayed by its seed, complete, and not blind to growth."""

import itertools

import pytest

from xnovu_dev.faults.soak_plan import CALM, DEADLY, STRIKES, plan
from xnovu_dev.faults.soak_report import MiB, grown
from xnovu_dev.faults.soak_strikes import DO


def test_a_seed_gives_the_same_faults_and_another_gives_others() -> None:
    assert plan(7, 600) == plan(7, 600)
    assert plan(7, 600) != plan(8, 600)


@pytest.mark.parametrize("seed", range(20))
def test_faults_come_one_after_the_other_and_end_before_the_calm(seed: int) -> None:
    strikes = plan(seed, 600)
    assert strikes
    for before, after in itertools.pairwise(strikes):
        assert after.at > before.at + before.seconds
    assert strikes[-1].at + strikes[-1].seconds <= 600 - CALM


@pytest.mark.parametrize("seed", range(20))
def test_ten_minutes_meet_every_kind_and_the_worker_lives_on_in_the_second_half(seed: int) -> None:
    strikes = plan(seed, 600)
    assert {s.name for s in strikes} == set(STRIKES)
    assert all(s.at < 300 for s in strikes if s.name in DEADLY)


def test_every_kind_can_be_done() -> None:
    assert set(STRIKES) == set(DO)


def test_growth_is_seen_and_a_warm_process_that_stays_is_not() -> None:
    stays = [(1, float(at), 100 * MiB + (at % 7) * MiB // 8) for at in range(0, 300, 5)]
    grows = [(1, float(at), 100 * MiB + at * MiB // 10) for at in range(0, 300, 5)]
    assert list(grown(stays)) == []
    assert len(list(grown(grows))) == 1


def test_the_longest_life_counts_not_the_process_that_replaced_it() -> None:
    before = [(1, float(at), 100 * MiB) for at in range(0, 200, 5)]
    after = [(2, float(at), at * MiB) for at in range(200, 300, 5)]
    assert list(grown(before + after)) == []
