"""What templates can do, what they are refused, and what their errors say."""

import time
from typing import Any

import pytest
from pydantic import JsonValue

from xnovu.core.contracts.notifications import Channel
from xnovu.core.errors import TemplateError
from xnovu.core.records import Template
from xnovu.core.template_budget import Budget
from xnovu.core.template_language import Format
from xnovu.core.templates import Renderer, condition, references, single_line


def library(**bodies: str) -> dict[str, Template]:
    return {
        key: Template(key=key, channel=Channel.EMAIL, enterprise_id=None, subject=None, body=body)
        for key, body in bodies.items()
    }


def rendered(source: str, /, *, html: bool = False, **variables: Any) -> str:
    return Renderer({}).text(source, variables, "t", Format.EMAIL if html else Format.TEXT)


def refusal(source: str, /, **variables: Any) -> str:
    with pytest.raises(TemplateError) as caught:
        rendered(source, **variables)
    return str(caught.value)


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("{{ a.b[0].c }}", "deep"),
        ("{{ a['b'][-1]['c'] }}", "deep"),
        ("{{ name | upper }}{{ none }}{{ yes }}{{ 1.5 }}", "ADAtrue1.5"),
        ("{{ missing | default('x') }}{{ none | default('y') }}", "xy"),
        ('{{ missing | default: "x" | upper }}', "X"),
        ("{{ a.nothing | default('x') }}", "x"),
        (
            "{% for n in list %}{{ loop.index }}{{ n }}{% if not loop.last %},{% endif %}{% endfor %}",
            "13,21,32",
        ),
        ("{% for k, v in object | items %}{{ k }}={{ v }};{% endfor %}", "x=1;y=2;"),
        ("{% set n = 2 %}{{ n * 3 + 1 - 4 // 2 }}{{ 'a' ~ n ~ 'b' }}", "5a2b"),
        ("{{ list | sort | join(', ') }}", "1, 2, 3"),
        ("{{ object | json }}", '{"x": 1, "y": 2}'),
        ("{{ 'yes' if name == 'Ada' and 3 in list else 'no' }}", "yes"),
        ("{% if missing is defined %}1{% elif name %}2{% endif %}", "2"),
        ("{{ _id }}{{ object.x }}", "71"),
        ("a\n", "a\n"),
    ],
)
def test_the_language(source: str, wanted: str) -> None:
    values: dict[str, Any] = {
        "a": {"b": [{"c": "deep"}]},
        "name": "Ada",
        "none": None,
        "yes": True,
        "list": [3, 1, 2],
        "object": {"x": 1, "y": 2},
        "_id": 7,
    }
    assert rendered(source, **values) == wanted


def test_a_member_is_never_a_method() -> None:
    assert rendered("{{ order.items }}", order={"items": 3}) == "3"
    assert "'items' is undefined" in refusal("{{ order.items }}", order={})


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ x.__class__ }}",
        "{{ x['__class__'] }}",
        "{{ x | attr('__class__') }}",
        "{{ self.__init__.__globals__ }}",
        "{{ cycler.__init__.__globals__.os }}",
        "{{ lipsum.__globals__ }}",
        "{{ '{0.__class__}'.format(x) }}",
        "{{ '%50000000s' | format(1) }}",
        "{{ '%50000000s' % 1 }}",
        "{{ x | center(50000000) }}",
        "{{ 'a' * 50000000 }}",
        "{{ [0] * 20000000 }}",
        "{{ 9 ** 999999 }}",
        "{{ 999999999999999 * 999999999999999 * 999999999999999 }}",
        "{{ range(99999) }}",
        "{{ lipsum(n=2000) }}",
        "{{ x | map('upper') }}",
        "{{ x | safe }}",
        "{{ x | tojson }}",
        "{% include 'other' %}",
        "{% import 'other' as o %}",
        "{% extends 'other' %}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% block b %}{% endblock %}",
        "{% set x.y = 1 %}",
        "{% set x %}a{% endset %}",
        "{% filter upper %}a{% endfilter %}",
        "{% for i in x recursive %}{% endfor %}",
        "{{ x.upper() }}",
        "{{ x(*[1]) }}",
        "{{ x | join(*[1]) }}",
        "{{ xnovu_render(x) }}",
        "{{ xnovu_render('a', {}, 1) }}",
        "{{ xnovu_render('a', **{}) }}",
        "{{ x",
        "{% if %}",
        "{{" + "(" * 20_000 + "1" + ")" * 20_000 + "}}",
        "{{ " + "9" * 5000 + " }}",
        "{{ 1 }}" * 6000,
        "a" * 70_000,
        "{{ 1 / 0 }}",
        "{{ [1] }}",
        "{{ x | join('y' * 2) }}",
    ],
)
def test_what_is_out_of_bounds_is_a_template_error_at_once(source: str) -> None:
    started = time.monotonic()
    assert refusal(source, x="x").startswith("t")
    assert time.monotonic() - started < 2


DOUBLED = "{% set a = a ~ a %}" * 40
NESTED = "{% set a = [a, a] %}" * 40


@pytest.mark.parametrize(
    "source",
    [
        "{% for a in x %}{% for b in x %}{% for c in x %}{% endfor %}{% endfor %}{% endfor %}",
        "{% set a = '0123456789abcdef' %}" + DOUBLED,
        "{% set a = '0123456789abcdef' %}" + DOUBLED.replace("~", "+"),
        "{% set a = [1] %}" + NESTED + "{{ a | json }}",
        "{% set a = [1] %}" + NESTED + "{% set b = a %}{{ a == b }}",
        "{% set a = [1] %}" + NESTED + "{{ xnovu_render('k', {'a': a}) }}",
        "{% for a in x %}{{ long | upper | lower | upper }}{% endfor %}",
        "{% for a in x %}{% if long == other %}{% endif %}{% endfor %}",
        "{% for a in x %}{{ long }}{% endfor %}",
        "{% for a in x %}{% set b = few | replace('y', kilo) %}{% endfor %}",
        "{% for a in x %}" + "text" * 100 + "{% endfor %}",
    ],
)
def test_work_is_bounded_whatever_it_is(source: str) -> None:
    started = time.monotonic()
    said = refusal(
        source,
        x=list(range(3000)),
        long="y" * 100_000,
        other="y" * 99_999 + "z",
        few="y" * 200,
        kilo="k" * 1000,
    )
    assert "more than" in said
    assert time.monotonic() - started < 2


def test_an_error_names_template_and_line_and_no_value() -> None:
    assert refusal("\n\n{{ who }}") == "t, line 3: 'who' is undefined"
    assert refusal("{{ a.b }}", a={}).startswith("t, line 1: 'b' is undefined")
    said = refusal("a\n{{ objects[secret] }}", objects={}, secret="hunter2")
    assert said.startswith("t, line 2:")
    assert "hunter2" not in said
    assert "hunter2" not in refusal("{{ secret | int }}", secret="hunter2")
    assert "hunter2" not in refusal("{{ secret + 1 }}", secret="hunter2")
    assert "hunter2" not in refusal("{{ secret < 1 }}", secret="hunter2")


@pytest.mark.parametrize(
    "source",
    [
        "{{ xnovu_render('k', {'a': v, 'b': {'c': 1}}) }}",
        "{{ xnovu_render('k', { a: v, b: { c: 1 } }) }}",
        '{{ xnovu_render("k", {a: v, \'b\': {"c": 1}}) }}',
        '{% xnovu_render "k", a: v, b: {"c": 1} %}',
        '{% xnovu_render "k" a: v, b: {"c": 1} %}',
    ],
)
def test_both_spellings_of_the_original_include_a_template(source: str) -> None:
    renderer = Renderer(library(k="[{{ a }} {{ b.c }}]"))
    assert renderer.text(source, {"v": 'x,:"'}, "t") == '[x,:" 1]'
    assert references(source, "t", Budget()) == {"k"}


@pytest.mark.parametrize(
    "value",
    ["a, b", "a: b", 'say "so"', "it's", "{a: 1}", "%}", "}}", "a\\b", "x, y: z, w", "", "{{ v }}"],
)
@pytest.mark.parametrize(
    "call",
    ["{{% xnovu_render 'k', a: {0}, b: v %}}", "{{{{ xnovu_render('k', {{ a: {0}, b: v }}) }}}}"],
)
def test_a_text_in_a_call_may_hold_any_sign(value: str, call: str) -> None:
    written = "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    renderer = Renderer(library(k="[{{ a }}|{{ b }}]"))
    assert renderer.text(call.format(written), {"v": value}, "t") == f"[{value}|{value}]"


def test_an_included_template_sees_only_what_it_is_given() -> None:
    with pytest.raises(TemplateError, match="template 'k', line 1: 'v' is undefined"):
        Renderer(library(k="{{ v }}")).text("{{ xnovu_render('k') }}", {"v": 1}, "t")


def test_cycles_and_depth_are_refused_with_the_path() -> None:
    cyclic = library(a="{{ xnovu_render('b') }}", b="{{ xnovu_render('a') }}")
    with pytest.raises(TemplateError, match="includes itself: a → b → a"):
        Renderer(cyclic).template("a", {}, Channel.SMS)
    deep = library(**{f"k{n}": f"{{{{ xnovu_render('k{n + 1}') }}}}" for n in range(9)})
    deep |= library(k9="end")
    assert Renderer(deep).template("k0", {}, Channel.SMS) == ("", "end")
    deep |= library(k9="{{ xnovu_render('k10') }}", k10="end")
    with pytest.raises(TemplateError, match="more than 10 deep"):
        Renderer(deep).template("k0", {}, Channel.SMS)


def test_a_missing_template_counts_only_where_it_is_rendered() -> None:
    source = "{% if a %}{{ xnovu_render('gone') }}{% endif %}."
    assert Renderer({}).text(source, {"a": False}, "t") == "."
    with pytest.raises(TemplateError, match="template 'gone' is not there"):
        Renderer({}).text(source, {"a": True}, "t")


def test_only_the_body_of_an_email_escapes_values() -> None:
    template = Template(
        "k", Channel.EMAIL, None, "{{ v }}", "<p>{{ v }}</p>{{ xnovu_render('i', {'v': v}) }}"
    )
    inner = Template("i", Channel.EMAIL, None, None, "<b>{{ v }}</b>")
    renderer = Renderer({"k": template, "i": inner})
    values = {"v": "<&>"}
    assert renderer.template("k", values, Channel.EMAIL) == (
        "<&>",
        "<p>&lt;&amp;&gt;</p><b>&lt;&amp;&gt;</b>",
    )
    assert renderer.template("k", values, Channel.SMS) == ("<&>", "<p><&></p><b><&></b>")


def test_a_subject_is_one_line() -> None:
    template = Template("k", Channel.EMAIL, None, "Hi {{ v }}\n", "b")
    subject, _ = Renderer({"k": template}).template(
        "k", {"v": "x\r\nBcc: all@x\u2028\x00"}, Channel.EMAIL
    )
    assert subject == "Hi x Bcc: all@x"
    assert single_line("\u202eabc") == "abc"


def test_texts_of_one_notification_share_one_budget() -> None:
    renderer = Renderer({}, Budget(output=10))
    renderer.text("12345678", {}, "a")
    with pytest.raises(TemplateError, match="more than"):
        renderer.text("123", {}, "b")


def test_strings_inside_json_are_rendered_and_the_rest_kept() -> None:
    value: JsonValue = {"a": ["{{ v }}", 1, None], "b": {"c": "plain"}, "{{ v }}": "{# gone #}x"}
    assert Renderer({}).strings(value, {"v": 2}, "p") == {
        "a": ["2", 1, None],
        "b": {"c": "plain"},
        "{{ v }}": "x",
    }


def test_a_variable_cannot_take_the_place_of_what_rendering_needs() -> None:
    values: dict[str, Any] = {
        "xnovu budget": 1,
        "xnovu includer": 2,
        "context": 4,
        "environment": 5,
        "v": 6,
    }
    assert rendered("{{ v }}{{ context }}{{ environment }}", **values) == "645"


def test_a_condition_is_an_expression() -> None:
    assert condition("a > 1 and b in ['x']", {"a": 2, "b": "x"})
    assert not condition("a > 1", {"a": 1})
    with pytest.raises(TemplateError, match="leave out the braces"):
        condition("{{ a }}", {"a": 1})
