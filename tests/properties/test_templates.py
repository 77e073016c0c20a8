"""Whatever is written into a template, rendering answers a text or a TemplateError, soon."""

import time
from collections.abc import Callable
from contextlib import suppress

import nh3
from hypothesis import given, settings
from hypothesis import strategies as st
from support.html_oracle import dangers

from xnovu.core.contracts.notifications import Channel
from xnovu.core.errors import TemplateError
from xnovu.core.records import Template
from xnovu.core.sanitise import email, inbox
from xnovu.core.template_language import Format
from xnovu.core.templates import Renderer

WRITTEN = (
    "{{ }} {% %} {# #} ( ) [ ] { } | : , . ~ + - * / % ** == < in not and or is if else endif for endfor set recursive"
    " a list object text number none loop.index loop.cycle xnovu_render 'k' \"k\" 1 0 99999999999999999999 -1 x=1"
    " upper json join default replace items sort round int markdown_to_html extract_subject truncate defined"
    ' __class__ self raw endraw <b> </b> <script> <a href= <p style= url(x) javascript: onclick=x <!-- > " & \n'
)
PIECES = WRITTEN.split(" ")
VALUES = {
    "a": {"b": [1, {"c": "d"}]},
    "list": [3, "x", None],
    "object": {"k": "v"},
    "text": "<b onclick=x>*é*</b>\r\n<",
    "number": 1.5,
    "none": None,
}
LIBRARY = {"k": Template("k", Channel.EMAIL, None, "{{ a }}", "{{ xnovu_render('k', {a: a}) }}")}
texts = st.lists(st.sampled_from(PIECES), max_size=25).map(" ".join)
blocks = st.lists(
    st.one_of(texts.map("{{{{ {} }}}}".format), texts.map("{{% {} %}}".format), texts), max_size=6
).map("".join)


@settings(max_examples=400, deadline=None)
@given(blocks, st.sampled_from([Channel.SMS, Channel.EMAIL, Channel.IN_APP]))
def test_a_template_renders_what_is_harmless_or_is_refused(source: str, channel: Channel) -> None:
    library = LIBRARY | {"it": Template("it", channel, None, source, source + "x")}
    started = time.process_time()
    with suppress(TemplateError):
        subject, body = Renderer(library).template("it", VALUES, channel)
        assert subject.isprintable()
        assert channel is Channel.SMS or dangers(body) == []
    assert time.process_time() - started < 0.5


@given(
    st.text(st.sampled_from("<>/ab =\"'&;!-script"), max_size=80), st.sampled_from([email, inbox])
)
def test_cleaned_html_stays_as_it_is_when_cleaned_again(
    text: str, clean: Callable[[str], str]
) -> None:
    cleaned = clean(text)
    assert clean(cleaned) == cleaned
    assert "<script" not in cleaned


@given(st.text(st.sampled_from("<>/abX!?-= \n"), max_size=40))
def test_in_the_inbox_a_value_opens_no_tag(value: str) -> None:
    assert not nh3.is_html(Renderer({}).text("{{ v }}", {"v": value}, "t", Format.IN_APP))
