"""Every module says what it is before anything else."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = ("src", "operator", "workflows", "activities", "tests", "benchmarks")
MODULES = sorted(
    path for source in SOURCES for path in (ROOT / source).rglob("*.py") if path.read_text().strip()
)


def test_there_are_modules() -> None:
    assert ROOT / "src" / "xnovu" / "crdgen.py" in MODULES


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_says_what_it_is(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text()))
    assert docstring, "write what it is, what it is not, and who calls it"
    assert docstring.split("\n\n")[0].rstrip().endswith((".", "!", "?", ":", ")")), docstring
