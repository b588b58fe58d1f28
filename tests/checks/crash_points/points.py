"""One stage after the other: counted undisturbed, then ended at each step and run again."""

import json
import shutil
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import pytest

import jobs
import shared
from shared.disk import steps
from shared.format.manifest import MANIFEST
from tests.checks.crash_points.forked import Job, attempt, command
from tests.checks.crash_points.stages import RECIPE, Call, Stage
from tests.checks.crash_points.store import StoredVolume, served_elsewhere
from tests.checks.crash_points.trees import Tree, differences, tree_of, without_fetched
from tests.conftest import quicken
from tests.experiment.tiny import bars

KILLED = -9

TIMES = "run.json"
"""A file of times: those of two runs may be equal by chance, and differ from those of a third."""

LOADERS = "jobs.export.loaders."
"""Programs that are written next to an exported generator, which alone they can be imported with."""

MODULES = "modules"
"""The file of the names of what an undisturbed run has imported."""


@dataclass(frozen=True)
class Point:
    """What came of a stage that was ended at one step: `wrong` is empty where nothing was lost."""

    stage: str
    fail_with: str
    number: int
    kind: str
    code: int
    wrong: list[str]


@dataclass(frozen=True)
class Counted:
    """A stage as it runs undisturbed: the kinds of its steps in order, what it leaves, and what two runs differ in."""

    kinds: list[str]
    tree: Tree
    by_name: frozenset[str]


@contextmanager
def small_experiments() -> Iterator[None]:
    """Let jobs work on small pictures, draw dots, and fork the jobs that they start."""
    with pytest.MonkeyPatch.context() as patch:
        quicken(patch)
        patch.setattr("shared.sources.published.sets.digits", bars)
        for module in ("shared.runtime.job_processes", "jobs.tune.worker", "jobs.tune.trial_runner"):
            patch.setattr(f"{module}.start", Job)
        yield


class Bench:
    """A folder in which stages are run again and again."""

    def __init__(self, folder: Path, store: StoredVolume | None = None) -> None:
        self.folder, self.store = folder, store
        self.volume, self.log, self.steps = folder / "volume", folder / "log", folder / "steps"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "recipe.toml").write_text(RECIPE, encoding="utf-8")

    def count(self, stage: Stage) -> Counted:
        """Run a stage undisturbed, twice."""
        trees = []
        for _ in range(2):
            self._restore(stage)
            self._must(stage, stage.calls)
            self._import_what_it_needed()
            trees.append(self._tree(stage))
        first, second = trees
        by_name = frozenset(
            name for name in first.keys() & second.keys() if first[name] != second[name] or name.endswith(TIMES)
        )
        told = [name for name in by_name if name.endswith(MANIFEST)]
        if told or first.keys() != second.keys():
            raise SystemExit(f"{stage.name}: undisturbed runs differ: {told or sorted(first.keys() ^ second.keys())}")
        return Counted(self._kinds(), first, by_name)

    def disturb(self, stage: Stage, counted: Counted, number: int, fail_with: str = "kill") -> Point:
        """End a stage at a step, run its calls again, and compare what they leave."""
        self._restore(stage)
        code = self._run(stage, stage.calls, {steps.FAIL_AT: str(number), steps.FAIL_WITH: fail_with})
        kinds, said = self._kinds(), self.log.read_text(encoding="utf-8", errors="replace")
        wrong = _unclear(said, code, fail_with)
        again = self._run(stage, stage.calls)
        if again:
            wrong += [f"the same calls end with {again}", *self.log.read_text(encoding="utf-8").splitlines()[-3:]]
        after = self._tree(stage)
        wrong += differences(without_fetched(counted.tree, after), after, counted.by_name)
        kind = kinds[number - 1] if number <= len(kinds) else "none"
        return Point(stage.name, fail_with, number, kind, code, wrong)

    def _restore(self, stage: Stage) -> None:
        """Put the volume into the state in which the stage begins."""
        if stage.in_store:
            assert self.store is not None
            shutil.rmtree(self.volume, ignore_errors=True)
            attempt(self.store.wipe, self._environment(stage), self.log)
            return
        before = self._before(stage.before, stage.replicates)
        shutil.rmtree(self.volume, ignore_errors=True)
        shutil.copytree(before, self.volume, symlinks=True)

    def _before(self, calls: tuple[Call, ...], replicates: int) -> Path:
        """Return the volume that calls leave which nobody disturbs; made once."""
        kept = self.folder / "before" / f"{replicates}-{len(calls)}-{calls[-1][0] if calls else 'empty'}"
        if kept.exists():
            return kept
        earlier = self._before(calls[:-1], replicates) if calls else None
        shutil.rmtree(self.volume, ignore_errors=True)
        if earlier is None:
            self.volume.mkdir()
        else:
            shutil.copytree(earlier, self.volume, symlinks=True)
            self._must(Stage("before", (), calls, replicates), calls[-1:])
        kept.parent.mkdir(exist_ok=True)
        shutil.copytree(self.volume, kept, symlinks=True)
        return kept

    def _environment(self, stage: Stage) -> dict[str, str]:
        own = {
            "HALFREAL_REPLICATES": str(stage.replicates),
            "HALFREAL_PROCESSES": "1",
            "HALFREAL_CACHE_DIR": str(self.volume / "cache"),
            "HALFREAL_TUNE_WORKERS": "1",
            "HALFREAL_DEVICE": "cpu",
        }
        return own | (self.store.environment() if stage.in_store and self.store else {})

    def _run(self, stage: Stage, calls: Iterable[Call], extra: dict[str, str] | None = None) -> int:
        self.log.unlink(missing_ok=True)
        self.steps.unlink(missing_ok=True)
        root = self.store.url if stage.in_store and self.store else str(self.volume)
        place = ("--recipe", str(self.folder / "recipe.toml"), "--experiment", "small", "--data-root", root)
        commands = [(*call[:1], *place, *call[1:]) for call in calls]
        environment = self._environment(stage) | {steps.STEPS: str(self.steps)} | (extra or {})
        return attempt(partial(_all, commands, self.folder / MODULES), environment, self.log)

    def _must(self, stage: Stage, calls: Iterable[Call]) -> None:
        if code := self._run(stage, calls):
            raise SystemExit(f"{stage.name}: ends with {code} undisturbed\n{self.log.read_text(encoding='utf-8')}")

    def import_everything(self) -> None:
        """Import all jobs, which those that `tune` starts would otherwise do each time."""
        for package in (jobs, shared):
            for found in walk_packages(package.__path__, f"{package.__name__}."):
                is_command = found.name.count(".") == 2
                if not found.name.startswith(LOADERS) and (is_command or not found.name.endswith("__main__")):
                    import_module(found.name)

    def _import_what_it_needed(self) -> None:
        """Import what the last run did: processes that are forked from now on have it."""
        for name in (self.folder / MODULES).read_text(encoding="utf-8").split():
            with suppress(ImportError):
                import_module(name)

    def _kinds(self) -> list[str]:
        if not self.steps.exists():
            return []
        return [line[9:15].decode().strip() for line in self.steps.read_bytes().splitlines()]

    def _tree(self, stage: Stage) -> Tree:
        tree = dict(tree_of(self.volume)) if self.volume.exists() else {}
        if stage.in_store:
            assert self.store is not None
            listing = self.folder / "listing.json"
            attempt(partial(self.store.list_into, listing), self._environment(stage), self.log)
            # of the mirror the names: its files have the times of this machine
            tree = dict.fromkeys(tree, "") | json.loads(listing.read_bytes())
        return tree


def _all(commands: list[Call], modules: Path) -> int:
    """Call one after the other until one fails; where none does, note which modules are imported."""
    for words in commands:
        if code := command(words):
            return code
    modules.write_text("\n".join(name for name in sys.modules if not name.startswith("__")), encoding="utf-8")
    return 0


def _unclear(said: str, code: int, fail_with: str) -> list[str]:
    """Return what is wrong with how a stage ended."""
    if fail_with == "kill":
        # where the killed process was one of several, another one says so
        return [] if code in (KILLED, 1, 75, 0) else [f"ended with {code}"]
    wrong = [] if code in (0, 1, 75) else [f"ended with {code} for {fail_with}"]
    return wrong + [f"said: {line}" for line in said.splitlines() if "unexpected;" in line or "Traceback" in line]


def numbers(count: int, every: int) -> list[int]:
    """Return each `every`-th of `count` steps, the last one included."""
    return sorted({*range(1, count + 1, every), count} if count else set())


def row(counted: Counted, points: list[Point]) -> tuple[int, int, int, str]:
    """Return the steps of a stage, at how many it was ended, after how many all was equal, and at which kinds."""
    kinds = Counter(point.kind for point in points)
    told = ", ".join(f"{kinds[kind]} {kind}" for kind in sorted(kinds))
    return len(counted.kinds), len(points), sum(not point.wrong for point in points), told


def to_line(point: Point) -> str:
    """Return a point as a line of JSON."""
    return json.dumps(asdict(point)) + "\n"


@contextmanager
def benches(folder: Path, in_store: bool) -> Iterator[Bench]:
    """Yield a bench, with a store if one is asked for."""
    with ExitStack() as held:
        store = None
        if in_store:
            store = StoredVolume(held.enter_context(served_elsewhere(folder / "server")))
        held.enter_context(small_experiments())
        yield Bench(folder, store)
