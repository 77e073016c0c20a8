"""A record is one line, whatever a tenant wrote into what it says: nothing it holds can pass for another record."""

import json
import logging

import pytest

from xnovu.core.errors import XNovuError, clip
from xnovu.telemetry import JsonFormatter, TextFormatter

EVIL = [
    "\n2026-11-24 08:00:00 ERROR   xnovu  forged",
    "\r\n{}",
    "\x1b[2J\x1b[31mred",
    "\x00null",
    "\x7f\x9b31m",
    "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029 lines of Unicode",
    "\u202emirrored\u2066",
    "\ud800 lone",
]


def record(message: str, *, error: Exception | None = None) -> logging.LogRecord:
    info = (type(error), error, error.__traceback__) if error else None
    return logging.LogRecord("xnovu", logging.ERROR, "f", 1, "said: %s", (message,), info)


def raised(text: str) -> Exception:
    with pytest.raises(XNovuError) as found:
        raise XNovuError(text)
    return found.value


@pytest.mark.parametrize("evil", EVIL)
def test_a_message_stays_on_its_line(evil: str) -> None:
    for formatter in (TextFormatter(), JsonFormatter()):
        line = formatter.format(record(evil))
        assert len(line.splitlines()) == 1
        assert line.isprintable(), ascii(line)
    assert json.loads(JsonFormatter().format(record(evil)))["message"] == f"said: {evil}"


@pytest.mark.parametrize("evil", EVIL)
def test_an_exception_cannot_forge_a_record(evil: str) -> None:
    found = record("x", error=raised(evil))
    text = TextFormatter().format(found)
    first, *rest = text.split("\n")
    assert "said: x" in first
    assert rest
    assert all(line.startswith("    ") for line in rest)
    assert all(line.isprintable() for line in rest), ascii(text)
    line = JsonFormatter().format(found)
    assert line.isprintable()
    assert evil in json.loads(line)["exception"]


def test_what_people_write_stays_readable() -> None:
    line = JsonFormatter().format(record("Grüße, 世界 🎉"))
    assert "Grüße, 世界 🎉" in line


@pytest.mark.parametrize("evil", EVIL)
def test_foreign_text_in_errors_is_one_printable_line(evil: str) -> None:
    assert clip(evil * 3).isprintable()
    assert len(clip(evil * 10_000, 50)) == 50
