"""Where a command finds its systems: the environment, else a stack that is up; and nothing of a secret is shown."""

import json
from pathlib import Path

import pytest
from pydantic import SecretStr

from xnovu.commands.stack_file import stack_file
from xnovu.commands.systems import by_files, enterprise_uuid, find_settings
from xnovu.core.contracts.common import CredentialSource
from xnovu.core.errors import SettingsInvalid
from xnovu.settings import Settings, SupabaseSettings, WorkerSettings

ENTERPRISE = "6f1c2a9e-4b7d-4c35-9a58-1d2e3f4a5b6c"


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    file = tmp_path / "stack.json"
    document = {
        "kubeconfig": "k", "pids": {},
        "temporal": {"address": "127.0.0.1:1", "namespace": "stack", "ui": "u"},
        "supabase": {"url": "http://s", "serviceRoleKey": "planted-1", "dsn": "d"},
        "novu": {"url": "http://n", "secretKey": "planted-2", "inbox": "i"},
    }  # fmt: skip
    file.write_text(json.dumps(document))
    return file


def test_a_stack_that_is_up_says_everything(stack: Path) -> None:
    found = find_settings(Settings(), stack)
    assert (found.temporal.address, found.temporal.namespace) == ("127.0.0.1:1", "stack")
    assert (found.supabase.url, found.novu.api_url) == ("http://s", "http://n")
    assert found.supabase.service_role_key == SecretStr("planted-1")
    assert found.worker.credentials_dir == stack.parent / "credentials"
    assert "planted" not in repr(found)


@pytest.mark.parametrize(
    "settings",
    [
        Settings(supabase=SupabaseSettings(url="http://other")),
        Settings(worker=WorkerSettings(credentials_dir=Path("/run/credentials"))),
    ],
)
def test_what_the_environment_says_wins(stack: Path, settings: Settings) -> None:
    assert find_settings(settings, stack) == settings


def test_without_either_it_says_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match=r"XNOVU_SUPABASE__URL.*xnovu up"):
        find_settings(Settings(), stack_file(tmp_path))


@pytest.mark.parametrize("text", ["", "{", '{"novu": {"secretKey": "planted"}}'])
def test_a_file_that_is_no_stacks_is_named_and_not_shown(tmp_path: Path, text: str) -> None:
    (tmp_path / "stack.json").write_text(text)
    with pytest.raises(SettingsInvalid) as raised:
        find_settings(Settings(), stack_file(tmp_path))
    assert "stack.json" in raised.value.message
    assert "planted" not in str(raised.value)


def test_who_has_files_uses_them(tmp_path: Path) -> None:
    settings = Settings(worker=WorkerSettings(credentials_dir=tmp_path))
    (tmp_path / f"{ENTERPRISE}.novu.apiUrl").write_text("http://n")
    found = by_files(settings, ENTERPRISE)
    assert found.novu is CredentialSource.ENTERPRISE
    assert found.supabase is CredentialSource.INSTALLATION
    assert by_files(Settings(), ENTERPRISE).novu is CredentialSource.INSTALLATION


def test_an_enterprise_is_named_by_its_uuid() -> None:
    assert enterprise_uuid(ENTERPRISE.upper()) == ENTERPRISE
    with pytest.raises(SettingsInvalid, match=r"spec\.enterpriseId"):
        enterprise_uuid("acme")
