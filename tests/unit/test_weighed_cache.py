"""What is made of tenants' texts is kept by weight, the least recently used go first."""

import pytest

from xnovu.core import template_language
from xnovu.core.template_language import MAX_KEPT, Format, program
from xnovu.core.weighed_cache import Cache


def test_what_was_used_last_is_kept_within_the_weight() -> None:
    made: list[str] = []

    def make(key: str) -> str:
        made.append(key)
        return key

    cache = Cache(make, lambda key, _: len(key), 10)
    for key in ("aaaa", "bbbb", "aaaa", "cccc", "aaaa", "bbbb"):
        assert cache.get(key) == key
    assert made == ["aaaa", "bbbb", "cccc", "bbbb"]
    assert cache.weight == 8


def test_one_that_is_too_heavy_pushes_out_all_others_and_no_more() -> None:
    cache = Cache(str.upper, lambda key, _: len(key), 10)
    for key in ("aaaa", "b" * 50, "cccc"):
        cache.get(key)
    assert cache.weight == 4


def test_a_failure_is_not_kept() -> None:
    cache = Cache(int, lambda _, __: 1, 10)
    with pytest.raises(ValueError, match="invalid literal"):
        cache.get("x")
    assert cache.weight == 0


def test_a_tenant_with_huge_templates_cannot_fill_the_memory() -> None:
    for number in range(400):
        program(f"{number}" + "a" * 60_000 + "{{ x }}", Format.TEXT)
    assert MAX_KEPT // 2 < template_language._PROGRAMS.weight <= MAX_KEPT


def test_the_same_source_is_compiled_once_for_each_format() -> None:
    assert program("{{ x }}", Format.TEXT) is program("{{ x }}", Format.TEXT)
    assert program("{{ x }}", Format.TEXT) is not program("{{ x }}", Format.EMAIL)
