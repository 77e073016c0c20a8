"""What the operator knows of the cluster."""

import random

from support.manifests import ABSENT, changed, enterprise, rule

from xnovu.core.ids import FINALIZER
from xnovu_operator.handlers import Handlers
from xnovu_operator.queue import Queue
from xnovu_operator.store import Key, Store, Unreadable, key_of


def store(*manifests: dict[str, object]) -> Store:
    found = Store()
    for body in manifests:
        metadata = body["metadata"]
        assert isinstance(metadata, dict)
        kind = "Enterprise" if body["kind"] == "Enterprise" else "NotificationRule"
        found.put(Key(kind, metadata["namespace"], metadata["name"]), body)  # type: ignore[arg-type]  # JSON
    return found


def aged(name: str, namespace: str, day: int) -> dict[str, object]:
    stamp = f"2026-01-{day:02}T00:00:00Z"
    return changed(
        enterprise(name, namespace),
        {"metadata.creationTimestamp": stamp, "metadata.uid": f"u-{name}"},
    )


def test_the_older_of_two_holds_the_id_in_whatever_namespace() -> None:
    here = store(aged("young", "b", 2), aged("old", "a", 1))
    young, old = here.enterprise("b", "young"), here.enterprise("a", "old")
    assert young is not None
    assert old is not None
    assert here.holder(young) == "a/old"
    assert here.holder(old) is None


def test_of_two_made_in_one_second_the_one_that_was_taken_in_keeps_the_id() -> None:
    held = changed(
        aged("zulu", "a", 1), {"metadata.finalizers": [FINALIZER], "metadata.uid": "u-zz"}
    )
    here = store(held, aged("alpha", "b", 1))
    first, second = here.enterprise("a", "zulu"), here.enterprise("b", "alpha")
    assert first is not None
    assert second is not None
    assert here.holder(first) is None
    assert here.holder(second) == "a/zulu"


def test_one_that_is_being_deleted_is_no_enterprise_for_a_rule() -> None:
    gone = changed(enterprise(), {"metadata.deletionTimestamp": "2026-01-01T00:00:00Z"})
    assert store(gone).enterprise("default", "acme") is None


def test_a_rule_belongs_to_the_enterprise_of_its_own_namespace() -> None:
    here = store(enterprise(), rule("mine"), rule("foreign", "elsewhere"))
    found = here.enterprise("default", "acme")
    assert found is not None
    assert [r.metadata.name for r in here.rules_of(found)] == ["mine"]


def test_a_change_concerns_its_rules_and_those_who_share_the_id() -> None:
    other_rule = changed(rule("theirs", "b"), {"spec.enterpriseRef.name": "young"})
    here = store(aged("old", "a", 1), aged("young", "b", 2), rule("mine", "a"), other_rule)
    mine = changed(rule("mine", "a"), {"spec.enterpriseRef.name": "old"})
    here.put(Key("NotificationRule", "a", "mine"), mine)
    old = here.enterprise("a", "old")
    assert old is not None
    assert set(here.affected_by(old)) == {
        Key("Enterprise", "b", "young"),
        Key("NotificationRule", "a", "mine"),
        Key("NotificationRule", "b", "theirs"),
    }
    assert key_of(old) == Key("Enterprise", "a", "old")


async def test_one_that_is_deeper_than_a_model_goes_is_said_and_costs_its_neighbour_nothing() -> (
    None
):
    deep: object = "x"
    for _ in range(400):
        deep = [deep]
    here, queue = Store(), Queue(_nothing, 30, random.Random(0))
    handlers = Handlers(here, queue)
    for name, payload in (("deep", deep), ("right", "x")):
        body = changed(rule(name), {"spec.notification.payload": {"text": payload}})
        await handlers.rule({"type": "ADDED", "object": body})  # type: ignore[typeddict-item]  # JSON
    await queue.close()
    assert isinstance(here.objects[Key("NotificationRule", "default", "deep")], Unreadable)
    assert not isinstance(here.objects[Key("NotificationRule", "default", "right")], Unreadable)


async def _nothing(_: Key) -> None:
    return None


def test_what_breaks_the_schema_is_kept_with_what_was_said_of_it() -> None:
    condition = {
        "type": "Ready",
        "status": "False",
        "reason": "SpecInvalid",
        "message": "m",
        "observedGeneration": 4,
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    changes = {
        "spec.notification": ABSENT,
        "metadata.generation": 4,
        "status.conditions": [condition],
    }
    here = store(changed(rule("old"), changes), rule("neighbour"))
    found = here.objects[Key("NotificationRule", "default", "old")]
    assert isinstance(found, Unreadable)
    assert found.generation == 4
    assert "notification" in found.message
    assert [c.reason for c in found.conditions] == ["SpecInvalid"]
    assert not isinstance(here.objects[Key("NotificationRule", "default", "neighbour")], Unreadable)
