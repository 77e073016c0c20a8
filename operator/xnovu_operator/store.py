"""What the watches have said last: the Enterprises and NotificationRules of the cluster, parsed. No I/O.

Filled by the handlers, read by reconciles: which rules name an enterprise, who holds an id. An object that breaks the
schema (stored before the schema was) is kept as such and costs no other anything.
"""

from dataclasses import dataclass, field
from typing import Final, Literal

from pydantic import JsonValue, TypeAdapter, ValidationError

from xnovu.core.api.v1alpha1 import Condition, Enterprise, NotificationRule
from xnovu.core.errors import clip
from xnovu.core.ids import FINALIZER

KindName = Literal["Enterprise", "NotificationRule"]
_CONDITIONS: Final = TypeAdapter(tuple[Condition, ...])


@dataclass(frozen=True, slots=True)
class Key:
    """One object of ours."""

    kind: KindName
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An object that our models refuse: enough to say so on it."""

    message: str
    generation: int
    conditions: tuple[Condition, ...] = ()


Stored = Enterprise | NotificationRule | Unreadable


@dataclass(slots=True)
class Store:
    """One process's view; all access from one event loop."""

    objects: dict[Key, Stored] = field(default_factory=dict)

    def put(self, key: Key, body: dict[str, JsonValue]) -> None:
        self.objects[key] = _parsed(key.kind, body)

    def drop(self, key: Key) -> None:
        self.objects.pop(key, None)

    def enterprise(self, namespace: str, name: str) -> Enterprise | None:
        """None too for one that is being deleted: nothing new is made for it."""
        found = self.objects.get(Key("Enterprise", namespace, name))
        alive = isinstance(found, Enterprise) and found.metadata.deletion_timestamp is None
        return found if alive and isinstance(found, Enterprise) else None

    def rules_of(self, enterprise: Enterprise) -> list[NotificationRule]:
        meta = enterprise.metadata
        return [
            rule
            for rule in self.objects.values()
            if isinstance(rule, NotificationRule)
            and rule.metadata.namespace == meta.namespace
            and rule.spec.enterprise_ref.name == meta.name
        ]

    def holder(self, enterprise: Enterprise) -> str | None:
        """namespace/name of the older Enterprise with the same id."""
        others = [
            other
            for other in self.objects.values()
            if isinstance(other, Enterprise)
            and other.spec.enterprise_id == enterprise.spec.enterprise_id
            and other.metadata.uid != enterprise.metadata.uid
            and _age(other) < _age(enterprise)
        ]
        if not others:
            return None
        oldest = min(others, key=_age).metadata
        return f"{oldest.namespace}/{oldest.name}"

    def affected_by(self, enterprise: Enterprise) -> list[Key]:
        """What must look again when an Enterprise came, changed or went: its rules, and those who share its id."""
        others = self._others_with_id(enterprise)
        rules = [r for e in (enterprise, *others) for r in self.rules_of(e)]
        return [*(key_of(e) for e in others), *(key_of(r) for r in rules)]

    def _others_with_id(self, enterprise: Enterprise) -> list[Enterprise]:
        """Who may be free of a conflict when this one changes."""
        return [
            other
            for other in self.objects.values()
            if isinstance(other, Enterprise)
            and other.spec.enterprise_id == enterprise.spec.enterprise_id
            and other.metadata.uid != enterprise.metadata.uid
        ]


def key_of(found: Enterprise | NotificationRule) -> Key:
    kind: KindName = "Enterprise" if isinstance(found, Enterprise) else "NotificationRule"
    return Key(kind, found.metadata.namespace, found.metadata.name)


def key_in(kind: KindName, body: dict[str, JsonValue]) -> Key:
    """The key of an object as the API server gives it."""
    metadata = body.get("metadata")
    given = metadata if isinstance(metadata, dict) else {}
    return Key(kind, str(given.get("namespace", "")), str(given.get("name", "")))


def _age(enterprise: Enterprise) -> tuple[str, bool, str]:
    """Older sorts first. Creation is known to the second only: within one, who was taken in first keeps the id."""
    created = enterprise.metadata.creation_timestamp
    taken_in = FINALIZER in enterprise.metadata.finalizers
    return (created.isoformat() if created else "", not taken_in, enterprise.metadata.uid)


def _parsed(kind: KindName, body: dict[str, JsonValue]) -> Stored:
    model = Enterprise if kind == "Enterprise" else NotificationRule
    try:
        return model.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        metadata = body.get("metadata")
        generation = metadata.get("generation") if isinstance(metadata, dict) else 0
        return Unreadable(
            f"{where}: {clip(first['msg'])}",
            generation if isinstance(generation, int) else 0,
            _conditions(body.get("status")),
        )


def _conditions(status: JsonValue) -> tuple[Condition, ...]:
    try:
        return _CONDITIONS.validate_python(
            status.get("conditions") if isinstance(status, dict) else []
        )
    except ValidationError:
        return ()
