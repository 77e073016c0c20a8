"""The values to try a template with, as given on the command line. Called by `xnovu template render`."""

import json
import sys
from pathlib import Path

import yaml
from pydantic import JsonValue, TypeAdapter

from xnovu.core.errors import SettingsInvalid
from xnovu.core.records import JsonObject


def read_data(given: str) -> JsonObject:
    """JSON itself, a file of JSON or YAML, or `-` for standard input. Raises SettingsInvalid."""
    text = given if given.lstrip().startswith("{") else _read(given)
    try:
        value = _parsed(text)
    except (ValueError, yaml.YAMLError, RecursionError):
        raise SettingsInvalid(f"--data is neither JSON nor YAML: {_name(given)}") from None
    if not isinstance(value, dict):
        raise SettingsInvalid(f"--data is no object of names and values: {_name(given)}")
    try:
        return TypeAdapter(dict[str, JsonValue]).validate_python(value)
    except ValueError:
        raise SettingsInvalid(
            f"--data holds what JSON has not, such as a date or a name that is no text: quote it in {_name(given)}"
        ) from None


def _parsed(text: str) -> object:
    """JSON is tried first: YAML reads some of it otherwise."""
    try:
        return json.loads(text)
    except ValueError:
        return yaml.safe_load(text)


def _read(given: str) -> str:
    try:
        return sys.stdin.read() if given == "-" else Path(given).read_text("utf-8")
    except OSError as error:
        raise SettingsInvalid(f"--data: {given} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsInvalid(f"--data: {given} is no UTF-8 text") from None


def _name(given: str) -> str:
    if given == "-":
        return "standard input"
    return "what is written there" if given.lstrip().startswith("{") else given
