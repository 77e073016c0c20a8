"""Where the credentials of an enterprise come from: the installation's settings, or files that name the enterprise.

The source is said by the enterprise's configuration. What is missing is an error, never a reason to use another
source: a tenant without its secret must not send through somebody else's account. Files are read at every use; they are
small, and a rotated secret is in force at once. Called by `xnovu.adapters.tenants`.
"""

from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import SecretStr

from xnovu.core.contracts.common import CredentialSource, EnterpriseRef
from xnovu.core.errors import CredentialsMissing
from xnovu.settings import Settings


@dataclass(frozen=True, slots=True)
class Credentials:
    """A base URL and its key. The key shows as stars wherever it is printed."""

    url: str
    key: SecretStr


class CredentialStore:
    """Looks credentials up. Holds no secret but the settings that it was given."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def supabase(self, enterprise: EnterpriseRef) -> Credentials:
        """Raises CredentialsMissing, naming the setting or the key of the secret."""
        if enterprise.supabase is CredentialSource.ENTERPRISE:
            return self._of_enterprise(enterprise.id, "supabase", "url", "serviceRoleKey")
        ours = self._settings.supabase
        return _of_installation(
            ours.url,
            ours.service_role_key,
            "XNOVU_SUPABASE__URL",
            "XNOVU_SUPABASE__SERVICE_ROLE_KEY",
        )

    def novu(self, enterprise: EnterpriseRef) -> Credentials:
        """Raises CredentialsMissing, naming the setting or the key of the secret."""
        if enterprise.novu is CredentialSource.ENTERPRISE:
            return self._of_enterprise(enterprise.id, "novu", "apiUrl", "secretKey")
        ours = self._settings.novu
        return _of_installation(
            ours.api_url, ours.secret_key, "XNOVU_NOVU__API_URL", "XNOVU_NOVU__SECRET_KEY"
        )

    def _of_enterprise(self, enterprise_id: str, system: str, url: str, key: str) -> Credentials:
        return _checked(
            self._read(enterprise_id, system, url),
            SecretStr(self._read(enterprise_id, system, key)),
            f"the {system} secret's {url}",
            f"the {system} secret's {key}",
        )

    def _read(self, enterprise_id: str, system: str, key: str) -> str:
        folder = self._settings.worker.credentials_dir
        try:
            if folder is None:
                raise FileNotFoundError
            # Whoever may start a workflow names the enterprise: it must not lead to another file.
            text = (folder / f"{UUID(enterprise_id)}.{system}.{key}").read_text("utf-8").strip()
        except (OSError, ValueError):
            text = ""
        if not text:
            raise CredentialsMissing(
                f"the key {key} of the enterprise's {system} secret has not reached the worker:"
                f" see the Enterprise's conditions and XNOVU_WORKER__CREDENTIALS_DIR"
            )
        return text


def _of_installation(
    url: str | None, key: SecretStr | None, url_name: str, key_name: str
) -> Credentials:
    if not url:
        raise CredentialsMissing(f"{url_name} is not set and the enterprise names no secret")
    if key is None or not key.get_secret_value():
        raise CredentialsMissing(f"{key_name} is not set and the enterprise names no secret")
    return _checked(url, key, url_name, key_name)


def _checked(url: str, key: SecretStr, url_name: str, key_name: str) -> Credentials:
    """Refuse what no request can be made of: the HTTP client's own errors would show it."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        usable = False
    if not usable:
        raise CredentialsMissing(f"{url_name} is no http or https address")
    text = key.get_secret_value()
    if not text.isascii() or not text.isprintable() or " " in text:
        raise CredentialsMissing(f"{key_name} holds characters that no key has")
    return Credentials(url, key)
