"""Which module may import which, by the syntax tree of every file."""

import ast
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

JOBS = ("preprocess", "train_classifier", "train_gan", "evaluate", "synthesize", "train_mixed", "tune", "report")
COMMANDS = (
    "clean",
    "commands",
    "compare",
    "completion",
    "export",
    "judge",
    "playground",
    "selfcheck",
    "status",
    "study",
    "verify",
)
"""Folders of `jobs` with what people type: they may ask any job."""

LAYERS = (
    "limits",
    "errors",
    "disk",
    "objects",
    "format",
    "runtime",
    "store",
    "data",
    "sources",
    "models",
    "stats",
    "metrics",
    "plots",
    "cli",
)
"""The rooms of `shared`, from the ground up: each may import those before it, and none after it."""

GROUND = {
    "limits": (),
    "errors": (),
    "disk": ("errors",),
    "objects": ("errors", "disk"),
    "format": ("limits", "errors", "disk", "objects"),
    "stats": ("errors",),
}
"""Rooms that may import these alone."""

ADDRESSES = {
    "click": (
        *("shared/cli/*.py", "shared/cli/calls/*.py", "shared/cli/terminal/*.py"),
        *(
            "jobs/__main__.py",
            "jobs/*/__main__.py",
            "jobs/commands/*.py",
            "jobs/commands/running/*.py",
            "jobs/*/command.py",
        ),
    ),
    "obstore": ("shared/objects/*.py",),
    "webdataset": (),
    "accelerate": ("shared/runtime/process_group.py", "shared/runtime/observe/trackers.py"),
    "mlflow": ("shared/runtime/observe/trackers.py",),
    "wandb": ("shared/runtime/observe/trackers.py",),
    "matplotlib": ("shared/plots/*.py", "shared/plots/training/*.py", "jobs/report/figures.py"),
    "optuna": ("jobs/tune/*.py",),
    "sqlalchemy": ("jobs/tune/study.py",),
    "jinja2": ("jobs/report/*.py", "jobs/export/card.py"),
    "gradio": ("jobs/playground/page.py",),
    "fastapi": ("jobs/playground/page.py",),
    "uvicorn": ("jobs/playground/page.py",),
    "tensorboard": ("jobs/commands/tensorboard.py",),
    "onnx": ("jobs/export/networks.py",),
    "onnxscript": ("jobs/export/networks.py",),
    "onnxruntime": ("jobs/export/loaders/onnx.py",),
    "deflate": ("shared/format/png.py",),
    "simplejpeg": ("shared/data/jpeg.py",),
    "pyarrow": ("shared/sources/tables/parquet.py",),
    **dict.fromkeys(("fcntl", "filelock", "portalocker"), ()),
    "pickle": ("shared/sources/entries.py",),
    "cloudpickle": (),
    "dill": (),
    "joblib": (),
}
"""Where each library may be imported. What locks as some volumes cannot has no address at all, nor has what unpickles,
but for objects that a process has packed itself and that are nowhere else.
"""

STARTS_JOBS = ("shared/runtime/job_processes.py", "shared/cli/calls/perform.py")
"""Where modules of jobs are named: to be started as processes, or to be imported by one that makes a replicate."""

CHANGES = {
    *("rename", "unlink", "mkdir", "makedirs", "rmdir", "rmtree", "move", "touch", "write_bytes", "write_text"),
    *(
        "symlink",
        "symlink_to",
        "link",
        "hardlink_to",
        "truncate",
        "ftruncate",
        "fsync",
        "pwrite",
        "copyfile",
        "copytree",
    ),
}
"""Calls of `os`, `shutil` or a path that change a disk; `replace` is told from that of text by its arguments."""

COUNTS_ITS_OWN = {
    "shared/disk/": "the seam itself",
    "shared/store/locks.py": "locks are steps of a kind of their own",
    "shared/store/locking/": "locks are steps of a kind of their own",
}
"""Files that may change a disk by themselves, and why; for all others `shared.disk.durable` does it and counts it."""

ABOVE = {"halfreal": ("tests",), "jobs": ("tests", "halfreal"), "shared": ("tests", "halfreal", "jobs")}
"""Packages that those of the name may not import."""

FILE_LINES, FUNCTION_LINES, LOOP_LINES, FOLDER_FILES = 300, 60, 120, 14


def sources(root: Path) -> dict[str, str]:
    """Return the text of every Python file of the packages, by its path below `root`."""
    found = sorted(path for room in ("halfreal", "jobs", "shared") for path in (root / room).rglob("*.py"))
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
    """Yield each forbidden import: between jobs, and from a package or a room to a higher one."""
    mine = name.split("/")
    for found in imports(name, tree):
        parts = found.split(".")
        if parts[0] in ABOVE[mine[0]]:
            yield f"{name}: {mine[0]} imports {found}"
        if len(parts) < 2:
            continue
        if mine[:2] == ["shared", "format"] and parts[0] in ("torch", "click"):
            yield f"{name}: the format imports {found}"
        if mine[0] == parts[0] == "jobs" and mine[1] in JOBS and parts[1] in (*JOBS, *COMMANDS) and mine[1] != parts[1]:
            yield f"{name}: a job imports another, or a command: {found}"
        if mine[0] == parts[0] == "shared" and len(mine) > 2 and parts[1] in LAYERS and mine[1] != parts[1]:
            below = GROUND.get(mine[1], LAYERS[: LAYERS.index(mine[1])])
            if parts[1] not in below:
                yield f"{name}: imports the room above it, {found}"
    if (mine[0] == "shared" or mine[1] in JOBS) and name not in STARTS_JOBS:
        yield from by_name(name, tree)


def by_name(name: str, tree: ast.AST) -> Iterator[str]:
    """Yield each string that names a module of `jobs`, as an import by name needs it, unless it is of the own job."""
    own = ".".join(name.split("/")[:2])
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            module = re.match(r"jobs\.\w*", node.value)
            if module and module[0] != own:
                yield f"{name}: names a module of jobs, {node.value}"


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
            safe = name == "shared/models/pretrained/weights.py" and "weights_only=True" in ast.unparse(node)
            if not safe:  # published files, whose hash is checked, by torch's unpickler of weights
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


def around_the_disk(name: str, tree: ast.Module) -> Iterator[str]:
    """Yield each change of a disk that `shared.disk.steps` does not hear of."""
    if name.startswith(tuple(COUNTS_ITS_OWN)):
        return
    for found in imports(name, tree):
        if found in {f"{library}.{call}" for library in ("os", "shutil") for call in (*CHANGES, "replace")}:
            yield f"{name}: imports {found}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _changes_a_disk(node):
            yield f"{name}:{node.lineno}: {ast.unparse(node.func)}"


def _changes_a_disk(call: ast.Call) -> bool:
    called = ast.unparse(call.func)
    word = called.rpartition(".")[2]
    if called == "os.open":
        return bool(re.search("O_(CREAT|TRUNC|APPEND|WRONLY)", ast.unparse(call)))
    if word == "open":  # a mode is a short word of these letters
        given = [*call.args, *(word.value for word in call.keywords if word.arg == "mode")]
        modes = [node.value for node in given if isinstance(node, ast.Constant)]
        return any(re.fullmatch(r"[rbt]*[wax+][wax+bt]*", str(mode)) for mode in modes)
    if not isinstance(call.func, ast.Attribute):
        return False
    if word == "replace":  # text and dates have more arguments, or named ones
        return called == "os.replace" or (len(call.args) == 1 and not call.keywords)
    return word in CHANGES


RULES = {rule.__name__: rule for rule in (between_rooms, misplaced, too_long, around_the_disk)}


@cache
def parsed(text: str) -> ast.Module:
    """Return the syntax tree of a file; each is read by several rules."""
    return ast.parse(text)


def broken(rule: Callable[[str, ast.Module], Iterator[str]], files: dict[str, str]) -> list[str]:
    """Return what in `files` breaks `rule`."""
    return [line for name, text in files.items() for line in rule(name, parsed(text))]


def test_there_are_files_to_read() -> None:
    """The rules below are void unless every job and the library are read."""
    files = sources(ROOT)
    rooms = {tuple(name.split("/")[:2]) for name in files}
    assert {("jobs", room) for room in (*JOBS, *COMMANDS)} <= rooms
    assert {room for top, room in rooms if top == "shared"} == {
        *LAYERS[2:],
        "limits.py",
        "errors.py",
        "lazy.py",
        "visible.py",
        "attributes.py",
        "__init__.py",
    }
    assert len(files) > 100


def test_folders_have_a_bounded_number_of_files() -> None:
    """A folder of the packages or tests has at most FOLDER_FILES Python files."""
    folders = [
        path for top in ("halfreal", "jobs", "shared", "tests") for path in [ROOT / top, *(ROOT / top).rglob("*/")]
    ]
    counts = {path.relative_to(ROOT).as_posix(): len(list(path.glob("*.py"))) for path in folders}
    assert counts["shared/store"] > 5
    assert {path: count for path, count in counts.items() if count > FOLDER_FILES} == {}


def circles(files: dict[str, str]) -> list[list[str]]:
    """Return the import circles between modules, imports within functions and for types alone included."""
    modules = {name.removesuffix(".py").removesuffix("/__init__").replace("/", "."): name for name in files}
    graph = {
        module: {
            target
            for found in imports(name, parsed(files[name]))
            for target in (found, found.rpartition(".")[0])
            if target in modules and target != module
        }
        for module, name in modules.items()
    }
    while ends := [module for module, targets in graph.items() if not targets & graph.keys()]:
        for module in ends:
            del graph[module]
    return [[module, *sorted(targets & graph.keys())] for module, targets in sorted(graph.items())]


def test_there_are_no_import_circles() -> None:
    """There are no import circles, and the search finds a deliberate one."""
    assert circles({"a.py": "import b", "b.py": "def late():\n    from c import x", "c.py": "import a"})
    assert circles({"a.py": "import b", "b.py": "import c", "c.py": "x = 1"}) == []
    assert circles(sources(ROOT)) == []


@pytest.mark.parametrize("rule", RULES)
def test_the_code_holds_the_rule(rule: str) -> None:
    """No file of jobs or shared breaks a rule."""
    files = sources(ROOT)
    assert files
    assert broken(RULES[rule], files) == []


PLANTED = [
    ("between_rooms", "jobs/evaluate/selection.py", "from jobs.train_gan.loop import train"),
    ("between_rooms", "jobs/evaluate/selection.py", "def late():\n    import jobs.report"),
    ("between_rooms", "jobs/evaluate/selection.py", "from jobs import train_gan"),
    ("between_rooms", "jobs/evaluate/selection.py", "from ..train_gan import loop"),
    ("between_rooms", "jobs/evaluate/selection.py", "import tests.conftest"),
    ("between_rooms", "shared/data/batches.py", "from jobs.pipeline import PIPELINE"),
    ("between_rooms", "shared/data/batches.py", "import halfreal"),
    ("between_rooms", "jobs/judge/command.py", "from halfreal import judge"),
    ("between_rooms", "halfreal/judging.py", "import tests.conftest"),
    ("between_rooms", "shared/format/sample.py", "import torch.nn"),
    ("between_rooms", "shared/format/shards.py", "from click import echo"),
    ("between_rooms", "shared/store/staging.py", "from shared.cli.run import Run"),
    ("between_rooms", "shared/stats/intervals.py", "from shared.data import sampling"),
    ("between_rooms", "jobs/tune/worker.py", "from jobs.commands.run import main"),
    ("between_rooms", "jobs/tune/worker.py", "from importlib import import_module\nimport_module('jobs.evaluate')"),
    ("between_rooms", "jobs/tune/worker.py", "import importlib\nimportlib.import_module(f'jobs.{job}.__main__')"),
    ("between_rooms", "jobs/tune/worker.py", "Lazy('jobs.train_gan.objectives:hinge')"),
    ("between_rooms", "shared/cli/job.py", "__import__('jobs.report')"),
    ("misplaced", "jobs/train_gan/loop.py", "import click"),
    ("misplaced", "jobs/train_gan/loop.py", "from accelerate import Accelerator"),
    ("misplaced", "jobs/evaluate/selection.py", "import webdataset as wds"),
    ("misplaced", "jobs/evaluate/selection.py", "from matplotlib import pyplot"),
    ("misplaced", "shared/plots/figures.py", "import jinja2"),
    ("misplaced", "jobs/export/formats.py", "import jinja2"),
    ("misplaced", "shared/format/sample.py", "from deflate import zlib_compress"),
    ("misplaced", "shared/sources/prepare.py", "import simplejpeg"),
    ("misplaced", "shared/sources/folders.py", "from pyarrow import parquet"),
    ("misplaced", "shared/store/checkpoints.py", "import pickle"),
    ("misplaced", "shared/data/decoded/marks.py", "import fcntl"),
    ("misplaced", "shared/store/checkpoints.py", "import torch\ntorch.load('x')"),
    ("misplaced", "shared/store/checkpoints.py", "from torch import load"),
    ("between_rooms", "shared/disk/durable.py", "from shared.objects.client import Store"),
    ("around_the_disk", "jobs/tune/trial.py", "import shutil\nshutil.rmtree(folder, ignore_errors=True)"),
    ("around_the_disk", "jobs/tune/trial.py", "from shutil import rmtree"),
    ("around_the_disk", "jobs/tune/trial.py", "def f(path):\n    path.parent.mkdir(exist_ok=True)"),
    ("around_the_disk", "jobs/tune/trial.py", "path.replace(final)"),
    ("around_the_disk", "jobs/tune/trial.py", "os.replace(path, final)"),
    ("around_the_disk", "jobs/tune/trial.py", "(folder / 'x').write_bytes(b'')"),
    ("around_the_disk", "jobs/tune/trial.py", "with path.open('ab') as log: pass"),
    ("around_the_disk", "jobs/tune/trial.py", "open(path, mode='r+b')"),
    ("around_the_disk", "jobs/tune/trial.py", "os.open(path, os.O_RDWR | os.O_CREAT, 0o666)"),
    ("around_the_disk", "shared/store/staging.py", "final.rename(replaced)"),
    ("too_long", "shared/format/files.py", "x = 1\n" * 301),
    ("too_long", "shared/format/files.py", "def long():\n" + "    x = 1\n" * 60),
    ("too_long", "jobs/train_gan/loop.py", "def train():\n" + "    x = 1\n" * 120),
]

ALLOWED = [
    (
        "between_rooms",
        "jobs/evaluate/selection.py",
        "from shared.models.extractors import x\nfrom jobs.pipeline import y",
    ),
    ("between_rooms", "halfreal/experiment.py", "from jobs.commands.drawing import Experiment"),
    ("between_rooms", "jobs/selfcheck/command.py", "from jobs.train_gan import steps"),
    ("between_rooms", "jobs/tune/worker.py", "import_module('jobs.tune.study')"),
    ("between_rooms", "jobs/train_gan/families.py", "import_module(f'shared.models.{name}')"),
    ("between_rooms", "jobs/commands/calls.py", "import_module(f'jobs.{job}.__main__')"),
    ("misplaced", "jobs/evaluate/__main__.py", "import click"),
    ("misplaced", "shared/cli/calls/call.py", "import click"),
    ("misplaced", "jobs/report/page.py", "import jinja2"),
    ("around_the_disk", "shared/disk/durable.py", "os.fsync(1)"),
    ("around_the_disk", "jobs/tune/trial.py", "with path.open('rb') as log: text.replace('a', 'b')"),
    (
        "around_the_disk",
        "jobs/tune/trial.py",
        "rename(draft, final)\nreplace(config, seed=1)\nos.open(path, os.O_RDONLY)",
    ),
    ("too_long", "shared/format/files.py", "def short():\n" + "    x = 1\n" * 59),
    ("too_long", "jobs/train_gan/loop.py", "def train():\n" + "    x = 1\n" * 119),
]


@pytest.mark.parametrize(("rule", "name", "text"), PLANTED)
def test_a_planted_fault_is_found(rule: str, name: str, text: str) -> None:
    """Each rule finds a file that breaks it, wherever in the file the import is."""
    assert broken(RULES[rule], {name: text})


@pytest.mark.parametrize(("rule", "name", "text"), ALLOWED)
def test_what_is_allowed_passes(rule: str, name: str, text: str) -> None:
    """No rule forbids allowed imports."""
    assert broken(RULES[rule], {name: text}) == []


def test_the_format_loads_neither_torch_nor_click(python: Callable[..., object]) -> None:
    """Importing the whole format and the artifacts brings in neither torch nor click, not even indirectly."""
    names = "shared.format.manifest, shared.format.sample, shared.format.shards, shared.store.artifacts"
    done = python(f"import sys, {names}; print([name for name in ('torch', 'click') if name in sys.modules])")
    assert done.stdout.strip() == "[]", done.stderr  # type: ignore[attr-defined]


def test_a_process_of_preprocess_loads_neither_torch_nor_webdataset(python: Callable[..., object]) -> None:
    """Its worker processes start quickly: no torch, webdataset, scikit-learn, matplotlib or pydantic."""
    heavy = "torch", "torchvision", "webdataset", "sklearn", "scipy", "matplotlib", "pydantic", "click"
    done = python(f"import sys, shared.sources.work; print([name for name in {heavy} if name in sys.modules])")
    assert done.stdout.strip() == "[]", done.stderr  # type: ignore[attr-defined]


def test_a_finished_job_answers_without_what_its_work_needs(python: Callable[..., object]) -> None:
    """Answering "already complete" imports no torch, numpy, Pillow or matplotlib in any job."""
    heavy = "torch", "numpy", "PIL", "matplotlib", "webdataset", "sklearn", "deflate"
    modules = "jobs.__main__, jobs.preprocess.__main__, jobs.train_gan.__main__, shared.store.staging"
    done = python(f"import sys, {modules}; print([name for name in {heavy} if name in sys.modules])")
    assert done.stdout.strip() == "[]", done.stderr  # type: ignore[attr-defined]
