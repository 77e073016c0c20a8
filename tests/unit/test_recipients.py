"""Chunks of recipients, and the two shapes of a database rule's payload."""

import pytest
from pydantic import JsonValue

from xnovu.core.errors import RulePayloadInvalid
from xnovu.core.recipients import Chunk, RulePayload, chunks, rule_payload


def test_a_few_recipients_and_topics_are_one_chunk() -> None:
    assert chunks(["b", "a", "b"], ["t"]) == (Chunk(0, ("a", "b"), ("t",)),)


def test_nobody_is_no_chunk() -> None:
    assert chunks([], []) == ()


def test_topics_count_as_entries_and_move_to_the_next_chunk() -> None:
    people = [f"p{number:03}" for number in range(199)]
    found = chunks(people, ["t1", "t2", "t3"])
    assert [(len(chunk.recipients), chunk.topics) for chunk in found] == [
        (100, ()),
        (99, ("t1",)),
        (0, ("t2", "t3")),
    ]


def test_the_older_shape_has_payload_and_overrides() -> None:
    value: JsonValue = {
        "recipients": ["a"],
        "payload": {"x": 1},
        "overrides": {"email": {"from": "z"}},
    }
    assert rule_payload(value) == RulePayload(("a",), {"x": 1}, {"email": {"from": "z"}})


def test_the_newer_shape_is_the_payload_itself() -> None:
    assert rule_payload({"recipient": "a", "title": "T"}) == RulePayload(("a",), {"title": "T"}, {})


def test_a_payload_among_other_members_is_one_of_them() -> None:
    found = rule_payload({"recipients": ["a"], "payload": {"x": 1}, "title": "T"})
    assert found.payload == {"payload": {"x": 1}, "title": "T"}


@pytest.mark.parametrize(
    "value",
    [
        None,
        "function () {}",
        ["a"],
        {},
        {"recipients": []},
        {"recipients": [1]},
        {"recipients": [""]},
        {"recipients": {"a": 1}},
        {"recipients": ["a"], "payload": "x"},
        {"recipients": ["a"], "payload": {}, "overrides": []},
    ],
)
def test_what_has_no_known_shape_is_refused(value: JsonValue) -> None:
    with pytest.raises(RulePayloadInvalid):
        rule_payload(value)
