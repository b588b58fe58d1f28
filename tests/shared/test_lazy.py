"""Rows that name their function: every name in the project resolves, and the tables need no torch."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from shared.lazy import Lazy

ROOT = Path(__file__).resolve().parents[2]


def lazy_names(source: str) -> list[str]:
    """Return the names that `Lazy(...)` is called with."""
    return [
        call.args[0].value
        for call in ast.walk(ast.parse(source))
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "Lazy" and isinstance(call.args[0], ast.Constant)
    ]


FILES = {path: path.read_text(encoding="utf-8") for room in ("jobs", "shared") for path in (ROOT / room).rglob("*.py")}
NAMES = sorted({name for text in FILES.values() for name in lazy_names(text)})


@pytest.mark.parametrize("name", NAMES)
def test_every_name_leads_to_something_to_call(name: str) -> None:
    """A row whose function was renamed would otherwise fail in the middle of a run."""
    assert callable(Lazy(name).get())


def test_names_are_found() -> None:
    """The check above does find the tables' rows."""
    assert {"shared.models.classifiers:SmallCnn", "shared.metrics.features.prdc:score"} <= set(NAMES)


TABLES = (
    *("shared.models.tables", "shared.data.tables", "shared.metrics.metric"),
    *("jobs.train_gan.families", "shared.sources.table"),
)


@pytest.mark.parametrize("module", TABLES)
def test_tables_import_without_torch(module: str) -> None:
    """The command line reads them, and must not wait for torch."""
    code = f"import sys, {module}; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=ROOT).returncode == 0
