"""The search for planted strings finds them in every spelling in which they are kept; else finding none says nothing."""

import base64
import json

import pytest
from support.canaries import as_text, seen_in
from temporalio.api.common.v1 import Payload

CANARY = 'canary "quoted" ü 7f3a'


@pytest.mark.parametrize("before", ["", "a", "ab", "abc"])
@pytest.mark.parametrize("after", ["", "z", "zy", "zyx"])
def test_it_is_found_in_base64_at_any_offset(before: str, after: str) -> None:
    text = base64.b64encode(f"{before}{CANARY}{after}".encode()).decode()
    assert seen_in(f"log: {text}", [CANARY, "other"]) == {CANARY}


def test_it_is_found_plain_and_in_json() -> None:
    assert seen_in(f"x{CANARY}y", [CANARY]) == {CANARY}
    assert seen_in(json.dumps({"a": CANARY}), [CANARY]) == {CANARY}
    assert seen_in("canary", [CANARY]) == set()


@pytest.mark.parametrize(
    "payload",
    [
        Payload(data=CANARY.encode()),
        Payload(data=json.dumps({"a": CANARY}).encode()),
        Payload(metadata={"note": CANARY.encode()}),
        Payload(data=base64.b64encode(CANARY.encode())),
    ],
)
def test_it_is_found_in_a_message(payload: Payload) -> None:
    assert seen_in(as_text(payload), [CANARY]) == {CANARY}
