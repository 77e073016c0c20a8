"""Subscribers and topics: who a notification can reach.

Rows in, rows out; the shapes of the API are made in `subscribers_api`. Unknown subscribers are made silently by a
trigger, as Novu does (temporal-and-novu.md §2.4). Called by the API, the worker and the inbox page.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pydantic import JsonValue

from xnovu_dev.sandbox.json_types import JsonObject, dumps, load_object, stamp
from xnovu_dev.sandbox.store import Store

PROFILE_FIELDS: Final = (
    "firstName",
    "lastName",
    "email",
    "phone",
    "avatar",
    "locale",
    "timezone",
    "data",
)


@dataclass(frozen=True, slots=True)
class Subscriber:
    """One person. `id` is Novu's internal one, `subscriber_id` the caller's."""

    subscriber_id: str
    id: str
    profile: JsonObject
    created_at: str
    updated_at: str

    @property
    def name(self) -> str:
        """What people call them, as far as it is known."""
        parts = (self.profile.get("firstName"), self.profile.get("lastName"))
        named = " ".join(part for part in parts if isinstance(part, str) and part)
        email = self.profile.get("email")
        return named or (email if isinstance(email, str) else "") or self.subscriber_id


class People:
    """The subscribers and topics of one environment."""

    def __init__(
        self, store: Store, now: Callable[[], datetime], new_id: Callable[[], str]
    ) -> None:
        self._store = store
        self._now = now
        self._new_id = new_id

    def get(self, subscriber_id: str) -> Subscriber | None:
        row = self._store.row("SELECT * FROM subscribers WHERE subscriber_id = ?", subscriber_id)
        if row is None:
            return None
        profile = load_object(row["profile"])
        return Subscriber(
            row["subscriber_id"], row["id"], profile, row["created_at"], row["updated_at"]
        )

    def upsert(
        self, subscriber_id: str, changes: Mapping[str, JsonValue]
    ) -> tuple[Subscriber, bool]:
        """Make or change a subscriber: known fields only, others stay. Answers whether it is new."""
        wanted = {name: changes[name] for name in PROFILE_FIELDS if name in changes}
        found = self.get(subscriber_id)
        now = stamp(self._now())
        if found is None:
            made = Subscriber(subscriber_id, self._new_id(), wanted, now, now)
            self._store.run(
                "INSERT INTO subscribers VALUES (?, ?, ?, ?, ?)",
                *(subscriber_id, made.id, dumps(wanted), now, now),
            )
            return made, True
        profile = found.profile | wanted
        if profile == found.profile:
            return found, False
        self._store.run(
            "UPDATE subscribers SET profile = ?, updated_at = ? WHERE subscriber_id = ?",
            *(dumps(profile), now, subscriber_id),
        )
        return Subscriber(subscriber_id, found.id, profile, found.created_at, now), False

    def delete(self, subscriber_id: str) -> bool:
        with self._store.transaction():
            self._store.run("DELETE FROM topics WHERE subscriber_id = ?", subscriber_id)
            return (
                self._store.run("DELETE FROM subscribers WHERE subscriber_id = ?", subscriber_id)
                == 1
            )

    def everybody(self) -> list[Subscriber]:
        """All of them, in the order in which they were made."""
        return [
            Subscriber(
                row["subscriber_id"],
                row["id"],
                load_object(row["profile"]),
                row["created_at"],
                row["updated_at"],
            )
            for row in self._store.rows("SELECT * FROM subscribers ORDER BY rowid")
        ]

    def subscribe(self, topic_key: str, subscriber_ids: Iterable[str]) -> None:
        """Idempotent."""
        with self._store.transaction():
            for subscriber_id in subscriber_ids:
                self._store.run(
                    "INSERT OR IGNORE INTO topics VALUES (?, ?)", topic_key, subscriber_id
                )

    def unsubscribe(self, topic_key: str, subscriber_ids: Iterable[str]) -> None:
        """Idempotent."""
        with self._store.transaction():
            for subscriber_id in subscriber_ids:
                self._store.run(
                    "DELETE FROM topics WHERE topic_key = ? AND subscriber_id = ?",
                    *(topic_key, subscriber_id),
                )

    def members(self, topic_key: str) -> list[str]:
        """The subscriber ids of a topic; none when there is no such topic."""
        rows = self._store.rows(
            "SELECT subscriber_id FROM topics WHERE topic_key = ? ORDER BY rowid", topic_key
        )
        return [row["subscriber_id"] for row in rows]
