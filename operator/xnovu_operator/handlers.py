"""What kopf calls: a watch event in, a wish for a pass out. Nothing is decided or written here.

Only raw events are used. kopf's change handlers would keep their state in annotations of the objects, and would hold an
object back while another pass over it runs; both are ours to do (`queue`, `reconcile`).
"""

from typing import Any, Final

import kopf
from pydantic import JsonValue, TypeAdapter

from xnovu.core.api.v1alpha1 import (
    ENTERPRISE,
    GROUP,
    NOTIFICATION_RULE,
    VERSION,
    Enterprise,
    NotificationRule,
)
from xnovu_operator.queue import Queue
from xnovu_operator.store import Key, KindName, Store, key_in

# As in `api`: one that is too deep for our models is the store's to say.
_BODY: Final[TypeAdapter[dict[str, JsonValue]]] = TypeAdapter(dict[str, Any])


class Handlers:
    """Handlers over one process's store and queue."""

    def __init__(self, store: Store, queue: Queue) -> None:
        self._store = store
        self._queue = queue

    def register(self, registry: kopf.OperatorRegistry) -> None:
        """Tell kopf what we watch."""
        kopf.on.event(GROUP, VERSION, ENTERPRISE.plural, registry=registry)(self.enterprise)
        kopf.on.event(GROUP, VERSION, NOTIFICATION_RULE.plural, registry=registry)(self.rule)

    async def enterprise(self, event: kopf.RawEvent, **_: object) -> None:
        """An Enterprise came, changed or went: its rules look again, and so do those that want its id."""
        key = _key("Enterprise", event)
        before = self._store.objects.get(key)
        self._take(key, event)
        for found in (before, self._store.objects.get(key)):
            if isinstance(found, Enterprise) and _differs(before, self._store.objects.get(key)):
                for other in self._store.affected_by(found):
                    self._queue.wake(other)

    async def rule(self, event: kopf.RawEvent, **_: object) -> None:
        """A NotificationRule came, changed or went: its Enterprise counts again."""
        key = _key("NotificationRule", event)
        before = self._store.objects.get(key)
        self._take(key, event)
        after = self._store.objects.get(key)
        if _differs(before, after):
            for found in (before, after):
                if isinstance(found, NotificationRule):
                    name = found.spec.enterprise_ref.name
                    if self._store.enterprise(key.namespace, name) is not None:
                        self._queue.wake(Key("Enterprise", key.namespace, name))

    def _take(self, key: Key, event: kopf.RawEvent) -> None:
        if event["type"] == "DELETED":
            self._store.drop(key)
            self._queue.forget(key)
            return
        body = _BODY.validate_python(event["object"])
        before = self._store.objects.get(key)
        self._store.put(key, body)
        # Our own writes of the status come back as events; they are no reason for another pass.
        if _differs(before, self._store.objects.get(key)) or not self._queue.knows(key):
            self._queue.wake(key)


def _differs(before: object, after: object) -> bool:
    """Whether more than the status differs."""
    return _essence(before) != _essence(after)


def _essence(found: object) -> object:
    spec, metadata = getattr(found, "spec", None), getattr(found, "metadata", None)
    if spec is None or metadata is None:
        return found
    return (
        spec,
        metadata.uid,
        metadata.generation,
        metadata.annotations,
        metadata.deletion_timestamp,
        metadata.finalizers,
    )


def _key(kind: KindName, event: kopf.RawEvent) -> Key:
    return key_in(kind, _BODY.validate_python(event["object"]))
