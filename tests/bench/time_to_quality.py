"""How good is each family after how many minutes? MNIST at 16 px, class-conditional, from several seeds.

    python -m tests.bench.time_to_quality --mnist DIR --out DIR [--minutes 10] [--threads 1] [--seeds 0,1,2]

Minutes are processor time of the training alone, so that other work on the machine does not count; scoring is
not included. The learning rate of a schedule falls over exactly these minutes. Each finished run is a line of
`runs.jsonl`, its generator is saved in the same folder, and a finished run is not repeated; `table.md` and `curves.png`
are made from all lines. `tests.bench.mixtures` scores what several of these generators draw together.

At each mark the averaged generator draws 20,000 images: their Fréchet distance to the 10,000 real test images in the
features of a classifier trained on real images, and the test accuracy of the same kind of classifier trained on them
alone, with the requested labels.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

SEED = {"latent": 100, "width": 32, "batch_images": 64, "decay": "none", "ema_images": 0, "networks": "dcgan"}
"""What literal families share: the seeds' latent and layers, 32 features, their papers' optimizers, no average."""

RUNS: dict[str, dict[str, Any]] = {
    "tuned": {
        "family": "dcgan",
        "networks": "class",
        "loss": "hinge",
        "discriminator_norm": "spectral",
        "init": "torch",
        "latent": 64,
        "width": 16,
        "batch_images": 64,
        "learning_rate": 2e-3,
        "beta1": 0.0,
        "beta2": 0.99,
        "decay": "late",
        "ema_images": 20000,
    },
    "dcgan": {"family": "dcgan", **SEED},
    "cgan": {"family": "cgan", **SEED, "networks": "rps_learnopencv"},
    "acgan": {"family": "acgan", **SEED},
    "wgan": {"family": "wgan", **SEED},
    "wgan_gp": {"family": "wgan_gp", **SEED, "discriminator_norm": "instance", "init": "dcgan"},
}

MARKS = (0.1, 0.2, 0.25, 0.5, 1.0)
"""When a run is scored, as shares of its minutes."""


def prepare(mnist: Path, out: Path) -> None:
    """Make the 16 px dataset and the classifier that measures, with the jobs themselves; skipped if they are there."""
    root = Path(__file__).resolve().parents[2]
    place = ["--data-root", str(out), "--experiment", "mnist16", "--recipe", "mnist_digitwise_tuned"]
    everything = ["--source-path", str(mnist.resolve())]
    for job, words in (("preprocess", everything), ("train_classifier", ["--replicates", "1"])):
        command = [sys.executable, "-P", "-m", "jobs", job, *place, *words]
        code = subprocess.run(command, check=False, env=os.environ | {"PYTHONPATH": str(root)}).returncode
        if code:
            sys.exit(code)  # the job has said why


def run_once(name: str, seed: int, minutes: float, out: Path) -> dict[str, Any]:
    """Train one family from one seed for `minutes` minutes; return its scores at each mark."""
    from jobs.train_gan.loop import iterate
    from jobs.train_gan.options import GanOptions, resolve
    from jobs.train_gan.plan import learning_rate_factor
    from jobs.train_gan.state import State, specs
    from shared.data.batches import BatchPlan, batches
    from shared.runtime.process_group import ProcessGroup
    from shared.runtime.seeding import Stream, derive_seed
    from shared.store.artifacts import open_artifact
    from shared.store.checkpoints import save

    real = open_artifact(out / "mnist16" / "real", "dataset", "preprocess")
    config = GanOptions(epochs=1, snapshot_every_epochs=1, seed=seed, **RUNS[name])
    family = resolve(config)
    state = State(ProcessGroup("cpu"), family, config, specs(family, config, real.dataset))
    stream = batches(
        real, "train", BatchPlan(batch_images=config.batch_images, seed=derive_seed(seed, Stream.GAN_ORDER))
    )
    scorer = Scorer(real, out)
    marks: list[dict[str, float]] = []
    spent, images, budget = 0.0, config.batch_images * family.critic_steps, 60 * minutes
    while spent < budget:
        started = time.process_time()
        state.scale_learning_rate(learning_rate_factor(config.decay, spent / budget))
        for _ in iterate(state, config, stream):
            pass
        state.update_average(config, state.steps * images)
        spent += time.process_time() - started
        if spent >= MARKS[len(marks)] * budget:
            mark = {"minutes": spent / 60, "images_seen": state.steps * images, **scorer.score(state.average, config)}
            marks.append(mark)
            print(name, seed, mark, flush=True)
    save(out / f"{name}_{seed}_{minutes:g}.safetensors", state.average.state_dict(), {"spec": dict(state.spec)})
    return {"name": name, "seed": seed, "minutes": minutes, "marks": marks}


class Scorer:
    """Draws images and scores them, always with the same latents and the same classifier seed."""

    def __init__(self, real: Any, out: Path) -> None:
        import torch

        from shared.data.images import load_split
        from shared.metrics.features.frechet import moments
        from shared.models.fitting import features_of, load_classifier
        from shared.store.artifacts import open_artifact

        cpu = torch.device("cpu")
        self.classifier = load_classifier(open_artifact(out / "mnist16" / "classifier" / "r00", "model", ""), cpu)
        self.test, self.val = load_split(real, "test"), load_split(real, "val")
        self.reference = moments(features_of(self.classifier, self.test.images))
        self.labels = torch.arange(10).repeat(2000)

    def score(self, network: Any, config: Any) -> dict[str, float]:
        """Return the Fréchet distance and the accuracy of a classifier trained on generated images alone."""
        import torch

        from shared.data.images import Images
        from shared.metrics.features.frechet import frechet_distance, moments
        from shared.models.fit_options import FitConfig
        from shared.models.fitting import features_of, fit, logits_of
        from shared.models.snapshots import draw_images, latents_of

        drawn = draw_images(network, latents_of(list(range(len(self.labels))), config.latent), self.labels)
        distance = frechet_distance(*moments(features_of(self.classifier, drawn)), *self.reference)
        fitted = fit(
            Images(drawn, self.labels),
            self.val,
            10,
            FitConfig(steps=2000, measure_every=200),
            seed=1,
            device=torch.device("cpu"),
        )
        right = logits_of(fitted.network, self.test.images).argmax(dim=1) == self.test.labels
        return {"frechet_classifier": distance, "accuracy": float(right.double().mean())}


def summarise(out: Path, minutes: float) -> None:
    """Print and write the table of the last marks of runs of `minutes`, and draw both numbers against time."""
    from matplotlib.figure import Figure

    rows = [json.loads(line) for line in (out / "runs.jsonl").read_text(encoding="utf-8").splitlines()]
    runs = [row for row in rows if row["minutes"] == minutes]
    lines = ["| family | seeds | frechet_classifier | synthetic-only accuracy, % |", "|---|---|---|---|"]
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    axes = figure.subplots(1, 2)
    for place, name in enumerate(RUNS):
        mine = [run["marks"] for run in runs if run["name"] == name]
        if not mine:
            continue
        cells = []
        for panel, (key, scale) in zip(axes, (("frechet_classifier", 1), ("accuracy", 100)), strict=True):
            last = [scale * marks[-1][key] for marks in mine]
            spread = f" ± {statistics.stdev(last):.2f}" if len(last) > 1 else ""
            cells.append(f"{statistics.mean(last):.2f}{spread}")
            for number, marks in enumerate(mine):
                label = name if number == 0 else None
                panel.plot(
                    [mark["minutes"] for mark in marks],
                    [scale * mark[key] for mark in marks],
                    color=f"C{place}",
                    marker=".",
                    label=label,
                )
        lines.append(f"| {name} | {len(mine)} | {cells[0]} | {cells[1]} |")
    axes[0].set(yscale="log", xlabel="minutes of training (processor time)", ylabel="frechet_classifier")
    axes[1].set(xlabel="minutes of training (processor time)", ylabel="synthetic-only accuracy (%)", ylim=(50, 100))
    axes[1].legend(fontsize=8, loc=(0.15, 0.06))
    figure.savefig(out / "curves.png", dpi=120)
    (out / "table.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


def main() -> None:
    """Do the missing runs, seed by seed, then make the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mnist", type=Path, required=True, help="folder of MNIST's IDX files")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--only", default=",".join(RUNS))
    given = parser.parse_args()
    unknown = set(given.only.split(",")) - set(RUNS)
    if unknown:
        parser.error(f"--only: no {min(unknown)!r}; there are {', '.join(RUNS)}")
    if given.minutes <= 0:
        parser.error(f"--minutes {given.minutes}: want more than 0")
    os.environ |= {"OMP_NUM_THREADS": str(given.threads), "OMP_WAIT_POLICY": "PASSIVE"}
    given.out.mkdir(parents=True, exist_ok=True)
    log = given.out / "runs.jsonl"
    prepare(given.mnist, given.out)
    for seed in map(int, given.seeds.split(",")):
        for name in given.only.split(","):
            lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
            if any(
                (row["name"], row["seed"], row["minutes"]) == (name, seed, given.minutes)
                for row in map(json.loads, lines)
            ):
                continue
            row = run_once(name, seed, given.minutes, given.out) | {"threads": given.threads}
            with log.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(row) + "\n")
    summarise(given.out, given.minutes)


if __name__ == "__main__":
    main()
