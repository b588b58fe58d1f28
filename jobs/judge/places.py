"""What a call of `judge` would overwrite: files that it writes, and an experiment of the same name about other sets."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from jobs.judge.inputs import Images
from jobs.pipeline import PREPROCESS, SYNTHESIZE
from shared.errors import BadConfig

ARGUMENTS = {
    "preprocess.source_path": "REAL",
    "preprocess.held_out": "--held-out DIR",
    "synthesize.source_path": "SYNTHETIC",
}
"""Options of jobs that are arguments of `judge`, whose images it has read and checked."""


def check_settings(pairs: Sequence[str]) -> None:
    """Raise BadConfig where `--set` names images other than those of the arguments."""
    for pair in pairs:
        name = pair.partition("=")[0].replace("-", "_")
        if name in ARGUMENTS:
            raise BadConfig(f"--set {pair}: judge has these images as an argument; give them as {ARGUMENTS[name]}")


def check_files(files: Mapping[str, Path | None], sets: Sequence[str]) -> None:
    """Raise BadConfig unless every file, by its option, can be written and is none of the images of `sets`."""
    wanted = {option: path for option, path in files.items() if path is not None}
    for option, path in wanted.items():
        if str(path) == "-":
            raise BadConfig(f"{option} -: nothing is written to standard output; want a file")
        if path.is_dir():
            raise BadConfig(f"{option} {path}: is a folder; want a file")
        parent = next(place for place in path.absolute().parents if place.exists())
        if not parent.is_dir() or not os.access(parent, os.W_OK | os.X_OK):
            raise BadConfig(f"{option} {path}: cannot be written, {parent} is no folder that you may write in")
        for given in sets:
            place = Path(given).expanduser().resolve()
            if place in (path.resolve(), *path.resolve().parents):
                raise BadConfig(f"{option} {path}: lies in the images {given}; choose another place")
    if len({path.resolve() for path in wanted.values()}) < len(wanted):
        raise BadConfig(f"{' and '.join(wanted)}: one file, {next(iter(wanted.values()))}; want one for each")


def check_same_sets(folder: Path, real: Images, synthetic: Sequence[Images], held_out: Images | None) -> None:
    """Raise BadConfig where the experiment in `folder` is about images of other places.

    What is not finished counts for nothing; of several sets those that are there are compared in their order.
    """
    from shared.store.artifacts import open_output
    from shared.store.replicates import existing

    pairs: list[tuple[object, Images]] = []
    if (folder / PREPROCESS.writes).is_dir():
        before = open_output(PREPROCESS, folder).manifest.options
        pairs += [(before.get("source_path"), real)]
        pairs += [(before.get("held_out"), held_out)] if held_out else []
    for number in existing(folder, SYNTHESIZE):
        recorded = open_output(SYNTHESIZE, folder, number).manifest.options.get("source_path")
        pairs += [(recorded, synthetic[number])] if number < len(synthetic) else []
    for recorded, images in pairs:
        if recorded != str(images.place):
            raise BadConfig(
                f"{folder}: an experiment about {recorded}, not about {images.place}\n"
                f"give this one another name, or replace that one: --experiment NAME ({folder.name})"
            )
