"""What `xnovu notification …` does: finds the systems, asks them, prints.

What is said is `verdict`'s, how it looks `life_view`'s and `rehearsal_view`'s. Called by `notification`.
"""

from pathlib import Path
from typing import Final

import typer

from xnovu.adapters.novu import NovuClient
from xnovu.adapters.runs import Run, run_of
from xnovu.commands.common import EXIT_FAILED, Output, console, run
from xnovu.commands.life_view import Feed, print_life
from xnovu.commands.printing import print_document
from xnovu.commands.rehearsal import Rehearsal, rehearse
from xnovu.commands.rehearsal_view import print_rehearsal
from xnovu.commands.systems import Enterprise, Systems, open_systems
from xnovu.commands.text import line, relative
from xnovu.commands.verdict import Found
from xnovu.core.contracts.notifications import NotificationStatus
from xnovu.core.errors import Conflict, TemporalUnavailable, ValidationError, XNovuError
from xnovu.core.ids import transaction_id
from xnovu.core.inspection import Life
from xnovu.core.recipients import chunks

MAX_TRANSACTIONS: Final = 10
"""Novu is asked about so many transactions at most: one of a hundred recipients each takes two calls."""


def show(home: Path | None, enterprise: str | None, notification: int, output: Output) -> None:
    """Print its life."""

    async def work() -> tuple[Found, Feed]:
        async with open_systems(home) as systems:
            owner = await systems.enterprise(enterprise, notification)
            life = await systems.tenants.operations(owner.ref).describe(notification)
            newest, problem = await _run_of(systems, life)
            feed = await _feed_of(systems, owner, life)
            return Found(life, owner, newest, problem), feed

    found, feed = run(work())
    print_life(found, feed, output)


def retract(
    home: Path | None, enterprise: str | None, notification: int, reason: str, output: Output
) -> None:
    """Withdraw it, and say what follows. Raises nothing; fails where it was withdrawn before."""

    async def work() -> Life:
        if not reason.strip():
            raise ValidationError("--reason is empty: say why it is withdrawn; the row keeps it")
        async with open_systems(home) as systems:
            owner = await systems.enterprise(enterprise, notification)
            operations = systems.tenants.operations(owner.ref)
            done = await operations.retract(notification, reason.strip())
            life = await operations.describe(notification)
            if not done:
                raise Conflict(_already(life))
            return life

    life = run(work())
    if output is not Output.TABLE:
        print_document({"notification": life.id, "status": life.status}, output)
    elif life.owner is None:
        _done(f"notification {life.id} is RETRACTED; nothing of it was sent")
    else:
        _done(
            f"notification {life.id} is RETRACTED; the worker undoes what can be undone:"
            f" `xnovu notification show {life.id}` has the report"
        )


def replay(home: Path | None, enterprise: str | None, notification: int, output: Output) -> None:
    """Make a FAILED one PENDING again, as a new generation."""

    async def work() -> int:
        async with open_systems(home) as systems:
            owner = await systems.enterprise(enterprise, notification)
            operations = systems.tenants.operations(owner.ref)
            _check_failed(await operations.describe(notification))
            return await operations.replay(notification)

    generation = run(work())
    if output is not Output.TABLE:
        print_document({"notification": notification, "generation": generation}, output)
    else:
        _done(
            f"notification {notification} is PENDING again, as generation {generation}:"
            f" `xnovu notification show {notification}` follows it"
        )


def dry_run(
    home: Path | None,
    enterprise: str | None,
    notification: int,
    output: Output,
    *,
    replayed: bool,
) -> None:
    """Print what would be sent. `replayed`: of a FAILED one, as its next generation."""

    async def work() -> Rehearsal:
        async with open_systems(home) as systems:
            owner = await systems.enterprise(enterprise, notification)
            if replayed:
                _check_failed(await systems.tenants.operations(owner.ref).describe(notification))
            return await rehearse(systems, owner, notification, replayed=replayed)

    rehearsed = run(work())
    print_rehearsal(rehearsed, output)
    if rehearsed.prepared is None:
        raise typer.Exit(EXIT_FAILED)


async def _run_of(systems: Systems, life: Life) -> tuple[Run | None, str | None]:
    """The newest run, or why it is not known."""
    try:
        client = await systems.temporal()
        return await run_of(client, life.enterprise_id, life.id), None
    except TemporalUnavailable as error:
        return None, error.message


async def _feed_of(systems: Systems, owner: Enterprise, life: Life) -> Feed:
    """What Novu shows, or why it is not known."""
    if life.owner is None:
        return Feed({})
    try:
        return await _feed(systems.tenants.novu(owner.ref), life)
    except XNovuError as error:
        return Feed({}, problem=error.message)


async def _feed(novu: NovuClient, life: Life) -> Feed:
    """The transactions that this row may have made, the newest generation first."""
    count = len(chunks(life.recipients, life.topics))
    transactions = [
        transaction_id(life.enterprise_id, life.id, generation, chunk)
        for generation in range(life.generation, -1, -1)
        for chunk in range(count)
    ]
    asked = transactions[:MAX_TRANSACTIONS]
    entries = {transaction: await novu.activity(transaction) for transaction in asked}
    return Feed(entries, unasked=len(transactions) - len(asked))


def _already(life: Life) -> str:
    at = life.retracted_at or life.updated_at
    why = f": {line(life.retraction_reason, 200)}" if life.retraction_reason else ""
    return (
        f"notification {life.id} was withdrawn before, {relative(at, life.asked_at)}{why};"
        f" `xnovu notification show {life.id}` has the report"
    )


def _check_failed(life: Life) -> None:
    if life.status is not NotificationStatus.FAILED:
        raise Conflict(
            f"notification {life.id} is {life.status}, and only a FAILED one is replayed;"
            f" `xnovu notification show {life.id}` says how it stands"
        )


def _done(text: str) -> None:
    console().print(text, markup=False, soft_wrap=True)
