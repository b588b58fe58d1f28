"""Fit every arm from every seed, then measure; a fit that is done is not repeated after an interruption."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from jobs.pipeline import PREPROCESS, SYNTHESIZE
from jobs.train_mixed.arms import ARMS, OWN
from jobs.train_mixed.mixing import Synthetic, real_part, training_set
from jobs.train_mixed.outcome import Outcome, metric_summaries
from jobs.train_mixed.verdict import compare_all, data_equivalents, majority_baseline
from shared.cli.progress import ProgressBar
from shared.cli.run import Run
from shared.data.augmentation import flip, translation
from shared.data.images import Images, load_split
from shared.errors import FormatError
from shared.metrics.classification import score_table
from shared.models.fit_options import FitConfig
from shared.models.fitting import FitExtras, fit, logits_of, probabilities_of
from shared.runtime.devices import pick_device
from shared.runtime.seeding import Stream, derive_seed
from shared.stats.confidence import LEVEL_TEXT
from shared.store.artifacts import Artifact
from shared.store.checkpoints import load, save
from shared.store.records.base import parse_record
from shared.store.records.datasets import SyntheticRecord
from shared.store.records.mixed import ArmRow, Estimate, FitRow, MixedProtocol, MixedRecord
from shared.store.samples import annotated_members

INTERVAL = f"{LEVEL_TEXT}, over seeds and test images (hierarchical, Student's t)"
COMPARED = f"{LEVEL_TEXT}, over seeds and test images, paired (two-way random effects)"
ONE_SEED = f"{LEVEL_TEXT}, over test images only: one seed"


@dataclass(frozen=True)
class Splits:
    """The images of the experiment; `mirrors` says whether a mirror keeps their class."""

    train: Images
    val: Images
    test: Images
    synthetic: Synthetic
    classes: list[str]
    mirrors: bool


@dataclass(frozen=True)
class Plan:
    """The arms by name, the options of a fit, the number of seeds and the first one, the least confidence."""

    arms: list[str]
    fit: FitConfig
    seeds: int
    seed: int
    min_confidence: float


def load_experiment(run: Run, min_confidence: float) -> Splits:
    """Return the images: real ones are brought to the size of the synthetic ones by the same filter."""
    real, synthetic = run.input(PREPROCESS), run.input(SYNTHESIZE)
    size_px, resize_filter = synthetic.dataset.size_px, synthetic.preparation.resize_filter
    train, val, test = (load_split(real, split).at(size_px, resize_filter) for split in ("train", "val", "test"))
    drawn = load_synthetic(synthetic).confident(min_confidence)
    # the least confidence filters synthetic images before arms draw from them, so that arms keep their sizes
    return Splits(train, val, test, drawn, real.dataset.classes, real.record.mirrors)


def load_synthetic(synthetic: Artifact[SyntheticRecord]) -> Synthetic:
    """Return the synthetic images with what their json says of them; FormatError if that is not what it should be."""
    metas = [meta for _, _, meta in annotated_members(synthetic)]
    asked = [meta.origin.asked_label for meta in metas if meta.origin.asked_label is not None]
    return Synthetic(
        load_split(synthetic, "train"),
        # all or none: an image without the class asked for makes the arms with it impossible
        torch.tensor(asked) if len(asked) == len(metas) else None,
        torch.tensor([meta.annotation.confidence for meta in metas]),
        len(metas),
    )


def run_experiment(run: Run, plan: Plan) -> MixedRecord:
    """Fit every arm from every seed and return the record: fits, a summary per arm, comparisons, baseline."""
    splits = load_experiment(run, plan.min_confidence)
    # fail before the first fit where an arm lacks synthetic images, by the arm that lacks most
    for name in sorted(plan.arms, key=lambda name: -ARMS[name].synthetic_share):
        training_set(name, splits.train, splits.synthetic, plan.seed)
    device = pick_device(run.device)
    rows: list[FitRow] = []
    outcomes: dict[str, Outcome] = {}
    with run.reporter.bar("fit", len(plan.arms) * plan.seeds * plan.fit.steps, "steps") as bar:
        for name in plan.arms:
            # every arm gets the same seeds, so that differences can be paired by seed
            seeds = range(plan.seed, plan.seed + plan.seeds)
            fits = [_fit_once(run.folder, name, splits, plan.fit, seed, device, bar) for seed in seeds]
            rows += [row for row, _ in fits]
            answers = np.stack([probabilities for _, probabilities in fits])
            outcomes[name] = Outcome(splits.test.labels.numpy(), answers.argmax(axis=2), answers)
    truth = splits.test.labels.numpy()
    return MixedRecord(
        rows=rows,
        arms=[arm_summary(name, rows, outcome) for name, outcome in outcomes.items()],
        comparisons=compare_all(outcomes, len(truth)),
        worth=data_equivalents(outcomes, {row.arm: row.n_real for row in rows}),
        majority_baseline=majority_baseline(splits.train.labels.numpy(), truth),
        protocol=MixedProtocol(
            n_test=len(truth),
            n_val=len(splits.val),
            n_synthetic_usable=len(splits.synthetic.images),
            min_confidence=plan.min_confidence,
            seeds=list(range(plan.seed, plan.seed + plan.seeds)),
            optimizer_steps=plan.fit.steps,
            split="test of real",
            selection="highest macro F1 on real val",
            interval=INTERVAL if plan.seeds > 1 else ONE_SEED,
            compared=COMPARED if plan.seeds > 1 else ONE_SEED,
        ),
    )


def augmentation(mirrors: bool) -> Callable[[Tensor, torch.Generator], Tensor]:
    """Return the standard augmentation: shifts by up to an eighth of the side, mirrors where they keep the class."""

    def augment(images: Tensor, generator: torch.Generator) -> Tensor:
        # three numbers even where one is not used, so that shifts do not depend on whether images are mirrored
        params = torch.rand(len(images), 3, generator=generator).to(images.device)
        shifted = translation(images, params[:, :2])
        return flip(shifted, params[:, 2:]) if mirrors else shifted

    return augment


def annotated_by_own(splits: Splits, share: float, config: FitConfig, seed: int, device: torch.device) -> Synthetic:
    """Return the synthetic images with the labels of an annotator that saw a share of the real images alone."""
    seen = real_part(splits.train, share, seed)
    fitted = fit(
        seen, splits.val, len(splits.classes), config, seed=derive_seed(seed, Stream.OWN_ANNOTATOR), device=device
    )
    # the same synthetic images with other labels: this arm differs from its neighbour in nothing else
    confidence, labels = probabilities_of(fitted.network, splits.synthetic.images.images).cpu().max(dim=1)
    drawn = splits.synthetic
    return replace(drawn, images=Images(drawn.images.images, labels), confidence=confidence)


def _fit_once(
    folder: Path, name: str, splits: Splits, config: FitConfig, seed: int, device: torch.device, bar: ProgressBar
) -> tuple[FitRow, NDArray[np.float32]]:
    """Fit an arm from a seed, or read the fit that an interrupted run finished; return its row and probabilities."""
    # a file for each fit: the job resumes after the last finished one, and a broken file costs one fit, not all
    path, arm = folder / "fits" / f"{name}-seed{seed}.safetensors", ARMS[name]
    try:
        tensors, stored = load(path.read_bytes(), str(path))
        row = parse_record(FitRow, stored, str(path))
        # skipped, not advanced: the rate and the time left are those of this run
        bar.skip(config.steps)
    except (FileNotFoundError, FormatError):
        synthetic = splits.synthetic
        # an annotator that saw every real label would leak into the arm the labels that it is meant to do without
        if arm.labels == OWN:
            synthetic = annotated_by_own(splits, arm.annotator_share, config, seed, device)
        train, n_real, n_synthetic = training_set(name, splits.train, synthetic, seed)
        fitted = fit(
            train,
            splits.val,
            len(splits.classes),
            config,
            seed=derive_seed(seed, Stream.ARM_FIT),
            device=device,
            extras=FitExtras(
                augment=augmentation(splits.mirrors) if arm.augmented else None,
                on_step=bar.advance,
            ),
        )
        answers = logits_of(fitted.network, splits.test.images).softmax(dim=1).cpu()
        table = score_table(splits.test.labels.numpy(), answers.argmax(dim=1).numpy(), splits.classes)
        row = FitRow(
            arm=name, seed=seed, n_real=n_real, n_synthetic=n_synthetic, best_step=fitted.best_step, test=table
        )
        # probabilities, not only the metrics: paired comparisons and ROC-AUC need the answer for each test image
        tensors = {"probabilities": answers}
        path.parent.mkdir(exist_ok=True)
        save(path, tensors, row.facts())
    return row, tensors["probabilities"].numpy()


def arm_summary(name: str, rows: list[FitRow], outcome: Outcome) -> ArmRow:
    """Return an arm's line in the results table: every metric with its spread and interval."""
    first = next(row for row in rows if row.arm == name)  # counts are the same for every seed
    return ArmRow(
        arm=name,
        about=ARMS[name].about,
        n_real=first.n_real,
        n_synthetic=first.n_synthetic,
        metrics={metric: Estimate(**summary) for metric, summary in metric_summaries(outcome).items()},
    )
