"""One sentence says how a notification stands, why, and what to do."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from support.lives import CONFIG, NOW, REF, WORKING, a_life

from xnovu.adapters.runs import Pending, Run
from xnovu.commands.systems import Enterprise
from xnovu.commands.verdict import Found, verdict
from xnovu.core.contracts.common import Mode
from xnovu.core.contracts.orchestration import RealtimeConfig

RUNNING = Run("w", "r", "RUNNING", NOW, None, 6, None, ())


def said(
    run: Run | None = None,
    enterprise: Enterprise = WORKING,
    problem: str | None = None,
    **life: Any,
) -> str:
    return verdict(Found(a_life(**life), enterprise, run, problem))


def config(**changes: Any) -> Enterprise:
    return Enterprise(REF, CONFIG.model_copy(update=changes), None)


def test_a_row_that_must_not_be_sent_says_what_keeps_it() -> None:
    assert "it is deactivated" in said(deactivated=True)
    assert "publish_status is DRAFT" in said(publish_status="DRAFT")
    later = NOW + timedelta(hours=3)
    assert said(scheduled_for=later) == "waits until 2026-11-24 11:00:00Z, in 3 h"


def test_a_due_row_says_who_does_not_pick_it_up() -> None:
    assert said() == "is due since 2.0 s, the next poll picks it up"
    assert said(RUNNING) == "is being picked up now"
    old = NOW - timedelta(minutes=2)
    assert "the monitor did not pick it up" in said(created_at=old)
    assert "no monitor runs" in said(enterprise=Enterprise(REF, None, None))
    assert "Temporal is away" in said(enterprise=Enterprise(REF, None, "Temporal is away"))
    assert "is suspended" in said(enterprise=config(suspend=True))
    shadow = config(realtime=RealtimeConfig(mode=Mode.SHADOW))
    assert "realtime intake of its enterprise is Shadow" in said(enterprise=shadow)
    assert "the monitor did not" in said(enterprise=shadow, scheduled_for=old)


def test_a_row_that_is_being_sent_says_what_fails() -> None:
    pending = Pending(
        "TriggerNovu", "scheduled", 7, "NovuThrottled: 429", NOW + timedelta(seconds=12)
    )
    failing = replace(RUNNING, pending=(pending,))
    assert said(failing, status="PROCESSING") == (
        "is being sent; TriggerNovu fails (try 7): NovuThrottled: 429; tried again in 12 s"
    )
    assert said(RUNNING, status="PROCESSING") == "is being sent"
    assert "did not say" in said(problem="away", status="PROCESSING")


@pytest.mark.parametrize(
    ("minutes", "text"), [(2, "the sweeper looks in 2 min"), (-2, "left behind")]
)
def test_a_row_that_nobody_works_on_says_when_it_is_looked_at(minutes: int, text: str) -> None:
    lease = NOW + timedelta(minutes=minutes)
    assert text in said(status="PROCESSING", lease_expires_at=lease)


def test_sent_is_what_novu_accepted_and_says_when_it_did_not_arrive() -> None:
    at = NOW - timedelta(minutes=1)
    sent = {"status": "SENT", "processed_at": at}
    assert said(**sent) == "was accepted by Novu 1 min ago"
    assert said(**sent, delivery_counts={"Delivered": 2}).endswith("ago: 2 Delivered")
    assert "did not arrive: NobodyReceived" in said(**sent, delivery_problem="NobodyReceived")


def test_failed_says_why_and_the_way_back() -> None:
    text = said(status="FAILED", reason="TemplateError", processed_at=NOW, reached=2)
    assert "after it reached 2 recipients: TemplateError" in text
    assert "`xnovu notification replay 7`" in text


def test_withdrawn_says_how_far_it_is_undone() -> None:
    gone = {"status": "RETRACTED", "retracted_at": NOW}
    assert said(**gone).endswith("before anything was sent")
    assert said(**gone, owner="o").endswith("is being undone")
    assert said(**gone, owner="o", retraction_settled_at=NOW).endswith("is undone")
