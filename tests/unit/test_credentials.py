"""Whose credentials an enterprise gets: its own or the installation's, as its configuration says, and nobody else's."""

from pathlib import Path
from uuid import uuid4

import pytest
from pydantic import SecretStr

from xnovu.adapters.credentials import CredentialStore
from xnovu.adapters.tenants import EnterpriseTenants
from xnovu.core.contracts.common import CredentialSource, EnterpriseRef
from xnovu.core.errors import CredentialsMissing
from xnovu.settings import NovuSettings, Settings, SupabaseSettings, WorkerSettings

OWN = CredentialSource.ENTERPRISE
ID = "0b7d7a4e-52a3-4f7c-9a3b-6a1d0c9e8f21"


def settings(folder: Path | None, *, url: str = "http://db.example", key: str = "ours") -> Settings:
    return Settings(
        supabase=SupabaseSettings(url=url, service_role_key=SecretStr(key)),
        novu=NovuSettings(api_url="http://novu.example", secret_key=SecretStr("ours-too")),
        worker=WorkerSettings(credentials_dir=folder),
    )


def written(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{ID}.{name.replace('_', '.')}").write_text(text)
    return folder


def test_the_installations_are_used_where_that_is_said(tmp_path: Path) -> None:
    written(tmp_path, supabase_url="http://own.example", supabase_serviceRoleKey="own")
    found = CredentialStore(settings(tmp_path)).supabase(EnterpriseRef(id=ID))
    assert (found.url, found.key.get_secret_value()) == ("http://db.example", "ours")
    assert "ours" not in repr(found)


def test_a_rotated_key_is_in_force_at_once(tmp_path: Path) -> None:
    store = CredentialStore(settings(tmp_path))
    ref = EnterpriseRef(id=ID, novu=OWN)
    written(tmp_path, novu_apiUrl="http://own.example\n", novu_secretKey="first\n")
    assert store.novu(ref).key.get_secret_value() == "first"
    written(tmp_path, novu_secretKey="second")
    assert store.novu(ref).key.get_secret_value() == "second"


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"supabase_url": "http://own.example"},
        {"supabase_serviceRoleKey": "own"},
        {"supabase_url": "http://own.example", "supabase_serviceRoleKey": " \n"},
    ],
)
def test_what_is_missing_is_an_error_and_no_reason_for_another_key(
    tmp_path: Path, files: dict[str, str]
) -> None:
    store = CredentialStore(settings(written(tmp_path, **files)))
    with pytest.raises(CredentialsMissing, match="supabase secret"):
        store.supabase(EnterpriseRef(id=ID, supabase=OWN))


def test_no_folder_is_like_no_secret() -> None:
    with pytest.raises(CredentialsMissing, match="CREDENTIALS_DIR"):
        CredentialStore(settings(None)).supabase(EnterpriseRef(id=ID, supabase=OWN))


def test_an_installation_without_settings_says_which(tmp_path: Path) -> None:
    store = CredentialStore(Settings(worker=WorkerSettings(credentials_dir=tmp_path)))
    with pytest.raises(CredentialsMissing, match="XNOVU_SUPABASE__URL"):
        store.supabase(EnterpriseRef(id=ID))
    with pytest.raises(CredentialsMissing, match="XNOVU_NOVU__SECRET_KEY"):
        store.novu(EnterpriseRef(id=ID))


@pytest.mark.parametrize("name", ["../other", "..", "", f"{ID}/../x"])
def test_an_enterprise_cannot_name_another_file(tmp_path: Path, name: str) -> None:
    for parent in (tmp_path, tmp_path / "inner"):
        parent.mkdir(exist_ok=True)
        (parent / "other.supabase.url").write_text("http://other.example")
        (parent / "other.supabase.serviceRoleKey").write_text("others")
    with pytest.raises(CredentialsMissing):
        CredentialStore(settings(tmp_path / "inner")).supabase(EnterpriseRef(id=name, supabase=OWN))


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("db.example", "k"),
        ("ftp://db.example", "k"),
        ("http://[bad", "k"),
        ("http://h:port", "k"),
        ("http://db.example", "schlüssel-secret"),
        ("http://db.example", "two words"),
        ("http://db.example", "line\nsecret"),
    ],
)
def test_what_no_request_can_be_made_of_is_refused_without_showing_it(
    tmp_path: Path, url: str, key: str
) -> None:
    written(tmp_path, supabase_url=url, supabase_serviceRoleKey=key)
    for store in (
        CredentialStore(settings(tmp_path)),
        CredentialStore(settings(None, url=url, key=key)),
    ):
        source = OWN if store._settings.worker.credentials_dir else CredentialSource.INSTALLATION
        with pytest.raises(CredentialsMissing) as raised:
            store.supabase(EnterpriseRef(id=ID, supabase=source))
        assert key not in raised.value.message or key == "k"
        assert raised.value.__cause__ is None


async def test_enterprises_that_share_a_key_share_its_polls_and_others_do_not(
    tmp_path: Path,
) -> None:
    written(tmp_path, supabase_url="http://own.example", supabase_serviceRoleKey="own")
    async with EnterpriseTenants(settings(tmp_path)) as tenants:
        one = tenants.database(EnterpriseRef(id=str(uuid4())))
        two = tenants.database(EnterpriseRef(id=str(uuid4())))
        own = tenants.database(EnterpriseRef(id=ID, supabase=OWN))
        assert one._gateway is two._gateway
        assert own._gateway is not one._gateway
        written(tmp_path, supabase_serviceRoleKey="rotated")
        rotated = tenants.database(EnterpriseRef(id=ID, supabase=OWN))
        assert rotated._gateway is not own._gateway
        assert one._gateway is tenants.database(EnterpriseRef(id=str(uuid4())))._gateway


async def test_a_key_that_was_rotated_is_not_kept_and_one_that_others_use_is(
    tmp_path: Path,
) -> None:
    written(tmp_path, supabase_url="http://own.example", supabase_serviceRoleKey="shared")
    neighbour = str(uuid4())
    for name, text in (("url", "http://own.example"), ("serviceRoleKey", "shared")):
        (tmp_path / f"{neighbour}.supabase.{name}").write_text(text)
    async with EnterpriseTenants(settings(tmp_path)) as tenants:

        def kept() -> set[str]:
            return {key for _, key in tenants._gateways}

        for who in (ID, neighbour):
            tenants.database(EnterpriseRef(id=who, supabase=OWN))
        written(tmp_path, supabase_serviceRoleKey="second")
        tenants.database(EnterpriseRef(id=ID, supabase=OWN))
        assert kept() == {"shared", "second"}
        written(tmp_path, supabase_serviceRoleKey="third")
        tenants.database(EnterpriseRef(id=ID, supabase=OWN))
        assert kept() == {"shared", "third"}


async def test_clients_of_enterprises_that_are_gone_do_not_add_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xnovu.adapters.tenants.KEPT", 3)
    async with EnterpriseTenants(settings(tmp_path)) as tenants:
        for number in range(10):
            one = str(uuid4())
            (tmp_path / f"{one}.supabase.url").write_text("http://own.example")
            (tmp_path / f"{one}.supabase.serviceRoleKey").write_text(f"key-{number}")
            tenants.database(EnterpriseRef(id=one, supabase=OWN))
        assert len(tenants._gateways) == len(tenants._users) == len(tenants._used) == 3
