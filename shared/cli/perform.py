"""A call of a job: open its inputs, see whether its artifact is complete, else call its function, commit the result."""

import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from shared.cli.common_options import experiment_name
from shared.cli.options import JobOptions
from shared.cli.progress import Reporter
from shared.cli.recipes import Recipe
from shared.cli.resolve import CommandWithOptions
from shared.cli.run import Result, Run, write_run_record
from shared.data.specs import Specs, describe
from shared.errors import BadConfig
from shared.runtime.launch import is_main_process
from shared.store.job import Job
from shared.store.lineage import open_inputs
from shared.store.work_shards import WHOLE, Shard

if TYPE_CHECKING:
    from shared.store.staging import BuildKey

Body = Callable[[Run, Any], Result | None]
"""The function of a job; None while the shards of other processes are missing."""


@dataclass(frozen=True)
class Common:
    """The values of the options that every job has."""

    recipe: Recipe
    experiment: str | None
    data_root: Path
    device: str
    force: bool
    dry_run: bool
    debug: bool
    index: int | None = None
    parts: int = 1
    threads: int = 0
    folder: Path = field(init=False)

    def __post_init__(self) -> None:
        name = experiment_name(self.experiment, self.recipe)
        object.__setattr__(self, "folder", self.data_root / name)  # the class is frozen
        said = click.get_current_context().get_parameter_source
        if said("index") is ParameterSource.COMMANDLINE and said("parts") is ParameterSource.DEFAULT:
            raise BadConfig(f"--index {self.index}: say by --parts into how many parts the work is cut")
        # Kubernetes sets the index's variable in every Indexed Job, also where the work is in one part
        if self.index is None or self.parts == 1:
            object.__setattr__(self, "index", None)
        elif self.index >= self.parts:
            raise BadConfig(f"--index {self.index}: want less than --parts {self.parts}; parts are counted from 0")
        elif self.force:
            raise BadConfig("--force with --index: would drop the other parts' work; run --force alone first")

    @property
    def shard(self) -> Shard:
        """The shard of the work that is to be done; all of it unless an index says otherwise."""
        return WHOLE if self.index is None else Shard(self.index, self.parts)


@dataclass(frozen=True)
class Call:
    """A call of `command` with the checked options `config`; `recorded` is what of them the result depends on."""

    command: CommandWithOptions
    config: JobOptions
    recorded: dict[str, object]
    common: Common

    @property
    def row(self) -> Job:
        """The job's row in the table."""
        return self.command.job

    @property
    def final(self) -> Path:
        """The folder of the artifact."""
        return self.common.folder / self.row.writes

    def validate(self, specs: Specs) -> None:
        """Raise BadInput for options that do not fit the shard of the work or the data."""
        self.command.validate(self.config, self.common.shard, specs)


def perform(call: Call, body: Body, resumes: bool) -> None:
    """Do the job unless its artifact is complete; with `resumes` unfinished work stays for the next call."""
    row, common = call.row, call.common
    reporter = Reporter(row.name)
    threads = call.recorded.get("threads", 0)
    bind_threads(threads if isinstance(threads, int) else 0)  # before anything imports numpy
    from shared.runtime.processes import usable_cores
    from shared.store.staging import BuildKey

    key = BuildKey(row.name, row.kind, call.recorded, open_inputs(row, common.folder))
    if not common.force and is_complete(row, call.final, key, reporter):
        return
    for artifact in key.inputs.values():
        artifact.record  # noqa: B018  # what an input lacks is said now, not after hours of work
    call.validate(describe(key.inputs))
    reporter.stop.listen()  # from here on there is work to save: until now Ctrl-C ends the process at once
    started = time.monotonic()
    threads, sources = common.threads or usable_cores(), common.data_root / "sources"
    run = Run(key.inputs, common.folder, sources, common.device, reporter, common.shard, threads=threads)
    if call.command.before is not None:
        call.command.before(run, call.config)
    result = _build(call, key, run, body, resumes=resumes, started=started)
    if result is not None:
        summary = result.summary and f"\n{result.summary}"
        reporter.info(f"complete in {time.monotonic() - started:.1f} s: {call.final}{summary}")


def bind_threads(threads: int) -> None:
    """Bind the libraries of numpy and torch to `threads`, 0 for every core; they read this when they are imported."""
    # Waiting threads must sleep: spinning gains a little on idle cores and loses a lot on shared ones.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if threads:
        os.environ |= {"OMP_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": str(threads)}


def _build(call: Call, key: "BuildKey", run: Run, body: Body, *, resumes: bool, started: float) -> Result | None:
    """Call `body` in a staging folder, commit what it returns and return that; None where this process commits nothing.

    `started` is when the work began, by the monotonic clock.
    """
    from shared.store.locks import locked
    from shared.store.staging import stage

    common, shared_work = call.common, call.command.before is not None
    shard = None if common.index is None else common.shard
    is_main = is_main_process()
    with ExitStack() as held:
        work = held.enter_context(
            stage(
                call.final, key, resumable=resumes, fresh=common.force, is_main=is_main, shard=shard, wait=shared_work
            )
        )
        # another process may have committed while this one waited for the lock
        if shared_work and not common.force and is_complete(call.row, call.final, key, run.reporter):
            return None
        run = replace(run, folder=work.folder)
        if shard and is_main:
            run = replace(run, exclusive=lambda: held.enter_context(locked(call.final, wait=True)))
        result = body(run, call.config)
        if not is_main:
            return None
        if result is None:
            if not is_complete(call.row, call.final, key, run.reporter):
                done = f"part {common.index} of {common.parts} is done; others are not yet"
                run.reporter.info(f"{done}: {call.final}")
            return None
        write_run_record(work.folder / "run.json", started)
        work.commit(record=result.record, dataset=result.dataset)
        return result


def is_complete(row: Job, final: Path, key: "BuildKey", reporter: Reporter) -> bool:
    """Whether the artifact at `final` is that of `key`; if not, print why it is rebuilt."""
    from shared.store.artifacts import as_output
    from shared.store.staging import finished

    artifact = finished(final, key)
    reasons = key.differences(artifact.manifest) if artifact else []
    if artifact and not reasons:
        reporter.info(f"already complete: {final}")
        for name in as_output(row, artifact).record.not_measured:
            reporter.info(f"it leaves out {name}; once what that lacked is there, --force rebuilds it")
    elif artifact:
        reporter.info(f"rebuilding because {'; '.join(reasons)}")
    return artifact is not None and not reasons
