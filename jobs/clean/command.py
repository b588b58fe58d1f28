"""The command `clean`: what may go from a volume, and removing it."""

import time
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shared.cli.calls.volume import bring_all
from shared.cli.common_options import DATA_ROOT, DEBUG, check_finite
from shared.cli.exit_codes import ErrorHandlingCommand
from shared.cli.resource_options import CACHE_DIR, bind_resources
from shared.errors import MissingArtifact
from shared.runtime.observe.log import say
from shared.visible import visible

if TYPE_CHECKING:
    from shared.store.volume.leftovers import Leftover
    from shared.store.volume.room import Taken

DAY_S = 24 * 3600.0


@click.command("clean", cls=ErrorHandlingCommand, context_settings={"show_default": True})
@click.argument("names", nargs=-1, metavar="[EXPERIMENT/ARTIFACT]...")
@DATA_ROOT
@CACHE_DIR
@DEBUG
@click.option("--days", type=click.FloatRange(0), default=7.0, help="Least age in days of what may go.")
@click.option("--yes", is_flag=True, help="Remove it; without this it is only listed.")
@click.option("--json", is_flag=True, help="Print JSON for scripts.")
def main(
    names: tuple[str, ...], data_root: Path, cache_dir: Path | None, days: float, yes: bool, json: bool, **_: object
) -> None:
    """List what is in no use any more, and with --yes remove it.

    That is unfinished work which nobody is at, drafts and locks that were left, folders that were replaced, decoded
    images, and mirrors of volumes in object stores. It must have been left alone for --days; a stopped job whose work
    is removed begins again. A finished artifact goes only if its name is given, such as digits/gan/r00: then nothing
    else does. What a job is at work on is never touched.
    """
    check_finite({"days": days})
    bind_resources({"memory": None, "cache_dir": cache_dir})
    bring_all(data_root)
    if not data_root.is_dir():
        raise MissingArtifact(f"{data_root}: does not exist; name a volume by --data-root")
    if names:
        clean_artifacts(data_root, names, yes, json)
    else:
        clean_leftovers(data_root, days, yes, json)


def clean_artifacts(data_root: Path, names: tuple[str, ...], yes: bool, json: bool) -> None:
    """List finished artifacts by their names, and what was made from them; remove them if asked."""
    from jobs.clean.artifacts import made_from, named_artifact, remove_artifact
    from shared.runtime.memory import in_words
    from shared.store.volume.room import taken_by

    # all of them before any goes: a misspelt name must not leave half of the work done
    paths = list(dict.fromkeys(named_artifact(data_root, name) for name in names))
    used_by = [made_from(data_root, path) for path in paths]
    facts = []
    for path, made in zip(paths, used_by, strict=True):
        taken = taken_by(path)
        if yes:
            remove_artifact(path)
        facts.append(
            _facts("artifact", path, taken, "", yes)
            | {"made_from_it": made.known, "perhaps_made_from_it": made.unknown}
        )
        if not json:
            click.echo(f"{'removed' if yes else 'would remove'} {path}: {in_words(taken.size_bytes)}{made.words}")
    if json:
        _print_json(data_root, facts, yes)
    elif not yes:
        click.echo("nothing was removed; --yes does that")


def clean_leftovers(data_root: Path, days: float, yes: bool, json: bool) -> None:
    """List what is left over and old enough, with what stays and why; remove it if asked."""
    from jobs.clean.caches import caches, free
    from shared.runtime.memory import in_words
    from shared.store.locking.looking import timeout_s
    from shared.store.locking.taking import listen
    from shared.store.volume.leftovers import LOCK, doubtful_locks, leftovers

    if doubtful := doubtful_locks(data_root):
        say("looking", f"some locks are of other machines, and old: listening to them for {timeout_s():.0f} s")
        listen(doubtful)
    found = [(each, why_it_stays(each, days)) for each in (*leftovers(data_root), *caches(data_root))]
    if yes:
        listen(each.path for each, stays in found if each.kind == LOCK and not stays)
    freed, facts = 0, []
    for each, why in found:
        stays = why
        if not stays and yes and not free(each):
            stays = "a job is at work on it"
        freed += 0 if stays else each.taken.size_bytes
        facts.append(_facts(each.kind, each.path, each.taken, stays, yes))
        if json:
            continue
        said = f"stays, {stays}" if stays else "removed" if yes else "would go"
        age = f"{each.unused_s / DAY_S:.1f} days old"
        click.echo(f"{said}: {each.kind}, {in_words(each.taken.size_bytes)}, {age}: {visible(str(each.path))}")
    if json:
        _print_json(data_root, facts, yes)
    elif yes:
        click.echo(f"{in_words(freed)} freed")
    else:
        going = [each for each in facts if each["goes"]]
        click.echo(f"{in_words(freed)} would be freed; --yes does that" if going else "nothing to free")


def _facts(kind: str, path: Path, taken: "Taken", stays: str, removed: bool) -> dict[str, object]:
    """Return what is said of a thing in JSON; `stays` is why it does, nothing if it goes."""
    age_s = round(max(time.time() - taken.written, 0.0))
    about = {"kind": kind, "path": str(path), "bytes": taken.size_bytes, "unused_s": age_s}
    return about | {"goes": not stays, "removed": removed and not stays, "stays": stays or None}


def _print_json(data_root: Path, facts: list[dict[str, object]], removed: bool) -> None:
    click.echo(dumps({"volume": str(data_root), "removed": removed, "found": facts}, indent=1))


def why_it_stays(leftover: "Leftover", days: float) -> str:
    """Return why something is not removed; nothing if it may go."""
    if leftover.held:
        return "in use"
    return f"younger than {days:g} days" if leftover.unused_s < days * DAY_S else ""


if __name__ == "__main__":
    main()
