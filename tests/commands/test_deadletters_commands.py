"""`xnovu deadletters …` on real servers: listed by reason, back in by filter, and nobody else's."""

from datetime import UTC, datetime, timedelta

import pytest
from psycopg.types.json import Jsonb
from support.command_line import CommandLine
from support.content_rows import dynamic, template
from support.rows import Rows

pytestmark = pytest.mark.stack


def failed(rows: Rows, reason: str | None, hours: float = 0, **columns: object) -> int:
    values = {
        "notification_status": "FAILED",
        "error_details": Jsonb({"reason": reason, "message": f"because of {reason}"})
        if reason
        else None,
        "processed_at": datetime.now(UTC) - timedelta(hours=hours),
    } | columns
    return rows.notification(**values)


def test_they_are_listed_by_reason(xnovu: CommandLine, rows: Rows) -> None:
    old, new = failed(rows, "TemplateError", 48), failed(rows, "TemplateError", 1)
    unknown = failed(rows, None, 2, error_details=Jsonb(["of another shape"]))
    failed(rows.other(), "TemplateError")
    mine = ("deadletters", "list", "-e", rows.enterprise)
    found = xnovu(*mine, "-o", "json").json["dead_letters"]
    assert [(r["reason"], r["count"], r["examples"]) for r in found["reasons"]] == [
        ("TemplateError", 2, [new, old]),
        ("Unknown", 1, [unknown]),
    ]
    assert [r["id"] for r in found["rows"]] == [new, unknown, old]
    recent = xnovu(*mine, "--since", "24h", "--reason", "TemplateError")
    assert recent.code == 0
    assert "because of TemplateError" in recent.out
    assert f"1 of enterprise {rows.enterprise}" in recent.out
    assert xnovu(*mine, "--since", "yesterday").is_one_line("--since", "24h", code=2)
    none = xnovu("deadletters", "list", ENTERPRISE=rows.other().enterprise)
    assert (none.code, "nothing failed for good" in none.out) == (0, True)
    assert xnovu("deadletters", "list").is_one_line("--enterprise", "XNOVU_ENTERPRISE", code=2)


def test_a_dry_run_says_of_each_how_it_would_go(xnovu: CommandLine, rows: Rows) -> None:
    goes = dynamic(rows, IN_APP=template(rows, "fine"))
    fails = dynamic(rows, IN_APP=template(rows, "{{ missing }}"))
    ids = [
        failed(rows, "ValidationError", 3, notification_workflow_id=goes),
        failed(rows, "TemplateError", 2, notification_workflow_id=fails),
        failed(rows, "TemplateError", 1, notification_workflow_id=goes, publish_status="DRAFT"),
    ]
    replay = ("deadletters", "replay", "-e", rows.enterprise)
    seen = xnovu(*replay, "--all", "--dry-run", "-o", "json").json
    assert [(r["letter"]["id"], r["outlook"]) for r in seen["rows"]] == [
        (ids[0], "goes"),
        (ids[1], "fails again"),
        (ids[2], "waits"),
    ]
    assert "missing" in seen["rows"][1]["why"]
    assert "no monitor runs" in seen["warning"]
    assert [rows.status(n) for n in ids] == ["FAILED"] * 3


def test_what_matches_comes_back_as_a_new_generation_and_nothing_else(
    xnovu: CommandLine, rows: Rows
) -> None:
    first, second = failed(rows, "TemplateError", 2), failed(rows, "TemplateError", 1)
    other, sent = failed(rows, "Expired"), rows.notification(notification_status="SENT")
    theirs = failed(rows.other(), "TemplateError")
    replay = ("deadletters", "replay", "-e", rows.enterprise)
    assert xnovu(*replay).is_one_line("say which ones", code=2)
    assert xnovu(*replay, "--all").is_one_line("--dry-run", "--yes", code=2)
    assert xnovu(*replay, "--id", str(theirs), "--yes").is_one_line("no FAILED notification")
    one = xnovu(*replay, "--reason", "TemplateError", "--limit", "1", "--yes", "-o", "json").json
    assert [(r["id"], r["generation"]) for r in one["rows"]] == [(first, 1)]
    rest = xnovu(*replay, "--yes", *(f"--id={n}" for n in (second, sent, theirs)))
    assert rest.code == 0
    assert f"left out, not FAILED or not of this enterprise: {sent}, {theirs}" in rest.out
    statuses = [rows.status(n) for n in (first, second, other, sent, theirs)]
    assert statuses == ["PENDING", "PENDING", "FAILED", "SENT", "FAILED"]
