"""The connection to Temporal, and what its namespace must have. Called by the operator and the worker.

Payloads are pydantic models in JSON, encrypted where keys are set (`xnovu.adapters.codec`). A client connects when it is
asked to; whoever calls retries.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import (
    AddSearchAttributesRequest,
    ListSearchAttributesRequest,
)
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, RegisterNamespaceRequest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter, DefaultFailureConverterWithEncodedAttributes
from temporalio.runtime import Runtime
from temporalio.service import KeepAliveConfig, RPCError, RPCStatusCode, TLSConfig

from xnovu.adapters.codec import codec_of
from xnovu.core import ids
from xnovu.core.errors import TemporalUnavailable, clip
from xnovu.core.ids import SEARCH_ATTRIBUTES
from xnovu.settings import TemporalSettings

RETENTION: Final = timedelta(days=3)
"""How long closed workflows stay visible in a namespace that we register; the server's own default."""

TIMEOUT: Final = timedelta(seconds=5)

KEEP_ALIVE: Final = KeepAliveConfig(interval_millis=12_000, timeout_millis=5_000)
"""How soon a connection that died without a word is given up: the SDK's 45 s are longer than a monitor's heartbeat.

Not below 10 s: Temporal's frontend calls that too many pings (frontend.keepAliveMinTime).
"""


async def connect(settings: TemporalSettings, *, runtime: Runtime | None = None) -> Client:
    """A connected client. Raises TemporalUnavailable, and SettingsInvalid for keys that cannot be used."""
    converter = data_converter(settings)
    try:
        return await Client.connect(
            settings.address,
            namespace=settings.namespace,
            api_key=settings.api_key.get_secret_value() if settings.api_key else None,
            tls=_tls(settings),
            data_converter=converter,
            runtime=runtime,
            keep_alive_config=KEEP_ALIVE,
        )
    except (RuntimeError, RPCError) as error:
        raise TemporalUnavailable(
            f"Temporal at {settings.address} did not answer: {clip(str(error))}"
        ) from None


def data_converter(settings: TemporalSettings) -> DataConverter:
    """How values become payloads and back. Raises SettingsInvalid."""
    codec = codec_of(settings)
    if codec is None:
        return pydantic_data_converter
    if not codec.seals:
        return replace(pydantic_data_converter, payload_codec=codec)
    return replace(
        pydantic_data_converter,
        payload_codec=codec,
        # A failure's message quotes what other systems said; unlike its type it is content.
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )


def _tls(settings: TemporalSettings) -> TLSConfig | bool:
    if not (settings.tls or settings.tls_cert_file or settings.tls_ca_file or settings.api_key):
        return False
    ca, cert, key = settings.tls_ca_file, settings.tls_cert_file, settings.tls_key_file
    return TLSConfig(
        server_root_ca_cert=ca.read_bytes() if ca else None,
        client_cert=cert.read_bytes() if cert else None,
        client_private_key=key.read_bytes() if key else None,
    )


async def ensure_namespace(client: Client, *, manage: bool) -> None:
    """Register the namespace where it is missing and we may. Idempotent. Raises TemporalUnavailable."""
    try:
        await client.workflow_service.describe_namespace(
            DescribeNamespaceRequest(namespace=client.namespace), timeout=TIMEOUT
        )
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND or not manage:
            raise TemporalUnavailable(
                f"Temporal namespace {client.namespace!r} is not usable: {clip(error.message)}"
            ) from None
        request = RegisterNamespaceRequest(namespace=client.namespace)
        request.workflow_execution_retention_period.FromTimedelta(RETENTION)
        await client.workflow_service.register_namespace(request, timeout=TIMEOUT)


async def installation(client: Client) -> str:
    """Who we are towards a database (`ids.installation_id`). Raises TemporalUnavailable."""
    try:
        found = await client.workflow_service.describe_namespace(
            DescribeNamespaceRequest(namespace=client.namespace), timeout=TIMEOUT
        )
    except RPCError as error:
        raise TemporalUnavailable(
            f"Temporal namespace {client.namespace!r} cannot be described: {clip(error.message)}"
        ) from None
    return ids.installation_id(client.namespace, found.namespace_info.id)


async def ensure_search_attributes(client: Client, *, manage: bool) -> None:
    """Register what is missing of `ids.SEARCH_ATTRIBUTES`. Idempotent.

    Raises TemporalUnavailable, naming what is missing, where we may not or Temporal refuses.
    """
    try:
        known = await client.operator_service.list_search_attributes(
            ListSearchAttributesRequest(namespace=client.namespace), timeout=TIMEOUT
        )
        missing = [n for n in SEARCH_ATTRIBUTES if n not in known.custom_attributes]
        if not missing:
            return
        if not manage:
            raise TemporalUnavailable(
                f"the Temporal namespace {client.namespace!r} lacks the Keyword search attributes"
                f" {', '.join(missing)}: add them"
            )
        keyword = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
        await client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(
                namespace=client.namespace, search_attributes=dict.fromkeys(missing, keyword)
            ),
            timeout=TIMEOUT,
        )
    except RPCError as error:
        if error.status is RPCStatusCode.ALREADY_EXISTS:
            return
        raise TemporalUnavailable(
            f"search attributes of {client.namespace!r} could not be prepared: {clip(error.message)}"
        ) from None
