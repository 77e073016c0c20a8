"""HTML made harmless, and HTML made text."""

import time
from collections.abc import Callable

import pytest

from xnovu.core.sanitise import cost, email, inbox, inbox_or_text, title_of, to_text, unopened
from xnovu.core.template_budget import MAX_STEPS

REL = 'rel="noopener noreferrer"'


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("<b>a", "<b>a</b>"),
        ("<b><i>a</b>c</i>", "<b><i>a</i></b><i>c</i>"),
        ("a < b & c", "a &lt; b &amp; c"),
        ("<script>alert(1)</script>a", "a"),
        ("<style>*{}</style><svg><a>x</a></svg>b", "b"),
        ("<a href='javascript:x'>a</a>", f"<a {REL}>a</a>"),
        ("<a href='/relative'>a</a>", f"<a {REL}>a</a>"),
        (
            "<a href='https://x.example/?a&b' onclick='x'>a</a>",
            f'<a href="https://x.example/?a&amp;b" {REL}>a</a>',
        ),
        ("<img src='mailto:x'>", "<img>"),
        ("<img src='https://x.example/a.png'>", '<img src="https://x.example/a.png">'),
        ("<p style='color: red; position: fixed'>a</p>", '<p style="color:red">a</p>'),
        ("<p style='color: rgb(1,2,3)'>a</p>", '<p style="color:rgb(1, 2, 3)">a</p>'),
        ("<p style='color: red; width: calc(1px)'>a</p>", "<p>a</p>"),
        (
            "<table width=600 role=presentation><tr><td bgcolor=#fff>a</table>",
            '<table width="600" role="presentation"><tbody><tr><td bgcolor="#fff">a</td></tr></tbody></table>',
        ),
        ("<!DOCTYPE html><html><head><title>t</title></head><body><p>a</p></body>", "<p>a</p>"),
        ("<form><input><b>a</b></form>", "<b>a</b>"),
        ("&lt;script&gt;", "&lt;script&gt;"),
    ],
)
def test_an_email_keeps_what_is_harmless(text: str, wanted: str) -> None:
    assert email(text) == wanted


def test_the_inbox_has_no_blocks_no_images_no_styles() -> None:
    assert (
        inbox("<h1>a</h1><img src='https://x.example/a'><b style='color:red'>b</b>") == "a<b>b</b>"
    )


def test_what_is_no_html_stays_text_in_the_inbox() -> None:
    assert inbox_or_text("Tom & Jerry <3") == "Tom & Jerry <3"
    assert inbox_or_text("<b>Tom & Jerry") == "<b>Tom &amp; Jerry</b>"


def test_a_value_opens_no_tag() -> None:
    assert unopened("a<b </c> <!d> <?e> <3 < f") == "a< b < /c> < !d> < ?e> <3 < f"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("<p>a\n b</p><p>c<br>d</p><style>x</style>", "a b\n\nc\nd"),
        ("<ul><li>a<li>b</ul>c", "- a\n- b\nc"),
        ("a&nbsp;&lt;b&gt;&amp;", "a <b>&"),
        ("<img src=x onerror=alert(1)//", ""),
    ],
)
def test_text_keeps_lines_and_drops_elements(text: str, wanted: str) -> None:
    assert to_text(text) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("<title>Hello <b>you</b></title><p>x</p>", "Hello you"),
        ("<p>x</p><h2>b</h2><h1 class=x>a\nb</h1>", "b"),
        ("<p>first</p><p>second</p>", "first"),
        ("", ""),
    ],
)
def test_the_title_is_the_first_heading_or_line(text: str, wanted: str) -> None:
    assert title_of(text) == wanted


PIECES = (
    *("<", "<a ", "<!--", "<![", "</", "&", "<a b='", "<b>", "<?", "<title>", "<a b=c ", "<b></i>"),
    *(
        "</i>",
        "<script",
        "<a b=\"'",
        "<a/",
        "<div>",
        "<a><div>",
        "<table>x",
        "<b><p>",
        "<li>",
        "<h1>",
    ),
    *(
        "<font><p></font>",
        "<td>",
        "<svg><g>",
        "<template>",
        "<select><option>",
        "<p style='color:red'>",
    ),
)


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize(("work", "parses"), [(email, 1), (inbox, 1), (to_text, 1), (title_of, 3)])
def test_what_the_budget_lets_through_takes_a_moment(
    piece: str, work: Callable[[str], str], parses: int
) -> None:
    times = 256 * 1024 // len(piece)
    while parses * cost(piece * times) > MAX_STEPS:
        times = times * 9 // 10
    assert times * len(piece) > 3000
    started = time.process_time()
    work(piece * times)
    assert time.process_time() - started < 0.25
