"""Who may import whom (house.md), read from the syntax tree of every file."""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

COMMAND_FILES = (
    "shared/cli.py",
    "shared/polite.py",
    "shared/options.py",
    "jobs/__main__.py",
    "jobs/*/__main__.py",
    "jobs/run.py",
    "jobs/launch.py",
    "jobs/results.py",
)
ADDRESSES = {
    "click": (
        *(*COMMAND_FILES, "jobs/show_recipes.py", "jobs/selfcheck.py", "jobs/weights.py", "jobs/sample.py"),
        *("jobs/export/command.py", "jobs/playground/command.py", "jobs/show_tensorboard.py"),
        *("jobs/calls.py", "jobs/expected.py", "shared/resolved.py", "shared/rehearsal.py"),
    ),
    "webdataset": ("shared/loading.py",),
    "accelerate": ("shared/distributed.py",),
    "matplotlib": ("shared/figures.py", "shared/charts.py", "shared/trial_charts.py", "jobs/report/figures.py"),
    "optuna": ("jobs/tune/*.py",),
    "sqlalchemy": ("jobs/tune/study.py",),
    "jinja2": ("jobs/report/*.py", "jobs/export/card.py"),
    "gradio": ("jobs/playground/page.py",),
    "fastapi": ("jobs/playground/page.py",),
    "uvicorn": ("jobs/playground/page.py",),
    "tensorboard": ("jobs/show_tensorboard.py",),
    "deflate": ("shared/format/png.py",),
    "simplejpeg": ("jobs/preprocess/jpeg.py",),
    "pickle": (),
    "cloudpickle": (),
    "dill": (),
    "joblib": (),
}
"""Where each third-party library may be imported; what unpickles has no address at all."""

FILE_LINES, FUNCTION_LINES, LOOP_LINES = 300, 60, 120


def sources(root: Path) -> dict[str, str]:
    """Return the text of every Python file of `jobs` and `shared`, by its path below `root`."""
    found = sorted(path for room in ("jobs", "shared") for path in (root / room).rglob("*.py"))
    return {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8") for path in found}


def imports(name: str, tree: ast.AST) -> Iterator[str]:
    """Yield the full dotted name of everything that the file `name` imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = name.split("/")[: -node.level] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


def between_rooms(name: str, tree: ast.AST) -> Iterator[str]:
    """Yield each import that crosses between jobs, from shared to jobs, or from the format to torch or click."""
    mine = name.split("/")
    for found in imports(name, tree):
        parts = found.split(".")
        if mine[0] == "shared" and parts[0] in ("jobs", "tests"):
            yield f"{name}: shared imports {found}"
        if mine[0] == "jobs" and parts[0] == "tests":
            yield f"{name}: a job imports {found}"
        another = len(parts) > 1 and parts[0] == "jobs" and (ROOT / "jobs" / parts[1]).is_dir()
        inside_a_job = len(mine) > 2  # a command over jobs, such as jobs/selfcheck.py, may ask any of them
        if mine[0] == "jobs" and inside_a_job and another and parts[1] != mine[1]:
            yield f"{name}: imports another job, {found}"
        if name.startswith("shared/format/") and parts[0] in ("torch", "click"):
            yield f"{name}: the format imports {found}"


def misplaced(name: str, tree: ast.AST) -> Iterator[str]:
    """Yield each import of a library outside its address, and each `torch.load`."""
    for found in imports(name, tree):
        places = ADDRESSES.get(found.split(".")[0])
        if places is not None and not any(Path(name).match(place) for place in places):
            yield f"{name}: imports {found}"
        if found == "torch.load":
            yield f"{name}: imports torch.load"
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "torch.load":
            safe = name == "shared/weights.py" and "weights_only=True" in ast.unparse(node)
            if not safe:  # one file of a package, whose hash is checked, by torch's unpickler of weights
                yield f"{name}: calls torch.load"


def too_long(name: str, tree: ast.Module) -> Iterator[str]:
    """Yield the file and each function in it that is longer than its limit, docstring and decorators included."""
    lines = max((node.end_lineno or 0 for node in tree.body), default=0)
    if lines > FILE_LINES:
        yield f"{name}: {lines} lines"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or 0) - node.lineno + 1
            if lines > (LOOP_LINES if (name, node.name) == ("jobs/train_gan/loop.py", "train") else FUNCTION_LINES):
                yield f"{name}: {node.name} has {lines} lines"


RULES = {rule.__name__: rule for rule in (between_rooms, misplaced, too_long)}


def broken(rule: Callable[[str, ast.Module], Iterator[str]], files: dict[str, str]) -> list[str]:
    """Return what in `files` breaks `rule`."""
    return [line for name, text in files.items() for line in rule(name, ast.parse(text))]


def test_there_are_files_to_read() -> None:
    """The rules below mean nothing unless every job and the library are read."""
    files = sources(ROOT)
    rooms = {"/".join(name.split("/")[:2]) for name in files}
    assert {"shared/format", "shared/networks", "shared/cli.py", "jobs/train_gan", "jobs/report"} <= rooms
    assert len(files) > 30


@pytest.mark.parametrize("rule", RULES)
def test_the_code_holds_the_rule(rule: str) -> None:
    """No file of jobs or shared breaks a rule of the house."""
    files = sources(ROOT)
    assert files
    assert broken(RULES[rule], files) == []


PLANTED = [
    ("between_rooms", "jobs/evaluate/scores.py", "from jobs.train_gan.loop import train"),
    ("between_rooms", "jobs/evaluate/scores.py", "def late():\n    import jobs.report"),
    ("between_rooms", "jobs/evaluate/scores.py", "from jobs import train_gan"),
    ("between_rooms", "jobs/evaluate/scores.py", "from ..train_gan import loop"),
    ("between_rooms", "jobs/evaluate/scores.py", "import tests.conftest"),
    ("between_rooms", "shared/loading.py", "from jobs.pipeline import PIPELINE"),
    ("between_rooms", "shared/format/sample.py", "import torch.nn"),
    ("between_rooms", "shared/format/shards.py", "from click import echo"),
    ("misplaced", "jobs/train_gan/loop.py", "import click"),
    ("misplaced", "jobs/train_gan/loop.py", "from accelerate import Accelerator"),
    ("misplaced", "jobs/evaluate/features.py", "import webdataset as wds"),
    ("misplaced", "jobs/evaluate/features.py", "from matplotlib import pyplot"),
    ("misplaced", "shared/figures.py", "import jinja2"),
    ("misplaced", "jobs/export/formats.py", "import jinja2"),
    ("misplaced", "shared/format/sample.py", "from deflate import zlib_compress"),
    ("misplaced", "jobs/preprocess/images.py", "import simplejpeg"),
    ("misplaced", "shared/checkpoints.py", "import pickle"),
    ("misplaced", "shared/checkpoints.py", "import torch\ntorch.load('x')"),
    ("misplaced", "shared/checkpoints.py", "from torch import load"),
    ("too_long", "shared/files.py", "x = 1\n" * 301),
    ("too_long", "shared/files.py", "def long():\n" + "    x = 1\n" * 60),
    ("too_long", "jobs/train_gan/loop.py", "def train():\n" + "    x = 1\n" * 120),
]

ALLOWED = [
    ("between_rooms", "jobs/evaluate/scores.py", "from jobs.evaluate.features import x\nfrom jobs.pipeline import y"),
    ("misplaced", "jobs/evaluate/__main__.py", "import click"),
    ("misplaced", "jobs/report/page.py", "import jinja2"),
    ("too_long", "shared/files.py", "def short():\n" + "    x = 1\n" * 59),
    ("too_long", "jobs/train_gan/loop.py", "def train():\n" + "    x = 1\n" * 119),
]


@pytest.mark.parametrize(("rule", "name", "text"), PLANTED)
def test_a_planted_fault_is_found(rule: str, name: str, text: str) -> None:
    """Each rule finds a file that breaks it, wherever in the file the import stands."""
    assert broken(RULES[rule], {name: text})


@pytest.mark.parametrize(("rule", "name", "text"), ALLOWED)
def test_what_is_allowed_passes(rule: str, name: str, text: str) -> None:
    """No rule forbids what the house allows."""
    assert broken(RULES[rule], {name: text}) == []


def test_the_format_loads_neither_torch_nor_click(python: Callable[..., object]) -> None:
    """Importing the whole format and the artifacts brings in neither torch nor click, not even indirectly."""
    names = "shared.format.manifest, shared.format.sample, shared.format.shards, shared.artifacts"
    done = python(f"import sys, {names}; print([name for name in ('torch', 'click') if name in sys.modules])")
    assert done.stdout.strip() == "[]", done.stderr  # type: ignore[attr-defined]


def test_a_process_of_preprocess_loads_neither_torch_nor_webdataset(python: Callable[..., object]) -> None:
    """What each of its processes imports is small: no torch, webdataset, scikit-learn, matplotlib or pydantic."""
    heavy = "torch", "torchvision", "webdataset", "sklearn", "scipy", "matplotlib", "pydantic", "click"
    done = python(f"import sys, jobs.preprocess.work; print([name for name in {heavy} if name in sys.modules])")
    assert done.stdout.strip() == "[]", done.stderr  # type: ignore[attr-defined]


def test_a_finished_job_answers_without_what_its_work_needs(python: Callable[..., object]) -> None:
    """To read a manifest and say "already complete" no job imports torch, numpy, Pillow or matplotlib."""
    heavy = "torch", "numpy", "PIL", "matplotlib", "webdataset", "sklearn", "deflate"
    modules = "jobs.__main__, jobs.preprocess.__main__, jobs.train_gan.__main__, shared.drafts"
    done = python(f"import sys, {modules}; print([name for name in {heavy} if name in sys.modules])")
    assert done.stdout.strip() == "[]", done.stderr  # type: ignore[attr-defined]
