"""The secrets of one stack, made once per home: they protect nothing but this stack, and are random all the same.

JSON Web Tokens with HS256 (RFC 7519, RFC 7515) are made by hand: one fixed header, no library.
"""

import base64
import hashlib
import hmac
import json
import secrets
from datetime import UTC, datetime, timedelta
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from xnovu_dev.home import Home, write_private

LIFETIME: Final = timedelta(days=3650)


class Keys(BaseModel):
    """All of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    jwt_secret: str = Field(repr=False)
    service_role_key: str = Field(repr=False)
    postgres_password: str = Field(repr=False)
    authenticator_password: str = Field(repr=False)
    novu_secret_key: str = Field(repr=False)


def token(role: str, secret: str, now: datetime) -> str:
    """A Supabase API key: a token with the database role, valid for `LIFETIME` from `now` (aware)."""
    claims = {
        "role": role,
        "iss": "supabase",
        "iat": int(now.timestamp()),
        "exp": int((now + LIFETIME).timestamp()),
    }
    signed = ".".join(
        _part(json.dumps(p).encode()) for p in ({"alg": "HS256", "typ": "JWT"}, claims)
    )
    return f"{signed}.{_part(hmac.digest(secret.encode(), signed.encode(), hashlib.sha256))}"


def _part(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def of_home(home: Home) -> Keys:
    """The keys of this home, made when there are none."""
    try:
        return Keys.model_validate_json(home.keys_file.read_text())
    except (FileNotFoundError, ValidationError):
        secret = secrets.token_hex(32)
        made = Keys(
            # Hexadecimal: a value that begins with a dash is an option to some command lines.
            jwt_secret=secret,
            service_role_key=token("service_role", secret, datetime.now(UTC)),
            postgres_password=secrets.token_hex(16),
            authenticator_password=secrets.token_hex(16),
            novu_secret_key=secrets.token_hex(16),
        )
        write_private(home.keys_file, made.model_dump_json(indent=2) + "\n")
        return made
