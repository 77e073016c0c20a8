"""How a replay would go is told of each dead letter, and why nothing would be picked up."""

from dataclasses import replace

import pytest
from support.lives import CONFIG, NOW, REF, WORKING

from xnovu.commands.prospects import Outlook, intake_warning, prospect
from xnovu.commands.rehearsal import Rehearsal
from xnovu.commands.systems import Enterprise
from xnovu.core.content import Content
from xnovu.core.contracts.common import Mode
from xnovu.core.contracts.notifications import Channel, NotificationStatus
from xnovu.core.contracts.orchestration import RealtimeConfig
from xnovu.core.inspection import DeadLetter
from xnovu.core.recipients import chunks
from xnovu.core.records import Notification
from xnovu_activities.deliver import Prepared

LETTER = DeadLetter(7, "n", "TemplateError", "m", NOW, 1, 0, published=True, workflow_key="w")
ROW = Notification(
    id=7, enterprise_id=REF.id, name="n", status=NotificationStatus.FAILED, payload={}, recipients=(), channels=(),
    overrides={}, tags=(), topics=(), priority=None, workflow_id=1, generation=0, due_at=NOW, attempts=1,
)  # fmt: skip
FAILS = Rehearsal(ROW, "w", 1, None, "TemplateError", "it is broken")


def going(people: int, topics: int) -> Rehearsal:
    content = Content("w", (Channel.SMS,), {}, {}, "digest")
    parts = chunks([f"p{n}" for n in range(people)], [f"t{n}" for n in range(topics)])
    return Rehearsal(ROW, "w", 1, Prepared(ROW, content, parts), None, None)


@pytest.mark.parametrize(
    ("people", "topics", "why"),
    [
        (1, 0, "to 1 recipient by SMS"),
        (250, 0, "to 250 recipients by SMS"),
        (2, 1, "to 2 recipients and 1 topic by SMS"),
        (0, 0, "to nobody by SMS"),
    ],
)
def test_one_that_goes_says_to_how_many(people: int, topics: int, why: str) -> None:
    found = prospect(LETTER, going(people, topics))
    assert (found.outlook, found.why) == (Outlook.GOES, why)


def test_one_that_fails_again_says_with_what() -> None:
    found = prospect(replace(LETTER, published=False), FAILS)
    assert (found.outlook, found.why) == (Outlook.FAILS, "TemplateError: it is broken")


def test_one_that_is_not_published_waits() -> None:
    found = prospect(replace(LETTER, published=False), going(1, 0))
    assert (found.outlook, found.why) == (Outlook.WAITS, "it is not published, or deactivated")


def test_the_transaction_is_of_the_next_generation() -> None:
    rehearsed = going(1, 0)
    assert rehearsed.transaction(rehearsed.chunks[0]).endswith("-7-g1-c0")


def test_a_warning_says_why_nothing_is_picked_up() -> None:
    shadow = CONFIG.model_copy(update={"realtime": RealtimeConfig(mode=Mode.SHADOW)})
    suspended = CONFIG.model_copy(update={"suspend": True})
    assert intake_warning(WORKING) is None
    for enterprise, part in (
        (Enterprise(REF, None, None), "no monitor runs"),
        (Enterprise(REF, None, "Temporal is away"), "Temporal is away"),
        (Enterprise(REF, suspended, None), "suspended"),
        (Enterprise(REF, shadow, None), "Shadow"),
    ):
        assert part in (intake_warning(enterprise) or "")
