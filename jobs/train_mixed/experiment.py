"""From the fits of all replicates to the verdict: read their answers, and what the scores say of the generators."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from torch import Tensor

from jobs.pipeline import EVALUATE, FITS, PREPROCESS, SYNTHESIZE
from jobs.train_mixed.arms import ARMS, first_shown
from jobs.train_mixed.fits import EQUAL_STEPS, PROBABILITIES, fit_file
from jobs.train_mixed.options import MixedOptions
from jobs.train_mixed.outcome import Labels, Outcome
from jobs.train_mixed.verdict import Signs, make_record
from shared.cli.run import Run
from shared.data.images import load_split
from shared.errors import BadInput
from shared.stats.confidence import LEVEL_TEXT
from shared.store.artifacts import Artifact
from shared.store.checkpoints import load
from shared.store.records.copies import CopyTest
from shared.store.records.datasets import SyntheticRecord
from shared.store.records.mixed import FitsRecord, MixedProtocol, MixedRecord
from shared.store.records.scores import COLLAPSE, LITTLE_VARIETY
from shared.store.replicates import replicate_name

INTERVAL = f"{LEVEL_TEXT}, over replicates and test images (two-way random effects)"
ONE_REPLICATE = f"{LEVEL_TEXT}, over test images alone: one replicate"
ONE_WITH_FITS = f"{LEVEL_TEXT}, over fits and test images (two-way random effects): one replicate"


def judge_replicates(run: Run, config: MixedOptions) -> MixedRecord:
    """Return the record of the experiment, from the fits of every replicate."""
    check_scores_are_of_these(run)
    truth = load_split(run.input(PREPROCESS), "test").labels.numpy()
    fits = run.inputs_of(FITS)
    # arms in the order in which they were trained; every replicate has the same ones
    arms = list(dict.fromkeys(row.arm for row in fits[0].record.rows))
    conditional = run.input(SYNTHESIZE).record.agreement is not None
    filtered, unlabelled = config.min_confidence > 0, fits[0].record.n_unlabelled is not None
    return make_record(
        {arm: read_outcome(fits, arm, config.fits, truth) for arm in arms},
        [row for artifact in fits for row in artifact.record.rows],
        {arm: ARMS[arm].information(conditional, filtered, unlabelled) for arm in arms},
        protocol_of(run, config, len(truth)),
        signs_of(run, config.arms),
    )


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


def read_outcome(fits: list[Artifact[FitsRecord]], arm: str, count: int, truth: Labels) -> Outcome:
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
    )


def as_outcome(read: list[list[dict[str, Tensor]]], truth: Labels) -> Outcome:
    """Return the answers of an arm's classifiers, given the tensors of the file of each fit of each replicate."""
    kept, control = (
        np.stack([[tensors[name].numpy() for tensors in replicate] for replicate in read])
        for name in (PROBABILITIES, EQUAL_STEPS)
    )
    return Outcome(truth, kept.argmax(axis=3), kept, control.argmax(axis=3))


def protocol_of(run: Run, config: MixedOptions, n_test: int) -> MixedProtocol:
    """Return what the arms have in common; the result before this one tells how many replicates were planned."""
    fits = run.inputs_of(FITS)
    before = seen_before(run)
    planned = len(fits) if before is None else before.planned
    return MixedProtocol(
        n_test=n_test,
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
        split="test of real",
        selection="highest macro F1 on real val",
        interval=INTERVAL if len(fits) > 1 else ONE_WITH_FITS if config.fits > 1 else ONE_REPLICATE,
        n_unlabelled=fits[0].record.n_unlabelled,
        test_seen=test_seen(run),
        test_files=test_files(run),
    )


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


def signs_of(run: Run, arms: str) -> Signs:
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
        collapsed=collapses({number: on_test.warnings for number, on_test in tested.items()}),
        little_variety=[
            line.removeprefix(LITTLE_VARIETY)
            for on_test in tested.values()
            for line in on_test.warnings
            if line.startswith(LITTLE_VARIETY)
        ],
        copies=flagged_spaces([on_test.copies for on_test in tested.values()]),
    )


def collapses(warnings: Mapping[int, Sequence[str]]) -> list[str]:
    """Return, from the warnings about each replicate's images, how which generators collapsed."""
    return [
        f"{line.removeprefix(COLLAPSE)} (replicate {replicate_name(number)})"
        for number, lines in warnings.items()
        for line in lines
        if line.startswith(COLLAPSE)
    ]


def flagged_spaces(tests: Sequence[Mapping[str, CopyTest]]) -> list[str]:
    """Return, from the copy tests of each replicate by space, in how many of them each space is flagged."""
    flagged = Counter(space for copies in tests for space, found in copies.items() if found.flagged)
    return [f"{space} in {count} of {len(tests)} replicates" for space, count in flagged.items()]


def synthetic_counts(artifact: Artifact[SyntheticRecord]) -> list[int]:
    """Return the images by class that arms have: by the labels of an imported set, else by the annotator's."""
    record = artifact.record
    if record.imported is not None and record.asked_counts is not None:
        return record.asked_counts
    return artifact.dataset.splits["train"].class_counts
