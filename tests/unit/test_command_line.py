"""The command line: a wrong setting is one line that names it and never shows it; secrets are hidden."""

import pytest
from typer.testing import CliRunner

from xnovu import __version__
from xnovu.__main__ import app

runner = CliRunner()


def test_the_version_is_printed() -> None:
    assert runner.invoke(app, ["--version"]).stdout.strip() == f"xnovu {__version__}"


def test_a_wrong_setting_is_named_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XNOVU_WORKER__METRICS_PORT", "not-a-port")
    result = runner.invoke(app, ["check-config"])
    assert result.exit_code == 2
    assert "XNOVU_WORKER__METRICS_PORT" in result.output
    assert "not-a-port" not in result.output


def test_secrets_are_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XNOVU_NOVU__SECRET_KEY", "nv-planted-secret")
    for output in ("table", "json", "yaml"):
        result = runner.invoke(app, ["check-config", "--output", output])
        assert result.exit_code == 0
        assert "nv-planted-secret" not in result.output
        assert "****" in result.output
