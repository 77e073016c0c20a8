"""How much of the example has been seen: rows of the database and the sandbox's ledger in, verdicts out.

No I/O and no clock. Called by `xnovu_dev.up` again and again until everything is seen, or something cannot be any more.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from xnovu.core.ids import parse_transaction_id
from xnovu_dev.example import Expectation


class Row(BaseModel):
    """One row of `ent_notification`, as far as it is looked at."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: int
    name: str
    notification_status: str
    dedupe_key: str | None = None
    error_details: dict[str, JsonValue] | None = None

    @property
    def reason(self) -> str:
        return str((self.error_details or {}).get("reason", ""))


class Delivery(BaseModel):
    """One entry of the sandbox's ledger."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    transaction_id: str = Field(alias="transactionId")
    subscriber_id: str = Field(alias="subscriberId")
    channel: str


class State(StrEnum):
    """How an expectation stands. `WRONG` cannot become right any more."""

    WAITING = "waiting"
    DONE = "done"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Seen:
    """Verdict on one expectation. `status`: of its newest row; `delivered`: distinct ledger entries of that row."""

    expectation: Expectation
    state: State
    status: str
    delivered: int
    note: str = ""


def judge(
    expectations: Sequence[Expectation], rows: Sequence[Row], ledger: Iterable[Delivery]
) -> tuple[Seen, ...]:
    """One verdict for each expectation, in their order."""
    counts: dict[int, Counter[tuple[str, str]]] = {}
    for entry in ledger:
        transaction = parse_transaction_id(entry.transaction_id)
        if transaction is not None:
            per_row = counts.setdefault(transaction.notification_id, Counter())
            per_row[entry.subscriber_id, entry.channel] += 1
    return tuple(_verdict(e, [r for r in rows if _is_of(r, e)], counts) for e in expectations)


def _is_of(row: Row, expectation: Expectation) -> bool:
    if expectation.rule_key is not None:
        return (row.dedupe_key or "").startswith(expectation.rule_key)
    return row.id == expectation.notification_id


def _verdict(
    expectation: Expectation, rows: Sequence[Row], counts: dict[int, Counter[tuple[str, str]]]
) -> Seen:
    if not rows:
        return Seen(expectation, State.WAITING, "", 0)
    twice = next(
        (r for r in rows if any(n > 1 for n in counts.get(r.id, Counter()).values())), None
    )
    if twice is not None:
        delivered = len(counts[twice.id])
        return Seen(
            expectation, State.WRONG, twice.notification_status, delivered, "delivered twice"
        )
    verdicts = [_one(expectation, row, len(counts.get(row.id, ()))) for row in rows]
    for state in (State.WRONG, State.DONE):
        for verdict in verdicts:
            if verdict.state is state:
                return verdict
    return verdicts[-1]


def _one(expectation: Expectation, row: Row, delivered: int) -> Seen:
    status = row.notification_status
    final = status in {"SENT", "FAILED", "RETRACTED"}
    if expectation.fails:
        right = status == "FAILED" and row.reason == expectation.fails and delivered == 0
        wrong = (final and not right) or delivered > 0
        state = State.DONE if right else State.WRONG if wrong else State.WAITING
        return Seen(expectation, state, status, delivered, row.reason)
    if final and status != "SENT":
        return Seen(expectation, State.WRONG, status, delivered, row.reason)
    done = status == "SENT" and delivered == expectation.deliveries
    return Seen(expectation, State.DONE if done else State.WAITING, status, delivered)
