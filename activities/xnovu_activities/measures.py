"""The plan's metrics of the worker, by its names, on the meter of Temporal's runtime: one `/metrics` for all.

No tenant's data but its id is in a label. Called by the activities; made by the worker.
"""

from temporalio.common import MetricMeter

from xnovu.core.contracts.notifications import NotificationStatus


class Measures:
    """Counts and durations; durations in seconds."""

    def __init__(self, meter: MetricMeter) -> None:
        self._duration = meter.create_histogram_float(
            "notification_processing_duration", "From claim to final status", "s"
        )
        self._processed = meter.create_counter(
            "notification_processing", "Notifications that reached a final status"
        )
        self._triggers = meter.create_counter("novu_trigger", "Trigger calls by outcome")
        self._rendering = meter.create_histogram_float(
            "template_render_duration", "Rendering of one notification", "s"
        )
        self._rules = meter.create_counter(
            "rule_execution_count", "Occurrences of rules by verdict"
        )
        self._monitors = meter.create_gauge(
            "active_monitoring_workflows", "Monitors that this worker runs"
        )
        self._unreached = meter.create_counter(
            "notification_unreached", "Notifications that Novu accepted and that did not all arrive"
        )
        self._foreign = meter.create_gauge(
            "foreign_claims", "Rows that another installation holds and does not end"
        )
        self._running = 0

    def processed(
        self, enterprise_id: str, status: NotificationStatus, seconds: float | None
    ) -> None:
        labels = {"enterprise": enterprise_id, "status": status.value}
        self._processed.add(1, labels)
        if seconds is not None:
            self._duration.record(seconds, labels)

    def triggered(self, enterprise_id: str, *, accepted: bool) -> None:
        self._triggers.add(
            1, {"enterprise": enterprise_id, "outcome": "accepted" if accepted else "failed"}
        )

    def rendered(self, seconds: float) -> None:
        self._rendering.record(seconds)

    def fed(self, enterprise_id: str, problem: str | None) -> None:
        """The feed was read to its end; `problem` when somebody did not receive it."""
        if problem is not None:
            self._unreached.add(1, {"enterprise": enterprise_id, "reason": problem})

    def foreign(self, enterprise_id: str, count: int) -> None:
        self._foreign.set(count, {"enterprise": enterprise_id})

    def evaluated(self, enterprise_id: str, verdict: str) -> None:
        self._rules.add(1, {"enterprise": enterprise_id, "verdict": verdict})

    def monitors(self, change: int) -> None:
        """A monitor's activity began (+1) or ended (-1) here."""
        self._running += change
        self._monitors.set(self._running)
