"""Clients of the systems of an enterprise, made on demand: implements `xnovu_activities.ports.Tenants`.

Enterprises that share a database share its gateway, and with it their polls. Clients are kept by address and key: a
rotated key gives a new client. Called by the worker and the command line; one instance a process and event loop.
"""

from collections import OrderedDict
from types import TracebackType
from typing import Final, Self

from xnovu.adapters import novu, operations, supabase
from xnovu.adapters.credentials import CredentialStore
from xnovu.adapters.novu import NovuClient
from xnovu.adapters.operations import Operations
from xnovu.adapters.supabase import PostgrestGateway, SupabaseDatabase
from xnovu.core.contracts.common import EnterpriseRef
from xnovu.settings import Settings

KEPT: Final = 1000
"""Gateways kept before the oldest is forgotten: rotated keys must not add up."""

INSTALLATION: Final = EnterpriseRef(id="")
"""For the systems of the installation itself. No row is of it."""


class EnterpriseTenants:
    """Hands out clients that can reach one enterprise's systems and no other's. Use as an async context manager."""

    def __init__(self, settings: Settings) -> None:
        self._credentials = CredentialStore(settings)
        self._lease = settings.worker.claim_lease_seconds
        self._database_http = supabase.http_client()
        self._novu_http = novu.http_client()
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
        return SupabaseDatabase(self._gateway(enterprise), enterprise.id, self._lease)

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
        if len(self._gateways) > KEPT:
            self._gateways.popitem(last=False)
        return gateway

    def novu(self, enterprise: EnterpriseRef) -> NovuClient:
        found = self._credentials.novu(enterprise)
        return NovuClient(self._novu_http, found.url, found.key.get_secret_value())
