"""How it is seen that a server works, for those that answer HTTP. Each probe raises until it does."""

import ssl
from collections.abc import Mapping
from typing import Final

import httpx

from xnovu_dev.process import Probe

TIMEOUT_SECONDS: Final = 3.0


def http_ok(
    url: str, tls: ssl.SSLContext | None = None, headers: Mapping[str, str] | None = None
) -> Probe:
    """GET `url` answers with a success. `tls`: how to speak https; plain http needs none."""

    async def probe() -> None:
        # An empty context, not the default one: reading the machine's authorities takes longer than the probe.
        verify = tls or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        async with httpx.AsyncClient(
            verify=verify, timeout=TIMEOUT_SECONDS, trust_env=False
        ) as http:
            (await http.get(url, headers=headers)).raise_for_status()

    return probe
