"""The points of a study one after the other; those that are complete are left as they are."""

import io
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from typing import Any

from jobs.study.children import Child, dry_run, is_complete, run_child, without_force
from shared.cli.progress import Reporter, StopFlag
from shared.store.work_shards import Shard


def complete(child: Child, options: dict[str, Any]) -> bool:
    """Return whether nothing is left to be made of a point, without a word; BadInput for options that a job refuses."""
    # with --force everything is still to be made, whoever made it a moment ago
    return is_complete(_said(replace(child, words=without_force(child.words)), options))


def _said(child: Child, options: dict[str, Any]) -> Any:
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        return dry_run(child, options)


def make(children: Sequence[Child], shard: Shard, options: dict[str, Any], stop: StopFlag) -> None:
    """Make the points of this process's shard, after the options of all points are checked."""
    # a mistake in the options of the last point must not cost the hours before it
    said = {child.name: _said(child, options) for child in children}
    reporter = Reporter("study", stop=stop)
    for line in dict.fromkeys(line for chain in said.values() for line in chain.notices):
        reporter.info(line)
    # from here on: before it a signal ends the command at once, and nothing is running yet
    stop.listen()
    own = shard.select(children)
    for number, child in enumerate(own, start=1):
        there = is_complete(said[child.name]) and not options["force"]
        reporter.info(f"[{number}/{len(own)}] {child.name}{': already complete' if there else ''}")
        if stop.signal_name:
            stop.raise_if_set()
        if not there:
            run_child(child, options, stop)
