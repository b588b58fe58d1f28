"""Synthetic images of several experiments under the protocol of a reference; their scores are kept on the volume."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from jobs.compare.experiments import Experiment
from jobs.compare.reference import Reference
from shared.cli.progress import Reporter
from shared.data.images import load_split
from shared.disk.durable import make_folder, write_whole
from shared.errors import BadInput
from shared.format.files import json_bytes, sha256
from shared.metrics.compare import Scored
from shared.models.snapshots import draw_images, latents_of, load_snapshot
from shared.runtime.seeding import Stream, derive_seed, replicate_seed
from shared.store.artifacts import Artifact
from shared.store.records.datasets import SyntheticRecord
from shared.store.records.gan import GanRecord
from shared.store.records.scores import Protocol
from shared.store.samples import places_of_draw

CACHE = "scores"
"""The folder of scores below that of all comparisons: any of them may be deleted at any time."""


@dataclass(frozen=True)
class Referenced:
    """What comes out: the scores of each experiment, those of the reference's own real train images as the scale.

    `notes` say where an experiment's images were made differently from the reference's. `computed` of `total` scores
    were not found on the volume.
    """

    name: str
    scored: dict[str, Scored]
    real: dict[str, float]
    protocol: Protocol
    preparation: str
    notes: list[str]
    computed: int
    total: int


@dataclass(frozen=True)
class Generator:
    """The chosen snapshot of a replicate, the classes that it is asked for, and the reference that it is scored by."""

    reference: Reference
    gan: Artifact[GanRecord]
    file: str
    number: int
    asked: Tensor

    @classmethod
    def of(cls, reference: Reference, experiment: Experiment, number: int) -> "Generator":
        """Return the generator of the experiment's replicate `number`."""
        chosen = experiment.records[number].chosen_snapshot.file
        return cls(reference, experiment.gans[number], chosen, number, reference.asked(experiment))

    @property
    def key(self) -> dict[str, object]:
        """What its scores depend on."""
        return {"generator": [self.gan.sha256, self.file, self.number], "asked": sha256(self.asked.numpy().tobytes())}

    def scores(self) -> dict[str, float]:
        """Return its scores against the reference's test images."""
        features = self.reference.scorer.extract(self.drawn(), self.asked)
        return self.reference.scorer.overall(features, self.reference.features("test")).scores

    def drawn(self) -> Tensor:
        """Return its images, uint8, in the reference's format."""
        # a seed for each image and a stream of its own: neither the latents on val nor those on test
        seed = replicate_seed(self.reference.seed, self.number)
        seeds = [derive_seed(seed, Stream.REFERENCE_LATENTS, index) for index in range(len(self.asked))]
        network = load_snapshot(self.gan, self.file, self.reference.group.device)
        images = draw_images(network, latents_of(seeds, self.gan.record.latent), self.asked)
        return self.reference.in_its_format(images)


@dataclass(frozen=True)
class ImportedSet:
    """The imported images of a replicate, and the reference that they are scored by."""

    reference: Reference
    synthetic: Artifact[SyntheticRecord]

    @property
    def key(self) -> dict[str, object]:
        """What its scores depend on."""
        return {"imported": self.synthetic.sha256}

    def scores(self) -> dict[str, float]:
        """Return its scores against the reference's test images; BadInput where it has too few images."""
        wanted, count = self.reference.images, self.synthetic.split("train").count
        if count < wanted:
            raise BadInput(
                f"{self.synthetic.folder}: {count:,} imported images; {wanted:,} of each experiment are scored\n"
                f"score fewer of each: --images {count}"
            )
        drawn = load_split(self.synthetic, "train").subset(places_of_draw(count, wanted, self.reference.seed))
        features = self.reference.scorer.extract(self.reference.in_its_format(drawn.images), drawn.labels)
        return self.reference.scorer.overall(features, self.reference.features("test")).scores


def scored_of(reference: Reference, experiment: Experiment, number: int) -> Generator | ImportedSet:
    """Return what is scored of the experiment's replicate `number`."""
    if experiment.imported:
        return ImportedSet(reference, experiment.sets[number])
    return Generator.of(reference, experiment, number)


def score_under(
    reference: Reference, experiments: Mapping[str, Experiment], cache: Path, reporter: Reporter
) -> Referenced:
    """Return the scores of every experiment's chosen snapshots under the reference's protocol.

    Scores are kept in the folder `cache`, named after all that they depend on, so that a stopped comparison goes on.
    """
    work = [(name, number) for name, experiment in experiments.items() for number in experiment.scores]
    scores: dict[str, list[dict[str, float]]] = {name: [] for name in experiments}
    computed = 0
    for name, number in reporter.each(work, f"score against {reference.name}", len(work), "generators"):
        generator = scored_of(reference, experiments[name], number)
        found, fresh = kept(cache, reference.key(generator.key), generator.scores)
        scores[name].append(found)
        computed += fresh
    real, _ = kept(cache, reference.key({"real": "train"}), reference.real_scores)
    test, drawn = reference.features("test"), reference.images
    notes = reference.scorer.warnings(drawn, {"test": len(test)}, test.features.shape[1])
    chosen_by = reference.scorer.extractor.distance
    return Referenced(
        name=reference.name,
        scored={
            name: Scored(values, {reference.protocol.extractor: reference.protocol}, chosen_by)
            for name, values in scores.items()
        },
        real=real,
        protocol=reference.protocol,
        preparation=reference.preparation,
        notes=[*notes, *(note for each in experiments.values() for note in differences(reference, each))],
        computed=computed,
        total=len(work),
    )


def kept(cache: Path, key: dict[str, object], compute: Callable[[], dict[str, float]]) -> tuple[dict[str, float], bool]:
    """Return the scores that are kept in `cache` under `key`, else compute and keep them; and whether they were new."""
    path = cache / f"{sha256(json_bytes(key))[:24]}.json"
    stored = load(path, key)
    if stored is not None:
        return stored, False
    scores = compute()
    make_folder(path.parent, parents=True)
    write_whole(path, json_bytes({"key": key, "scores": scores}))
    return scores, True


def load(path: Path, key: dict[str, object]) -> dict[str, float] | None:
    """Return the scores that are kept at `path` under `key`; None where there are none."""
    try:
        kept = json.loads(path.read_bytes())
        return {str(name): float(value) for name, value in kept["scores"].items()} if kept["key"] == key else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def differences(reference: Reference, experiment: Experiment) -> list[str]:
    """Say in what an experiment's real images were made differently from the reference's: that shows in its scores."""
    ours, theirs = experiment.real.dataset, reference.info
    facts = {
        "size": (f"{ours.size_px} px", f"{theirs.size_px} px"),
        "channels": (str(ours.channels), str(theirs.channels)),
        **{
            name: (str(ours.preparation.get(name)), str(theirs.preparation.get(name)))
            for name in sorted(ours.preparation.keys() | theirs.preparation.keys())
        },
    }
    differ = [f"{name} {mine} (reference: {other})" for name, (mine, other) in facts.items() if mine != other]
    if ours.classes != theirs.classes:
        differ.append("other classes, in its own proportions")
    return [f"{experiment.name} was made with {', '.join(differ)}; its scores include that"] if differ else []
