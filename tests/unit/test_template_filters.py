"""The filters that templates have, in plain text and in HTML."""

import pytest

from xnovu.core.errors import TemplateError
from xnovu.core.template_language import Format
from xnovu.core.templates import Renderer


def shown(expression: str, value: object, *, html: bool = False) -> str:
    form = Format.EMAIL if html else Format.TEXT
    return Renderer({}).text(f"{{{{ v | {expression} }}}}", {"v": value}, "t", form)


@pytest.mark.parametrize(
    ("expression", "value", "wanted"),
    [
        ("upper", "aé", "AÉ"),
        ("capitalize", "ada l", "Ada l"),
        ("title", "ada l", "Ada L"),
        ("trim", " a ", "a"),
        ("length", [1, 2], "2"),
        ("size", "abc", "3"),
        ("first", [], ""),
        ("last", "abc", "c"),
        ("reverse", "abc", "cba"),
        ("reverse | join", [1, 2], "21"),
        ("sort(reverse=true) | join(' ')", [1, 10, 2], "10 2 1"),
        ("sort | join", ["b", "a"], "ab"),
        ("unique | join", [1, 1, 2], "12"),
        ("replace('a', 'b')", "banana", "bbnbnb"),
        ("truncate(5)", "abcdefgh", "abcd…"),
        ("round(2)", 2.345, "2.35"),
        ("round", 2.5, "2"),
        ("int", "42.9", "42"),
        ("int(7)", "none", "7"),
        ("float", "1.5", "1.5"),
        ("abs", -3, "3"),
        ("escape", "<a>", "&lt;a&gt;"),
        ("json", {"a": ["é", None]}, '{"a": ["é", null]}'),
        ("default('x', true)", "", "x"),
        ("html_to_text", "<h1>A</h1><p>b <b>c</b></p><ul><li>d</li></ul>", "A\n\nb c\n\n- d"),
        ("strip_html", "<p>a&amp;b</p><script>x()</script>", "a&b"),
        ("sanitize_sms", "<p>a</p>" + "b" * 2000, "a\n" + "b" * 1598),
        ("extract_subject", "<title>Hello <b>you</b></title><p>x</p>", "Hello you"),
        ("extract_subject", "<p>first</p><p>second</p>", "first"),
    ],
)
def test_a_filter(expression: str, value: object, wanted: str) -> None:
    assert shown(expression, value) == wanted


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("length", 3),
        ("items", [1]),
        ("join(', ')", 3),
        ("int", "1_0"),
        ("int", "9" * 400),
        ("int", float("nan")),
        ("round(99)", 1.5),
        ("json", float("nan")),
        ("sort", [{"a": 1}]),
        ("replace('', 'xxxxxxxxxxxxxxxxxxxx')", "a" * 50_000),
        ("upper", {"a": 1}),
        ("html_to_text", "a" * 450_000),
    ],
)
def test_a_filter_refuses_what_it_is_not_for(expression: str, value: object) -> None:
    with pytest.raises(TemplateError):
        shown(expression, value)


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("**a** *b* `c`", "<p><strong>a</strong> <em>b</em> <code>c</code></p>"),
        ("# T\n\ntext\nmore", "<h1>T</h1>\n<p>text<br>\nmore</p>"),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"),
        (
            "[x](https://a.example/?q=1&r)",
            '<p><a href="https://a.example/?q=1&amp;r" rel="noopener noreferrer">x</a></p>',
        ),
        ("[x](javascript:alert)", "<p>[x](javascript:alert)</p>"),
        ("<script>x</script>", "<p>&lt;script&gt;x&lt;/script&gt;</p>"),
        ('[x](https://a"onclick=x)', None),
    ],
)
def test_markdown_is_harmless_html(value: str, wanted: str | None) -> None:
    found = shown("markdown_to_html", value, html=True)
    assert wanted is None or found == wanted
    assert "onclick=x>" not in found
    assert '"onclick' not in found


def test_in_an_email_a_cleaned_value_is_html_and_any_other_is_escaped() -> None:
    assert shown("sanitize_email", "<b>a</b><script>x</script>", html=True) == "<b>a</b>"
    assert shown("upper", "<b>", html=True) == "&lt;B&gt;"
    assert (
        shown("json", {"a": "</script>"}, html=True) == "{&#34;a&#34;: &#34;&lt;/script&gt;&#34;}"
    )
    assert shown("sanitize_email ~ '<i>'", "<b>a</b>", html=True) == "<b>a</b>&lt;i&gt;"
    assert shown("replace('x', '<i>')", "x", html=True) == "&lt;i&gt;"
    assert shown("join('<hr>')", ["<a>", "b"], html=True) == "&lt;a&gt;&lt;hr&gt;b"
