"""The command `sample`: draw images of one class from a trained generator, with their quality figures."""

import json
from pathlib import Path
from typing import Any

import click

from jobs.pipeline import EVALUATE, PREPROCESS, TRAIN_CLASSIFIER, TRAIN_GAN
from shared.cli import experiment_name, place
from shared.errors import BadConfig
from shared.job import Job, open_inputs
from shared.polite import Polite
from shared.recipes import Recipe


def find_class(wanted: str, classes: list[str]) -> int:
    """Return the label of a class given by its name, or by its number where no class is called that."""
    if wanted in classes:
        return classes.index(wanted)
    if wanted.isdigit() and int(wanted) < len(classes):
        return int(wanted)
    raise BadConfig(f"--class {wanted!r}: no such class; there are {', '.join(classes)}")


def find_snapshot(epoch: int | None, inputs: dict[str, Any]) -> str:
    """Return the file of the snapshot after `epoch`, by default of the one that evaluate chose."""
    if epoch is None:
        return str(inputs[EVALUATE.writes].facts["chosen"]["file"])
    files = {int(row["epoch"]): str(row["file"]) for row in inputs[TRAIN_GAN.writes].facts["snapshots"]}
    if epoch not in files:
        raise BadConfig(f"--epoch {epoch}: no such snapshot; there are {', '.join(map(str, files))}")
    return files[epoch]


def draw(inputs: dict[str, Any], label: int, count: int, seed: int, snapshot: str, path: Path) -> dict[str, Any]:
    """Write the grid to `path`; return its qualities, their ratios to real test images, the predicted classes."""
    import torch
    from PIL import Image

    from jobs.evaluate.pixels import class_qualities, compared
    from shared.chance import mix
    from shared.classify import load_classifier, probabilities_of
    from shared.figures import tile
    from shared.loading import load_split
    from shared.snapshots import draw_images, latents_of, load_snapshot

    real, gan = inputs[PREPROCESS.writes], inputs[TRAIN_GAN.writes]
    cpu, classes = torch.device("cpu"), real.dataset.classes
    latents = latents_of([mix(seed, 12, index) for index in range(count)], gan.facts["latent"])
    images = draw_images(load_snapshot(gan, snapshot, cpu), latents, torch.full((count,), label))
    confidence, predicted = probabilities_of(load_classifier(inputs[TRAIN_CLASSIFIER.writes], cpu), images).max(dim=1)
    test = load_split(real, "test")
    mine = test.subset((test.labels == label).nonzero().flatten())
    own = class_qualities(mine.images, torch.zeros(len(mine)), 1)
    (row,) = compared(class_qualities(images, torch.zeros(count), 1), own, [classes[label]])
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet = Image.fromarray(tile(images, columns=max(round(count**0.5), 1)))
    scale = max(256 // max(sheet.size), 1)
    sheet.resize((sheet.width * scale, sheet.height * scale), Image.Resampling.NEAREST).save(path)
    named = [classes[index] for index in predicted.tolist()]
    return {
        "picture": str(path),
        "snapshot": snapshot,
        "count": count,
        "seed": seed,
        "asked": gan.facts["conditional"],
        **row,
        "predicted": {name: named.count(name) for name in dict.fromkeys(named)},
        "mean_confidence": float(confidence.mean()),
    }


@click.command("sample", cls=Polite, context_settings={"show_default": True})
@place
@click.option("--class", "wanted", required=True, metavar="NAME", help="The class to draw; its number works too.")
@click.option("--count", type=click.IntRange(1, 10_000), default=16, help="Images to draw.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, help="Of the latents.")
@click.option("--epoch", type=click.IntRange(0), help="Snapshot to draw from [default: the one that evaluate chose].")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="PNG [default: in the experiment's samples/]."
)
def main(
    recipe: Recipe,
    experiment: str | None,
    data_root: Path,
    wanted: str,
    count: int,
    seed: int,
    epoch: int | None,
    out: Path | None,
    **_: object,
) -> None:
    """Draw images of a class from an experiment's generator: a PNG, and as JSON their quality figures.

    Diversity, sharpness and contrast stand beside the real test images' own, with the category that they give. An
    unconditional generator draws whatever it draws; the predicted classes say what that is.
    """
    folder = data_root / experiment_name(experiment, recipe)
    rows = (PREPROCESS, TRAIN_CLASSIFIER, TRAIN_GAN, EVALUATE)
    inputs = open_inputs(Job("sample", "", "", "", rows), folder)
    label = find_class(wanted, inputs[PREPROCESS.writes].dataset.classes)
    path = out or folder / "samples" / f"class-{label}-seed-{seed}.png"
    found = draw(inputs, label, count, seed, find_snapshot(epoch, inputs), path)
    path.with_suffix(".json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    click.echo(json.dumps(found, indent=1))
