"""The command `verify`: whether what is on a volume is as it was written."""

import time
from pathlib import Path

import click

from shared.cli.calls.volume import bring_all
from shared.cli.click_options import LocalPath
from shared.cli.common_options import DATA_ROOT, DEBUG
from shared.cli.exit_codes import ErrorHandlingCommand
from shared.cli.progress import Reporter
from shared.errors import FormatError, MissingArtifact

FILES_PER_PROCESS = 16
"""Files below which another process costs more than it saves."""


@click.command("verify", cls=ErrorHandlingCommand, context_settings={"show_default": True})
@click.argument("path", required=False, type=LocalPath(file_okay=False))
@DATA_ROOT
@DEBUG
@click.option("--no-pictures", is_flag=True, help="Compare sizes, hashes and keys alone; decode no picture.")
@click.option(
    "--threads",
    type=click.IntRange(0),
    default=0,
    envvar="HALFREAL_THREADS",
    help="Processes that check files; 0: every core.",
)
@click.option("--json", is_flag=True, help="Print JSON for scripts.")
def main(path: Path | None, data_root: Path, no_pictures: bool, threads: int, json: bool, **_: object) -> None:
    """Check that everything below PATH is as it was written: a volume, an experiment, or one artifact.

    PATH is the volume unless it is given. Every file is read: its size and hash, the keys and labels of samples, where
    an index says that they are, pages, pictures, tensors, and what manifests and records say. Nothing is changed.
    Ends with 2, and a table of what is wrong, if anything is. What is held by a job that is at work is checked too.
    """
    from jobs.verify.opened import Problem, opened
    from jobs.verify.places import places
    from jobs.verify.repairs import repairs
    from jobs.verify.said import as_json, print_table, summary
    from jobs.verify.verification import verify
    from shared.runtime.processes import processes, usable_cores

    started, root = time.monotonic(), find(path, data_root)
    problems: list[Problem] = []
    there = list(places(root))
    found = [each for place in there if (each := opened(place, problems)) is not None]
    if not found and not problems:
        raise MissingArtifact(f"{root}: nothing there can be verified; name a volume, an experiment or an artifact")
    total = sum(each.files for each in found)
    count = min(threads or usable_cores(), total // FILES_PER_PROCESS)
    with (
        processes(count, "jobs.verify.files", chunk=1) as spread,
        Reporter("verify").bar("verify", total, "files") as bar,
    ):
        done = verify(found, spread, decode=not no_pictures, problems=problems, advance=bar.advance)
    seconds = time.monotonic() - started
    commands = repairs(done.problems, found, [place.folder for place in there], data_root) if done.problems else []
    if json:
        click.echo(as_json(done, root, seconds, commands))
    else:
        print_table(done, root, seconds, commands)
    if done.problems:
        raise FormatError(summary(done, root, commands))


def find(path: Path | None, data_root: Path) -> Path:
    """Return the folder to verify; MissingArtifact where it is not there."""
    if path is None:
        bring_all(data_root)
    root = path or data_root
    if not root.is_dir():
        meant = data_root / root
        remedy = f"did you mean {meant}?" if meant.is_dir() else "name a folder, or a volume by --data-root"
        raise MissingArtifact(f"{root}: does not exist; {remedy}")
    return root


if __name__ == "__main__":
    main()
