"""What is made of Novu's feed: who received it, what is wrong, when it is looked at again."""

import pytest
from fakes.database import FakeDatabase

from xnovu.core import feed
from xnovu.core.contracts.notifications import Channel, NotificationStatus
from xnovu.core.records import DueFeed, FeedEntry, FeedJob, FeedRecord, JobState

E = "3f0b8a52-9c0e-4a7d-8d55-0d6a1c3f2b10"
NOBODY, NOT_ALL = "NobodyReceived", "NotAllReceived"
DELAYS = (60.0, 600.0, 3600.0)
ARRIVED = FeedJob(Channel.IN_APP, JobState.DELIVERED, "Message sent")
FAILED = FeedJob(Channel.EMAIL, JobState.FAILED, "Unexpected provider error")
SKIPPED = FeedJob(Channel.SMS, JobState.SKIPPED, "Step was skipped")
WAITING = FeedJob(None, JobState.UNDER_WAY, "Step is delayed")


def found(**jobs: tuple[FeedJob, ...]) -> list[feed.Found]:
    return [feed.Found(0, "xn-1", FeedEntry(who, mine)) for who, mine in jobs.items()]


def judged(
    entries: list[feed.Found], *people: str, checks: int = 0, age: float = 60.0, **changes: object
) -> FeedRecord:
    row = FakeDatabase(E).add(
        1, **{"recipients": people, "status": NotificationStatus.SENT, **changes}
    )
    return feed.judge(DueFeed(row.notification, checks, age), entries, DELAYS)


def test_what_everybody_received_is_not_looked_at_again() -> None:
    record = judged(found(ada=(ARRIVED,), bob=(FAILED, ARRIVED)), "ada", "bob")
    assert (record.problem, record.next_seconds) == (None, None)
    assert record.report["received"] == 2
    assert record.report["channels"] == {"EMAIL": {"Failed": 1}, "IN_APP": {"Delivered": 2}}
    rows = {(d.subscriber_id, d.channel): (d.status, d.detail) for d in record.deliveries}
    assert rows["bob", "EMAIL"] == ("Failed", "Unexpected provider error")
    assert len(rows) == 3


def test_an_empty_feed_is_no_alarm_at_once_and_one_at_the_second_look() -> None:
    early = judged([], "ada")
    assert (early.problem, early.next_seconds) == (None, 540.0)
    late = judged([], "ada", checks=1, age=610.0)
    assert (late.problem, late.next_seconds) == (NOBODY, 2990.0)
    assert late.report["reason"] == "NobodyReceived"
    assert "nobody received it" in str(late.report["message"])
    assert late.report["notSeenAre"] == ["ada"]


def test_an_alarm_is_taken_back_when_it_arrives_after_all() -> None:
    record = judged(found(ada=(ARRIVED,)), "ada", checks=2, age=3600.0)
    assert (record.problem, record.next_seconds) == (None, None)


def test_failed_for_everybody_is_said_at_the_first_look() -> None:
    record = judged(found(ada=(FAILED, SKIPPED)), "ada")
    assert (record.problem, record.next_seconds) == (NOBODY, None)
    assert record.report["failures"] == {"Unexpected provider error": 1}


@pytest.mark.parametrize(
    ("jobs", "problem"),
    [((FAILED,), NOT_ALL), ((SKIPPED,), None), ((ARRIVED, FAILED), None)],
)
def test_some_who_did_not_receive_it(jobs: tuple[FeedJob, ...], problem: str | None) -> None:
    """Whoever wants none of it, by preference or condition, misses nothing."""
    record = judged(found(ada=(ARRIVED,), bob=jobs), "ada", "bob")
    assert record.problem == problem


def test_what_is_delayed_is_waited_for_ever_longer_and_not_for_ever() -> None:
    jobs = found(ada=(WAITING,))
    hour = judged(jobs, "ada", checks=2, age=3600.0)
    assert (hour.problem, hour.next_seconds) == (None, 3600.0)
    day = judged(jobs, "ada", checks=7, age=86400.0)
    assert day.next_seconds == 86400.0
    assert judged(jobs, "ada", checks=11, age=feed.LONGEST + 1).next_seconds is None


def test_a_topic_that_nobody_is_in_is_found_too() -> None:
    assert judged([], topics=("all",), checks=2, age=3600.0).problem == NOBODY
    assert judged(found(who=(ARRIVED,)), topics=("all",)).problem is None


def test_one_that_failed_in_part_is_logged_and_is_no_second_problem() -> None:
    record = judged(
        found(ada=(ARRIVED,)), "ada", "bob", status=NotificationStatus.FAILED, reached=("ada",)
    )
    assert (record.problem, record.next_seconds) == (None, None)
    assert len(record.deliveries) == 1


def test_of_two_sends_the_best_outcome_is_kept() -> None:
    both = [*found(ada=(FAILED,)), *found(ada=(FeedJob(Channel.EMAIL, JobState.DELIVERED, "ok"),))]
    record = judged(both, "ada")
    assert [(d.channel, d.status) for d in record.deliveries] == [("EMAIL", "Delivered")]
