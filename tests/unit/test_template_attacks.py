"""Hostile templates: none gets out, none takes more than 250 ms of CPU or 64 MiB."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

TESTS = Path(__file__).parents[1]
CASES: list[dict[str, Any]] = yaml.safe_load(
    (TESTS / "corpus" / "template_attacks.yaml").read_text(encoding="utf-8")
)
MAX_SECONDS = 0.25
MAX_BYTES = 64 * 1024 * 1024
OUTSIDE = (
    "<class",
    "<module",
    "<function",
    "<built-in",
    " object at 0x",
    "root:",
    "uid=",
    "Undefined",
)


def run(cases: list[dict[str, Any]], *options: str) -> list[dict[str, Any]]:
    script = TESTS / "support" / "template_attacks.py"
    done = subprocess.run(
        [sys.executable, str(script), *options],
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def found() -> dict[str, list[dict[str, Any]]]:
    by_name: dict[str, list[dict[str, Any]]] = {case["name"]: [] for case in CASES}
    for one in run(CASES):
        by_name[one["name"]].append(one)
    return by_name


def too_much(one: dict[str, Any]) -> bool:
    return one["seconds"] > MAX_SECONDS or one["bytes"] > MAX_BYTES


def test_the_corpus_is_large_and_each_of_it_has_a_name() -> None:
    assert len(CASES) >= 150
    assert len({case["name"] for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_it_is_refused_or_shows_harmless_text(
    case: dict[str, Any], found: dict[str, list[dict[str, Any]]]
) -> None:
    assert found[case["name"]]
    for one in found[case["name"]]:
        assert not any(mark in one["said"] for mark in OUTSIDE)
        if "shows" in case or "shows_end" in case:
            assert one["outcome"] == "text", one["said"]
            assert case.get("shows", one["said"]) == one["said"]
            assert one["said"].endswith(case.get("shows_end", ""))
        else:
            assert one["outcome"] == "refused", one["said"]
            assert one["said"].startswith("template")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_it_takes_neither_long_nor_much(
    case: dict[str, Any], found: dict[str, list[dict[str, Any]]]
) -> None:
    assert [one for one in found[case["name"]] if too_much(one)] == []


def test_without_limits_the_same_would_be_seen_to_take_too_much() -> None:
    memory = "{{ ([0] * 20000000) | length }}"
    time = "{% for a in numbers %}{% for b in list %}{% for c in list %}{% for d in list %}{{ a }}{% endfor %}{% endfor %}{% endfor %}{% endfor %}"
    cases = [{"name": source, "source": source} for source in (memory, time)]
    one, other = run(cases, "--unbounded")
    assert one["bytes"] > MAX_BYTES
    assert other["seconds"] > MAX_SECONDS
    assert not any(too_much(one) for one in run(cases))
