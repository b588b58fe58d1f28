"""Plant each mistake of the tables in a copy of the checkout and see whether its test notices.

`python -m tests.checks.mutations [NAME ...]` prints `killed NAME` or `SURVIVED NAME`, at the end how many were killed,
and exits with 1 unless all were. A test that cannot be collected, or that fails without the mistake, kills nothing.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.checks.answers.arms import OF_ARMS
from tests.checks.answers.verdicts import VERDICTS
from tests.checks.by_class import BY_CLASS
from tests.checks.clusters.mistakes import CLUSTERS
from tests.checks.controls.mistakes import CONTROL_MISTAKES
from tests.checks.coverage.mistakes import STOPPING
from tests.checks.data import DATA
from tests.checks.experiment import EXPERIMENT
from tests.checks.extended.mistakes import EXTENDED
from tests.checks.fits import FITS
from tests.checks.forking.mistakes import FORKING
from tests.checks.foundations import FOUNDATIONS
from tests.checks.helps.mistakes import HELPING
from tests.checks.intervals import INTERVALS
from tests.checks.judge.importing import IMPORTING_MISTAKES
from tests.checks.judge.mistakes import IMPORTED
from tests.checks.large.agreeing import AGREEING
from tests.checks.large.attributes import ATTRIBUTES
from tests.checks.large.classes import MANY_CLASSES
from tests.checks.large.data import DECODED
from tests.checks.large.format import FORMAT
from tests.checks.large.generators import GENERATORS_TOGETHER
from tests.checks.large.gpu import ON_GPU
from tests.checks.large.memory import BOUNDED
from tests.checks.large.objects import STORED
from tests.checks.large.observe import OBSERVED
from tests.checks.large.pairs import ALL_PAIRS
from tests.checks.large.parts import IN_PARTS
from tests.checks.large.preprocess import DIVIDED
from tests.checks.membership.mistakes import MEMBERSHIP
from tests.checks.mutation import Mutation
from tests.checks.pictures import PICTURES
from tests.checks.replicates import REPLICATES
from tests.checks.safety.budgets import BUDGETS
from tests.checks.safety.content import CONTENTS
from tests.checks.safety.crash import CRASHES
from tests.checks.safety.hostile import HOSTILE
from tests.checks.safety.locks import LOCKING
from tests.checks.safety.looking_after import LOOKING_AFTER
from tests.checks.safety.surface import SURFACE
from tests.checks.safety.training import TRAINING
from tests.checks.safety.volume import VOLUME
from tests.checks.safety.words import WORDS
from tests.checks.scores.mistakes import SCORES
from tests.checks.seen.elsewhere import ELSEWHERE
from tests.checks.seen.packages import PACKAGES
from tests.checks.seen.playground import DRAWN_TOGETHER, EXAMPLES
from tests.checks.seen.report import PAGE
from tests.checks.seen.terminal import TERMINAL
from tests.checks.sources.names import NAMES
from tests.checks.sources.shards import SHARDS
from tests.checks.splits.mistakes import RESPLIT
from tests.checks.study.images import IMAGES
from tests.checks.study.labels import LABELS

MUTATIONS = BY_CLASS + DATA + EXPERIMENT + FITS + FOUNDATIONS + IMPORTED + INTERVALS + PICTURES + REPLICATES
MUTATIONS += HELPING + LABELS + STOPPING + CONTROL_MISTAKES + DRAWN_TOGETHER + EXAMPLES
MUTATIONS += SCORES
MUTATIONS += IMPORTING_MISTAKES + NAMES + SHARDS + VERDICTS + OF_ARMS + RESPLIT + EXTENDED
MUTATIONS += IMAGES + MEMBERSHIP
MUTATIONS += OBSERVED
MUTATIONS += BOUNDED + IN_PARTS + ALL_PAIRS
MUTATIONS += DIVIDED
MUTATIONS += DECODED
MUTATIONS += FORMAT
MUTATIONS += STORED
MUTATIONS += MANY_CLASSES
MUTATIONS += ATTRIBUTES
MUTATIONS += LOCKING + VOLUME + CRASHES
MUTATIONS += TRAINING + CONTENTS
MUTATIONS += HOSTILE
MUTATIONS += SURFACE
MUTATIONS += WORDS
MUTATIONS += ON_GPU
MUTATIONS += PACKAGES
MUTATIONS += ELSEWHERE
MUTATIONS += BUDGETS
MUTATIONS += LOOKING_AFTER
MUTATIONS += PAGE
MUTATIONS += TERMINAL
MUTATIONS += CLUSTERS
MUTATIONS += AGREEING + GENERATORS_TOGETHER
MUTATIONS += FORKING

ROOT = Path(__file__).resolve().parent.parent.parent

PASSED, FAILED = 0, 1
"""Pytest's exit codes for tests that ran; others say that none did."""


def main(names: list[str]) -> int:
    """Plant the mistakes of these names, or all of them; return the exit code."""
    known = {mutation.name: mutation for mutation in MUTATIONS}
    unknown = [name for name in names if name not in known]
    if unknown or len(known) < len(MUTATIONS):
        print(f"no such mutation: {', '.join(unknown)}\nwant some of: {', '.join(known)}", file=sys.stderr)
        return 2
    chosen = [known[name] for name in names] or list(MUTATIONS)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "checkout"
        copy_checkout(copy)
        misplaced = [line for mutation in chosen for line in misplacement(copy, mutation)]
        if misplaced:
            print("\n".join(misplaced), file=sys.stderr)
            return 2
        unmutated = without_mistakes(copy, list(dict.fromkeys(mutation.test for mutation in chosen)))
        killed = 0
        for mutation in chosen:
            # a test that fails anyway says nothing
            if unmutated[mutation.test] != PASSED:
                print(f"BROKEN {mutation.name}: {mutation.test} {said(unmutated[mutation.test])} unmutated", flush=True)
                continue
            code = planted(copy, mutation)
            verdict = {PASSED: "SURVIVED", FAILED: "killed"}.get(code, "BROKEN")
            print(f"{verdict} {mutation.name}{f': {said(code)}' if verdict == 'BROKEN' else ''}", flush=True)
            killed += verdict == "killed"
    print(f"killed {killed}/{len(chosen)}")
    return 0 if killed == len(chosen) else 1


def copy_checkout(copy: Path) -> None:
    """Copy every tracked file, as it is now."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            # with its mode: scripts call each other
            shutil.copy(ROOT / name, copy / name)


def misplacement(copy: Path, mutation: Mutation) -> list[str]:
    """Return what is wrong where a mistake cannot be planted: its text must occur in its file exactly once."""
    path = copy / mutation.file
    if not path.is_file():
        return [f"{mutation.name}: no file {mutation.file}; say in tests/checks where it is now"]
    count = path.read_text(encoding="utf-8").count(mutation.old)
    if count == 1:
        return []
    return [f"{mutation.name}: {mutation.file} has {count} times {mutation.old!r}, want it once; update the row"]


def planted(copy: Path, mutation: Mutation) -> int:
    """Return the exit code of a mistake's test with the mistake in place; the file is as before afterwards."""
    path = copy / mutation.file
    before = path.read_text(encoding="utf-8")
    path.write_text(before.replace(mutation.old, mutation.new), encoding="utf-8")
    try:
        return run_tests(copy, mutation.test)
    finally:
        path.write_text(before, encoding="utf-8")


def without_mistakes(copy: Path, tests: list[str]) -> dict[str, int]:
    """Return pytest's exit code for each test of the unchanged copy; all in one process unless one of them fails."""
    if run_tests(copy, *tests) == PASSED:
        return dict.fromkeys(tests, PASSED)
    return {test: run_tests(copy, test) for test in tests}


def run_tests(copy: Path, *tests: str) -> int:
    """Return pytest's exit code for tests of the copy."""
    # bytecode is known by the second and the size of its source, which a mistake may leave as they are
    environment = os.environ | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    words = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    return subprocess.run(words, cwd=copy, env=environment, capture_output=True, check=False).returncode


def said(code: int) -> str:
    """Return what an exit code of pytest means."""
    return "fails" if code == FAILED else f"does not run (pytest ends with {code})"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
