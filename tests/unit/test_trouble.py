"""Why an enterprise's Novu cannot be spoken to: told to the monitors without asking, and over when the key is replaced."""

from pathlib import Path

from pydantic import SecretStr

from xnovu.adapters.tenants import EnterpriseTenants
from xnovu.core.contracts.common import CredentialSource, EnterpriseRef
from xnovu.core.errors import CredentialsMissing, CredentialsRejected
from xnovu.settings import NovuSettings, Settings, WorkerSettings

ID = "3f0b8a52-9c0e-4a7d-8d55-0d6a1c3f2b10"
OWN = EnterpriseRef(id=ID, novu=CredentialSource.ENTERPRISE)
OURS = EnterpriseRef(id="8d55aaaa-9c0e-4a7d-8d55-0d6a1c3f2b10")


def written(folder: Path, key: str) -> None:
    (folder / f"{ID}.novu.apiUrl").write_text("http://novu.example")
    (folder / f"{ID}.novu.secretKey").write_text(key)


async def test_a_refused_key_is_the_trouble_of_those_that_use_it(tmp_path: Path) -> None:
    settings = Settings(
        novu=NovuSettings(api_url="http://novu.example", secret_key=SecretStr("ours")),
        worker=WorkerSettings(credentials_dir=tmp_path),
    )
    async with EnterpriseTenants(settings) as tenants:
        assert isinstance(tenants.trouble(OWN), CredentialsMissing)
        written(tmp_path, "revoked")
        assert tenants.trouble(OWN) is None
        tenants.novu(OWN)._circuit.heard("Novu answered 401")
        assert isinstance(tenants.trouble(OWN), CredentialsRejected)
        assert tenants.trouble(OURS) is None, "another key, another tenant"
        written(tmp_path, "new")
        assert tenants.trouble(OWN) is None
        written(tmp_path, "revoked")
        assert isinstance(tenants.trouble(OWN), CredentialsRejected)
