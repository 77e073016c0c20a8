"""Who gets a notification: recipients in chunks that Novu takes, and the two shapes of a database rule's payload.

Pure. Not in here: whether recipients are acceptable (`core.payload`), and ids of chunks (`core.ids`). Called by the
activities, and by `core.occurrences`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from xnovu.core import ids
from xnovu.core.errors import RulePayloadInvalid
from xnovu.core.records import JsonObject


@dataclass(frozen=True, slots=True)
class Chunk:
    """What one trigger call addresses. `index` is part of its transaction id."""

    index: int
    recipients: tuple[str, ...]
    topics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RulePayload:
    """What a rule of the database sends, and to whom."""

    recipients: tuple[str, ...]
    payload: JsonObject
    overrides: JsonObject


def chunks(recipients: Sequence[str], topics: Sequence[str]) -> tuple[Chunk, ...]:
    """Chunks of at most `ids.RECIPIENTS_PER_TRIGGER` entries: recipients first, then topics, each once, sorted.

    The same set gives the same chunks in any order and number of repetitions, because a chunk's index names it in
    every later try. Nobody: no chunk. Novu counts a topic as one entry, and knows a subscriber of two entries only
    within one call: who is in a topic and also named may be in two chunks when there are more than fit into one.
    """
    people = sorted(set(recipients))
    groups = sorted(set(topics))
    size = ids.RECIPIENTS_PER_TRIGGER
    found: list[Chunk] = []
    for start in range(0, len(people) + len(groups), size):
        end = start + size
        shift = len(people)
        found.append(
            Chunk(
                index=len(found),
                recipients=tuple(people[start:end]),
                topics=tuple(groups[max(start - shift, 0) : max(end - shift, 0)]),
            )
        )
    return tuple(found)


_NAMES_OF_PEOPLE = frozenset({"recipients", "recipient"})
_FIRST_SHAPE = _NAMES_OF_PEOPLE | {"payload", "overrides"}


def rule_payload(value: JsonValue) -> RulePayload:
    """Read `ent_notification_rule.rule_payload` in either shape that the original wrote.

    The older one is `{recipients, payload, overrides}` and nothing else. In the newer one everything beside
    `recipients` (or `recipient`, a single one) is the payload. Nothing is ever evaluated. Raises RulePayloadInvalid.
    """
    if not isinstance(value, Mapping):
        raise RulePayloadInvalid(
            "rule_payload is not an object: write {recipients: [...], payload: {...}}"
        )
    recipients = _recipients(value)
    if "payload" in value and value.keys() <= _FIRST_SHAPE:
        return RulePayload(recipients, _object(value, "payload"), _object(value, "overrides"))
    rest = {name: item for name, item in value.items() if name not in _NAMES_OF_PEOPLE}
    return RulePayload(recipients, rest, {})


def _recipients(value: Mapping[str, JsonValue]) -> tuple[str, ...]:
    named = value.get("recipients", value.get("recipient"))
    listed = [named] if isinstance(named, str) else named
    if not isinstance(listed, list) or not listed:
        raise RulePayloadInvalid(
            "rule_payload names nobody: add recipients, a list of subscriber ids"
        )
    people = tuple(item for item in listed if isinstance(item, str) and item)
    if len(people) != len(listed):
        raise RulePayloadInvalid("rule_payload.recipients holds something that is no subscriber id")
    return people


def _object(value: Mapping[str, JsonValue], name: str) -> JsonObject:
    found = value.get(name)
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        raise RulePayloadInvalid(f"rule_payload.{name} is not an object")
    return found
