"""Temporal Schedules: the values of `xnovu.core.schedules` carried out and read back. Decides nothing.

Called by the operator and by the worker's SyncSchedules. A fresh spec is written at every update: what the server
answers is compiled, and writing it back would add to it. Where payloads are encrypted, so is the digest (adr/0005), and
one that the active key did not seal reads as none: a rotation writes each Schedule anew. Errors of the connection become TemporalUnavailable, a spec
that the server refuses becomes ScheduleInvalid.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Final

from temporalio.api.common.v1 import Payload
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionExecutionStartWorkflow,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleCalendarSpec,
    ScheduleDescription,
    ScheduleIntervalSpec,
    ScheduleListDescription,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleState,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.service import RPCError, RPCStatusCode

from xnovu.adapters.codec import EncryptionCodec
from xnovu.core.clock import check_time_zone
from xnovu.core.errors import Conflict, ScheduleInvalid, TemporalUnavailable, clip
from xnovu.core.ids import (
    SEARCH_ATTRIBUTE_ENTERPRISE,
    SEARCH_ATTRIBUTE_RULE,
    SEARCH_ATTRIBUTE_SPEC,
    execution_workflow_id,
    is_enterprise_id,
)
from xnovu.core.schedules import FoundSchedule, Owner, Timing, WantedSchedule

RULE_WORKFLOW: Final = "RuleExecutionWorkflow"
NEXT_RUNS: Final = 3
TIMEOUT: Final = timedelta(seconds=5)

_MEMO_CLUSTER: Final = "xnovu.io/cluster"
_MEMO_UID: Final = "xnovu.io/uid"
_ENTERPRISE: Final = SearchAttributeKey.for_keyword(SEARCH_ATTRIBUTE_ENTERPRISE)
_RULE: Final = SearchAttributeKey.for_keyword(SEARCH_ATTRIBUTE_RULE)
_SPEC: Final = SearchAttributeKey.for_keyword(SEARCH_ATTRIBUTE_SPEC)


class Schedules:
    """Schedules of one Temporal namespace."""

    def __init__(self, client: Client, task_queue: str) -> None:
        self._client = client
        self._task_queue = task_queue
        codec = client.data_converter.payload_codec
        self._codec = codec if isinstance(codec, EncryptionCodec) else None

    async def find(self, schedule_id: str) -> FoundSchedule | None:
        """Read one, strongly consistent. None: there is none."""
        async with _errors(schedule_id):
            try:
                found = await self._client.get_schedule_handle(schedule_id).describe(
                    rpc_timeout=TIMEOUT
                )
            except RPCError as error:
                if error.status is RPCStatusCode.NOT_FOUND:
                    return None
                raise
            return await self._found(found)

    async def list(self, enterprise_id: str) -> dict[str, FoundSchedule]:
        """All of an enterprise, by id. From visibility, so a few seconds late. Raises Conflict for an id that is none."""
        if not is_enterprise_id(enterprise_id):
            raise Conflict("the enterprise's id is no UUID in lower case; nothing was asked")
        async with _errors(enterprise_id):
            query = f"{SEARCH_ATTRIBUTE_ENTERPRISE} = '{enterprise_id}'"
            found: dict[str, FoundSchedule] = {}
            async for item in await self._client.list_schedules(query, page_size=500):
                found[item.id] = await self._listed(item)
            return found

    async def create(self, wanted: WantedSchedule) -> None:
        """Idempotent by id: raises Conflict when there is one already; find it and plan again."""
        async with _errors(wanted.id):
            await self._client.create_schedule(
                wanted.id,
                self._schedule(wanted, paused=bool(wanted.paused)),
                memo=self._memo(wanted.owner),
                search_attributes=self._attributes(wanted),
                rpc_timeout=TIMEOUT,
            )

    async def update(self, wanted: WantedSchedule) -> None:
        """Replace everything but the memo; a pause that nobody asked to change stays."""

        def replaced(current: ScheduleUpdateInput) -> ScheduleUpdate:
            was = current.description.schedule.state.paused
            paused = was if wanted.paused is None else wanted.paused
            return ScheduleUpdate(
                schedule=self._schedule(wanted, paused=paused),
                search_attributes=self._attributes(wanted),
            )

        async with _errors(wanted.id):
            handle = self._client.get_schedule_handle(wanted.id)
            await handle.update(replaced, rpc_timeout=TIMEOUT)

    async def replace(self, wanted: WantedSchedule) -> None:
        """Take a Schedule over: delete and create, because no update changes the memo. Its pause stays, its history goes."""
        found = await self.find(wanted.id)
        if wanted.paused is None and found is not None:
            wanted = wanted.model_copy(update={"paused": found.paused, "note": found.note})
        await self.delete(wanted.id)
        await self.create(wanted)

    async def pause(self, schedule_id: str, note: str) -> None:
        async with _errors(schedule_id):
            await self._client.get_schedule_handle(schedule_id).pause(
                note=note, rpc_timeout=TIMEOUT
            )

    async def unpause(self, schedule_id: str, note: str) -> None:
        async with _errors(schedule_id):
            await self._client.get_schedule_handle(schedule_id).unpause(
                note=note, rpc_timeout=TIMEOUT
            )

    async def trigger(self, schedule_id: str) -> None:
        """Run once, now, whatever else runs. Two within a second are one (Temporal's id of the run)."""
        async with _errors(schedule_id):
            await self._client.get_schedule_handle(schedule_id).trigger(
                overlap=ScheduleOverlapPolicy.ALLOW_ALL, rpc_timeout=TIMEOUT
            )

    async def delete(self, schedule_id: str) -> None:
        """Idempotent: one that is gone is deleted."""
        async with _errors(schedule_id):
            try:
                await self._client.get_schedule_handle(schedule_id).delete(rpc_timeout=TIMEOUT)
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise

    def _schedule(self, wanted: WantedSchedule, *, paused: bool) -> Schedule:
        one_off = wanted.timing.at is not None
        return Schedule(
            action=ScheduleActionStartWorkflow(
                RULE_WORKFLOW,
                wanted.action,
                id=execution_workflow_id(wanted.id),
                task_queue=self._task_queue,
                typed_search_attributes=TypedSearchAttributes(
                    [
                        SearchAttributePair(_ENTERPRISE, wanted.action.enterprise.id),
                        SearchAttributePair(_RULE, wanted.action.rule_key),
                    ]
                ),
            ),
            spec=_spec(wanted.timing),
            policy=SchedulePolicy(
                overlap=ScheduleOverlapPolicy.ALLOW_ALL, catchup_window=wanted.catch_up_window
            ),
            state=ScheduleState(
                paused=paused,
                note=wanted.note or None,
                limited_actions=one_off,
                remaining_actions=1 if one_off else 0,
            ),
        )

    def _memo(self, owner: Owner) -> dict[str, Payload]:
        """Never encrypted: two UIDs, which no update could write anew when the key rotates."""
        plain = self._client.data_converter.payload_converter
        values = {_MEMO_CLUSTER: owner.cluster, _MEMO_UID: owner.uid}
        return {key: plain.to_payload(value) for key, value in values.items()}

    def _attributes(self, wanted: WantedSchedule) -> TypedSearchAttributes:
        digest = self._codec.seal_text(wanted.digest) if self._codec else wanted.digest
        return TypedSearchAttributes(
            [
                SearchAttributePair(_ENTERPRISE, wanted.action.enterprise.id),
                SearchAttributePair(_RULE, wanted.action.rule_key),
                SearchAttributePair(_SPEC, digest),
            ]
        )

    async def _found(self, item: ScheduleDescription) -> FoundSchedule:
        info, state = item.info, item.schedule.state
        last = info.recent_actions[-1] if info.recent_actions else None
        ran = last.action if last else None
        started = ran if isinstance(ran, ScheduleActionExecutionStartWorkflow) else None
        return FoundSchedule(
            id=item.id,
            owner=await _owner(item),
            digest=self._digest(item),
            paused=state.paused,
            note=state.note or "",
            next_runs=tuple(info.next_action_times[:NEXT_RUNS]),
            last_scheduled_for=last.scheduled_at if last else None,
            last_started_at=last.started_at if last else None,
            last_workflow_id=started.workflow_id if started else None,
            last_run_id=started.first_execution_run_id if started else None,
            missed=info.num_actions_missed_catchup_window,
            exhausted=state.limited_actions and state.remaining_actions == 0,
        )

    async def _listed(self, item: ScheduleListDescription) -> FoundSchedule:
        state = item.schedule.state if item.schedule else None
        return FoundSchedule(
            id=item.id,
            owner=await _owner(item),
            digest=self._digest(item),
            paused=state.paused if state else False,
            note=(state.note or "") if state else "",
        )

    def _digest(self, item: ScheduleDescription | ScheduleListDescription) -> str | None:
        value = item.typed_search_attributes.get(_SPEC)
        return self._codec.open_text(value) if self._codec else value


def _spec(timing: Timing) -> ScheduleSpec:
    """A new spec in Temporal's words."""
    skip = [
        ScheduleCalendarSpec(
            second=[ScheduleRange(0, 59)],
            minute=[ScheduleRange(0, 59)],
            hour=[ScheduleRange(0, 23)],
            year=[ScheduleRange(d.year)],
            month=[ScheduleRange(d.month)],
            day_of_month=[ScheduleRange(d.day)],
        )
        for d in timing.skip
    ]
    zone = check_time_zone(timing.time_zone)
    gaps = [_once(at.astimezone(zone), "after a gap") for at in timing.after_gaps]
    return ScheduleSpec(
        cron_expressions=[timing.cron] if timing.cron else [],
        intervals=[ScheduleIntervalSpec(timing.every, timing.offset)] if timing.every else [],
        calendars=[_once(timing.at.astimezone(UTC), "once")] if timing.at else gaps,
        skip=skip,
        start_at=timing.start_at,
        end_at=timing.end_at,
        jitter=timing.jitter,
        # One instant needs no zone, and UTC has no hour that is left out or repeated.
        time_zone_name="UTC" if timing.at else timing.time_zone,
    )


def _once(t: datetime, comment: str) -> ScheduleCalendarSpec:
    """One moment, in the spec's zone."""
    return ScheduleCalendarSpec(
        second=[ScheduleRange(t.second)],
        minute=[ScheduleRange(t.minute)],
        hour=[ScheduleRange(t.hour)],
        day_of_month=[ScheduleRange(t.day)],
        month=[ScheduleRange(t.month)],
        year=[ScheduleRange(t.year)],
        comment=comment,
    )


async def _owner(item: ScheduleDescription | ScheduleListDescription) -> Owner | None:
    cluster = await item.memo_value(_MEMO_CLUSTER, None)
    uid = await item.memo_value(_MEMO_UID, None)
    return Owner(cluster=str(cluster), uid=str(uid)) if isinstance(uid, str) else None


@asynccontextmanager
async def _errors(what: str) -> AsyncIterator[None]:
    try:
        yield
    except ScheduleAlreadyRunningError:
        raise Conflict(f"the Schedule {what} exists already in Temporal") from None
    except RPCError as error:
        if (
            error.status is RPCStatusCode.INVALID_ARGUMENT
            and "schedule spec" in error.message.lower()
        ):
            raise ScheduleInvalid(f"Temporal refuses the schedule: {clip(error.message)}") from None
        raise TemporalUnavailable(
            f"Temporal did not do it ({what}): {clip(error.message)}"
        ) from None
