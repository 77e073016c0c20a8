"""Every path of NotificationProcessingWorkflow, played: what goes wrong, and which run is kept."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from fakes.database import Row, a_workflow
from fakes.novu import Fault, lost_answer
from support.paths.playing import Handle, Played, first_run, over, own_worker
from support.temporal import Case, eventually

from xnovu.core import ids
from xnovu.core.contracts.common import DeliveryConfig, RetryConfig
from xnovu.core.contracts.notifications import (
    Channel,
    NotificationRef,
    NotificationStatus,
    ProcessingInput,
    WorkflowType,
)
from xnovu.core.errors import (
    CredentialsRejected,
    DatabaseUnavailable,
    NovuRejected,
    NovuThrottled,
    WorkflowNotFound,
)
from xnovu.core.records import Template, TriggerRequest

KIND = "NotificationProcessingWorkflow"
AWAY = DatabaseUnavailable("the database did not answer")
THROTTLED = Fault(NovuThrottled("429", retry_after=timedelta(milliseconds=50)))
REFUSED = Fault(NovuRejected("refused"))
NO_WORKFLOW = Fault(WorkflowNotFound("Novu does not know the workflow"))
PEOPLE = tuple(f"u{number:03}" for number in range(601))


def scripted(faults: Sequence[Fault | None], **row: object) -> Played:
    """Novu does this, call by call."""

    async def play(case: Case) -> Handle:
        case.novu.script = list(faults)
        return await ended(case, case.database.add(1, **row))

    return play


async def ended(case: Case, row: Row, *, shadow: bool = False) -> Handle:
    return await over(await first_run(case, await case.start(row, shadow=shadow)))


def interrupted(status: NotificationStatus, **changes: object) -> Played:
    """The quick try does not reach the database, so that the steps meet the row in this state."""

    async def play(case: Case) -> Handle:
        row = case.database.add(1, **changes)
        row.move(status)
        row.owner = "somebody"
        case.database.faults["claim"] += [AWAY]
        return await ended(case, row)

    return play


def while_sending(call: int, meanwhile: Callable[[Row], None], faults: Sequence[Fault]) -> Played:
    """Something happens to the row during one of the calls of Novu."""

    async def play(case: Case) -> Handle:
        row = case.database.add(1)
        case.novu.script = list(faults)

        def hook(_: TriggerRequest) -> None:
            if len(case.novu.requests) == call:
                meanwhile(row)

        case.novu.before_trigger = hook
        return await ended(case, row)

    return play


def withdraw(row: Row) -> None:
    row.move(NotificationStatus.RETRACTED)


def take_away(row: Row) -> None:
    row.owner = "somebody-else"


async def resumed(case: Case) -> Handle:
    """What a worker leaves that died between Novu's answer and the final status."""
    row = case.database.add(1)
    await ended(case, row)
    row.move(NotificationStatus.PROCESSING)
    return await ended(case, row)


async def resumed_unsent(case: Case) -> Handle:
    """What a worker leaves that died before its send, where one attempt is all that is allowed."""
    row = case.database.add(1)
    row.move(NotificationStatus.PROCESSING)
    row.owner = ids.claim_owner(case.client.namespace, case.enterprise.id, row.notification.id)
    case.delivery = DeliveryConfig(retry=RetryConfig(maximum_attempts=1))
    return await ended(case, row)


async def resumed_late(case: Case) -> Handle:
    row = case.database.add(1)
    await ended(case, row)
    row.move(NotificationStatus.PROCESSING)
    case.database.faults["claim"] += [AWAY]
    return await ended(case, row)


async def retracted(case: Case) -> Handle:
    row = case.database.add(1)
    await ended(case, row)
    withdraw(row)
    return await ended(case, row)


async def retracted_and_replayed(case: Case) -> Handle:
    """Before it is taken back, which waits for the database, somebody wants it sent after all."""
    row = case.database.add(1, status=NotificationStatus.RETRACTED)
    row.owner = "somebody"
    case.database.faults["claim"] += [AWAY]
    case.database.faults["fetch"] += [AWAY] * 2
    handle = await first_run(case, await case.start(row))

    async def waits() -> bool:
        return "fetch" in case.database.calls

    await eventually(waits, "taking it back was tried")
    row.move(NotificationStatus.PENDING)
    return await over(handle)


async def shadow(case: Case) -> Handle:
    return await ended(case, case.database.add(1), shadow=True)


async def shadow_late(case: Case) -> Handle:
    case.database.faults["fetch"] += [AWAY]
    return await ended(case, case.database.add(1), shadow=True)


async def rendered_late(case: Case) -> Handle:
    key = "greeting"
    case.database.library[key] = Template(key, Channel.IN_APP, None, None, "Hello {{ name }}")
    case.database.workflows[1] = a_workflow(
        type=WorkflowType.DYNAMIC, template_overrides={"inAppTemplateId": key}
    )
    return await scripted([lost_answer(accepted=False)])(case)


async def status_late(case: Case) -> Handle:
    case.database.faults["finish"] += [AWAY] * 2
    return await ended(case, case.database.add(1))


async def timed_out(case: Case) -> Handle:
    """The quick try takes longer than its workflow task."""
    row = case.database.add(1)
    case.novu.hold = asyncio.Event()
    handle = await first_run(case, await case.start(row))
    await steps(case, row, "FetchNotification")
    case.novu.hold.set()
    return await over(handle)


@own_worker
async def cancelled_at_once(case: Case) -> Handle:
    """A person cancels it before any worker has seen it."""
    handle = await first_run(case, await case.start(case.database.add(1)))
    await handle.cancel()
    async with case.worker():
        return await over(handle)


async def cancelled_while_trying(case: Case) -> Handle:
    """A person cancels it during the quick try; the short task time-out lets the workflow hear of it meanwhile."""
    case.novu.hold = asyncio.Event()
    row = case.database.add(1)
    ref = NotificationRef(enterprise=case.enterprise, notification_id=row.notification.id)
    handle: Handle = await case.client.start_workflow(
        KIND,
        ProcessingInput(ref=ref),
        id=ids.notification_workflow_id(case.enterprise.id, row.notification.id),
        task_queue=case.queue,
        task_timeout=timedelta(seconds=2),
    )

    async def is_sending() -> bool:
        return bool(case.novu.requests)

    await eventually(is_sending, "Novu is being called")
    await handle.cancel()
    return await over(handle)


async def cancelled_while_sending(case: Case) -> Handle:
    """A person cancels it while Novu takes its time over the second try."""
    case.novu.script = [lost_answer(accepted=False), None]

    def hook(_: TriggerRequest) -> None:
        if case.novu.requests[1:]:
            case.novu.hold = asyncio.Event()

    case.novu.before_trigger = hook
    handle = await first_run(case, await case.start(case.database.add(1)))

    async def is_sending() -> bool:
        return case.novu.hold is not None

    await eventually(is_sending, "Novu is being called")
    await handle.cancel()
    return await over(handle)


async def cancelled_while_checking(case: Case) -> Handle:
    """A person cancels it while the database is away between the first try and the second."""
    case.novu.script = [lost_answer(accepted=False)]
    case.database.faults["fetch"] += [AWAY] * 50
    handle = await first_run(case, await case.start(case.database.add(1)))

    async def waits() -> bool:
        return "fetch" in case.database.calls

    await eventually(waits, "the database is being asked")
    await handle.cancel()
    return await over(handle)


async def steps(case: Case, row: Row, name: str) -> None:
    async def begun() -> bool:
        return name in await case.activities_of(row)

    await eventually(begun, f"{name} was asked for")


PATHS: dict[str, Callable[[Case], Awaitable[Handle]]] = {
    "sent": scripted([]),
    "refused_at_once": scripted([], recipients=()),
    "shadow": shadow,
    "shadow_late": shadow_late,
    "throttled": scripted([THROTTLED] * 2),
    "continued": scripted([THROTTLED] * 30),
    "unclear": scripted([lost_answer(accepted=False), lost_answer(accepted=True)]),
    "verified": scripted([lost_answer(accepted=True)]),
    "given_up": scripted([lost_answer(accepted=False)] * 20),
    "defect": scripted([Fault(RuntimeError("a defect"), accepted=True)]),  # type: ignore[arg-type]  # no error of ours
    "refused": scripted([lost_answer(accepted=False), REFUSED]),
    "credentials": scripted([Fault(CredentialsRejected("401"))] * 2),
    "many_chunks": scripted([], recipients=PEOPLE),
    "some_chunks": scripted([None, lost_answer(accepted=True), None], recipients=PEOPLE[:250]),
    "some_refused": scripted([None, REFUSED, REFUSED, None], recipients=PEOPLE[:250]),
    "no_workflow": scripted([None, NO_WORKFLOW, NO_WORKFLOW], recipients=PEOPLE[:250]),
    "rendered_late": rendered_late,
    "status_late": status_late,
    "timed_out": timed_out,
    "resumed": resumed,
    "resumed_late": resumed_late,
    "resumed_unsent": resumed_unsent,
    "invalid_late": interrupted(NotificationStatus.PENDING, recipients=()),
    "done_late": interrupted(NotificationStatus.SENT),
    "retracted": retracted,
    "retracted_late": interrupted(NotificationStatus.RETRACTED),
    "retracted_between": while_sending(1, withdraw, [lost_answer(accepted=False)]),
    "retracted_after": while_sending(2, withdraw, [lost_answer(accepted=False)]),
    "retracted_and_replayed": retracted_and_replayed,
    "retracted_waiting": while_sending(2, withdraw, [lost_answer(accepted=False), THROTTLED]),
    "lost": while_sending(2, take_away, [lost_answer(accepted=False)]),
    "cancelled_at_once": cancelled_at_once,
    "cancelled_while_checking": cancelled_while_checking,
    "cancelled_while_trying": cancelled_while_trying,
    "cancelled_while_sending": cancelled_while_sending,
}
