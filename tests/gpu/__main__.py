"""Test and measure halfreal on an NVIDIA GPU: `make gpu`, or `python -m tests.gpu [PART ...]` for some of it.

It wants Python 3.11 or newer, torch 2.11 or newer and no network, and ends within ten minutes: each part runs in a
process of its own for as long as it is given, and one that does not fit is said. Results are written after each part,
as JSON and as a table in Markdown. `--device cpu` does the same with tiny work on a CPU: its figures mean nothing.
Exit code 0: all was run and no test failed; 1: not so; 2: nothing could be run.
"""

import argparse
import importlib
import importlib.util
import json
import os
import platform
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

LEAST_TORCH = (2, 11)

MODULES = {
    "accelerate": "accelerate",
    "click": "click",
    "deflate": "deflate",
    "matplotlib": "matplotlib",
    "numpy": "numpy",
    "PIL": "pillow",
    "pydantic": "pydantic",
    "pytest": "pytest",
    "safetensors": "safetensors",
    "scipy": "scipy",
    "sklearn": "scikit-learn",
    "torch": "torch",
    "torchmetrics": "torchmetrics",
    "torchvision": "torchvision",
}
"""What is imported, and the package that has it."""


@dataclass(frozen=True)
class Part:
    """A part of the command: its module, its seconds of BUDGET_S, and those without which it is not begun."""

    module: str
    seconds: int
    least_s: int
    about: str


PARTS = {
    "tests": Part("tests.gpu.parts.device_tests", 125, 30, "every family, precision and compiled network"),
    "training": Part("tests.gpu.parts.training", 125, 30, "images a second of training, against peers"),
    "arithmetic": Part("tests.gpu.parts.arithmetic", 30, 15, "operations a second, against a product of matrices"),
    "loading": Part("tests.gpu.parts.loading", 25, 15, "waiting for images"),
    "fits": Part("tests.gpu.parts.fits", 30, 15, "classifiers, against a peer"),
    "features": Part("tests.gpu.parts.features", 30, 15, "Inception features, against a peer"),
    "quality": Part("tests.gpu.parts.quality", 225, 60, "three minutes of training on MNIST"),
}
"""In the order in which they run; together within BUDGET_S."""

BUDGET_S = 600

GRACE_S = 5
"""Seconds that a part may be over its time before it is ended."""


def main() -> int:
    """Run the parts, write what they find, and return the exit code."""
    given = arguments()
    if given.measure:
        return measure(given)
    fault = unusable(given.device)
    if fault:
        print(f"make gpu: {fault}", file=sys.stderr)
        return 2
    from shared.format.files import write_json
    from tests.gpu.table import markdown

    given.out.mkdir(parents=True, exist_ok=True)
    begun = time.monotonic()
    parts = dict[str, Any]()
    results = {"machine": machine(given.device), "budget_s": given.seconds, "parts": parts}
    for name in given.parts or PARTS:
        print(f"{name}: {PARTS[name].about}", flush=True)
        parts[name] = run(name, given, given.seconds - (time.monotonic() - begun))
        print(f"{name}: {parts[name]['ended']}, {parts[name]['seconds']:.0f} s", flush=True)
        results["seconds"] = time.monotonic() - begun
        write_json(given.out / "results.json", results)
        (given.out / "table.md").write_text(markdown(results), encoding="utf-8")
    print(f"\n{markdown(results)}\nin {given.out}: results.json, table.md")
    whole = all(part["ended"] == "whole" for part in parts.values())
    passed = all(row["met"] is not False for row in parts.get("tests", {"rows": []})["rows"])
    return 0 if whole and passed else 1


def arguments() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(
        "python -m tests.gpu", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)} [default: all]")
    parser.add_argument("--device", default="cuda", help="cuda, cuda:1 or cpu [default: cuda]")
    parser.add_argument("--seconds", type=float, default=BUDGET_S, help="for all parts [default: 600]")
    parser.add_argument("--out", type=Path, default=Path(".gpu"), help="folder of the results [default: .gpu]")
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)  # one part, in this process
    given = parser.parse_args()
    unknown = [name for name in given.parts if name not in PARTS]
    if unknown:
        parser.error(f"no part {unknown[0]!r}; there are {', '.join(PARTS)}")
    return given


def unusable(device: str) -> str:
    """Return why nothing can be run here; "" where it can."""
    missing = [package for module, package in MODULES.items() if importlib.util.find_spec(module) is None]
    if missing:
        return (
            f"{sys.executable} lacks {', '.join(missing)}\n"
            "without a network bring them as wheels; docs/speed.md, On a GPU, has the commands"
        )
    import torch

    version = tuple(int(number) for number in torch.__version__.split(".")[:2])
    if version < LEAST_TORCH:
        return f"torch {torch.__version__}, want {'.'.join(map(str, LEAST_TORCH))} or newer"
    if device != "cpu" and not torch.cuda.is_available():
        return "torch finds no NVIDIA GPU here; DEVICE=cpu goes through all of it with tiny work, to try the command"
    return ""


def machine(device: str) -> dict[str, Any]:
    """Return what the results are of."""
    import torch

    name = "a CPU, tiny work: the figures mean nothing"
    if device != "cpu":
        name = f"{torch.cuda.get_device_name(device)} (CUDA {torch.version.cuda}, {os.cpu_count()} cores)"
    return {"device": name, "torch": torch.__version__, "python": platform.python_version()}


def run(name: str, given: argparse.Namespace, left_s: float) -> dict[str, Any]:
    """Run a part in a process of its own, for the time that it gets; return its rows and how it ended."""
    part, begun = PARTS[name], time.monotonic()
    if left_s < part.least_s:
        return {"ended": f"left out: {max(left_s, 0):.0f} s were left", "seconds": 0.0, "rows": []}
    seconds = min(part.seconds * given.seconds / BUDGET_S, left_s - GRACE_S)
    path = given.out / f"{name}.json"
    path.unlink(missing_ok=True)
    words = [name, "--measure", "--device", given.device, "--seconds", str(seconds), "--out", str(given.out)]
    # as jobs do: threads that wait sleep
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_WAIT_POLICY": "PASSIVE", "MPLBACKEND": "Agg"}
    try:
        code = subprocess.run(
            [sys.executable, "-m", "tests.gpu", *words], env=environment, timeout=seconds + GRACE_S, check=False
        ).returncode
        ended = "whole" if code == 0 else f"failed with exit code {code}: its output says why"
    except subprocess.TimeoutExpired:
        ended = f"ended after the {seconds:.0f} s that it got"
    rows = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
    return {"ended": ended, "seconds": time.monotonic() - begun, "rows": rows}


def measure(given: argparse.Namespace) -> int:
    """Measure one part in this process; its rows are written one by one, so that one that is ended leaves some."""
    ends = time.monotonic() + given.seconds
    import torch

    from shared.format.files import write_json
    from tests.gpu.part import Task
    from tests.gpu.sizes import FULL, TINY

    (name,) = given.parts
    device = torch.device(given.device)
    if device.type == "cpu":
        torch.set_num_threads(1)  # on tiny work threads wait for each other
    rows = []
    for row in importlib.import_module(PARTS[name].module).measure(
        Task(device, TINY if device.type == "cpu" else FULL, ends)
    ):
        print(f"  {row.what}: {row.note if row.value is None else f'{row.value:,.4g} {row.unit}'}", flush=True)
        rows.append(row.facts())
        write_json(given.out / f"{name}.json", rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
