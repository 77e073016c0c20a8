"""Novu's worker: takes accepted triggers through the two queues to the recipients, some time after they were accepted.

Weak on purpose, as the real one: whether a transaction id was used is checked on the first queue against jobs that are
made on the second, so two triggers in quick succession both pass (temporal-and-novu.md §2.4). Everything for one
trigger is one transaction; what is queued or delayed when the process dies goes on when it starts again.
"""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Final

from xnovu_dev.sandbox.catalogue import Catalogue, Workflow
from xnovu_dev.sandbox.delivery import Content, Pause, run_step
from xnovu_dev.sandbox.json_types import JsonObject, stamp
from xnovu_dev.sandbox.ledger import NOT_UNIQUE, Accepted, JobStatus, Ledger, Message, Notification
from xnovu_dev.sandbox.people import People, Subscriber
from xnovu_dev.sandbox.store import Store
from xnovu_dev.sandbox.triggers import Trigger

DEFAULT_LAG_SECONDS: Final = 0.05
LOST: Final = "the worker failed"


class Worker:
    """The two queues of one environment, on the running event loop."""

    def __init__(
        self,
        store: Store,
        people: People,
        catalogue: Catalogue,
        *,
        now: Callable[[], datetime],
        new_id: Callable[[], str],
        delivered: Callable[[], None],
        provider_fails: Callable[[str], bool],
    ) -> None:
        """`provider_fails`: whether a provider refuses a message of this channel. `delivered` is called after each transaction that may have reached somebody."""
        self._store = store
        self._people = people
        self._catalogue = catalogue
        self._ledger = Ledger(store)
        self._now = now
        self._new_id = new_id
        self._delivered = delivered
        self._provider_fails = provider_fails
        self._tasks: set[asyncio.Task[None]] = set()
        self.lag_seconds = DEFAULT_LAG_SECONDS

    def resume(self) -> None:
        """Go on with what an earlier process left."""
        for accepted in self._ledger.queued():
            self._spawn(self._take(accepted, self.lag_seconds))
        for notification in self._ledger.delayed():
            self._spawn(self._wait(notification))

    def submit(
        self, trigger: Trigger, *, partial: bool, lost: bool, lag_seconds: float | None
    ) -> None:
        """Accept a trigger. When this returns, it is stored. `lost`: and nothing ever comes of it."""
        accepted = self._ledger.accept(trigger, self._now(), partial=partial)
        if lost:
            self._ledger.settle(accepted.seq, "dropped", LOST)
            return
        lag = self.lag_seconds if lag_seconds is None else lag_seconds
        self._spawn(self._take(accepted, lag))

    def cancel(self, transaction_id: str) -> bool:
        """Cancel what is delayed now; what comes to be delayed later still runs, as in Novu (novu#5050)."""
        found = self._ledger.notifications(
            "n.transaction_id = ? AND n.due_at IS NOT NULL", (transaction_id,), limit=-1
        )
        with self._store.transaction():
            for notification in found:
                for job in notification.jobs:
                    if job["status"] in ("delayed", "pending"):
                        job["status"] = "canceled"
                notification.next_step = notification.due_at = None
                self._ledger.update(notification)
        return bool(found)

    async def stop(self) -> None:
        """Drop all waiting work; it is stored, and `resume` finds it."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _take(self, accepted: Accepted, lag: float) -> None:
        await asyncio.sleep(lag / 2)
        if self._ledger.has_jobs(accepted.trigger.transaction_id):
            self._ledger.settle(accepted.seq, "dropped", NOT_UNIQUE)
            return
        await asyncio.sleep(lag / 2)
        workflow = self._catalogue.get(accepted.trigger.workflow_key)
        with self._store.transaction():
            if workflow is None:
                self._ledger.settle(accepted.seq, "dropped", "workflow_not_found")
                return
            delayed = [
                notification
                for subscriber in self._recipients(accepted)
                if (notification := self._begin(accepted, workflow, subscriber)).due_at
            ]
            self._ledger.settle(accepted.seq, "done", None)
        self._delivered()
        for notification in delayed:
            self._spawn(self._wait(notification))

    def _recipients(self, accepted: Accepted) -> list[Subscriber]:
        """Everybody once, made where unknown; the first half of them where the switch says so."""
        found: dict[str, Subscriber] = {}
        for recipient in accepted.trigger.recipients:
            if recipient.subscriber_id is not None:
                subscriber, _ = self._people.upsert(
                    recipient.subscriber_id, recipient.profile or {}
                )
                found.setdefault(subscriber.subscriber_id, subscriber)
                continue
            for member in self._people.members(recipient.topic_key or ""):
                if member not in recipient.exclude and member not in found:
                    found[member], _ = self._people.upsert(member, {})
        everybody = list(found.values())
        return everybody[: len(everybody) // 2] if accepted.partial else everybody

    def _begin(
        self, accepted: Accepted, workflow: Workflow, subscriber: Subscriber
    ) -> Notification:
        jobs: list[JsonObject] = [
            {"_id": self._new_id(), "type": step.type, "status": "pending"}
            for step in workflow.body.steps
        ]
        notification = Notification(
            id=self._new_id(),
            accepted=accepted,
            subscriber_id=subscriber.subscriber_id,
            created_at=stamp(self._now()),
            jobs=jobs,
            next_step=None,
            due_at=None,
        )
        self._run(notification, workflow, subscriber, first=0)
        self._ledger.add(notification)
        return notification

    def _run(
        self, notification: Notification, workflow: Workflow, subscriber: Subscriber, first: int
    ) -> None:
        """Run the steps from `first` on, up to the end or to a delay."""
        trigger = notification.accepted.trigger
        now = self._now()
        notification.next_step = notification.due_at = None
        for index in range(first, min(len(workflow.body.steps), len(notification.jobs))):
            step, job = workflow.body.steps[index], notification.jobs[index]
            outcome = run_step(step, trigger.payload, trigger.overrides, subscriber)
            status: JobStatus = "skipped"
            if isinstance(outcome, Pause):
                status = "delayed"
                notification.next_step = index + 1
                notification.due_at = stamp(now + timedelta(seconds=outcome.seconds))
            elif isinstance(outcome, Content) and self._provider_fails(step.type):
                status = "failed"
            elif isinstance(outcome, Content):
                status = "completed"
                message = Message(self._new_id(), step.type, outcome.subject, outcome.body)
                self._ledger.deliver(notification, message, now)
            job["status"], job["updatedAt"] = status, stamp(now)
            if isinstance(outcome, Pause):
                return

    async def _wait(self, notification: Notification) -> None:
        due = datetime.fromisoformat(notification.due_at or stamp(self._now()))
        await asyncio.sleep(max(0.0, (due - self._now()).total_seconds()))
        current = self._ledger.notification(notification.id)
        workflow = self._catalogue.get(notification.accepted.trigger.workflow_key)
        if current is None or current.next_step is None or workflow is None:
            return  # cancelled, or everything was reset meanwhile
        with self._store.transaction():
            subscriber, _ = self._people.upsert(current.subscriber_id, {})
            current.jobs[current.next_step - 1]["status"] = "completed"
            self._run(current, workflow, subscriber, first=current.next_step)
            self._ledger.update(current)
        self._delivered()
        if current.due_at:
            self._spawn(self._wait(current))
