"""Settings of the operator and the worker, from environment variables with the prefix `XNOVU_`.

Read once, in `xnovu.__main__`, and passed down; nothing below reads the environment. A nested setting is spelled with
two underscores: `XNOVU_TEMPORAL__ADDRESS`. *Settings* are of a process; what an enterprise wants is *configuration*
and comes from its Enterprise object. `xnovu check-config` prints them, secrets hidden.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Group(BaseModel):
    """Base of the setting groups."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class TemporalSettings(Group):
    """Where Temporal is."""

    address: str = "127.0.0.1:7233"
    """host:port of the frontend."""

    namespace: str = "default"
    """Temporal namespace of this installation; one per environment."""

    task_queue: str = "xnovu-notifications"
    """Queue that the worker serves and that everything is started on. Must be the same in both processes."""

    tls: bool = False
    """Use TLS; implied by a client certificate or an API key."""

    tls_ca_file: Path | None = None
    """PEM of the authority that signed the frontend's certificate; absent: the system's."""

    tls_cert_file: Path | None = None
    """PEM of the client certificate, for mTLS."""

    tls_key_file: Path | None = None
    """PEM of the client certificate's key."""

    api_key: SecretStr | None = None
    """API key of Temporal Cloud."""

    codec_keys_dir: Path | None = None
    """Folder with the keys that encrypt what Temporal keeps: a file a key, named as its id, 32 bytes in base64. Absent: plain."""

    codec_active_key: str | None = None
    """Id of the key that encrypts. Absent, with a folder: nothing is encrypted, what was is still read; the first step
    of switching encryption on, and the last of switching it off. Must be the same in both processes."""

    manage_namespace: bool = True
    """Let the operator register the namespace and the search attributes that XNovu needs, where it may."""


class SupabaseSettings(Group):
    """The installation's default database, for enterprises that name no secret of their own."""

    url: str | None = None
    """Base URL of the project; PostgREST is found under `/rest/v1`."""

    service_role_key: SecretStr | None = None
    """JWT with the service_role."""


class NovuSettings(Group):
    """The installation's default Novu environment, for enterprises that name no secret of their own."""

    api_url: str = "https://api.novu.co"
    """Base URL of Novu's API."""

    secret_key: SecretStr | None = None
    """Secret key of the Novu environment."""


class OperatorSettings(Group):
    """The operator process."""

    namespaces: tuple[str, ...] = ()
    """Namespaces to watch; empty: all of them."""

    install_namespace: str = "xnovu-system"
    """Namespace of the installation; the projected credentials of enterprises are kept there."""

    resync_seconds: float = Field(default=30.0, ge=1)
    """How often an object's state is compared with Temporal without an event; also the age of its status."""

    metrics_port: int = 8080
    """Port of `/metrics`; 0 picks a free one."""

    health_port: int = 8081
    """Port of `/healthz`."""

    bind_address: str = "127.0.0.1"
    """Address that the metrics and health ports listen on; a pod sets 0.0.0.0."""


class WorkerSettings(Group):
    """The worker process."""

    credentials_dir: Path | None = None
    """Folder with the credentials of enterprises, one file a value: `<enterprise id>.<system>.<key>`."""

    metrics_port: int = 9464
    """Port of `/metrics`."""

    health_port: int = 9465
    """Port of `/healthz` and `/readyz`."""

    bind_address: str = "127.0.0.1"
    """Address that the metrics and health ports listen on; a pod sets 0.0.0.0."""

    max_concurrent_activities: int = 500
    """Regular activities at once; a monitor of an enterprise holds one, so four per enterprise and some."""

    batch_above: int = Field(default=20, ge=0)
    """Due rows found within a second by this process, of all enterprises, above which they are delivered in batches."""

    max_concurrent_local_activities: int = 20
    """Deliveries at once in the single lane, of all tenants. What is more waits in Temporal; a backlog goes in batches."""

    max_cached_workflows: int = 400
    """Workflows kept in memory between tasks."""

    graceful_shutdown_seconds: float = 8.0
    """How long running activities may finish after SIGTERM; below the 10 s in which the process must be gone."""

    verify_delay_seconds: float = 10.0
    """How long Novu's own queue may lag: an unclear send is looked for this long before it is sent again."""

    feed_check_seconds: tuple[Annotated[float, Field(gt=0)], ...] = (60.0, 600.0, 3600.0)
    """When Novu's activity feed is asked what became of a notification, in seconds after it was sent; empty: never."""

    claim_lease_seconds: int = 300
    """After this a PROCESSING row without news is looked at by the sweeper."""

    sweep_seconds: float = 10.0
    """How often a poll looks for such rows and wakes the sweeper."""


class CodecServerSettings(Group):
    """The codec server, by which Temporal's UI and command line show encrypted payloads to people who may see them."""

    bind_address: str = "127.0.0.1"
    """Address to listen on. One that is not loopback needs an access token."""

    port: int = 8466
    """Port to listen on; 0 picks a free one."""

    ui_origin: str | None = None
    """Origin of Temporal's UI, such as `https://temporal.example.com`: the one web page that may ask. Absent: none may."""

    access_token: SecretStr | None = None
    """What a caller must send as `Authorization: Bearer …`. Absent: whoever reaches the port may ask."""


class LogSettings(Group):
    """Logs of both processes, on standard error."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """Least severe level that is written."""

    format: Literal["json", "text"] = "json"
    """json: one object a line; text: for people."""


class Settings(BaseSettings):
    """All settings of a process."""

    model_config = SettingsConfigDict(
        env_prefix="XNOVU_",
        env_nested_delimiter="__",
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
    )

    temporal: TemporalSettings = TemporalSettings()
    supabase: SupabaseSettings = SupabaseSettings()
    novu: NovuSettings = NovuSettings()
    operator: OperatorSettings = OperatorSettings()
    worker: WorkerSettings = WorkerSettings()
    codec_server: CodecServerSettings = CodecServerSettings()
    log: LogSettings = LogSettings()
