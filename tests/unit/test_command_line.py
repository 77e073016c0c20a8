"""The command line: a wrong setting is one line that names it and never shows it; secrets are hidden."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from xnovu import __version__
from xnovu.__main__ import app
from xnovu.commands.common import say

runner = CliRunner()


def test_the_version_is_printed() -> None:
    assert runner.invoke(app, ["--version"]).stdout.strip() == f"xnovu {__version__}"


def test_a_wrong_setting_is_named_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XNOVU_WORKER__METRICS_PORT", "not-a-port")
    result = runner.invoke(app, ["check-config"])
    assert result.exit_code == 2
    assert "XNOVU_WORKER__METRICS_PORT" in result.output
    assert "not-a-port" not in result.output


def test_several_values_that_are_no_json_are_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XNOVU_OPERATOR__NAMESPACES", "acme")
    result = runner.invoke(app, ["check-config"])
    assert result.exit_code == 2
    assert "XNOVU_OPERATOR__NAMESPACES" in result.output
    assert "Traceback" not in result.output


def test_an_operator_without_a_cluster_says_so_in_one_line(tmp_path: Path) -> None:
    inherited = {k: v for k, v in os.environ.items() if k != "KUBECONFIG"}  # noqa: TID251  # a process needs PATH
    found = subprocess.run(
        [sys.executable, "-m", "xnovu", "operator"],
        env={**inherited, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert found.returncode == 1
    assert found.stderr.count("\n") == 1
    assert "set KUBECONFIG" in found.stderr


def test_secrets_are_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XNOVU_NOVU__SECRET_KEY", "nv-planted-secret")
    for output in ("table", "json", "yaml"):
        result = runner.invoke(app, ["check-config", "--output", output])
        assert result.exit_code == 0
        assert "nv-planted-secret" not in result.output
        assert "****" in result.output


def said(*arguments: str) -> subprocess.CompletedProcess[str]:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("XNOVU_")}  # noqa: TID251  # a process needs PATH
    return subprocess.run(
        [sys.executable, "-m", "xnovu", *arguments],
        env=inherited,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("notification", "show", "x"), "'ID'"),
        (("notification", "show", "0"), "'ID'"),
        (("notification", "show", str(2**63)), "no notification has such an id"),
        (("notification", "retract", "1"), "--reason"),
        (("frobnicate",), "frobnicate"),
        (("template", "render", "k", "--channel", "PIGEON"), "PIGEON"),
    ],
)
def test_wrong_usage_is_one_line_and_2(arguments: tuple[str, ...], part: str) -> None:
    done = said(*arguments)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith("xnovu: ")
    assert part in done.stderr


def test_what_an_error_quotes_is_not_read_as_markup(capsys: pytest.CaptureFixture[str]) -> None:
    say("[/nothing] \x1b[31m [bold]loud[/bold]\nsecond line")
    assert capsys.readouterr().err == (
        "xnovu: [/nothing] \N{REPLACEMENT CHARACTER}[31m [bold]loud[/bold] second line\n"
    )


def test_help_and_completion_load_no_client() -> None:
    code = "import sys, xnovu.__main__; print(sorted({'temporalio', 'postgrest', 'httpx'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_shell_completes_commands_and_reasons() -> None:
    def completed(line: str) -> str:
        words = {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)}
        environ = {**os.environ, "_XNOVU_COMPLETE": "complete_bash", **words}  # noqa: TID251  # a process needs PATH
        command = str(Path(sys.executable).with_name("xnovu"))
        return subprocess.run(
            [command], env=environ, capture_output=True, text=True, check=False
        ).stdout

    assert "notification" in completed("xnovu notif")
    assert completed("xnovu deadletters replay --reason Templ").strip() == "TemplateError"
