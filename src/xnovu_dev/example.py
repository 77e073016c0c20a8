"""The first example as values: what `up` seeds, and what must then be seen.

Reads the folder `examples/01-first-enterprise` and nothing else; `xnovu_dev.demo` puts it into the running systems and
`xnovu_dev.judge` says how much of it has arrived.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import yaml
from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter

from xnovu.core.ids import resource_rule_key

Manifest = dict[str, JsonValue]
Rows = list[dict[str, JsonValue]]

ONE_OFF_DELAY: Final = timedelta(seconds=8)
"""How far ahead the one-off rule is moved: long enough to be applied, short enough to be waited for."""


class Planned(BaseModel):
    """One row of notifications.json. `fails`: the reason with which it must end FAILED."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    workflow: str
    channels: tuple[str, ...]
    recipients: tuple[str, ...]
    payload: dict[str, JsonValue] = Field(default_factory=dict)
    due_in_seconds: float | None = Field(default=None, alias="dueInSeconds")
    fails: str | None = None

    @property
    def how(self) -> str:
        if self.fails:
            return "broken on purpose"
        if self.due_in_seconds is not None:
            return f"due in {self.due_in_seconds:.0f} s"
        return f"workflow {self.workflow}"


@dataclass(frozen=True, slots=True)
class Example:
    """The example's files, parsed."""

    enterprise_id: str
    namespace: str
    manifests: tuple[Manifest, ...]
    people: Rows
    novu_workflows: Rows
    database: Mapping[str, Rows]
    notifications: tuple[Planned, ...]


@dataclass(frozen=True, slots=True)
class Expectation:
    """One thing that must be seen. A row is known by its id, a rule's row by the key that it begins with.

    `deliveries`: ledger entries that each of its notifications must have, no more and no fewer.
    """

    label: str
    how: str
    notification_id: int | None
    rule_key: str | None
    deliveries: int
    fails: str | None = None


def read(folder: Path, now: datetime) -> Example:
    """Parse the folder; the one-off rule is moved to `ONE_OFF_DELAY` after `now` (aware)."""
    files = ("enterprise.yaml", "rules.yaml")
    documents = [d for name in files for d in yaml.safe_load_all((folder / name).read_text())]
    manifests = tuple(
        _moved(d, now) for d in TypeAdapter(list[Manifest]).validate_python(documents)
    )
    enterprise = next(m for m in manifests if m["kind"] == "Enterprise")
    return Example(
        enterprise_id=_text(enterprise, "spec", "enterpriseId"),
        namespace=_text(enterprise, "metadata", "namespace"),
        manifests=manifests,
        people=_rows(folder / "people.json"),
        novu_workflows=_rows(folder / "novu-workflows.json"),
        database=TypeAdapter(dict[str, Rows]).validate_json((folder / "database.json").read_text()),
        notifications=tuple(
            TypeAdapter(list[Planned]).validate_json((folder / "notifications.json").read_text())
        ),
    )


def of_row(planned: Planned, notification_id: int) -> Expectation:
    """What must be seen of an inserted row."""
    count = 0 if planned.fails else len(planned.recipients) * len(planned.channels)
    return Expectation(planned.name, planned.how, notification_id, None, count, planned.fails)


def of_rule(manifest: Manifest, uid: str, at: str | None) -> Expectation:
    """What must be seen of a NotificationRule: at least one notification, each delivered once to everybody."""
    spec = _mapping(manifest, "spec")
    notification = _mapping(spec, "notification")
    recipients, channels = notification["recipients"], notification["channels"]
    if not isinstance(recipients, list) or not isinstance(channels, list):
        raise TypeError("the example's rules name recipients and channels")
    how = "one-off rule" if at else f"rule, cron {_mapping(spec, 'schedule')['cron']}"
    key = resource_rule_key(uid) + (f"@{at}" if at else "@")
    return Expectation(
        _text(manifest, "metadata", "name"), how, None, key, len(recipients) * len(channels)
    )


def one_off(manifest: Manifest) -> str | None:
    """The instant of a one-off rule as it stands in dedupe keys, None for other manifests."""
    if manifest["kind"] != "NotificationRule":
        return None
    at = _mapping(_mapping(manifest, "spec"), "schedule").get("at")
    if not isinstance(at, str):
        return None
    return f"{datetime.fromisoformat(at).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _moved(manifest: Manifest, now: datetime) -> Manifest:
    if one_off(manifest) is None:
        return manifest
    spec = _mapping(manifest, "spec")
    at = (now + ONE_OFF_DELAY).astimezone(UTC).replace(microsecond=0).isoformat()
    schedule = {**_mapping(spec, "schedule"), "at": at}
    return {**manifest, "spec": {**spec, "schedule": schedule}}


def _rows(path: Path) -> Rows:
    return TypeAdapter(Rows).validate_python(json.loads(path.read_text()))


def _mapping(value: Mapping[str, JsonValue], key: str) -> Mapping[str, JsonValue]:
    inner = value[key]
    if not isinstance(inner, dict):
        raise TypeError(f"{key}: a mapping is expected")
    return inner


def _text(value: Mapping[str, JsonValue], *path: str) -> str:
    for key in path[:-1]:
        value = _mapping(value, key)
    return str(value[path[-1]])


def labels(expectations: Sequence[Expectation]) -> str:
    """Their names in one line, for messages."""
    return ", ".join(e.label for e in expectations)
