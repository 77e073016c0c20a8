"""The operator process: custom resources in, workflows and Schedules out. It decides and never delivers.

Wires kopf (watching only), the queue and the clients. Called by `xnovu operator`. Leaves with 0 on SIGTERM; what was
begun is found again by the next process, because every pass starts from what is there.
"""

import asyncio
import logging
import random
from typing import Final

import kopf
from prometheus_client import start_http_server

from xnovu.adapters.temporal import (
    connect,
    data_converter,
    ensure_namespace,
    ensure_search_attributes,
)
from xnovu.core.api.v1alpha1 import ENTERPRISE, NOTIFICATION_RULE
from xnovu.core.errors import TemporalUnavailable, XNovuError
from xnovu.settings import Settings
from xnovu.telemetry import health_server, set_up_logs
from xnovu_operator.api import KubernetesApi, KubernetesUnavailable
from xnovu_operator.credentials import Projection
from xnovu_operator.handlers import Handlers
from xnovu_operator.queue import Queue
from xnovu_operator.reconcile import Reconciler
from xnovu_operator.store import Key, KindName, Store, key_in
from xnovu_operator.temporal import EnterpriseWorkflows

STUCK_SECONDS: Final = 30.0
"""The event loop turns many times a second; one that has not for this long is dead."""

_KINDS: Final[dict[str, KindName]] = {
    ENTERPRISE.plural: "Enterprise",
    NOTIFICATION_RULE.plural: "NotificationRule",
}
_log: Final = logging.getLogger("xnovu.operator")


class Work:
    """A pass, once Temporal and the API server were reached; until then a reason why not."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings = settings
        self._store = store
        self._lock = asyncio.Lock()
        self._knows_all = False
        self._reconciler: Reconciler | None = None
        self._unprepared: str | None = "Temporal was not reached yet"
        self.kubernetes: KubernetesApi | None = None
        self.queue: Queue | None = None

    async def __call__(self, key: Key) -> float | None:
        """One pass; answers when to look again, in seconds, where that is soon."""
        await self._listed()
        if await Reconciler.let_go(self._store, self._api(), key):
            return None
        reconciler = await self._prepared(key)
        return await reconciler.reconcile(key)

    async def _listed(self) -> None:
        """Know all objects before the first decision: a rule whose Enterprise was not listed yet has one all the same."""
        async with self._lock:
            if self._knows_all:
                return
            for plural, kind in _KINDS.items():
                async for body in self._api().every(plural, self._settings.operator.namespaces):
                    key = key_in(kind, body)
                    if key not in self._store.objects:
                        self._store.put(key, body)
            self._knows_all = True

    @property
    def problem(self) -> str | None:
        return self._unprepared

    async def _prepared(self, key: Key) -> Reconciler:
        async with self._lock:
            if self._reconciler is None:
                try:
                    self._reconciler = await self._prepare()
                    self._unprepared = None
                except XNovuError as error:
                    self._unprepared = error.message
                    await self._say_unprepared(key, error)
                    raise
            return self._reconciler

    async def _prepare(self) -> Reconciler:
        given = self._settings.temporal
        api = self._api()
        client = await connect(given)
        await ensure_namespace(client, manage=given.manage_namespace)
        await ensure_search_attributes(client, manage=given.manage_namespace)
        workflows = EnterpriseWorkflows(client, given.task_queue)
        cluster = await api.cluster_id()
        projection = Projection(api, self._settings.operator.install_namespace)
        if self.queue is None:
            raise TemporalUnavailable("the operator is still starting")
        return Reconciler(self._store, api, workflows, projection, cluster, self.queue.wake)

    async def _say_unprepared(self, key: Key, error: XNovuError) -> None:
        """The reason stands on the object, not only in our log."""
        await Reconciler.say_waiting(self._store, self._api(), key, error)

    def _api(self) -> KubernetesApi:
        if self.kubernetes is None:
            self.kubernetes = KubernetesApi(_connected)
        return self.kubernetes


def run(settings: Settings) -> int:
    """Work until SIGTERM or SIGINT; answers the exit code."""
    set_up_logs(settings.log)
    # Keys that cannot be used end the process here, with a line that says why.
    data_converter(settings.temporal)
    # So does a cluster that nobody names; one that is away is waited for.
    _connected()
    return asyncio.run(_main(settings))


async def _main(settings: Settings) -> int:
    given = settings.operator
    loop = asyncio.get_running_loop()
    store = Store()
    work = Work(settings, store)
    queue = work.queue = Queue(work, given.resync_seconds, random.Random())  # noqa: S311 - spreads resyncs, keeps no secret
    registry = kopf.OperatorRegistry()
    Handlers(store, queue).register(registry)
    kopf.on.login(registry=registry)(_login)

    async def close(**_: object) -> None:
        await queue.close()

    # Before kopf looks for tasks that are left: it would wait 5 s for each of ours that only waits.
    kopf.on.cleanup(registry=registry)(close)
    metrics, _ = start_http_server(given.metrics_port, addr=given.bind_address)
    beat = {"at": loop.time()}
    pulse = asyncio.create_task(_pulse(beat))

    def alive() -> str | None:
        return "the event loop stands still" if loop.time() - beat["at"] > STUCK_SECONDS else None

    try:
        async with health_server(
            given.bind_address, given.health_port, alive=alive, ready=lambda: work.problem
        ):
            _log.info("watching %s", ", ".join(given.namespaces) or "all namespaces")
            # kopf takes SIGTERM and SIGINT itself and returns then; a task of its own that fails is raised.
            await kopf.operator(
                registry=registry,
                settings=_kopf_settings(),
                standalone=True,
                clusterwide=not given.namespaces,
                namespaces=list(given.namespaces),
            )
    finally:
        pulse.cancel()
        await queue.close()
        if work.kubernetes is not None:
            await work.kubernetes.aclose()
        metrics.shutdown()
    _log.info("stopped")
    return 0


async def _pulse(beat: dict[str, float]) -> None:
    loop = asyncio.get_running_loop()
    while True:
        beat["at"] = loop.time()
        await asyncio.sleep(1)


def _kopf_settings() -> kopf.OperatorSettings:
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.scanning.disabled = False
    # A watch that is silent for longer is opened anew: some networks drop it without a word.
    settings.watching.server_timeout = 300
    settings.watching.client_timeout = 330
    settings.networking.request_timeout = 30
    return settings


async def _login(**_: object) -> kopf.ConnectionInfo | None:
    return _connection()


def _connected() -> kopf.ConnectionInfo:
    connection = _connection()
    if connection is None:
        raise KubernetesUnavailable("no Kubernetes API: set KUBECONFIG, or run in a pod")
    return connection


def _connection() -> kopf.ConnectionInfo | None:
    """In a pod its service account, else KUBECONFIG."""
    settings = kopf.OperatorSettings()
    return kopf.login_with_service_account(settings=settings) or kopf.login_with_kubeconfig(
        settings=settings
    )
