"""What `verify` has found, for people and for scripts."""

import json
from collections.abc import Sequence
from pathlib import Path

from jobs.verify.verification import Verified
from shared.runtime.memory import in_words
from shared.visible import visible


def as_json(done: Verified, root: Path, seconds: float, commands: Sequence[str]) -> str:
    """Return all of it as JSON; what is wrong, and the commands that make it again, are empty if nothing is."""
    facts = {
        "path": str(root),
        "artifacts": done.artifacts,
        "manifests_confirmed": done.confirmed,
        "unfinished": done.unfinished,
        "files": done.files,
        "bytes": done.size_bytes,
        "pictures": done.images,
        "seconds": round(seconds, 3),
        "problems": [{"file": str(each.path), "what": each.what, "job": each.job or None} for each in done.problems],
        "repairs": list(commands),
    }
    return json.dumps(facts, indent=1)


def print_table(done: Verified, root: Path, seconds: float, commands: Sequence[str]) -> None:
    """Print a row for each thing that is wrong, what was read and how fast, and what makes again what is broken."""
    from rich.table import Table
    from rich.text import Text

    from shared.cli.progress import open_console

    console = open_console()
    if done.problems:
        table = Table(box=None, padding=(0, 2, 0, 0))
        for heading in ("file", "what is wrong", "made by"):
            table.add_column(heading, overflow="fold")
        for each in done.problems:
            name = each.path.relative_to(root) if each.path.is_relative_to(root) else each.path
            # not markup: a name may have brackets
            table.add_row(Text(visible(str(name))), Text(visible(each.what)), each.job)
        console.print(table)
    unfinished = f" finished, {done.unfinished:,} unfinished" if done.unfinished else ""
    rate = in_words(round(done.size_bytes / max(seconds, 1e-9)))
    read = f"{done.files:,} files, {in_words(done.size_bytes)}, {done.images:,} pictures"
    console.print(
        f"Artifacts: {done.artifacts:,}{unfinished}. Read: {read} in {seconds:.1f} s ({rate}/s).", markup=False
    )
    if commands:
        console.print("To make again what is broken, in this order:")
        for line in commands:
            # not broken for the terminal: it is to be pasted
            console.print(Text(line), soft_wrap=True)
    if not done.problems:
        console.print(f"Every file that a manifest lists is as it says. {of_manifests(done)}", markup=False)


def of_manifests(done: Verified) -> str:
    """Return of how many manifests it is known that nobody edited them."""
    return (
        f"Manifests: {done.confirmed:,} of {done.artifacts:,} are those that other artifacts were made from; "
        "nothing tells whether the others, or a run.json, were edited."
    )


def summary(done: Verified, root: Path, commands: Sequence[str]) -> str:
    """Return how many problems there are and what to do about them."""
    count = len(done.problems)
    remedy = "restore the files from a copy, or make them again by the commands above"
    return (
        f"{root}: {count:,} problem{'' if count == 1 else 's'} in what was verified\n"
        f"{remedy if commands else 'restore the files from a copy, or move away what is broken'}"
    )
