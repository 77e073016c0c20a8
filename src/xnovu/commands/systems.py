"""How a command finds the systems of an enterprise: with the worker's settings, or those of a local stack that is up.

Whose credentials an enterprise uses is what its running monitor says. Where Temporal does not answer or no monitor
runs, the files in XNOVU_WORKER__CREDENTIALS_DIR say it: who has some uses them. Called by every command of this package.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from uuid import UUID

from temporalio.client import Client

from xnovu.adapters.runs import config_of
from xnovu.adapters.temporal import connect
from xnovu.adapters.tenants import EnterpriseTenants
from xnovu.commands.common import read_settings
from xnovu.commands.stack_file import stack_file, with_stack
from xnovu.core.contracts.common import CredentialSource, EnterpriseRef
from xnovu.core.contracts.orchestration import EnterpriseConfig
from xnovu.core.errors import DatabaseUnavailable, SettingsInvalid, TemporalUnavailable
from xnovu.settings import Settings

TEMPORAL_SECONDS: Final = 5.0
"""How long a command waits for Temporal before it goes on without it."""


@dataclass(frozen=True, slots=True)
class Enterprise:
    """One tenant. `config`: what its monitor works with; None with a `problem` where Temporal did not say it."""

    ref: EnterpriseRef
    config: EnterpriseConfig | None
    problem: str | None

    @property
    def id(self) -> str:
        return self.ref.id


@dataclass(slots=True)
class Systems:
    """Temporal, and the clients of each enterprise."""

    settings: Settings
    tenants: EnterpriseTenants
    _client: Client | None = field(default=None, init=False)

    async def temporal(self) -> Client:
        """Connected once. Raises TemporalUnavailable."""
        if self._client is None:
            address = self.settings.temporal.address
            try:
                async with asyncio.timeout(TEMPORAL_SECONDS):
                    self._client = await connect(self.settings.temporal)
            except TimeoutError:
                raise TemporalUnavailable(
                    f"Temporal at {address} did not answer in {TEMPORAL_SECONDS:.0f} s"
                ) from None
            except OSError as error:
                raise SettingsInvalid(
                    f"a file that XNOVU_TEMPORAL__* names cannot be read: {error.strerror}"
                ) from None
        return self._client

    async def enterprise(self, given: str | None, notification_id: int | None = None) -> Enterprise:
        """The enterprise as named, else the one that the notification is of. Raises SettingsInvalid."""
        if given is not None:
            enterprise_id = enterprise_uuid(given)
        elif notification_id is not None:
            enterprise_id = await self.tenants.enterprise_of(notification_id)
        else:
            raise SettingsInvalid(
                "no enterprise is named: add --enterprise ID or set XNOVU_ENTERPRISE;"
                " `kubectl get enterprises -A -o wide` shows the ids"
            )
        try:
            config = await config_of(await self.temporal(), enterprise_id)
        except TemporalUnavailable as error:
            return Enterprise(by_files(self.settings, enterprise_id), None, error.message)
        if config is None:
            return Enterprise(by_files(self.settings, enterprise_id), None, None)
        return Enterprise(config.enterprise, config, None)


@asynccontextmanager
async def open_systems(home: Path | None) -> AsyncIterator[Systems]:
    """Systems as the environment says, else as the local stack of `home` says. Raises SettingsInvalid.

    A database that does not answer is told with where its address came from.
    """
    given, file = read_settings(), stack_file(home)
    settings = find_settings(given, file)
    async with EnterpriseTenants(settings) as tenants:
        try:
            yield Systems(settings, tenants)
        except DatabaseUnavailable as error:
            raise DatabaseUnavailable(
                f"{error.message}; it was asked where {_source(given, file)}"
            ) from None


def find_settings(settings: Settings, file: Path) -> Settings:
    """What the environment says wins: a stack that happens to be up must not answer for another installation."""
    if _names_an_installation(settings):
        return settings
    found = with_stack(settings, file)
    if found is None:
        raise SettingsInvalid(
            "no database is known: set XNOVU_SUPABASE__URL and XNOVU_SUPABASE__SERVICE_ROLE_KEY (or"
            " XNOVU_WORKER__CREDENTIALS_DIR) as the worker has them, or start the local stack with `xnovu up`"
        )
    return found


def _names_an_installation(settings: Settings) -> bool:
    said = (settings.supabase.url, settings.worker.credentials_dir, settings.novu.secret_key)
    return any(value is not None for value in said)


def _source(settings: Settings, file: Path) -> str:
    if not _names_an_installation(settings):
        return f"{file} says: `xnovu status` tells what runs"
    if settings.worker.credentials_dir is None:
        return "XNOVU_SUPABASE__URL says: check the address, and that it runs"
    return (
        "XNOVU_SUPABASE__URL or the enterprise's file in XNOVU_WORKER__CREDENTIALS_DIR says:"
        " check the address, and that it runs"
    )


def enterprise_uuid(text: str) -> str:
    """The id as rows have it. Raises SettingsInvalid."""
    try:
        return str(UUID(text))
    except ValueError:
        raise SettingsInvalid(
            "--enterprise is no UUID: write spec.enterpriseId of the Enterprise"
        ) from None


def by_files(settings: Settings, enterprise_id: str) -> EnterpriseRef:
    """Whose credentials, told by which files are there."""
    folder = settings.worker.credentials_dir

    def source(system: str) -> CredentialSource:
        own = folder is not None and any(folder.glob(f"{enterprise_id}.{system}.*"))
        return CredentialSource.ENTERPRISE if own else CredentialSource.INSTALLATION

    return EnterpriseRef(id=enterprise_id, supabase=source("supabase"), novu=source("novu"))
