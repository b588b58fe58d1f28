"""The command `sample`: draw images of some classes from a trained generator, with their quality figures."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from jobs.commands.drawing import LEAST_TRUNCATION, MOST_IMAGES, MOST_SCALE, MOST_SEED
from shared.cli.click_options import LocalPath
from shared.cli.common_options import REPLICATE, experiment_name, place
from shared.cli.exit_codes import ErrorHandlingCommand
from shared.cli.recipes import Recipe
from shared.disk.durable import make_folder, unwritable, write_whole
from shared.errors import BadConfig
from shared.store.replicates import replicate_name


def _png(context: click.Context, parameter: click.Parameter, path: Path | None) -> Path | None:
    # the JSON has the same name with the suffix .json
    if path is not None and path.suffix.lower() != ".png":
        raise BadConfig(f"--out {path}: want a name that ends in .png")
    return path


@click.command("sample", cls=ErrorHandlingCommand, context_settings={"show_default": True})
@place
@click.option(
    "--class",
    "wanted",
    metavar="NAME",
    multiple=True,
    help="Class to draw, by name or by number from 0; several times for several classes.",
)
@click.option("--count", type=click.IntRange(1, MOST_IMAGES), default=16, help="Images to draw of each class.")
@click.option("--seed", type=click.IntRange(0, MOST_SEED), default=0, help="Random seed of the latents.")
@REPLICATE
@click.option("--epoch", type=click.IntRange(0), help="Snapshot to draw from [default: the one that evaluate chose].")
@click.option(
    "--truncation",
    type=click.FloatRange(LEAST_TRUNCATION),
    help="Cut latents off at this many standard deviations: lower is more typical, less diverse [default: not at all].",
)
@click.option(
    "--latent-scale",
    type=click.FloatRange(0, MOST_SCALE, min_open=True),
    help="Standard deviation of the latents: above 1 is more varied, less typical [default: that of the synthetic "
    "images].",
)
@click.option(
    "--out",
    type=LocalPath(dir_okay=False),
    callback=_png,
    help="PNG file to write [default: in the experiment's samples/].",
)
def main(
    recipe: Recipe,
    experiment: str | None,
    data_root: Path,
    wanted: tuple[str, ...],
    replicate: int | None,
    epoch: int | None,
    out: Path | None,
    **asked: Any,
) -> None:
    """Draw images of a class from an experiment's generator: a PNG, and as JSON their quality figures.

    Diversity, sharpness and contrast are given next to those of the real test images, with the resulting category;
    what there is no value for says why. Several classes get the same latents and a row of the grid each. An
    unconditional generator takes no class; the figures name the classes that the classifier predicts.
    """
    from jobs.commands.drawing import Experiment, SampleRequest, file_name, sheet_of_classes

    folder = data_root / experiment_name(experiment, recipe)
    opened = Experiment(folder, replicate)
    snapshot = opened.snapshot(epoch)
    if asked["latent_scale"] is None:
        asked["latent_scale"] = opened.latent_scale
    names = ("count", "seed", "truncation", "latent_scale")
    requests = [
        SampleRequest(label=label, snapshot=snapshot, **{name: asked[name] for name in names})
        for label in opened.labels(wanted)
    ]
    drawings = [opened.draw(request) for request in requests]
    path = out or folder / "samples" / f"{replicate_name(opened.replicate)}-{file_name(requests)}.png"
    facts = {
        "picture": str(path),
        "replicate": opened.replicate,
        "snapshot": snapshot,
        "seed": asked["seed"],
        "truncation": asked["truncation"],
        "latent_scale": asked["latent_scale"],
        "conditional": opened.conditional,
        # None stays, so that every JSON has the same keys
        "classes": [asdict(drawing.figures) for drawing in drawings],
    }
    text = json.dumps(facts, indent=1)
    try:
        make_folder(path.parent, parents=True)
        write_whole(path, sheet_of_classes(drawings))
        write_whole(path.with_suffix(".json"), f"{text}\n".encode())
    except OSError as error:
        raise unwritable(path, error) from error
    click.echo(text)
