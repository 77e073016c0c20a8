"""Cron expressions as Temporal reads them; refusals say what to write instead."""

import pytest

from xnovu.core import cron
from xnovu.core.errors import ScheduleInvalid


@pytest.mark.parametrize(
    ("text", "field", "values"),
    [
        ("*/15 * * * *", "minutes", {0, 15, 30, 45}),
        ("5/20 * * * *", "minutes", {5, 25, 45}),
        ("1-10/3,59 * * * *", "minutes", {1, 4, 7, 10, 59}),
        ("0 8-10 * * *", "hours", {8, 9, 10}),
        ("0 0 1,15 * *", "days", {1, 15}),
        ("0 0 * jan-MARCH *", "months", {1, 2, 3}),
        ("0 0 * * mo-Fri", "weekdays", {1, 2, 3, 4, 5}),
        ("0 0 * * 7", "weekdays", {0}),
        ("0 0 * * 6-7", "weekdays", {6, 0}),
        ("@weekly", "weekdays", {0}),
        ("  @hourly ", "hours", set(range(24))),
    ],
)
def test_a_field_means_these_values(text: str, field: str, values: set[int]) -> None:
    assert getattr(cron.parse(text), field) == values


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("", "has 0 fields"),
        ("* * * *", "has 4 fields"),
        ("*/10 * * * * *", "sixth as the year"),
        ("0 0 9 * * 1-5 *", "has 7 fields"),
        ("60 * * * *", "from 0 to 59"),
        ("* 24 * * *", "from 0 to 23"),
        ("* * 0 * *", "from 1 to 31"),
        ("* * * 13 *", "from 1 to 12"),
        ("* * * * 8", "from 0 to 7"),
        ("* * * * fri-sun", "runs upwards"),
        ("* * * * m", "from 0 to 7"),
        ("*/0 * * * *", "a step is"),
        ("*/x * * * *", "a step is"),
        ("1,,2 * * * *", "from 0 to 59"),
        ("1-2-3 * * * *", "from 0 to 59"),
        ("1/2/3 * * * *", "a step is"),
        ("٣ * * * *", "from 0 to 59"),
        ("0 0 ? * *", "Quartz"),
        ("0 0 * * 1#1", "Quartz"),
        ("0 0 30 2 *", "would never run"),
        ("@every 5m", "write it into every"),
        ("@reboot", "there is no"),
        ("TZ=UTC 0 0 * * *", "holds a time zone"),
        ("0 " * 200, "longer than"),
    ],
)
def test_what_temporal_refuses_or_reads_differently_is_refused_with_advice(
    text: str, advice: str
) -> None:
    with pytest.raises(ScheduleInvalid, match=advice):
        cron.check_cron(text)


def test_a_refusal_shows_only_a_part_of_a_long_expression() -> None:
    with pytest.raises(ScheduleInvalid) as caught:
        cron.check_cron("x" * 250 + " * * * *")
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0 9 1 * MON", "both restricted"),
        ("0 9 31 * *", "left out"),
        ("*/7 * * * *", "does not divide"),
        ("0 */5 * * *", "does not divide"),
    ],
)
def test_the_linter_explains(text: str, said: str) -> None:
    assert any(said in sentence for sentence in cron.lint(text))


@pytest.mark.parametrize(
    "text", ["0 8 * * 1-5", "*/15 */6 * * *", "@daily", "0 9 28 * *", "0 9 1-7 1 *"]
)
def test_the_linter_is_quiet_about_what_is_plain(text: str) -> None:
    assert cron.lint(text) == ()
