"""Whether synthetic images help a classifier: `halfreal judge`, called from Python."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from os import PathLike, fspath
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, TypedDict, Unpack

from halfreal.experiment import Experiment
from shared.errors import BadInput, HalfrealError, Interrupted
from shared.runtime.job_processes import end, start
from shared.runtime.observe.log import last_error

ERRORS = {2: BadInput, 75: Interrupted}
"""What is raised for these exit codes of the command; for any other one HalfrealError, which names it."""

Place = str | PathLike[str]


class JudgeOptions(TypedDict, total=False):
    """The options of `halfreal judge`; `set` has those of single jobs, such as `{"train_mixed.fits": 10}`."""

    held_out: Place
    labels: Literal["given", "annotator"]
    size_px: int
    network: str
    recipe: Place
    experiment: str
    set: Mapping[str, object]
    seed: int
    threads: int
    device: str
    force: bool


def judge(
    real: Place, synthetic: Place | Sequence[Place], *, data_root: Place = "data", **options: Unpack[JudgeOptions]
) -> Experiment:
    """Judge synthetic images against real ones, as `halfreal judge` does, and return the experiment.

    `real` and each of `synthetic` are folders, tables or shards; several sets are from the same generator. `held_out`
    are real images that it never saw. The work is done in a process of its own, whose progress goes to standard error.
    The same call again goes on where it stopped, and returns at once where all is done.

    Raises BadInput for what cannot be judged, Interrupted for what was stopped or is being made by another process.
    """
    sets = [synthetic] if isinstance(synthetic, str | PathLike) else list(synthetic)
    with TemporaryDirectory(prefix="halfreal-judge-") as scratch:
        numbers = Path(scratch) / "numbers.json"
        places = ["--data-root", fspath(data_root), "--json", str(numbers)]
        _call(["judge", *places, *_words(options), "--", *(fspath(place) for place in (real, *sets))])
        name = json.loads(numbers.read_text("utf-8"))["experiment"]
    return Experiment(Path(data_root) / name)


def _words(options: JudgeOptions) -> list[str]:
    """Return options as they are typed."""
    given: dict[str, object] = {name: value for name, value in options.items() if value is not None}
    pairs = given.pop("set", {})
    assert isinstance(pairs, Mapping)
    words = ["--force"] if given.pop("force", False) else []
    for name, value in [*given.items(), *(("set", f"{option}={value}") for option, value in pairs.items())]:
        words += [f"--{name.replace('_', '-')}", str(value)]
    return words


def _call(words: list[str]) -> None:
    """Run `halfreal words...` and pass on what it says; an error that it ends with is raised here."""
    # not in this process: a notebook has imported torch, which then has other threads, and so gives other numbers
    process = start("__main__", words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace")
    assert process.stderr is not None  # a pipe
    said = []
    try:
        for line in process.stderr:
            said.append(line.rstrip("\n"))
            print(line, end="", file=sys.stderr, flush=True)
        code = process.wait()
    finally:
        end(process)  # where this call was interrupted: stops it, saving its work
        process.stderr.close()
    if code in ERRORS:
        raise ERRORS[code](last_error(said))
    if code:
        raise HalfrealError(f"halfreal judge ended with exit code {code}: {last_error(said)}")
