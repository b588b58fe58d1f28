"""From the fits of all replicates to the verdict: read their answers, and what the scores say of the generators."""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from operator import truediv
from statistics import fmean

import numpy as np
from torch import Tensor

from jobs.pipeline import EVALUATE, FITS, PREPROCESS, SYNTHESIZE, TUNE
from jobs.train_mixed.arms import ARMS, first_shown
from jobs.train_mixed.fits import EQUAL_STEPS, PROBABILITIES, fit_file, named_in
from jobs.train_mixed.options import MixedOptions
from jobs.train_mixed.outcome import NO_IMAGE, Labels, Outcome, padded
from jobs.train_mixed.stopping import seen_replicates, with_width
from jobs.train_mixed.verdict import Signs, make_record
from shared.cli.run import Run
from shared.data.images import load_split
from shared.errors import BadInput
from shared.format.manifest import MANIFEST
from shared.stats.confidence import LEVEL_TEXT
from shared.stats.inference import Inference
from shared.stats.looks import STRETCH
from shared.store.artifacts import Artifact
from shared.store.checkpoints import load
from shared.store.records.copies import CopyTest, spaces_with_copies
from shared.store.records.datasets import SyntheticRecord
from shared.store.records.mixed import FitsRecord, MixedRecord
from shared.store.records.mixed_protocol import MixedProtocol
from shared.store.records.scores import COLLAPSE, LITTLE_VARIETY
from shared.store.replicates import replicate_name

INTERVAL = f"{LEVEL_TEXT}, over replicates and test images (two-way random effects)"
WIDER = f", {100 * (STRETCH - 1):.0f} % wider to allow for replicates that are added until it is narrow"
ONE_REPLICATE = f"{LEVEL_TEXT}, over test images alone: one replicate"
RANDOM_SPLITS = f"{LEVEL_TEXT}, over random splits (corrected resampled t, Nadeau and Bengio 2003)"
ONE_WITH_FITS = f"{LEVEL_TEXT}, over fits and test images (two-way random effects): one replicate"


def is_filtered(config: MixedOptions, synthetic: SyntheticRecord) -> bool:
    """Return whether the annotator chose the images that are added, by its confidence or by its label."""
    return config.min_confidence > 0 or synthetic.dropped_counts is not None


def judge_replicates(run: Run, config: MixedOptions) -> MixedRecord:
    """Return the record of the experiment, from the fits of every replicate."""
    check_scores_are_of_these(run)
    truth = truth_of(run)
    fits = run.inputs_of(FITS)
    # arms in the order in which they were trained; every replicate has the same ones
    arms = list(dict.fromkeys(row.arm for row in fits[0].record.rows))
    synthetic = run.input(SYNTHESIZE).record
    conditional = synthetic.agreement is not None
    filtered = is_filtered(config, synthetic)
    unlabelled = fits[0].record.n_unlabelled is not None
    protocol = protocol_of(run, config, truth)
    attributes = run.input(PREPROCESS).dataset.attributes
    outcomes = {arm: read_outcome(fits, arm, config.fits, truth, len(attributes)) for arm in arms}
    inference = Inference(STRETCH if config.until else 1.0, protocol.test_over_train)
    record = make_record(
        outcomes,
        [row for artifact in fits for row in artifact.record.rows],
        {arm: ARMS[arm].information(conditional, filtered, unlabelled) for arm in arms},
        protocol,
        signs_of(run, config.arms, config.verdict_on),
        inference,
    )
    return with_width(record, outcomes, inference, config.until_ended) if config.until else record


def truth_of(run: Run) -> Labels | list[Labels]:
    """Return the labels of the test images; where each replicate has a split of its own, those of each."""
    real = run.inputs_of(PREPROCESS)
    labels = [load_split(one, "test").labels.numpy() for one in (real if has_splits(run) else real[:1])]
    return labels if has_splits(run) else labels[0]


def has_splits(run: Run) -> bool:
    """Whether each replicate has a random split of its own."""
    return run.input(PREPROCESS).record.resplit == "all"


def tuned_on_one_split(run: Run) -> list[str]:
    """Return what shows that options were tuned on one split where each replicate has its own; nothing where none does.

    That is a search in this experiment, or a recipe that a search wrote or that is called a tuned one.
    """
    if not has_splits(run):
        return []
    found = [f"{TUNE.writes} of this experiment"] if (run.experiment / TUNE.writes / MANIFEST).is_file() else []
    return found + tuned_recipe(run)


def tuned_on_more(run: Run) -> list[str]:
    """Return the tuned recipe of an experiment that has a share of the images, or of their labels, alone."""
    real = run.input(PREPROCESS).record
    shares = (real.train_val_fraction, real.labelled_fraction)
    return tuned_recipe(run) if any(share is not None and share < 1 for share in shares) else []


def tuned_recipe(run: Run) -> list[str]:
    """Return the recipe in a list where a search wrote it or it is called a tuned one."""
    try:
        recorded = json.loads((run.input(SYNTHESIZE).folder / "run.json").read_bytes())["recipe"]
    except (OSError, ValueError, KeyError, TypeError):  # what is for people may be gone
        return []
    name = str(recorded)
    return [f"recipe {name}"] if re.search(r"(^|[_-])tuned$", name) else []


def check_scores_are_of_these(run: Run) -> None:
    """Raise BadInput where the synthetic images were imported and the scores are a GAN's, or the other way round."""
    for scores, synthetic in zip(run.inputs_of(EVALUATE), run.inputs_of(SYNTHESIZE), strict=True):
        imported = synthetic.record.imported is not None
        if imported != scores.record.imported:
            # one was made before the other took another place in the order of the jobs
            scored, made = ("snapshots", "imported") if imported else ("imported images", "drawn by a generator")
            raise BadInput(
                f"{scores.folder}: scores of {scored}, and the synthetic images were {made}\n"
                f"score these: halfreal evaluate --scored {'synthetic' if imported else 'snapshots'}"
            )


def read_outcome(
    fits: list[Artifact[FitsRecord]], arm: str, count: int, truth: Labels | Sequence[Labels], attributes: int = 0
) -> Outcome:
    """Return the answers of an arm's classifiers in every replicate, from their files."""
    return as_outcome(
        [
            [
                load(artifact.read(name), str(artifact.folder / name))[0]
                for name in (fit_file(arm, number) for number in range(count))
            ]
            for artifact in fits
        ],
        truth,
        attributes,
    )


def as_outcome(read: list[list[dict[str, Tensor]]], truth: Labels | Sequence[Labels], attributes: int = 0) -> Outcome:
    """Return the answers of an arm's classifiers, given the tensors of the file of each fit of each replicate.

    `truth` are the labels of the test images, or those of each replicate where each has its own. Answers are the
    probabilities of classes, or where labels are combinations of `attributes` those of each attribute.
    """
    most = max(len(replicate[0][PROBABILITIES]) for replicate in read)
    kept, control = (
        np.stack([[padded(tensors[name].numpy(), most, 0) for tensors in replicate] for replicate in read])
        for name in (PROBABILITIES, EQUAL_STEPS)
    )
    labels = truth if isinstance(truth, np.ndarray) else np.stack([padded(own, most, NO_IMAGE) for own in truth])
    predicted, by_equal_steps = (named_in(answers, attributes) for answers in (kept, control))
    return Outcome(labels, predicted, kept, by_equal_steps, attributes)


def protocol_of(run: Run, config: MixedOptions, truth: Labels | Sequence[Labels]) -> MixedProtocol:
    """Return what the arms have in common; the result before this one tells how many replicates were planned."""
    fits = run.inputs_of(FITS)
    seen = seen_replicates(seen_before(run), config.until / 100 or None, len(fits))
    planned = len(fits) if seen is None else seen
    counts = [len(truth)] if isinstance(truth, np.ndarray) else [len(own) for own in truth]
    over_splits = has_splits(run) and len(fits) > 1
    trains = [real.split("train").count for real in run.inputs_of(PREPROCESS)]
    return MixedProtocol(
        n_test=min(counts),
        n_val=fits[0].record.n_val,
        n_synthetic_usable=min(artifact.record.n_synthetic_usable for artifact in fits),
        min_confidence=config.min_confidence,
        replicates=len(fits),
        planned=planned,
        added=max(len(fits) - planned, 0),
        fits=config.fits,
        optimizer_steps=config.steps,
        most_steps=config.most_steps,
        patience=config.patience,
        split="test of each replicate's own real" if has_splits(run) else "test of real",
        selection="highest macro F1 on real val",
        interval=interval_words(len(fits), over_splits, config),
        n_unlabelled=fits[0].record.n_unlabelled,
        test_seen=test_seen(run),
        test_files=test_files(run),
        resplit=run.input(PREPROCESS).record.resplit,
        test_over_train=fmean(map(truediv, counts, trains)) if over_splits else None,
        n_test_most=max(counts) if max(counts) > min(counts) else None,
        until=config.until / 100 or None,
        seen_replicates=seen if config.until else None,
        budget_minutes=config.budget_minutes or None,
    )


def interval_words(replicates: int, over_splits: bool, config: MixedOptions) -> str:
    """Return what intervals are over, and by which model."""
    if replicates > 1:
        return (RANDOM_SPLITS if over_splits else INTERVAL) + (WIDER if config.until else "")
    return ONE_WITH_FITS if config.fits > 1 else ONE_REPLICATE


def test_seen(run: Run) -> bool | None:
    """Return whether the generator of imported images may have seen the test images; None where none were imported."""
    if run.input(SYNTHESIZE).record.imported is None:
        return None
    # somebody else's generator: only who has it knows what it saw, unless its images show that
    return not run.input(PREPROCESS).record.held_out or bool(test_files(run))


def test_files(run: Run) -> dict[str, int] | None:
    """Return how many files of each imported set are held-out test images, where it has any; None for none at all."""
    if not run.input(PREPROCESS).record.held_out:
        return None
    found: Counter[str] = Counter()
    for artifact in run.inputs_of(SYNTHESIZE):
        if imported := artifact.record.imported:
            found[imported.name] += imported.equal_to_real.get("test", 0)
    return dict(+found) or None


def seen_before(run: Run) -> MixedProtocol | None:
    """Return the protocol of the result that this one replaces, if that is about some of the same generators.

    With other arms, fits or options the answers are others, but the generators were seen: the plan is the first one.
    """
    if run.previous is None:
        return None
    before, now = (
        {digest for name, digest in inputs.items() if name.startswith(f"{SYNTHESIZE.writes}/")}
        for inputs in (run.previous.manifest.inputs, {name: made.sha256 for name, made in run.inputs.items()})
    )
    return MixedRecord.model_validate(run.previous.manifest.facts).protocol if before & now else None


def signs_of(run: Run, arms: str, verdict_on: str | None) -> Signs:
    """Return what there is to warn of in the generators of all replicates, and the images by class."""
    scored = [artifact.record.on_test for artifact in run.inputs_of(EVALUATE)]
    tested = {number: on_test for number, on_test in enumerate(scored) if on_test is not None}
    labels = [synthetic_counts(artifact) for artifact in run.inputs_of(SYNTHESIZE)]
    real = run.input(PREPROCESS).dataset
    return Signs(
        classes=real.classes,
        train_counts=real.splits["train"].class_counts,
        synthetic_counts=np.sum(labels, axis=0).tolist(),
        first=first_shown(arms),
        named=arms,
        attributes=real.attributes,
        verdict_on=verdict_on,
        collapsed=collapses({number: on_test.warnings for number, on_test in tested.items()}),
        little_variety=[
            line.removeprefix(LITTLE_VARIETY)
            for on_test in tested.values()
            for line in on_test.warnings
            if line.startswith(LITTLE_VARIETY)
        ],
        copies=flagged_spaces([on_test.copies for on_test in tested.values()]),
        copies_by_chance=flagged_spaces([on_test.copies for on_test in tested.values()], shown=False),
        tuned=tuned_on_one_split(run),
        tuned_on_more=tuned_on_more(run),
    )


def collapses(warnings: Mapping[int, Sequence[str]]) -> list[str]:
    """Return, from the warnings about each replicate's images, how which generators collapsed."""
    return [
        f"{line.removeprefix(COLLAPSE)} (replicate {replicate_name(number)})"
        for number, lines in warnings.items()
        for line in lines
        if line.startswith(COLLAPSE)
    ]


def flagged_spaces(tests: Sequence[Mapping[str, CopyTest]], shown: bool = True) -> list[str]:
    """Return, from the copy tests of each replicate by space, in how many of them each space is flagged.

    Those are the spaces in which the experiment is shown to have copies, else those with flags that chance may bring.
    """
    there = spaces_with_copies(tests)
    flagged = Counter(space for copies in tests for space, found in copies.items() if found.flagged)
    return [
        f"{space} in {count} of {len(tests)} replicates"
        for space, count in flagged.items()
        if (space in there) == shown
    ]


def synthetic_counts(artifact: Artifact[SyntheticRecord]) -> list[int]:
    """Return the images by class that arms have: by the labels of an imported set, else by the annotator's."""
    record = artifact.record
    if record.imported is not None and record.asked_counts is not None:
        return record.asked_counts
    return artifact.split("train").class_counts
