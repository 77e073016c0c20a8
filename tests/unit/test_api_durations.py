"""A duration is kept as it was written, and means what it says."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from xnovu.core.api.v1alpha1 import Duration

DURATION: TypeAdapter[Duration] = TypeAdapter(Duration)
AMOUNT = st.none() | st.integers(0, 99999)


@pytest.mark.parametrize(
    ("text", "delta"),
    [
        ("500ms", timedelta(milliseconds=500)),
        ("5s", timedelta(seconds=5)),
        ("10m", timedelta(minutes=10)),
        ("1h", timedelta(hours=1)),
        ("1h30m", timedelta(hours=1, minutes=30)),
        ("1h1m1s1ms", timedelta(hours=1, minutes=1, seconds=1, milliseconds=1)),
        ("1m5ms", timedelta(minutes=1, milliseconds=5)),
        ("90m", timedelta(minutes=90)),
        ("0s", timedelta()),
    ],
)
def test_a_duration_means_what_it_says(text: str, delta: timedelta) -> None:
    assert DURATION.validate_python(text).delta == delta


@given(AMOUNT, AMOUNT, AMOUNT, AMOUNT)
def test_a_duration_is_the_sum_of_its_parts(
    h: int | None, m: int | None, s: int | None, ms: int | None
) -> None:
    parts = [(h, "h"), (m, "m"), (s, "s"), (ms, "ms")]
    text = "".join(f"{amount}{unit}" for amount, unit in parts if amount is not None)
    if not text:
        return
    read = DURATION.validate_python(text)
    assert read == text
    assert read.delta == timedelta(
        hours=h or 0, minutes=m or 0, seconds=s or 0, milliseconds=ms or 0
    )


@pytest.mark.parametrize(
    "text", ["", "5", "5 s", "5S", "1d", "1.5h", "-1s", "1s1h", "1s\n", "s", "1e3s"]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        DURATION.validate_python(text)


def test_the_text_is_kept_so_that_nothing_looks_changed() -> None:
    assert DURATION.dump_json(DURATION.validate_python("0h90m")) == b'"0h90m"'
