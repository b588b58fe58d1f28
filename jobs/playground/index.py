"""The experiments under a data root, for the playground."""

from pathlib import Path

from jobs.commands.drawing import Experiment
from jobs.pipeline import PREPROCESS
from shared.errors import MissingArtifact
from shared.store.lineage import STUDY_FOLDER


class ExperimentIndex:
    """The experiments under a data root, of each the same replicate, or the best on val where none is named.

    The one opened last stays in memory until its artifacts change.
    """

    def __init__(self, data_root: Path, replicate: int | None = None) -> None:
        self.data_root, self.replicate = data_root, replicate
        self._kept: Experiment | None = None

    def names(self) -> list[str]:
        """Return the names of the experiments that have real images, finished or not."""
        from shared.format.manifest import MANIFEST

        # each replicate may have a split of its own, and the points of a study are experiments too
        real = [f"{PREPROCESS.writes}{below}/{MANIFEST}" for below in ("", "/r[0-9][0-9]")]
        paths = [
            path
            for above in ("*", f"*/{STUDY_FOLDER}/*")
            for place in real
            for path in self.data_root.glob(f"{above}/{place}")
        ]
        found = {path.relative_to(self.data_root).as_posix().rpartition(f"/{PREPROCESS.writes}/")[0] for path in paths}
        return sorted(name for name in found if not name.startswith("."))

    def open(self, name: str, replicate: int | None = None) -> Experiment:
        """Return a replicate of an experiment, or the usual one here; BadInput where it is absent or unfinished."""
        if name not in self.names():
            there = ", ".join(self.names()) or "none; run first: halfreal run"
            raise MissingArtifact(f"{self.data_root / name}: no experiment there; there are {there}")
        # opening reads manifests alone; the images that the kept one has loaded stay as long as the hashes do
        wanted = self.replicate if replicate is None else replicate
        opened, kept = Experiment(self.data_root / name, wanted), self._kept
        if kept is None or (kept.folder, kept.hashes) != (opened.folder, opened.hashes):
            self._kept = kept = opened
        return kept
