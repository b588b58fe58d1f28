"""The command `compare`: several experiments next to each other, as a page, as JSON and in the terminal."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shared.cli.calls.perform import bind_threads
from shared.cli.calls.volume import bring
from shared.cli.click_options import LocalPath
from shared.cli.common_options import DATA_ROOT, DEBUG, check_name
from shared.cli.exit_codes import ErrorHandlingCommand
from shared.cli.progress import Reporter
from shared.cli.terminal.completion import experiments as complete
from shared.disk.durable import make_folder
from shared.errors import BadConfig, BadInput
from shared.models.tables import EXTRACTORS
from shared.visible import visible

if TYPE_CHECKING:
    from jobs.compare.comparison import Comparison

LONGEST_NAME = 200
"""Characters of a folder's name, of which file systems take 255."""


@click.command("compare", cls=ErrorHandlingCommand, context_settings={"show_default": True})
@click.argument("experiments", nargs=-1, required=True, metavar="A B [C ...]", shell_complete=complete)
@DATA_ROOT
@click.option(
    "--reference",
    metavar="EXPERIMENT",
    help="Score the chosen snapshots of all against the real images of this experiment, under one protocol.",
)
@click.option(
    "--extractor",
    type=click.Choice(tuple(EXTRACTORS)),
    help="Feature extractor under --reference [default: the one that chose the reference's snapshots].",
)
@click.option(
    "--images",
    type=click.IntRange(4),
    help="Images drawn of each generator under --reference [default: as many as the reference's scores, else 2000].",
)
@click.option(
    "--seed", type=click.IntRange(0, 2**31 - 1), default=0, help="Random seed of the images under --reference."
)
@click.option("--device", default="auto", envvar="HALFREAL_DEVICE", help="Device of torch: cpu, cuda, cuda:1 or auto.")
@click.option(
    "--out",
    type=LocalPath(dir_okay=False),
    help="File of the page [default: compare/A+B/index.html on the volume].",
)
@click.option(
    "--json",
    "json_file",
    type=LocalPath(dir_okay=False),
    help="File of the numbers [default: compare.json next to the page].",
)
@DEBUG
def main(
    experiments: tuple[str, ...],
    data_root: Path,
    reference: str | None,
    out: Path | None,
    json_file: Path | None,
    debug: bool,
    **options: Any,
) -> None:
    """Compare two or more experiments: scores, curves over epochs, printed numbers, arms; name the better one.

    It is named where it differs by more than replicates do. Scores of different protocols are refused, with exit code
    2; --reference brings experiments of other sizes, crops or extractors onto one.
    """
    check_experiments(data_root, experiments, reference)
    if reference is None and (options["extractor"] or options["images"]):
        raise BadConfig("--extractor and --images are those of --reference EXPERIMENT; name it, or leave them out")
    bind_threads(0)
    from jobs.compare.comparison import compare
    from jobs.compare.reference import Settings

    comparison = compare(data_root, experiments, reference, Settings(**options), Reporter("compare"))
    page = out or default_page(data_root, experiments, reference)
    write(comparison, page, json_file or page.with_name("compare.json"))


def check_experiments(data_root: Path, experiments: tuple[str, ...], reference: str | None) -> None:
    """Raise BadInput unless there are two experiments or more, each named once, and all on the volume."""
    # one that is named twice would be compared with itself
    twice = sorted({name for name in experiments if experiments.count(name) > 1})
    if twice:
        raise BadInput(f"compare: {', '.join(twice)} is named more than once; want at least two experiments, each once")
    if len(experiments) < 2:
        raise BadInput(f"compare: {experiments[0]} alone; want at least two experiments, each once")
    named = (*experiments, *([reference] if reference else []))
    for name in named:
        check_name(name, "experiment")
        bring(data_root / name)
    # all names before the work: what is wrong with another one would hide a slip in this one
    absent = [name for name in named if not (data_root / name).is_dir()]
    if absent:
        raise BadInput(f"{data_root}: no experiment {' and no '.join(absent)}; run first: halfreal run")


def compare_after_run(
    data_root: Path, experiments: tuple[str, ...], device: str | None, files: Mapping[str, Path | None] | None = None
) -> None:
    """Compare experiments that were just run, as `halfreal compare A B` does; `files` are those of its options.

    Where their own scores do not compare, such as those by the classifier of each, the first one is the reference.
    """
    from shared.metrics.compare import NotComparable

    words = [*experiments, "--data-root", str(data_root), *(["--device", device] if device else [])]
    words += [word for option, path in (files or {}).items() if path for word in (option, str(path))]
    command: click.Command = main
    try:
        command.main(words, prog_name="halfreal compare", standalone_mode=False)
    except NotComparable as error:
        first = experiments[0]
        against = f"comparing against the real images of {first}: --reference {first}"
        click.echo(visible(f"{error}\n{against}"), err=True)
        command.main([*words, "--reference", first], prog_name="halfreal compare", standalone_mode=False)


def default_page(data_root: Path, experiments: tuple[str, ...], reference: str | None = None) -> Path:
    """Return where the page of a comparison is unless somebody says otherwise."""
    from shared.format.files import sha256

    # a point of a study is a folder below another experiment's
    name = ("+".join(experiments) + (f"@{reference}" if reference else "")).replace("/", "-")
    if len(name) > LONGEST_NAME:
        name = f"{name[:LONGEST_NAME]}-{sha256(name.encode())[:8]}"
    return data_root / "compare" / name / "index.html"


def write(comparison: "Comparison", page: Path, json_file: Path) -> None:
    """Write the page and the numbers, then print the tables."""
    from jobs.compare.page import render
    from jobs.compare.terminal import print_comparison
    from shared.disk.durable import write_whole
    from shared.format.files import json_bytes

    for path, payload in ((page, render(comparison, page).encode()), (json_file, json_bytes(comparison.facts()))):
        make_folder(path.parent, parents=True)
        write_whole(path, payload)
    print_comparison(comparison)
    click.echo(f"page: {page}\nnumbers: {json_file}")
