"""The experiments that are compared: the replicates that their verdicts use, and the recipes that they were made by."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs.pipeline import EVALUATE, PREPROCESS, SYNTHESIZE, TRAIN_GAN, TRAIN_MIXED
from shared.cli.recipes import Published
from shared.format.manifest import MANIFEST
from shared.store.artifacts import Artifact, input_of, inputs_of
from shared.store.job import Job
from shared.store.lineage import check_lineage, experiment_label, open_inputs, open_places
from shared.store.records.datasets import IMPORTED, RealRecord, SyntheticRecord
from shared.store.records.gan import GanRecord
from shared.store.records.mixed import MixedRecord
from shared.store.records.scores import ScoresRecord
from shared.store.replicates import MOST, as_there, existing, place

JUDGED: Job = Job("compare", "", "", "", (PREPROCESS, EVALUATE, TRAIN_MIXED))
"""What is read of an experiment that has a verdict, besides the generators or the imported sets that were scored."""


@dataclass(frozen=True)
class Experiment:
    """An experiment: its generators and their scores by the number of the replicate, and its verdict if it has one.

    Where synthetic images were imported it has no generators but `sets`. `recipe` is the name of the one that either
    was made by, `published` what the recipe's source prints; None where neither was recorded.
    """

    name: str
    real: Artifact[RealRecord]
    gans: dict[int, Artifact[GanRecord]]
    sets: dict[int, Artifact[SyntheticRecord]]
    scores: dict[int, Artifact[ScoresRecord]]
    mixed: MixedRecord | None
    recipe: str | None
    published: Published | None

    @property
    def records(self) -> dict[int, ScoresRecord]:
        """The scores of each replicate, by its number."""
        return {number: scores.record for number, scores in self.scores.items()}

    @property
    def imported(self) -> bool:
        """Whether the synthetic images were imported."""
        return not self.gans

    @property
    def family(self) -> str:
        """The family of its GAN, or "imported"."""
        return next((gan.record.family for gan in self.gans.values()), IMPORTED)

    @property
    def generator_words(self) -> str:
        """What drew its images: the family of its GAN and whether it knows classes, or the imported sets."""
        for gan in self.gans.values():
            return f"{self.family}, {'conditional' if gan.record.conditional else 'unconditional'}"
        names = [made.record.imported.name for made in self.sets.values() if made.record.imported]
        return f"{IMPORTED}: {', '.join(names)}"

    @property
    def tuned(self) -> bool:
        """Whether the numbers that its recipe has are those of the published recipe that it extends."""
        return self.published is not None and self.published.recipe != self.recipe

    @property
    def replicates_words(self) -> str:
        """How many replicates there are, and why these."""
        count = len(self.scores)
        counted = f"{count} replicate{'' if count == 1 else 's'}"
        return f"{counted}, {'those of its verdict' if self.mixed else 'all that are scored, without a verdict'}"


def open_experiment(folder: Path) -> Experiment:
    """Open the experiment in `folder`: the replicates that its verdict was made from, else all that are scored.

    Raises BadInput where artifacts are missing, unreadable, or were not made from one another.
    """
    if (folder / TRAIN_MIXED.writes / MANIFEST).is_file():
        opened = open_inputs(JUDGED, folder)
    else:
        # where none is scored the first is opened all the same: the error says how to make it
        numbers = existing(folder, EVALUATE) or [0]
        real = as_there(PREPROCESS, folder)
        places: dict[str, Job[Any]] = {place(real, number): PREPROCESS for number in numbers}
        opened = open_places(places | {place(EVALUATE, number): EVALUATE for number in numbers}, folder)
    scored = {name for artifact in inputs_of(opened, EVALUATE) for name in artifact.manifest.inputs}
    behind = {place(row, number): row for row in (TRAIN_GAN, SYNTHESIZE) for number in range(MOST)}
    opened |= open_places({name: row for name, row in behind.items() if name in scored}, folder)
    check_lineage(opened)
    numbers = sorted(int(name[-2:]) for name in opened if name.startswith(f"{EVALUATE.writes}/"))
    # one of the two for each replicate
    gans = dict(zip(numbers, inputs_of(opened, TRAIN_GAN), strict=False))
    sets = dict(zip(numbers, inputs_of(opened, SYNTHESIZE), strict=False))
    recipe, published = recipe_of((gans or sets)[numbers[0]].folder / "run.json")
    return Experiment(
        name=experiment_label(folder),
        real=input_of(opened, PREPROCESS),
        gans=gans,
        sets=sets,
        scores=dict(zip(numbers, inputs_of(opened, EVALUATE), strict=True)),
        mixed=input_of(opened, TRAIN_MIXED).record if TRAIN_MIXED.writes in opened else None,
        recipe=recipe,
        published=published,
    )


def recipe_of(path: Path) -> tuple[str | None, Published | None]:
    """Return the recipe that a run recorded in its run.json, and what its source prints; None where nothing is known.

    The file is for people, and no manifest vouches for it: one that cannot be read is as good as absent.
    """
    try:
        recorded: Any = json.loads(path.read_text(encoding="utf-8"))
        printed = recorded.get("published")
        published = printed and Published(
            str(printed["recipe"]), {str(name): float(value) for name, value in printed["values"].items()}
        )
        return recorded.get("recipe"), published
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None, None
