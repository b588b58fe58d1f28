"""The fits of one replicate: every arm, from the replicate's seed; a fit that is done is not repeated after a stop."""

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from jobs.pipeline import PREPROCESS, SYNTHESIZE
from jobs.train_mixed.arms import ARMS, OWN, Arm, chosen_arms
from jobs.train_mixed.mixing import Synthetic, real_part, training_set
from jobs.train_mixed.options import LEAST_GAIN, MixedOptions
from shared.attributes import Combinations, bits_of, labels_of
from shared.cli.run import Result, Run
from shared.data.decoded.plan import memory_plan
from shared.data.images import Images, load_split
from shared.data.specs import UNLABELLED
from shared.data.standard_augmentation import standard_augmentation
from shared.errors import FormatError
from shared.metrics.classification import score_table
from shared.models.fitting import FitExtras, answers_of, fit, probabilities_of
from shared.models.zoo.checks import check_classifier
from shared.runtime.devices import pick_device
from shared.runtime.seeding import Stream, derive_seed, fit_seed
from shared.store.artifacts import Artifact
from shared.store.checkpoints import load, save
from shared.store.pseudo_labels import load_pseudo_labels
from shared.store.records.base import parse_record
from shared.store.records.datasets import RealRecord, SyntheticRecord
from shared.store.records.mixed import FitRow, FitsRecord
from shared.store.samples import annotated_members
from shared.store.work_shards import WorkShards

PROBABILITIES, EQUAL_STEPS = "probabilities", "equal_steps"
"""The tensors of a fit's file, (test images, classes): of the weights that were kept, and of those of the control.

Where labels are combinations of attributes they are (test images, attributes).
"""


@dataclass(frozen=True)
class Splits:
    """The images of the experiment; `mirrors` says whether a mirror keeps their class.

    `pseudo` are unlabelled real images with the annotator's labels; None without any. Where `classes` are combinations
    of several `attributes`, these are their names.
    """

    train: Images
    val: Images
    test: Images
    synthetic: Synthetic
    classes: list[str]
    mirrors: bool
    pseudo: Synthetic | None = None
    attributes: Sequence[str] = ()

    @property
    def class_count(self) -> int:
        """The number of classes, which knows whether they are combinations of attributes."""
        return Combinations(len(self.attributes)) if self.attributes else len(self.classes)

    def added(self, arm: Arm) -> Synthetic:
        """Return the images that an arm may add to the real ones."""
        if not arm.pseudo:
            return self.synthetic
        assert self.pseudo is not None  # `chosen_arms` has refused such an arm
        return self.pseudo


@dataclass(frozen=True)
class Fit:
    """One fit that is to be made: number `number` of `arm` in a replicate."""

    arm: str
    replicate: int
    number: int
    seed: int

    @property
    def file(self) -> str:
        """The name of its file in the artifact."""
        return fit_file(self.arm, self.number)


def fit_file(arm: str, number: int) -> str:
    """Return the name of the file with the answers of fit `number` of an arm."""
    return f"{arm}-fit{number}.safetensors"


def fit_replicate(run: Run, config: MixedOptions) -> Result | None:
    """Fit every arm on the real images and the synthetic ones of one replicate, and answer the test images.

    Every part of the work on a replicate makes its share of the fits; None while fits of other parts are missing.
    """
    device = pick_device(run.device)
    check(run, config, device)
    run.reporter.info(memory_plan(reads_of(run), device), event="memory")
    splits = load_experiment(run, config.min_confidence)
    # the record of an unconditional generator has no agreement of asked and given labels
    arms = chosen_arms(config.arms, run.input(SYNTHESIZE).record.agreement is not None, splits.pseudo is not None)
    # fail before the first fit where an arm lacks synthetic images, by the arm that lacks most
    for name in sorted(arms, key=lambda name: -ARMS[name].synthetic_share):
        training_set(name, splits.train, splits.added(ARMS[name]), config.seed, 0)
    # an arm's fits have the seeds of every other arm's, so that differences are paired
    seeds = [fit_seed(config.seed, number) for number in range(config.fits)]
    fits = [Fit(name, run.replicate, number, seed) for name in arms for number, seed in enumerate(seeds)]
    rows = fit_in_parts(run, fits, lambda planned: read_or_fit(run.folder, planned, splits, config, device))
    if rows is None:
        return None
    record = FitsRecord(
        rows=rows,
        n_val=len(splits.val),
        n_synthetic_usable=len(splits.synthetic.images),
        n_unlabelled=splits.pseudo.total if splits.pseudo else None,
    )
    return Result(record, summary=f"{len(rows)} fits of {len(arms)} arms")


def fit_in_parts(run: Run, fits: list[Fit], made: Callable[[Fit], tuple[FitRow, bool]]) -> list[FitRow] | None:
    """Make the fits of this part and return the rows of all, in order; None while fits of other parts are missing.

    `made(fit)` returns the row of a fit and whether it was there, as `read_or_fit` does.
    """
    names = [planned.file for planned in fits]
    pieces, mine = WorkShards(run, len(fits), names), run.shard.select(range(len(fits)))
    with run.reporter.bar("fit", len(mine), "fits") as bar:
        for number in mine:
            # its own ones are read again even where they are done: a broken file costs one fit, not all
            row, known = made(fits[number])
            pieces.done(number, row.facts())
            run.keep_time()
            if known:
                # skipped, not advanced: the rate and the time left are those of this run
                bar.skip(1)
            else:
                bar.advance(note=f"{fits[number].arm}: {row.test.accuracy:.3f}")
    records = pieces.gather()
    if records is None:
        return None
    return [parse_record(FitRow, fields, name) for fields, name in zip(records, names, strict=True)]


def check(run: Run, config: MixedOptions, device: torch.device) -> None:
    """Raise BadInput, before any image is read, for a classifier or images that this machine cannot take."""
    real, synthetic = run.input(PREPROCESS).dataset, run.input(SYNTHESIZE).dataset
    for line in check_classifier(config, synthetic.size_px, real.channels, real.class_count, device):
        run.reporter.info(line)


def reads_of(run: Run) -> list[tuple[Artifact, str]]:
    """Return every split that the fits read, with its dataset."""
    names = ("train", "val", "test", UNLABELLED)
    return [*((run.input(PREPROCESS), name) for name in names), (run.input(SYNTHESIZE), "train")]


def load_experiment(run: Run, min_confidence: float) -> Splits:
    """Return the images: real ones are brought to the size of the synthetic ones by the same filter."""
    real, synthetic = run.input(PREPROCESS), run.input(SYNTHESIZE)
    size_px, resize_filter = synthetic.dataset.size_px, synthetic.preparation.resize_filter
    train, val, test = (load_split(real, split).at(size_px, resize_filter) for split in ("train", "val", "test"))
    # the least confidence filters synthetic images before arms draw from them, so that arms keep their sizes
    drawn, pseudo = load_synthetic(synthetic).confident(min_confidence), None
    if UNLABELLED in real.dataset.splits:
        pseudo = load_pseudo(real, synthetic).confident(min_confidence)
    info = real.dataset
    return Splits(train, val, test, drawn, info.classes, real.record.mirrors, pseudo, info.attributes)


def load_pseudo(real: Artifact[RealRecord], synthetic: Artifact[SyntheticRecord]) -> Synthetic:
    """Return the unlabelled real images, at the size of the synthetic ones, with the labels of the same annotator."""
    labels, confidence = load_pseudo_labels(synthetic)
    found = load_split(real, UNLABELLED).at(synthetic.dataset.size_px, synthetic.preparation.resize_filter)
    if len(labels) != len(found):
        raise FormatError(f"{synthetic.folder}: labels of {len(labels)} unlabelled images, there are {len(found)}")
    return Synthetic(Images(found.pixels, labels), None, confidence, len(labels))


def load_synthetic(synthetic: Artifact[SyntheticRecord]) -> Synthetic:
    """Return the synthetic images with what their json says of them; FormatError if that is not what it should be."""
    # numbers alone, not what the json of every image holds
    asked, confidence = array("q"), array("d")
    for _, _, meta in annotated_members(synthetic):
        confidence.append(meta.annotation.confidence)
        if meta.origin.asked_label is not None:
            asked.append(meta.origin.asked_label)
    return Synthetic(
        load_split(synthetic, "train"),
        # all or none: an image without the class asked for makes the arms with it impossible
        torch.from_numpy(np.array(asked)) if len(asked) == len(confidence) else None,
        torch.from_numpy(np.array(confidence)).float(),
        len(confidence),
    )


def annotated_by_own(splits: Splits, share: float, config: MixedOptions, seed: int, device: torch.device) -> Synthetic:
    """Return the synthetic images with the labels of an annotator that saw a share of the real images alone."""
    seen = real_part(splits.train, share, seed)
    fitted = fit(
        seen, splits.val, splits.class_count, config, seed=derive_seed(seed, Stream.OWN_ANNOTATOR), device=device
    )
    # the same synthetic images with other labels: this arm differs from its neighbour in nothing else
    confidence, labels = probabilities_of(fitted.network, splits.synthetic.images.pixels).cpu().max(dim=1)
    drawn = splits.synthetic
    return replace(drawn, images=Images(drawn.images.pixels, labels), confidence=confidence)


def read_or_fit(
    folder: Path, planned: Fit, splits: Splits, config: MixedOptions, device: torch.device
) -> tuple[FitRow, bool]:
    """Return the row of a fit, and whether an interrupted run finished it: then it is read from its file.

    A fit that is made here leaves its answers, and its row, in that file of `folder`.
    """
    # a file for each fit: the job resumes after the last finished one, and a broken file costs one fit, not all
    path = folder / planned.file
    try:
        return parse_record(FitRow, load(path.read_bytes(), str(path))[1], str(path)), True
    except (FileNotFoundError, FormatError):
        row, answers = _fit(planned, splits, config, device)
        save(path, answers, row.facts())
        return row, False


def _fit(
    planned: Fit, splits: Splits, config: MixedOptions, device: torch.device
) -> tuple[FitRow, dict[str, torch.Tensor]]:
    """Fit an arm; return its row and the probabilities that it gives the test images."""
    arm = ARMS[planned.arm]
    synthetic = splits.added(arm)
    # an annotator that saw every real label would leak into the arm the labels that it is meant to do without
    if arm.labels == OWN:
        synthetic = annotated_by_own(splits, arm.annotator_share, config, planned.seed, device)
    train, n_real, n_added = training_set(planned.arm, splits.train, synthetic, planned.seed, planned.number)
    fitted = fit(
        train,
        splits.val,
        splits.class_count,
        config,
        seed=derive_seed(planned.seed, Stream.ARM_FIT),
        device=device,
        extras=FitExtras(
            patience=config.patience,
            least_gain=LEAST_GAIN,
            most_steps=config.most_steps,
            equal_steps=True,
            augment=standard_augmentation(splits.mirrors, splits.class_count) if arm.augmented else None,
        ),
    )
    assert fitted.equal_steps is not None  # asked for
    # probabilities, not only the metrics: paired comparisons and ROC-AUC need the answer for each test image
    answers = {
        name: answers_of(network, splits.test.pixels).cpu()
        for name, network in ((PROBABILITIES, fitted.network), (EQUAL_STEPS, fitted.equal_steps))
    }
    truth, attributes = splits.test.labels.numpy(), len(splits.attributes)
    kept, control = (named_in(answers[name].numpy(), attributes) for name in (PROBABILITIES, EQUAL_STEPS))
    right = bits_of(control, attributes) == bits_of(truth, attributes) if attributes else control == truth
    row = FitRow(
        arm=planned.arm,
        replicate=planned.replicate,
        fit=planned.number,
        seed=planned.seed,
        n_real=n_real,
        n_synthetic=0 if arm.pseudo else n_added,
        n_pseudo=n_added if arm.pseudo else None,
        best_step=fitted.best_step,
        stopped_at=fitted.stopped_at,
        equal_steps_accuracy=float(right.mean()),
        test=score_table(truth, kept, splits.classes, splits.attributes).brief(),
    )
    return row, answers


def named_in(answers: NDArray[np.floating], attributes: int) -> NDArray[np.int64]:
    """Return the labels (...) that answers (..., classes) name, or answers (..., attributes) about attributes."""
    return labels_of(answers > 0.5) if attributes else answers.argmax(axis=-1)
