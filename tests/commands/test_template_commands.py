"""`xnovu template …` on real servers: rendered and linted as the worker would, with the templates of one enterprise."""

from pathlib import Path

import pytest
from support.command_line import CommandLine
from support.content_rows import dynamic, template
from support.rows import Rows

pytestmark = pytest.mark.stack


def test_a_template_is_rendered_as_in_a_delivery(
    xnovu: CommandLine, rows: Rows, tmp_path: Path
) -> None:
    footer = template(rows, "<i>{{ site }}</i>", channel="EMAIL")
    body = f"<p>{{{{ what }}}}</p>{{{{ xnovu_render('{footer}', {{'site': site}}) }}}}"
    key = template(rows, body, channel="EMAIL", subject="{{ what }}\n!")
    render = ("template", "render", key, "-e", rows.enterprise)
    data = tmp_path / "data.yaml"
    data.write_text("what: Lift & stairs\nsite: North\n")
    made = xnovu(*render, "--data", str(data), "-o", "json").json
    assert (made["channel"], made["subject"]) == ("EMAIL", "Lift & stairs !")
    assert made["body"] == "<p>Lift &amp; stairs</p><i>North</i>"
    text = xnovu(*render, "--data", '{"what": "Lift & stairs", "site": "N"}', "--channel", "SMS")
    assert (text.code, "<p>Lift & stairs</p>" in text.out) == (0, True)
    assert xnovu(*render, "--data", '{"site": "N"}').is_one_line(
        f"template '{key}', line 1", "what"
    )
    assert xnovu(*render, "--data", "nowhere.json").is_one_line("nowhere.json", code=2)
    other = ("-e", rows.other().enterprise)
    assert xnovu("template", "render", key, *other).is_one_line(key, "is not there for enterprise")


def test_lint_finds_what_would_stop_a_notification(
    xnovu: CommandLine, rows: Rows, tmp_path: Path
) -> None:
    good, bad = tmp_path / "good.txt", tmp_path / "bad.txt"
    good.write_text("{{ name }}")
    bad.write_text("one\n{{ name }")
    fine = xnovu("template", "lint", str(good), SUPABASE__URL=None)
    assert (fine.code, "nothing found" in fine.out) == (0, True)
    template(rows, "{{ xnovu_render('nobody', {}) }}", key=f"a-{rows.enterprise}")
    template(
        rows, f"{{{{ xnovu_render('c-{rows.enterprise}', {{}}) }}}}", key=f"b-{rows.enterprise}"
    )
    template(
        rows, f"{{{{ xnovu_render('b-{rows.enterprise}', {{}}) }}}}", key=f"c-{rows.enterprise}"
    )
    dynamic(rows, SMS="not-there")
    template(rows.other(), "{{ broken")
    found = xnovu("template", "lint", str(bad), "--enterprise", rows.enterprise)
    assert (found.code, found.err) == (1, "")
    for part in (str(bad), "line 2", "'nobody'", "includes itself", "'not-there'"):
        assert part in found.out
    assert "5 problems" in found.out
    assert xnovu("template", "lint").is_one_line("--enterprise", code=2)
