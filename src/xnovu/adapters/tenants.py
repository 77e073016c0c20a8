"""Clients of the systems of an enterprise, made on demand: implements `xnovu_activities.ports.Tenants`.

Enterprises that share a database share its gateway, and with it their polls. Clients are kept by address and key: a
rotated key gives a new client. Called by the worker; one instance a process and event loop.
"""

from collections import OrderedDict
from types import TracebackType
from typing import Final, Self

from xnovu.adapters import novu, supabase
from xnovu.adapters.circuit import Circuit
from xnovu.adapters.credentials import CredentialStore
from xnovu.adapters.novu import NovuClient
from xnovu.adapters.supabase import PostgrestGateway, SupabaseDatabase
from xnovu.core.contracts.common import EnterpriseRef
from xnovu.core.errors import ConfigurationError
from xnovu.settings import Settings

KEPT: Final = 1000
"""Gateways kept before the oldest is forgotten: rotated keys must not add up."""


class EnterpriseTenants:
    """Hands out clients that can reach one enterprise's systems and no other's. Use as an async context manager."""

    def __init__(self, settings: Settings) -> None:
        self._credentials = CredentialStore(settings)
        self._lease = settings.worker.claim_lease_seconds
        self._database_http = supabase.http_client()
        self._novu_http = novu.http_client()
        self._feed = next(iter(settings.worker.feed_check_seconds), None)
        self._circuits: OrderedDict[tuple[str, str], Circuit] = OrderedDict()
        self._gateways: OrderedDict[tuple[str, str], PostgrestGateway] = OrderedDict()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._database_http.aclose()
        await self._novu_http.aclose()

    def database(self, enterprise: EnterpriseRef) -> SupabaseDatabase:
        found = self._credentials.supabase(enterprise)
        identity = (found.url, found.key.get_secret_value())
        gateway = self._gateways.pop(identity, None)
        if gateway is None:
            gateway = PostgrestGateway(self._database_http, *identity)
        self._gateways[identity] = gateway
        if len(self._gateways) > KEPT:
            self._gateways.popitem(last=False)
        return SupabaseDatabase(gateway, enterprise.id, self._lease, self._feed)

    def novu(self, enterprise: EnterpriseRef) -> NovuClient:
        found = self._credentials.novu(enterprise)
        identity = (found.url, found.key.get_secret_value())
        return NovuClient(self._novu_http, *identity, circuit=self._circuit(identity))

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
