"""The command `status`: what is on a volume, and who is at work there."""

import time
from pathlib import Path

import click

from shared.cli.calls.volume import bring_all
from shared.cli.common_options import DATA_ROOT, DEBUG
from shared.cli.exit_codes import ErrorHandlingCommand
from shared.cli.options import nearest
from shared.cli.terminal.completion import experiments as complete
from shared.errors import BadConfig, MissingArtifact
from shared.runtime.observe.log import say


@click.command("status", cls=ErrorHandlingCommand, context_settings={"show_default": True})
@click.argument("names", nargs=-1, metavar="[EXPERIMENT]...", shell_complete=complete)
@DATA_ROOT
@DEBUG
@click.option("--json", is_flag=True, help="Print JSON for scripts.")
def main(names: tuple[str, ...], data_root: Path, json: bool, **_: object) -> None:
    """Say what is on the volume: every experiment and artifact, or those of some experiments.

    An artifact is complete, running (where, by whom, since when, how far, how long its present piece of work still
    takes), stopped (how far it is; the same command goes on), broken, or out of step: made from other inputs than those
    that are here. Manifests are read and no files are hashed, which `halfreal verify` does. Nothing is changed.
    """
    from jobs.status.contents import experiments
    from jobs.status.said import as_json, print_status
    from shared.store.locking.looking import beat_s
    from shared.store.volume.leftovers import leftovers

    bring_all(data_root)
    if not data_root.is_dir():
        raise MissingArtifact(f"{data_root}: does not exist; run first: halfreal run, or name a volume by --data-root")
    found = list(experiments(data_root))
    if any(artifact.is_doubtful for each in found for artifact in each.artifacts):
        # a process of another machine is known by the beats of its lock
        say("looking", f"some locks are of other machines: looking again in {2 * beat_s():.0f} s")
        time.sleep(2 * beat_s())
        found = list(experiments(data_root))
    unknown = sorted(set(names) - {each.name for each in found})
    if unknown:
        known = [each.name for each in found]
        raise BadConfig(
            f"{unknown[0]}: no such experiment in {data_root}{nearest(unknown[0], known)}; "
            f"there are {', '.join(known) or 'none'}"
        )
    shown = [each for each in found if not names or each.name in names]
    roots = [data_root / each.name for each in shown] if names else [data_root]
    stale = [each for root in roots for each in leftovers(root)]
    if json:
        click.echo(as_json(data_root, shown, stale))
    elif not shown and not stale:
        click.echo(f"{data_root}: no experiments")
    else:
        print_status(shown, stale)


if __name__ == "__main__":
    main()
