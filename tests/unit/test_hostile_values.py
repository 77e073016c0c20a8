"""What hostile values become in each channel: nothing that runs, and nothing that fetches from where it should not."""

from pathlib import Path

import pytest
import yaml
from support.html_oracle import dangers

from xnovu.core.contracts.notifications import Channel
from xnovu.core.records import Template
from xnovu.core.sanitise import email, inbox
from xnovu.core.templates import Renderer

CORPUS: list[str] = yaml.safe_load(
    (Path(__file__).parents[1] / "corpus" / "xss.yaml").read_text(encoding="utf-8")
)
PLACES = (
    "<p>{{ v }}</p>",
    '<a href="{{ v }}">x</a>',
    "<a href={{ v }}>x</a>",
    "<img src='{{ v }}' alt={{ v }}>",
    '<p style="color:{{ v }}" title="{{ v }}">x</p>',
    "<b {{ v }}>x</b>",
    "<!-- {{ v }} -->",
    "<script>{{ v }}</script>",
    "{{ v | sanitize_email }}",
    "{{ v | sanitize_inapp }}",
    "{{ v | markdown_to_html }}x",
    "{{ v ~ '<i>' }}x",
    "{{ xnovu_render('inner', {v: v}) }}x",
)


def rendered(body: str, value: str, channel: Channel) -> tuple[str, str]:
    library = {
        "k": Template("k", channel, None, "s {{ v }}", body),
        "inner": Template("inner", channel, None, None, "<i>{{ v }}</i>"),
    }
    return Renderer(library).template("k", {"v": value}, channel)


def test_the_corpus_is_large_and_the_oracle_sees_what_is_wrong_with_it() -> None:
    assert len(set(CORPUS)) >= 80
    as_written = [value for value in CORPUS if dangers(value)]
    assert len(as_written) >= 60
    assert dangers("<p style='color:red'>x</p><a href='https://a.example'>y</a>") == []


@pytest.mark.parametrize("value", CORPUS)
def test_nothing_of_it_survives_cleaning(value: str) -> None:
    assert dangers(email(value)) == []
    assert dangers(inbox(value)) == []


@pytest.mark.parametrize("value", CORPUS)
@pytest.mark.parametrize("channel", [Channel.EMAIL, Channel.IN_APP])
def test_no_place_in_a_template_lets_it_through(value: str, channel: Channel) -> None:
    for place in PLACES:
        subject, body = rendered(f"seen {place}", value, channel)
        assert dangers(body) == [], place
        if channel is Channel.IN_APP:
            assert dangers(subject) == []


@pytest.mark.parametrize("value", CORPUS)
def test_nothing_that_an_author_writes_runs_either(value: str) -> None:
    for channel in (Channel.EMAIL, Channel.IN_APP):
        body = "seen {% raw %}" + value + "{% endraw %}"
        assert dangers(rendered(body, "", channel)[1]) == []


@pytest.mark.parametrize(
    "subject", ["a\r\nBcc: x@y.example", "a\nb", "a\x0bb", "a\x00b", "a\u2028b", "a\u0085b", " a "]
)
@pytest.mark.parametrize("channel", list(Channel))
def test_a_subject_is_one_line_in_every_channel(subject: str, channel: Channel) -> None:
    found = rendered("x", subject, channel)[0]
    assert found.startswith("s a")
    assert found.isprintable()
    assert found == found.strip()


@pytest.mark.parametrize(
    ("body", "value", "wanted"),
    [
        ("{{ v }}", "Tom & Jerry", "Tom & Jerry"),
        ("{{ v }}", "limit<max", "limit< max"),
        ("{{ v }}", "5 < 6 <3", "5 < 6 <3"),
        ("<b>{{ v }}</b>", "Tom & Jerry", "<b>Tom &amp; Jerry</b>"),
        ("<b>{{ v }}</b>", "limit<max", "<b>limit&lt; max</b>"),
        ("<h1>{{ v }}</h1>", "x", "x"),
        ("{{ v | sanitize_inapp ~ '!' }}", "<b>x</b>", "<b>x</b>!"),
        ("{{ v | markdown_to_html }}", "**x**", "<p><strong>x</strong></p>"),
    ],
)
def test_an_inbox_gets_text_or_clean_html(body: str, value: str, wanted: str) -> None:
    assert rendered(body, value, Channel.IN_APP)[1] == wanted


@pytest.mark.parametrize("channel", [Channel.SMS, Channel.PUSH, Channel.CHAT])
def test_plain_channels_get_the_text_as_it_is(channel: Channel) -> None:
    assert rendered("{{ v }} & <3", "a<b>&", channel) == ("s a<b>&", "a<b>& & <3")
