"""What Temporal keeps is sealed, opens with the key that it names, and with no other; keys that are wrong end the process."""

import base64
import os
from pathlib import Path

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.exceptions import ApplicationError

from xnovu.adapters.codec import ENCODING, KEY_ID, EncryptionCodec, codec_of
from xnovu.adapters.temporal import data_converter
from xnovu.core.contracts.common import EnterpriseRef
from xnovu.core.errors import PayloadsUnreadable, SettingsInvalid
from xnovu.settings import TemporalSettings

PLAIN = Payload(metadata={"encoding": b"json/plain"}, data=b'"ada@example.com"')


def written(folder: Path, *ids: str) -> Path:
    """Keys of these ids, new ones where there are none."""
    folder.mkdir(exist_ok=True)
    for name in ids:
        if not (folder / name).exists():
            (folder / name).write_bytes(base64.b64encode(os.urandom(32)) + b"\n")
    return folder


def settings(folder: Path, active: str | None) -> TemporalSettings:
    return TemporalSettings(codec_keys_dir=folder, codec_active_key=active)


def codec(folder: Path, active: str | None) -> EncryptionCodec:
    found = codec_of(settings(folder, active))
    assert found is not None
    return found


async def test_a_payload_is_sealed_and_opens_as_it_was(tmp_path: Path) -> None:
    ours = codec(written(tmp_path, "k1"), "k1")
    (first,), (second,) = await ours.encode([PLAIN]), await ours.encode([PLAIN])
    assert b"ada" not in first.SerializeToString()
    assert (first.metadata["encoding"], first.metadata[KEY_ID]) == (ENCODING, b"k1")
    assert first.data != second.data, "a nonce was used twice"
    assert await ours.decode([first, second]) == [PLAIN, PLAIN]


async def test_what_is_sealed_is_not_sealed_again(tmp_path: Path) -> None:
    ours = codec(written(tmp_path, "k1"), "k1")
    once = await ours.encode([PLAIN])
    assert await ours.encode(once) == once


async def test_a_rotation_writes_with_the_new_key_and_still_reads_the_old(tmp_path: Path) -> None:
    old = await codec(written(tmp_path, "2026-01"), "2026-01").encode([PLAIN])
    # The new key is known everywhere before anybody writes with it.
    known = codec(written(tmp_path, "2026-02"), "2026-01")
    rotated = codec(tmp_path, "2026-02")
    new = await rotated.encode([PLAIN])
    assert new[0].metadata[KEY_ID] == b"2026-02"
    assert await known.decode([*old, *new]) == [PLAIN, PLAIN]
    assert await rotated.decode([*old, *new]) == [PLAIN, PLAIN]


async def test_a_key_that_is_not_there_is_named(tmp_path: Path) -> None:
    sealed = await codec(written(tmp_path / "a", "gone"), "gone").encode([PLAIN])
    with pytest.raises(PayloadsUnreadable, match=r"'gone'.*CODEC_KEYS_DIR"):
        await codec(written(tmp_path / "b", "k1"), "k1").decode(sealed)


async def test_another_key_of_the_same_name_opens_nothing_and_shows_nothing(tmp_path: Path) -> None:
    sealed = await codec(written(tmp_path / "a", "k1"), "k1").encode([PLAIN])
    with pytest.raises(PayloadsUnreadable, match="'k1'") as raised:
        await codec(written(tmp_path / "b", "k1"), "k1").decode(sealed)
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None


@pytest.mark.parametrize("where", [0, 11, 12, -1])
async def test_a_changed_payload_is_refused(tmp_path: Path, where: int) -> None:
    ours = codec(written(tmp_path, "k1"), "k1")
    (sealed,) = await ours.encode([PLAIN])
    data = bytearray(sealed.data)
    data[where] ^= 1
    with pytest.raises(PayloadsUnreadable):
        await ours.decode([Payload(metadata=sealed.metadata, data=bytes(data))])


@pytest.mark.parametrize("data", [b"", b"short", bytes(28)])
async def test_a_payload_that_was_cut_is_refused(tmp_path: Path, data: bytes) -> None:
    ours = codec(written(tmp_path, "k1"), "k1")
    with pytest.raises(PayloadsUnreadable):
        await ours.decode([Payload(metadata={"encoding": ENCODING, KEY_ID: b"k1"}, data=data)])


async def test_a_payload_does_not_open_under_another_key_id(tmp_path: Path) -> None:
    ours = codec(written(tmp_path, "k1"), "k1")
    (tmp_path / "k2").write_bytes((tmp_path / "k1").read_bytes())
    (sealed,) = await ours.encode([PLAIN])
    sealed.metadata[KEY_ID] = b"k2"
    with pytest.raises(PayloadsUnreadable, match="'k2'"):
        await codec(tmp_path, "k1").decode([sealed])


async def test_a_key_id_from_outside_cannot_forge_lines(tmp_path: Path) -> None:
    ours = codec(written(tmp_path, "k1"), "k1")
    evil = Payload(metadata={"encoding": ENCODING, KEY_ID: b"x\nERROR forged" + b"y" * 500})
    with pytest.raises(PayloadsUnreadable) as raised:
        await ours.decode([evil])
    assert "\n" not in raised.value.message
    assert len(raised.value.message) < 400


async def test_what_was_plain_before_is_read_and_switching_off_reads_what_was_sealed(
    tmp_path: Path,
) -> None:
    ours = codec(written(tmp_path, "k1"), "k1")
    assert await ours.decode([PLAIN]) == [PLAIN]
    reads_only = codec(tmp_path, None)
    assert await reads_only.encode([PLAIN]) == [PLAIN]
    assert await reads_only.decode(await ours.encode([PLAIN])) == [PLAIN]


def test_the_digest_of_a_rule_is_sealed_and_reads_as_none_after_a_rotation(tmp_path: Path) -> None:
    """A plain digest would tell whoever guesses what a rule sends that they are right."""
    ours = codec(written(tmp_path, "k1", "k2"), "k1")
    value = ours.seal_text("0123abcd")
    assert "0123abcd" not in value
    assert value != ours.seal_text("0123abcd")
    assert len(value) < 255
    assert ours.open_text(value) == "0123abcd"
    assert codec(tmp_path, "k2").open_text(value) is None
    assert codec(tmp_path, None).open_text(value) is None
    assert codec(tmp_path, None).open_text("0123abcd") == "0123abcd"
    for other in ("0123abcd", "k1:", "k1:???", "k1:" + "A" * 80, "", None):
        assert ours.open_text(other) is None


async def test_messages_and_traces_of_failures_are_sealed_and_their_types_are_not(
    tmp_path: Path,
) -> None:
    converter = data_converter(settings(written(tmp_path, "k1"), "k1"))
    failure = Failure()
    error = ApplicationError("ada@example.com is unknown", "bob", type="NovuRejected")
    await converter.encode_failure(error, failure)
    raw = failure.SerializeToString()
    assert b"ada@" not in raw
    assert b"bob" not in raw
    assert b"NovuRejected" in raw
    found = await converter.decode_failure(failure)
    assert isinstance(found, ApplicationError)
    assert (found.message, found.details, found.type) == (error.message, ("bob",), "NovuRejected")


async def test_contracts_travel_through_the_codec(tmp_path: Path) -> None:
    converter = data_converter(settings(written(tmp_path, "k1"), "k1"))
    wanted = EnterpriseRef(id="acme")
    (payload,) = await converter.encode([wanted])
    assert b"acme" not in payload.SerializeToString()
    assert await converter.decode([payload], [EnterpriseRef]) == [wanted]


def test_without_settings_nothing_is_encrypted() -> None:
    assert codec_of(TemporalSettings()) is None
    assert data_converter(TemporalSettings()).payload_codec is None


def test_the_entries_that_kubernetes_adds_to_a_mounted_secret_are_no_keys(tmp_path: Path) -> None:
    inner = tmp_path / "..2026_11_24"
    written(inner, "k1")
    (tmp_path / "..data").symlink_to(inner.name)
    (tmp_path / "k1").symlink_to("..data/k1")
    assert codec(tmp_path, "k1").seals


SECRET = base64.b64encode(b"canary-key-" * 2).decode()


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("k1", SECRET, "k1 is no readable key"),
        ("k1", "not base64 canary-key-", "k1 is no readable key"),
        ("k1", "", "k1 is no readable key"),
        (SECRET, base64.b64encode(bytes(32)).decode(), "no key id"),
    ],
)
def test_a_bad_key_is_a_clear_error_that_does_not_show_it(
    tmp_path: Path, name: str, content: str, says: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(SettingsInvalid, match=says) as raised:
        codec_of(settings(tmp_path, "k1"))
    assert "canary" not in raised.value.message
    assert SECRET not in raised.value.message


def test_keys_that_are_missing_are_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="holds no key"):
        codec_of(settings(tmp_path, None))
    with pytest.raises(SettingsInvalid, match=r"cannot be read: FileNotFoundError"):
        codec_of(settings(tmp_path / "nowhere", "k1"))
    with pytest.raises(SettingsInvalid, match=r"is 'k2', and there is no such key.*there is k1"):
        codec_of(settings(written(tmp_path, "k1"), "k2"))
    with pytest.raises(SettingsInvalid, match="CODEC_KEYS_DIR is not set"):
        codec_of(TemporalSettings(codec_active_key="k1"))
