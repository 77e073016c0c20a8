"""What people look up and do by hand in the `notify` schema of one enterprise, over PostgREST.

Not a part of delivery: the worker's port is `adapters.supabase`. Every call is bound to the enterprise, and what comes
back is checked to be of it. Called by the command line.
"""

from dataclasses import asdict
from typing import TypeVar
from uuid import UUID

from pydantic import TypeAdapter

from xnovu.adapters.supabase import PAGE, PostgrestGateway
from xnovu.core.contracts.notifications import Channel
from xnovu.core.errors import Conflict, DatabaseUnavailable, NotificationNotFound, XNovuError
from xnovu.core.inspection import DeadFilter, DeadLetter, DeadLetters, Life
from xnovu.core.records import JsonObject, Template, Workflow

_T = TypeVar("_T")


async def enterprise_of(gateway: PostgrestGateway, notification_id: int) -> str:
    """Whose a notification is: the one question that names no enterprise. Raises NotificationNotFound."""
    answer = await gateway.rpc("enterprise_of", {"notification": notification_id})
    if answer is None:
        raise NotificationNotFound(
            f"notification {notification_id} is not in the installation's database, or names no enterprise:"
            " check the id, or name the enterprise with --enterprise"
        )
    return str(_parse(UUID, answer))


class Operations:
    """One enterprise's part of a database. All methods raise only `xnovu.core.errors`."""

    def __init__(self, gateway: PostgrestGateway, enterprise_id: str) -> None:
        self._gateway = gateway
        self._enterprise = enterprise_id

    async def describe(self, notification_id: int) -> Life:
        """The row and its deliveries. Raises NotificationNotFound, also for one of another enterprise."""
        answer = await self._call("describe_notification", notification=notification_id)
        if answer is None:
            raise self._unknown(notification_id)
        life = _parse(Life, answer)
        if life.enterprise_id != self._enterprise:
            raise Conflict("a notification of another enterprise was answered; nothing was shown")
        return life

    async def retract(self, notification_id: int, reason: str) -> bool:
        """Withdraw it. False: it was withdrawn before. Raises NotificationNotFound."""
        done = await self._call("retract_notification", notification=notification_id, reason=reason)
        if done is None:
            await self.describe(notification_id)
        return done is not None

    async def replay(self, notification_id: int) -> int:
        """The new generation of a FAILED notification. Raises NotificationNotFound, and Conflict for another status."""
        generation = await self._call("replay_notification", notification=notification_id)
        if generation is None:
            life = await self.describe(notification_id)
            raise Conflict(f"notification {notification_id} is {life.status}, not FAILED")
        return _parse(int, generation)

    async def dead_letters(self, wanted: DeadFilter) -> DeadLetters:
        """Those that match: all by reason, the newest `wanted.limit` one by one."""
        return _parse(DeadLetters, await self._call("dead_letters", wanted=_filter(wanted)))

    async def replay_all(self, wanted: DeadFilter, *, dry_run: bool) -> tuple[DeadLetter, ...]:
        """The oldest `wanted.limit` that match: as they are (`dry_run`), or as they were, each in its new generation.

        Not idempotent: what failed again since then is replayed again. Give `ids` that somebody looked at.
        """
        answer = await self._call("replay_dead_letters", wanted=_filter(wanted), dry_run=dry_run)
        return _parse(tuple[DeadLetter, ...], answer)

    async def workflows(self) -> tuple[Workflow, ...]:
        """The published workflows that this enterprise may use: its own and the global ones."""
        return _parse(tuple[Workflow, ...], await self._call("usable_workflows"))

    async def templates(self) -> tuple[Template, ...]:
        """The published templates that this enterprise may use; its own hides a global one of the same key."""
        found: dict[str, Template] = {}
        after = 0
        conditions = {
            "or": f"or.enterprise_id.eq.{self._enterprise},enterprise_id.is.null",
            "publish_status": "eq.PUBLISH",
            "deactivated": "is.false",
        }
        while True:
            answer = await self._gateway.select(
                "ent_notification_template", conditions, after=after
            )
            page = _parse(list[JsonObject], answer)
            for row in page:
                template = self._template(row)
                if template.key and (template.enterprise_id or template.key not in found):
                    found[template.key] = template
            if len(page) < PAGE:
                return tuple(found.values())
            after = _parse(int, page[-1]["id"])

    def _template(self, row: JsonObject) -> Template:
        owner = row["enterprise_id"]
        if owner not in {None, self._enterprise}:
            raise Conflict("a template of another enterprise was answered; nothing was shown")
        subject = row["subject_template"]
        return Template(
            key=str(row["template_key"] or ""),
            channel=Channel(str(row["channel_type"])),
            enterprise_id=None if owner is None else str(owner),
            subject=None if subject is None else str(subject),
            body=str(row["body_template"]),
        )

    async def _call(self, function: str, **arguments: object) -> object:
        return await self._gateway.rpc(function, {"enterprise": self._enterprise, **arguments})

    def _unknown(self, notification_id: int) -> XNovuError:
        return NotificationNotFound(
            f"notification {notification_id} is not there for enterprise {self._enterprise}:"
            " check the id and --enterprise"
        )


def _filter(wanted: DeadFilter) -> dict[str, object]:
    given = asdict(wanted)
    return {**given, "since": wanted.since.isoformat() if wanted.since else None}


def _parse(kind: type[_T], value: object) -> _T:
    """Narrow an answer; one of a wrong shape means another version of the schema."""
    try:
        parsed: _T = TypeAdapter(kind).validate_python(value)
    except ValueError as error:
        raise DatabaseUnavailable(
            f"the database answered in a shape that is not known ({type(error).__name__}):"
            " apply supabase/migrations"
        ) from None
    return parsed
