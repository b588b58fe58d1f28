"""An experiment on a volume, as Python sees it: what it found, and images of its generators."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from shared.errors import MissingArtifact
from shared.sources.detect import check_no_address

# reading a verdict needs no numpy, and torch takes seconds to import
if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from jobs.commands.drawing import DrawingFigures
    from jobs.commands.drawing import Experiment as Generator
    from jobs.commands.results import Results
    from shared.metrics.over_replicates import ScoreSummary
    from shared.store.records.mixed import Answer, ArmRow


@dataclass(frozen=True)
class Samples:
    """Images of a generator, which a notebook shows as a grid.

    `images` are uint8 (N, size, size, channels); `class_names` and `confidence`, both of length N, say what the
    experiment's classifier takes each of them for, and how sure it is, in [0, 1]. `figures` has diversity, sharpness
    and contrast next to those of real test images. `png` is the grid.
    """

    images: NDArray[np.uint8]
    class_names: list[str]
    confidence: NDArray[np.float32]
    figures: DrawingFigures
    png: bytes

    def save(self, path: str | PathLike[str]) -> None:
        """Write the grid as a PNG file, whole or not at all; its folder is made where there is none."""
        from shared.disk.durable import make_folder, write_whole

        file = Path(path)
        make_folder(file.parent, parents=True)
        write_whole(file, self.png)

    def _repr_png_(self) -> bytes:
        return self.png


class Experiment:
    """An experiment; `open_experiment` and `judge` return one.

    It is read when it is first asked for something, and stays as it was then: open it again to see what has changed.
    Every property raises BadInput where what it needs is missing, unfinished or out of step.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._generators: dict[int | None, Generator] = {}

    def __repr__(self) -> str:
        """Return how to open it."""
        return f"halfreal.open_experiment({str(self.folder)!r})"

    @property
    def verdict(self) -> str:
        """What was found, in words: what must be read first, then the answers, a line each."""
        from shared.plots.answers import NO_ANSWER, first_answers, read_first

        mixed = self._results.mixed
        answers = [answer.sentence for answer in first_answers(mixed)]
        return "\n".join([*read_first(mixed), *(answers or [NO_ANSWER])])

    @property
    def headline(self) -> Answer | None:
        """The answer that matters most: outcome, difference as a share of 1, interval; None where no arms answer it."""
        return self._results.mixed.headline

    @property
    def answers(self) -> list[Answer]:
        """Every answer, the one that a page begins with first."""
        from shared.plots.answers import shown_answers

        return shown_answers(self._results.mixed)

    @property
    def arms(self) -> list[ArmRow]:
        """The arms: what each was trained on, and how it does on the real test images."""
        return self._results.mixed.arms

    @property
    def scores(self) -> dict[str, ScoreSummary]:
        """The scores of the synthetic images against test by name, and those of real images, over replicates."""
        from shared.metrics.over_replicates import summaries

        return summaries(self._results.on_test)

    def facts(self) -> dict[str, object]:
        """Return everything as JSON holds it, as `halfreal results --json` prints it."""
        return self._results.facts()

    @property
    def classes(self) -> list[str]:
        """The names of the classes, in the order of their labels."""
        return self._generator(None).classes

    def sample(
        self,
        class_name: str | None = None,
        count: int = 16,
        *,
        seed: int = 0,
        epoch: int | None = None,
        truncation: float | None = None,
        latent_scale: float | None = None,
        replicate: int | None = None,
    ) -> Samples:
        """Draw images, the same ones as `halfreal sample` with these options.

        A generator that was trained without classes takes no `class_name`, any other needs one. Snapshot and replicate
        are those that are best on val where none is named; the scale of latents is that of the synthetic images.
        """
        from jobs.commands.drawing import SampleRequest

        opened = self._generator(replicate)
        request = SampleRequest(
            label=opened.label(class_name),
            count=count,
            seed=seed,
            snapshot=opened.snapshot(epoch),
            truncation=truncation,
            latent_scale=opened.latent_scale if latent_scale is None else latent_scale,
        )
        drawing = opened.draw(request)
        return Samples(
            images=drawing.drawn.images.permute(0, 2, 3, 1).numpy(),
            class_names=[opened.classes[label] for label in drawing.drawn.given.tolist()],
            confidence=drawing.drawn.confidence.numpy(),
            figures=drawing.figures,
            png=drawing.sheet(),
        )

    def export(
        self,
        to: str,
        out: str | PathLike[str] | None = None,
        *,
        epoch: int | None = None,
        replicate: int | None = None,
        force: bool = False,
    ) -> Path:
        """Write the generator, or the synthetic images, for other programs, as `halfreal export` does.

        Returns the folder: `out`, or the experiment's `export/<to>`. What is complete there is kept; something else is
        refused, unless `force` replaces it.
        """
        from jobs.export.exporting import export
        from shared.cli.exit_codes import explained

        try:
            return export(self.folder, replicate, None if out is None else Path(out), to=to, epoch=epoch, force=force)
        except (OSError, ModuleNotFoundError) as error:
            raise explained(error) or error from error

    @cached_property
    def _results(self) -> Results:
        from jobs.commands.results import collect

        return collect(self.folder)

    def _generator(self, replicate: int | None) -> Generator:
        from jobs.commands.drawing import Experiment as Generator

        if replicate not in self._generators:
            self._generators[replicate] = Generator(self.folder, replicate)
        return self._generators[replicate]


def open_experiment(path: str | PathLike[str]) -> Experiment:
    """Return the experiment in a folder of the volume, such as `data/digits`; MissingArtifact where there is none."""
    folder = Path(path)
    check_no_address(str(path))
    if not folder.is_dir():
        raise MissingArtifact(f"{folder}: does not exist; want the folder of an experiment, such as data/digits")
    return Experiment(folder)
