"""The payload for a template is JSON, a file, or an error that names the file and shows nothing of it."""

from pathlib import Path

import pytest

from xnovu.commands.template_data import read_data
from xnovu.core.errors import SettingsInvalid


def test_json_files_and_yaml_are_read(tmp_path: Path) -> None:
    assert read_data(' {"a": [1]}') == {"a": [1]}
    for name, text in (("a.json", '{"at": "\\t"}'), ("a.yaml", 'at: "\\t"')):
        (tmp_path / name).write_text(text)
        assert read_data(str(tmp_path / name)) == {"at": "\t"}


@pytest.mark.parametrize("text", ["[1]", "", "a: b: c", "a: !!python/object:os.system {}", "x"])
def test_what_is_no_object_is_refused_by_its_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "data.yaml").write_text(text)
    with pytest.raises(SettingsInvalid, match=r"data\.yaml"):
        read_data(str(tmp_path / "data.yaml"))


@pytest.mark.parametrize("text", ["at: 2026-11-24", "no: 1"])
def test_what_json_has_not_is_to_be_quoted(tmp_path: Path, text: str) -> None:
    (tmp_path / "data.yaml").write_text(text)
    with pytest.raises(SettingsInvalid, match=r"quote it in .*data\.yaml"):
        read_data(str(tmp_path / "data.yaml"))


def test_what_cannot_be_read_says_why(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="No such file"):
        read_data(str(tmp_path / "none.json"))
    (tmp_path / "binary").write_bytes(b"\xff")
    with pytest.raises(SettingsInvalid, match="UTF-8"):
        read_data(str(tmp_path / "binary"))
    with pytest.raises(SettingsInvalid, match="written there"):
        read_data("{broken")
