"""What is printed of a notification: all that is known, nothing that is not, and hostile texts only as texts."""

import json
from datetime import timedelta

import pytest
import yaml
from support.lives import NOW, WORKING, a_life

from xnovu.adapters.runs import Pending, Run
from xnovu.commands.common import Output
from xnovu.commands.life_view import Feed, print_life
from xnovu.commands.printing import SHOWN
from xnovu.commands.rehearsal_view import rendered
from xnovu.commands.verdict import Found
from xnovu.core.contracts.notifications import Channel
from xnovu.core.inspection import Delivery
from xnovu.core.records import FeedEntry, FeedJob, JobState

HOSTILE = "\x1b[2J[red]\nnotice[/red]"
SHOWN_AS = "\N{REPLACEMENT CHARACTER}[2J[red] notice[/red]"


def shown(capsys: pytest.CaptureFixture[str], found: Found, feed: Feed | None = None) -> str:
    print_life(found, feed or Feed({}), Output.TABLE)
    return capsys.readouterr().out


def test_a_new_row_has_no_empty_lines_of_what_it_has_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = shown(capsys, Found(a_life(), WORKING, None, None))
    assert "● PENDING is due since 2.0 s, the next poll picks it up" in text
    assert "not asked: nothing was sent" in text
    for absent in ("withdrawn", "lease", "reason", "rule", "None"):
        assert absent not in text
    assert all(line == line.rstrip() for line in text.splitlines())


def test_hostile_texts_are_shown_and_not_obeyed(capsys: pytest.CaptureFixture[str]) -> None:
    life = a_life(
        name=HOSTILE, status="RETRACTED", owner="o", retracted_at=NOW, retraction_reason=HOSTILE,
        reason="A", message=HOSTILE, recipients=(HOSTILE,), dedupe_key=HOSTILE,
        retraction_report={HOSTILE: [HOSTILE, True, None]},
        deliveries=(Delivery(0, HOSTILE, Channel.SMS, HOSTILE, HOSTILE, "xn", NOW),),
    )  # fmt: skip
    entry = FeedEntry(HOSTILE, (FeedJob(None, JobState.FAILED, HOSTILE),))
    feed = Feed({"xn-1": (entry,)}, problem=None)
    pending = Pending(HOSTILE, "started", 2, HOSTILE, NOW + timedelta(seconds=30))
    run = Run("w", "r", "RUNNING", NOW, None, 9, None, (pending,))
    text = shown(capsys, Found(life, WORKING, run, None), feed)
    assert "\x1b" not in text
    assert text.count(SHOWN_AS) >= 10
    assert "in 30 s" in text


def test_long_lists_are_cut_and_say_so(capsys: pytest.CaptureFixture[str]) -> None:
    deliveries = tuple(
        Delivery(0, f"person-{n}", Channel.SMS, "Delivered", None, "xn", NOW)
        for n in range(SHOWN + 5)
    )
    life = a_life(deliveries=deliveries, recipients=tuple(d.subscriber_id for d in deliveries))
    text = shown(capsys, Found(life, WORKING, None, None), Feed({"xn-1": ()}, unasked=3))
    assert "25: person-0, person-1, person-2 …" in text
    assert "… 5 deliveries more; --output json has all" in text
    assert "… 3 transactions were not asked about" in text
    assert "person-24" not in text


def test_what_was_undone_is_told_by_channel(capsys: pytest.CaptureFixture[str]) -> None:
    report = {
        "channels": {"EMAIL": {"cannotBeUndone": 2}, "IN_APP": {"cancelled": 1, "deleted": 1}},
        "recipients": {"ada": {"EMAIL": "cannotBeUndone"}},
        "notSeen": [],
        "refused": True,
    }
    life = a_life(status="RETRACTED", owner="o", retracted_at=NOW, retraction_report=report)
    text = shown(capsys, Found(life, WORKING, None, None))
    told = "channels EMAIL (cannotBeUndone 2), IN_APP (cancelled 1, deleted 1); refused yes"
    assert told in text


def test_json_and_yaml_say_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    found = Found(a_life(name=HOSTILE), WORKING, None, "Temporal is away")
    print_life(found, Feed({}, problem="Novu is away"), Output.JSON)
    first = capsys.readouterr().out
    print_life(found, Feed({}, problem="Novu is away"), Output.YAML)
    second = capsys.readouterr().out
    assert json.loads(first) == yaml.safe_load(second)
    assert json.loads(first)["notification"]["name"] == HOSTILE
    assert json.loads(first)["temporal"] == {"run": None, "problem": "Temporal is away"}
    assert "\x1b" not in first + second


def test_rendered_content_is_found_in_our_own_payloads_only() -> None:
    ours = {"xnovu": {"rendered": {"sms": {"subject": None, "body": "b"}}}}
    assert rendered(ours) == {"sms": ("", "b")}
    for other in (
        {},
        {"xnovu": "x"},
        {"xnovu": {"rendered": [1]}},
        {"xnovu": {"rendered": {"a": 1}}},
    ):
        assert rendered(other) == {}
