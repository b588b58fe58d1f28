"""Fit every arm from every seed, then measure; a fit that is done is not repeated after an interruption."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from jobs.train_mixed.arms import ARMS, training_set
from jobs.train_mixed.verdict import COMPARISONS, compare, interval, majority_baseline, summary
from shared.chance import mix
from shared.checkpoints import load, save
from shared.classify import fit, logits_of, score_table
from shared.distributed import pick_device
from shared.errors import FormatError
from shared.fitting import FitConfig
from shared.job import Run
from shared.loading import Images, load_split
from shared.progress import Bar

INTERVAL = "95 %, over seeds and test images (two-way random effects)"
METRICS = ("accuracy", "precision", "recall", "f1")


@dataclass(frozen=True)
class Splits:
    """The images of the experiment."""

    train: Images
    val: Images
    test: Images
    synthetic: Images
    classes: list[str]


def run_experiment(run: Run, fit_config: FitConfig, seeds: int, seed: int) -> dict[str, Any]:
    """Return the facts of the experiment: a row per arm and seed, a summary per arm, comparisons, baseline.

    Real images are brought to the size of the synthetic ones, by the filter that brought those there.
    """
    real, synthetic = run.inputs["real"], run.inputs["synthetic"]
    size_px, resize_filter = synthetic.dataset.size_px, synthetic.dataset.preparation["resize_filter"]
    train, val, test = (load_split(real, split).at(size_px, resize_filter) for split in ("train", "val", "test"))
    splits = Splits(train, val, test, load_split(synthetic, "train"), real.dataset.classes)
    device = pick_device(run.device)
    rows, correct = [], {}
    with run.talk.bar("fit", len(ARMS) * seeds * fit_config.steps, "steps") as bar:
        for name in ARMS:
            found = [
                _fit_once(run.folder, name, splits, fit_config, seed + number, device, bar) for number in range(seeds)
            ]
            rows += [row for row, _ in found]
            correct[name] = np.stack([right for _, right in found])
    truth = splits.test.labels.numpy()
    return {
        "rows": rows,
        "arms": [arm_summary(name, rows, correct[name]) for name in ARMS],
        "comparisons": [compare(comparison, correct) for comparison in COMPARISONS],
        "majority_baseline": majority_baseline(splits.train.labels.numpy(), truth),
        "protocol": {
            "n_test": len(truth),
            "n_val": len(splits.val),
            "seeds": list(range(seed, seed + seeds)),
            "optimizer_steps": fit_config.steps,
            "split": "test of real",
            "selection": "highest macro F1 on real val",
            "interval": INTERVAL if seeds > 1 else "95 %, over test images only: one seed",
        },
    }


def _fit_once(
    folder: Path, name: str, splits: Splits, config: FitConfig, seed: int, device: torch.device, bar: Bar
) -> tuple[dict[str, Any], Any]:
    """Fit an arm from a seed, or read the fit that an interrupted run finished; return its row and hits."""
    path = folder / "fits" / f"{name}-seed{seed}.safetensors"
    try:
        tensors, row = load(path.read_bytes(), str(path))
        bar.skip(config.steps)
    except (FileNotFoundError, FormatError):
        train, n_real, n_synthetic = training_set(ARMS[name], splits.train, splits.synthetic, seed)
        fitted = fit(
            train, splits.val, len(splits.classes), config, seed=mix(seed, 8), device=device, on_step=bar.advance
        )
        predicted = logits_of(fitted.network, splits.test.images).argmax(dim=1).cpu()
        table = score_table(splits.test.labels.numpy(), predicted.numpy(), splits.classes)
        row = {"arm": name, "seed": seed, "n_real": n_real, "n_synthetic": n_synthetic, "best_step": fitted.best_step}
        row |= {"test": table}
        tensors = {"predicted": predicted}
        path.parent.mkdir(exist_ok=True)
        save(path, tensors, row)
    return row, (tensors["predicted"] == splits.test.labels).double().numpy()


def arm_summary(name: str, rows: list[dict[str, Any]], correct: Any) -> dict[str, Any]:
    """Return an arm's line in the results table; only accuracy has an interval yet, the rest their spread."""
    mine = [row for row in rows if row["arm"] == name]
    low, high = interval(correct)
    summaries = {metric: summary([row["test"][metric] for row in mine]) for metric in METRICS}
    summaries["accuracy"] |= {"low": max(low, 0.0), "high": min(high, 1.0)}
    return {
        "arm": name,
        "about": ARMS[name].about,
        "n_real": mine[0]["n_real"],
        "n_synthetic": mine[0]["n_synthetic"],
        **summaries,
    }
