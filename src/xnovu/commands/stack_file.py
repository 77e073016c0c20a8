"""Settings of a local stack that is up, from its `stack.json`.

The file's keys are part of what XNovu promises and it is there exactly while the stack is up, so it is read as any
other program would: the local stack is an extra, and production code does not import it. Called by `systems`.
"""

from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError
from pydantic.alias_generators import to_camel

from xnovu.core.errors import SettingsInvalid
from xnovu.settings import Settings

DEFAULT_HOME: Final = Path(".xnovu")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel)


class _Temporal(_Part):
    address: str
    namespace: str


class _Supabase(_Part):
    url: str
    service_role_key: SecretStr


class _Novu(_Part):
    url: str
    secret_key: SecretStr


class _Stack(_Part):
    temporal: _Temporal
    supabase: _Supabase
    novu: _Novu


def stack_file(home: Path | None) -> Path:
    """Where the file is when the stack of `home` is up."""
    return (home or DEFAULT_HOME).expanduser().absolute() / "stack.json"


def with_stack(settings: Settings, file: Path) -> Settings | None:
    """`settings` with the stack's addresses, keys and credentials. None: no stack is up there. Raises SettingsInvalid."""
    try:
        stack = _Stack.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SettingsInvalid(f"{file} cannot be read: {error.strerror}") from None
    except ValidationError:
        raise SettingsInvalid(
            f"{file} is no stack.json of this version: run `xnovu down` and `xnovu up` again"
        ) from None
    temporal = {"address": stack.temporal.address, "namespace": stack.temporal.namespace}
    return settings.model_copy(
        update={
            "temporal": settings.temporal.model_copy(update=temporal),
            "supabase": settings.supabase.model_copy(
                update={
                    "url": stack.supabase.url,
                    "service_role_key": stack.supabase.service_role_key,
                }
            ),
            "novu": settings.novu.model_copy(
                update={"api_url": stack.novu.url, "secret_key": stack.novu.secret_key}
            ),
            "worker": settings.worker.model_copy(
                update={"credentials_dir": file.parent / "credentials"}
            ),
        }
    )
