"""The command `study`: from how many real images on, or up to how many, adding synthetic images helps."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jobs.commands.calls import SETTINGS, CallingJobs
from shared.cli.calls.part import shard_of
from shared.cli.calls.perform import bind_threads
from shared.cli.click_options import LocalPath
from shared.cli.common_options import PARTS, experiment_name, place
from shared.cli.progress import StopFlag
from shared.cli.recipes import Recipe
from shared.cli.resource_options import CACHE_DIR, MEMORY, bind_resources, observed
from shared.disk.durable import make_folder
from shared.errors import BadConfig
from shared.store.lineage import STUDY_FOLDER
from shared.store.replicates import MOST

if TYPE_CHECKING:
    from jobs.study.children import Child
    from jobs.study.points import Point


@click.command("study", cls=CallingJobs, context_settings={"show_default": True})
@place
@click.option(
    "--images",
    metavar="PERCENT[,...]",
    help="Shares of the real train and val images, in percent: GAN, annotator and classifier see these alone.",
)
@click.option(
    "--labels",
    metavar="PERCENT[,...]",
    help="Shares of the real train and val images whose labels count, in percent; GANs learn from all images, without "
    "labels, and are compared with pseudo-labels.",
)
@SETTINGS
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), help="Random seed of every job [default: the recipe's].")
@click.option("--replicates", type=click.IntRange(1, MOST), help="Replicates of each point [default: the recipe's].")
@click.option("--processes", type=click.IntRange(0), help="Replicates that run at once [default: as many as cores].")
@click.option("--threads", type=click.IntRange(0), help="CPU threads of torch [default: the recipe's].")
@click.option("--device", help="Device of torch: cpu, cuda, cuda:1 or auto.")
@MEMORY
@CACHE_DIR
@observed
@click.option("--force", is_flag=True, help="Rebuild every point.")
@click.option("--dry-run", is_flag=True, help="Check all points and show what each job would do, without doing it.")
@click.option(
    "--json",
    "json_file",
    type=LocalPath(dir_okay=False),
    help="File of the numbers, too [default: study.json next to the page alone].",
)
@PARTS[0]
@PARTS[1]
def main(
    recipe: Recipe,
    experiment: str | None,
    data_root: Path,
    json_file: Path | None,
    **options: Any,
) -> None:
    """Study how the gain from synthetic images depends on how many real images there are.

    Each point is an experiment of its own, EXPERIMENT/study/images-5, that `halfreal run` makes: its GAN, its
    annotator and its classifiers see its share of the real images alone, all on the same test images. GANs of smaller
    shares have more epochs, so that each sees as many images. With --labels all images are there and few have labels:
    annotator and classifiers learn from these, the GAN from all of them. Points and replicates that are complete are
    kept: the same command goes on after a signal, and one with other points adds them. Points that have a verdict
    belong to the study as well, named or not. Writes EXPERIMENT/study/index.html and study.json.
    """
    name = experiment_name(experiment, recipe)
    if "/" in name:
        raise BadConfig(f"--experiment {name}: is a point of a study; want the experiment that the study is of")
    from jobs.study.points import ordered

    context = click.get_current_context()
    shard = shard_of(context, os.environ)
    bind_resources(options)
    folder = data_root / name
    points = all_points(folder, options)
    children = planned(points, name, data_root, str(context.meta["recipe"]), options)
    for point in ordered(points_below(folder).keys() - points):
        click.echo(f"{point.name}: no point of this study, since it is not named and has no verdict yet", err=True)
    if options["dry_run"]:
        from jobs.study.children import dry_run

        for child in children:
            click.secho(f"{child.point.name}: {child.name}", bold=True)
            dry_run(child, options)
        return
    from jobs.study.making import complete, make

    make(children, shard, options, StopFlag())
    # a study of other points may have gone on at the same time
    children = planned(all_points(folder, options), name, data_root, str(context.meta["recipe"]), options)
    waiting = [child.point.name for child in children if not complete(child, options)]
    if waiting:
        click.echo(f"part {shard.index} of {shard.count} is done; not yet: {', '.join(waiting)}", err=True)
        return
    bind_threads(0)
    finish(data_root, name, children, json_file)


def all_points(folder: Path, options: dict[str, Any]) -> "list[Point]":
    """Return the points that are asked for, and those below that have a verdict or were part of an answer."""
    from jobs.study.points import KINDS, ordered, parse_points

    asked = [point for kind in KINDS for point in parse_points(kind, options[kind])]
    if not asked:
        flags = " or ".join(f"{row.flag} 5,10,30,100" for row in KINDS.values())
        raise BadConfig(f"study: no points; want {flags}, in percent")
    there = points_below(folder)
    if not there:
        return ordered(set(asked))
    from jobs.study.record import read_study

    before = read_study(folder)
    answered = {*before.planned, *before.added} if before else set()
    # an answer about some of the points that were seen would be an answer about the best ones, and the verdict of a
    # point is seen before the study has an answer
    kept = [point for point, has_verdict in there.items() if has_verdict or point.name in answered]
    return ordered({*asked, *kept})


def points_below(folder: Path) -> "dict[Point, bool]":
    """Return the points of which there are folders in the experiment's `folder`, and whether each has a verdict."""
    from jobs.pipeline import TRAIN_MIXED
    from jobs.study.points import point_of

    below = {path: point_of(path.name) for path in (folder / STUDY_FOLDER).glob("*") if path.is_dir()}
    return {point: (path / TRAIN_MIXED.writes).is_dir() for path, point in below.items() if point is not None}


def planned(
    points: "Sequence[Point]", name: str, data_root: Path, recipe: str, options: dict[str, Any]
) -> "list[Child]":
    """Return the experiments of the points, all of them checked; BadInput for what cannot be made."""
    from jobs.study.children import child_of, configured
    from jobs.study.counts import check_counts

    children = [child_of(point, name, data_root, recipe, options) for point in points]
    check_counts(configured(children[0]), points, data_root / "sources")
    return children


def finish(data_root: Path, name: str, children: "Sequence[Child]", json_file: Path | None) -> None:
    """Judge all points together, write the page and the numbers, print the answer."""
    from jobs.study.judging import study_point
    from jobs.study.page import render
    from jobs.study.record import JSON, make_record, read_study
    from jobs.study.terminal import print_study
    from shared.disk.durable import write_whole
    from shared.format.files import json_bytes
    from shared.stats.confidence import other_level
    from shared.store.locks import locked

    level = other_level(len(children))
    folder = data_root / name / STUDY_FOLDER
    # two parts may both find all points complete: what was answered before must be read and replaced by one at a time
    with locked(folder / JSON, wait=True):
        before = read_study(data_root / name)
        record = make_record(name, [study_point(child, data_root, level) for child in children], level, before)
        numbers = json_bytes(record.facts())
        for path, payload in ((folder / "index.html", render(record).encode()), (folder / JSON, numbers)):
            write_whole(path, payload)
    if json_file is not None:
        make_folder(json_file.parent, parents=True)
        write_whole(json_file, numbers)
    print_study(record)
    click.echo(f"page: {folder / 'index.html'}\nnumbers: {json_file or folder / JSON}")
