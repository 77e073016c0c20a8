"""`xnovu notification …` on real servers: the life of a delivered row, and what can be done about one."""

from pathlib import Path
from uuid import uuid4

import pytest
from psycopg.types.json import Jsonb
from support.command_line import CommandLine
from support.content_rows import dynamic, template
from support.delivering import a_worker
from support.rows import PERSON, Rows

from xnovu_dev.state import Stack

pytestmark = pytest.mark.stack


def sendable(rows: Rows, body: str = "Lift {{ lift }}", **columns: object) -> int:
    workflow = dynamic(rows, IN_APP=template(rows, body, subject="About {{ lift }}"))
    values = {"payload": Jsonb({"lift": 3}), "notification_workflow_id": workflow} | columns
    return rows.notification(**values)


async def test_show_follows_a_delivered_row_to_its_recipient(
    xnovu: CommandLine, rows: Rows, servers: Stack
) -> None:
    n = sendable(rows, name="\x1b[31m[bold]red[/bold]")
    async with a_worker(servers) as deliver:
        await deliver(rows.enterprise, n)
    rows.execute(
        "insert into notify.notification_delivery values (%s, %s, 0, %s, 'IN_APP', 'Delivered', 'x', 'xn-1')",
        n, rows.enterprise, PERSON,
    )  # fmt: skip
    seen = xnovu("notification", "show", str(n), "-o", "json").json
    assert seen["notification"]["status"] == "SENT"
    assert seen["summary"].startswith("was accepted by Novu")
    assert seen["summary"].endswith("1 Delivered")
    assert seen["temporal"]["run"]["result"]["status"] == "SENT"
    (entries,) = seen["novu"]["entries"].values()
    assert [e["subscriber_id"] for e in entries] == [PERSON]
    table = xnovu("notification", "show", str(n))
    assert table.code == 0
    for part in ("● SENT", "[bold]red[/bold]", "COMPLETED", "Delivered", PERSON, rows.enterprise):
        assert part in table.out
    assert "\x1b" not in table.out


def test_show_says_what_keeps_a_row_and_goes_on_without_temporal_and_novu(
    xnovu: CommandLine, rows: Rows
) -> None:
    n = sendable(rows, claim_owner="somebody")
    away = {"TEMPORAL__ADDRESS": "127.0.0.1:9", "NOVU__API_URL": "http://127.0.0.1:9"}
    seen = xnovu("notification", "show", str(n), "-o", "yaml", **away)
    assert seen.code == 0
    assert "Temporal did not say whether anybody picks it up" in seen.out
    assert "Novu cannot be reached" in seen.out


@pytest.mark.parametrize("command", ["show", "dry-run", "replay", "retract"])
def test_the_notification_of_somebody_else_is_not_there(
    xnovu: CommandLine, rows: Rows, command: str
) -> None:
    theirs = rows.other().notification(notification_status="FAILED")
    more = ("--reason", "x") if command == "retract" else ()
    said = xnovu("notification", command, str(theirs), "--enterprise", rows.enterprise, *more)
    assert said.is_one_line(f"notification {theirs} is not there for enterprise {rows.enterprise}")
    assert rows.status(theirs) == "FAILED"


def test_what_cannot_be_reached_or_is_wrong_is_one_line(
    xnovu: CommandLine, rows: Rows, tmp_path: Path
) -> None:
    n = str(rows.notification())
    show = ("notification", "show", n)
    assert xnovu("notification", "show", str(2**62)).is_one_line("is not in the installation's")
    assert xnovu(*show, SUPABASE__URL="http://127.0.0.1:9").is_one_line(
        "did not answer", "XNOVU_SUPABASE__URL"
    )
    assert xnovu(*show, SUPABASE__SERVICE_ROLE_KEY="sb_secret_wrong").is_one_line("serviceRoleKey")
    nothing = dict.fromkeys(
        ("SUPABASE__URL", "SUPABASE__SERVICE_ROLE_KEY", "NOVU__SECRET_KEY"), None
    )
    assert xnovu(*show, **nothing).is_one_line("XNOVU_SUPABASE__URL", "xnovu up", code=2)
    assert xnovu(*show, "-e", "acme").is_one_line("spec.enterpriseId", code=2)
    broken = tmp_path / "stack.json"
    broken.write_text("{}")
    said = xnovu(*show, "--home", str(tmp_path), **nothing)
    assert said.is_one_line(str(broken), code=2)


def test_without_settings_the_stack_that_is_up_is_used(
    xnovu: CommandLine, rows: Rows, servers: Stack
) -> None:
    n = rows.notification(publish_status="DRAFT")
    home = str(servers.kubeconfig.parent)
    nothing = dict.fromkeys(key.removeprefix("XNOVU_") for key in xnovu.settings)
    said = xnovu("notification", "show", str(n), "-o", "json", HOME=home, **nothing)
    assert "publish_status is DRAFT" in said.json["summary"]


def test_a_withdrawn_row_is_withdrawn_once(xnovu: CommandLine, rows: Rows) -> None:
    n = rows.notification()
    retract = ("notification", "retract", str(n), "--reason")
    assert xnovu(*retract, " ").is_one_line("--reason is empty")
    first = xnovu(*retract, "wrong date")
    assert (first.code, first.err) == (0, "")
    assert first.out == f"notification {n} is RETRACTED; nothing of it was sent\n"
    assert xnovu(*retract, "again").is_one_line("withdrawn before", "wrong date")
    reason = rows.one("select retraction_reason from notify.ent_notification where id = %s", n)
    assert (rows.status(n), reason) == ("RETRACTED", "wrong date")


def test_only_a_failed_row_is_replayed_and_its_dry_run_says_whether_it_would_fail_again(
    xnovu: CommandLine, rows: Rows
) -> None:
    good = sendable(rows, notification_status="FAILED")
    bad = sendable(rows, "{{ nobody_knows }}", notification_status="FAILED")
    replay = ("notification", "replay")
    assert xnovu(*replay, str(sendable(rows))).is_one_line("is PENDING", "only a FAILED one")
    again = xnovu(*replay, str(bad), "--dry-run")
    assert (again.code, again.err) == (1, "")
    assert "TemplateError" in again.out
    assert "nobody_knows" in again.out
    would = xnovu(*replay, str(good), "--dry-run", "-o", "json").json
    assert (would["generation"], would["can_be_sent"]) == (1, True)
    assert would["chunks"][0]["transaction_id"].endswith(f"-{good}-g1-c0")
    assert (rows.status(good), rows.status(bad)) == ("FAILED", "FAILED")
    assert xnovu(*replay, str(good), "-o", "json").json == {"notification": good, "generation": 1}
    assert rows.status(good) == "PENDING"


def test_a_dry_run_renders_and_sends_nothing(
    xnovu: CommandLine, rows: Rows, servers: Stack
) -> None:
    n = sendable(rows, recipients=[str(uuid4()) for _ in range(101)])
    said = xnovu("notification", "dry-run", str(n))
    assert said.code == 0
    for part in ("would be sent", "Lift 3", "About 3", "xnovu-dynamic", "-g0-c1"):
        assert part in said.out
    attempts = "select attempt_count from notify.ent_notification where id = %s"
    assert (rows.status(n), rows.one(attempts, n)) == ("PENDING", 0)
