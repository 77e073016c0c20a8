"""What Temporal keeps, encrypted: a payload codec with AES-256-GCM, and the keys that it works with.

Everything that travels as a payload is sealed: inputs, results, heartbeats, the arguments of Schedules, and, by
`DefaultFailureConverterWithEncodedAttributes`, the messages and traces of failures. Ids, types of workflows and errors,
search attributes and the owner in a Schedule's memo are not; they hold no content. Called by `xnovu.adapters.temporal`, which every client goes
through, and by the codec server.

A payload names its key, so that keys rotate: many can be read, one writes. What is not encrypted is passed as it is,
because what was started before encryption was switched on must go on. A key that is missing or does not fit is an
error that names it, never a guess. Nonces are random: a key is good for 2³² payloads (NIST SP 800-38D, 8.3), five
months at 50 notifications a second and six payloads each.
"""

import base64
import binascii
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from google.protobuf.message import DecodeError
from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec
from typing_extensions import override

from xnovu.core.errors import PayloadsUnreadable, SettingsInvalid, clip
from xnovu.settings import TemporalSettings

ENCODING: Final = b"binary/encrypted"
"""The encoding that Temporal's samples of encrypting codecs use; its UI and command line show such a payload as sealed."""

KEY_ID: Final = "encryption-key-id"
KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_CONTEXT: Final = b"xnovu payload\n"
_TEXT_CONTEXT: Final = b"xnovu search attribute\n"
_ID: Final = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")


class EncryptionCodec(PayloadCodec):
    """Seals with the active key, opens with any. `active` None: nothing is sealed, what was sealed is still read."""

    def __init__(self, keys: Mapping[str, AESGCM], active: str | None) -> None:
        self._keys = dict(keys)
        self._active = active

    @property
    def seals(self) -> bool:
        return self._active is not None

    @override
    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Each sealed by itself; one that is sealed already, as it is."""
        if self._active is None:
            return list(payloads)
        return [p if _sealed(p) else self._seal(self._active, p) for p in payloads]

    @override
    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Raises PayloadsUnreadable, naming the key."""
        return [self._open(p) if _sealed(p) else p for p in payloads]

    def seal_text(self, text: str) -> str:
        """A short text for where no payload can stand: `<key id>:<base64>`. As it is where nothing is sealed."""
        if self._active is None:
            return text
        nonce = os.urandom(_NONCE_BYTES)
        context = _TEXT_CONTEXT + self._active.encode()
        sealed = self._keys[self._active].encrypt(nonce, text.encode(), context)
        return f"{self._active}:{base64.b64encode(nonce + sealed).decode()}"

    def open_text(self, value: str | None) -> str | None:
        """The text that the active key sealed. None: another key sealed it, or none, so it is to be written anew."""
        key_id, colon, sealed = (value or "").rpartition(":")
        if self._active is None:
            return None if colon else value
        if key_id != self._active:
            return None
        try:
            data = base64.b64decode(sealed, validate=True)
            context = _TEXT_CONTEXT + key_id.encode()
            found = self._keys[key_id].decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], context)
        except (binascii.Error, InvalidTag, ValueError):
            return None
        return found.decode()

    def _seal(self, key_id: str, payload: Payload) -> Payload:
        nonce = os.urandom(_NONCE_BYTES)
        name = key_id.encode()
        sealed = self._keys[key_id].encrypt(nonce, payload.SerializeToString(), _CONTEXT + name)
        return Payload(metadata={"encoding": ENCODING, KEY_ID: name}, data=nonce + sealed)

    def _open(self, payload: Payload) -> Payload:
        name = payload.metadata.get(KEY_ID, b"")
        key_id = clip(name.decode("ascii", "replace"), 63)
        key = self._keys.get(key_id)
        if key is None:
            raise PayloadsUnreadable(
                f"a payload in Temporal is encrypted with the key {key_id!r}, which this process does not have:"
                " put it back into XNOVU_TEMPORAL__CODEC_KEYS_DIR and restart"
            )
        data = payload.data
        try:
            opened = key.decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], _CONTEXT + name)
            return Payload.FromString(opened)
        except (InvalidTag, ValueError, DecodeError):
            # Never `from error`: what could be opened would stand in the trace.
            pass
        raise PayloadsUnreadable(
            f"a payload in Temporal names the key {key_id!r}, and the key of that name here does not open it: the key"
            " was replaced under its name, or the payload was changed"
        )


def codec_of(settings: TemporalSettings) -> EncryptionCodec | None:
    """The codec that the settings ask for; None: payloads are plain. Raises SettingsInvalid, never showing a key."""
    folder, active = settings.codec_keys_dir, settings.codec_active_key
    if folder is None:
        if active is not None:
            raise SettingsInvalid(
                "XNOVU_TEMPORAL__CODEC_ACTIVE_KEY names a key, and XNOVU_TEMPORAL__CODEC_KEYS_DIR is not set: set it"
                " to the folder with the key"
            )
        return None
    keys = _read(folder)
    if active is not None and active not in keys:
        raise SettingsInvalid(
            f"XNOVU_TEMPORAL__CODEC_ACTIVE_KEY is {clip(active, 63)!r}, and there is no such key in {folder}:"
            f" there is {', '.join(keys)}"
        )
    return EncryptionCodec(keys, active)


def _sealed(payload: Payload) -> bool:
    return payload.metadata.get("encoding") == ENCODING


def _read(folder: Path) -> dict[str, AESGCM]:
    """All keys of the folder by their file's name. Kubernetes' own entries of a mounted secret begin with a dot."""
    try:
        names = sorted(p.name for p in folder.iterdir() if not p.name.startswith("."))
    except OSError as error:
        raise SettingsInvalid(
            f"the folder of XNOVU_TEMPORAL__CODEC_KEYS_DIR, {folder}, cannot be read: {type(error).__name__}"
        ) from None
    if not names:
        raise SettingsInvalid(
            f"the folder of XNOVU_TEMPORAL__CODEC_KEYS_DIR, {folder}, holds no key: write one with"
            " `openssl rand -base64 32`, its file named as the key's id"
        )
    return {name: _key(folder / name) for name in names}


def _key(path: Path) -> AESGCM:
    # The file may hold anything; only its name is shown, and that only where it is one of ours.
    if not _ID.match(path.name):
        raise SettingsInvalid(
            f"a file of {path.parent} has a name that is no key id: letters, digits, '.', '_' and '-', at most 63"
        )
    try:
        key = base64.b64decode(path.read_bytes().strip(), validate=True)
    except (OSError, binascii.Error):
        key = b""
    if len(key) != KEY_BYTES:
        raise SettingsInvalid(
            f"{path} is no readable key: {KEY_BYTES} random bytes in base64, as `openssl rand -base64 32` writes them"
        )
    return AESGCM(key)
