"""Clients of the systems of an enterprise, made on demand: implements `xnovu_activities.ports.Tenants`.

Enterprises that share a database share its gateway, and with it their polls; those that share a
Novu environment share its rate limit. Clients are kept by address and key: a
rotated key gives a new client at the next call, and the one with the old key is dropped when its last enterprise has
left it. Called by the worker and the command line; one instance a process and event loop.
"""

from collections import OrderedDict
from types import TracebackType
from typing import Final, Self

from xnovu.adapters import novu, operations, supabase
from xnovu.adapters.circuit import Circuit
from xnovu.adapters.credentials import CredentialStore
from xnovu.adapters.limits import EnvironmentLimits
from xnovu.adapters.novu import NovuClient
from xnovu.adapters.operations import Operations
from xnovu.adapters.supabase import PostgrestGateway, SupabaseDatabase
from xnovu.core.contracts.common import EnterpriseRef
from xnovu.core.errors import ConfigurationError
from xnovu.settings import Settings

KEPT: Final = 1000
"""Gateways kept before the one used longest ago is forgotten: enterprises that are gone must not add up."""

_Identity = tuple[str, str]

INSTALLATION: Final = EnterpriseRef(id="")
"""For the systems of the installation itself. No row is of it."""


class EnterpriseTenants:
    """Hands out clients that can reach one enterprise's systems and no other's. Use as an async context manager."""

    def __init__(self, settings: Settings) -> None:
        self._credentials = CredentialStore(settings)
        self._lease = settings.worker.claim_lease_seconds
        self._database_http = supabase.http_client()
        self._novu_http = novu.http_client()
        self._feed = next(iter(settings.worker.feed_check_seconds), None)
        self._circuits: OrderedDict[_Identity, Circuit] = OrderedDict()
        self._gateways: OrderedDict[_Identity, PostgrestGateway] = OrderedDict()
        self._users: dict[_Identity, set[str]] = {}
        self._used: dict[str, _Identity] = {}
        self._limits: OrderedDict[_Identity, EnvironmentLimits] = OrderedDict()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._database_http.aclose()
        await self._novu_http.close()

    def database(self, enterprise: EnterpriseRef) -> SupabaseDatabase:
        return SupabaseDatabase(self._gateway(enterprise), enterprise.id, self._lease, self._feed)

    def operations(self, enterprise: EnterpriseRef) -> Operations:
        """What people do by hand; raises CredentialsMissing."""
        return Operations(self._gateway(enterprise), enterprise.id)

    async def enterprise_of(self, notification_id: int) -> str:
        """Whose a notification of the installation's database is. Raises NotificationNotFound, CredentialsMissing."""
        return await operations.enterprise_of(self._gateway(INSTALLATION), notification_id)

    def _gateway(self, enterprise: EnterpriseRef) -> PostgrestGateway:
        found = self._credentials.supabase(enterprise)
        identity = (found.url, found.key.get_secret_value())
        gateway = self._gateways.pop(identity, None)
        if gateway is None:
            gateway = PostgrestGateway(self._database_http, *identity)
        self._gateways[identity] = gateway
        self._moved(enterprise.id, identity)
        if len(self._gateways) > KEPT:
            self._drop(next(iter(self._gateways)))
        return gateway

    def _moved(self, enterprise_id: str, identity: _Identity) -> None:
        """Forget the key that an enterprise had before, with its client, where nobody else has it."""
        before = self._used.get(enterprise_id)
        if before == identity:
            return
        self._used[enterprise_id] = identity
        self._users.setdefault(identity, set()).add(enterprise_id)
        if before is not None and before in self._users:
            self._users[before].discard(enterprise_id)
            if not self._users[before]:
                self._drop(before)

    def _drop(self, identity: _Identity) -> None:
        self._gateways.pop(identity, None)
        for enterprise_id in self._users.pop(identity, ()):
            self._used.pop(enterprise_id, None)

    def novu(self, enterprise: EnterpriseRef) -> NovuClient:
        found = self._credentials.novu(enterprise)
        identity = (found.url, found.key.get_secret_value())
        return NovuClient(
            self._novu_http,
            *identity,
            circuit=self._circuit(identity),
            limits=self._limit(identity),
            tenant=enterprise.id,
        )

    def trouble(self, enterprise: EnterpriseRef) -> ConfigurationError | None:
        try:
            found = self._credentials.novu(enterprise)
        except ConfigurationError as missing:
            return missing
        return self._circuit((found.url, found.key.get_secret_value())).trouble()

    def _circuit(self, identity: tuple[str, str]) -> Circuit:
        """Enterprises that use one key share its circuit: refused for one is refused for all."""
        circuit = self._circuits.pop(identity, None) or Circuit()
        self._circuits[identity] = circuit
        if len(self._circuits) > KEPT:
            self._circuits.popitem(last=False)
        return circuit

    def _limit(self, identity: _Identity) -> EnvironmentLimits:
        """Enterprises that use one key share its rate limit."""
        limits = self._limits.pop(identity, None) or EnvironmentLimits()
        self._limits[identity] = limits
        if len(self._limits) > KEPT:
            self._limits.popitem(last=False)
        return limits
