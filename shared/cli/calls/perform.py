"""A call of a job: see which of its artifacts are complete, make the others, commit each whole.

The replicates that are to be made run in processes next to each other. Their number changes no result: each has a seed
of its own, and all that it reads is finished.
"""

import os
import signal
import sys
import time
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, TypeVar

from shared.cli.calls.call import Call, Common, Piece
from shared.cli.calls.existing import check_form, existing, is_there, plans, readable
from shared.cli.calls.local import VISIBLE, at_once, divided, local_gpus, may_use_gpu
from shared.cli.exit_codes import code_of, exit_with
from shared.cli.options import JobOptions
from shared.cli.progress import Reporter, StopFlag
from shared.cli.resolve import CommandWithOptions
from shared.cli.resource_options import bind_resources
from shared.cli.run import Diary, Result, Run
from shared.data.specs import describe
from shared.errors import HalfrealError, Interrupted
from shared.runtime.launch import is_main_process, is_one_of_several, process_count
from shared.runtime.observe.identity import identify
from shared.runtime.observe.observation import data_wait
from shared.runtime.observe.trackers import track, tracking
from shared.runtime.observe.watching import observing
from shared.runtime.pool import Pool
from shared.runtime.together.peers import together
from shared.store.replicates import replicate_name
from shared.store.volume.progress_notes import note_file

if TYPE_CHECKING:
    from shared.store.staging import BuildKey

Entered = TypeVar("Entered")


class ReplicatesFailed(HalfrealError):
    """Some replicates could not be made; `exit_code` is that of the first of them."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def perform(call: Call) -> None:
    """Make what is not complete of each step of the command, in order.

    A step that gathers what another one made is left to the process that finds all of that complete.
    """
    *before, last = call.steps
    # before anything imports numpy; the threads of a job without torch are processes of its own
    bind_threads(call.common.threads if call.row.gpu or last.how.preload else 0)
    bind_resources(vars(call.common))
    for line in call.lacking() if is_main_process() else []:
        Reporter(call.row.name).info(line)
    for step in before:
        make_all(call, call.pieces(step.row))
        missing = [piece for piece in call.every_piece(step.row) if not is_there(call, piece)]
        if missing:
            done = f"part {call.common.shard.index} of {call.common.shard.count} is done; not yet: "
            Reporter(call.row.name).info(done + ", ".join(piece.place for piece in missing))
            return
    make_all(call, call.pieces(last.row))


def bind_threads(threads: int) -> None:
    """Bind the libraries of numpy and torch to `threads`, 0 for every core; they read this when they are imported."""
    # Waiting threads must sleep: spinning gains a little on idle cores and loses a lot on shared ones.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if threads:
        os.environ |= {"OMP_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": str(threads)}


def make_all(call: Call, pieces: list[Piece]) -> None:
    """Make the artifacts that are not complete, several at a time where there are cores or GPUs for them."""
    reporter, common, row = Reporter(call.row.name), call.common, pieces[0].row
    check_form(row, common.folder)
    todo = incomplete(call, pieces, reporter)
    todo = [replace(piece, among=len(todo)) for piece in todo]
    pool = Pool(call.step(row).how.preload, private=may_use_gpu(row, common.device))
    alone = is_one_of_several() or common.processes == 1
    gpus = [] if alone or not todo else local_gpus(call, pool, todo)
    work = divided(call, todo, len(gpus)) if gpus else todo
    if len(work) == 1 and pool.saves_imports and not is_one_of_several():
        (code,) = _run(call, work, pool, reporter.stop, 1, gpus)
        if code is None:
            reporter.stop.raise_if_set()
        if code:
            sys.exit(code)  # that process has said why
        return
    if alone or len(work) < 2:
        for piece in work:
            # one flag for all: a signal may come between two of them
            make(call, piece, _reporter(call, piece, stop=reporter.stop))
        return
    count = common.processes or len(gpus) or at_once(pool, common, len(work), row.gpu)
    parts = f" in {len(work)} parts" if len(work) > len(todo) else ""
    reporter.info(f"{len(todo)} replicates{parts}, {min(count, len(work))} at a time")
    codes = _run(call, work, pool, reporter.stop, count, gpus)
    if reporter.stop.signal_name or Interrupted.exit_code in codes:
        reporter.stop.raise_if_set()
    failed = {piece.place: code for piece, code in zip(work, codes, strict=True) if code}
    if failed:
        (_, code), *_ = failed.items()
        raise ReplicatesFailed(f"{', '.join(failed)} failed; fix what it says above, then run this again", code)


def _run(call: Call, work: list[Piece], pool: Pool, stop: StopFlag, count: int, gpus: list[str]) -> list[int | None]:
    """Make artifacts in processes of their own, `count` at a time; return their exit codes, see `Pool.run`."""
    # from here on a signal is passed on, so that what is unfinished is saved
    stop.listen()
    calls = [(call.row.name, call.config, call.recorded, call.common, len(work) > 1, piece) for piece in work]
    return pool.run(_make_in_process, calls, count, lambda: stop.signal_name, [{VISIBLE: gpu} for gpu in gpus])


def incomplete(call: Call, pieces: list[Piece], reporter: Reporter) -> list[Piece]:
    """Return the artifacts that are to be made. Where several processes train together, the main one says which."""
    if call.common.force:
        return pieces
    keys = [call.key(piece) for piece in pieces]  # every process opens the inputs: all end where one is missing

    def look() -> list[bool]:
        return [is_complete(call, piece, key, reporter) for piece, key in zip(pieces, keys, strict=True)]

    if pieces[0].row.replicated and is_one_of_several():
        from shared.runtime.process_group import ProcessGroup

        # a process on another machine may see the volume as it was a minute ago, or begin when this one has committed:
        # it would train another replicate than the others, under the same gradients
        group = ProcessGroup(call.common.device)
        complete = group.from_main(look() if group.is_main else [])
    else:
        complete = look()
    return [piece for piece, there in zip(pieces, complete, strict=True) if not there]


def _make_in_process(
    job: str, config: JobOptions, recorded: dict[str, object], common: Common, several: bool, piece: Piece
) -> None:
    """Make one artifact in a process of its own, which ends with the exit code of a command.

    `several` says whether others like it write to the same log.
    """

    def named() -> None:
        # the command by its name, since it cannot be pickled
        command: CommandWithOptions = import_module(f"jobs.{job}.__main__").main
        call = Call(command, config, recorded, common)
        identify(call.identity(piece))
        try:
            make(call, piece, _reporter(call, piece, bars=False))
        except HalfrealError as error:
            if several:
                error.args = (f"{piece.place}: {error}",)
            raise

    # until there is work to save, it ends as a command does
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    exit_with(named)


def _reporter(call: Call, piece: Piece, bars: bool = True, stop: StopFlag | None = None) -> Reporter:
    """Return the reporter of the work on one artifact, with its replicate's name where there are several."""
    several = piece.replicate is not None and call.common.replicates > 1
    name = f"{call.row.name} {replicate_name(piece.replicate or 0)}" if several else call.row.name
    return Reporter(name, bars, stop)


def make(call: Call, piece: Piece, reporter: Reporter) -> None:
    """Make one artifact, watched; see `shared.runtime.observe`."""
    with observing(call.identity(piece), code_of), tracking(lambda: call.tracked(piece)), together(reporter.stop.check):
        _make(call, piece, reporter)


def _make(call: Call, piece: Piece, reporter: Reporter) -> None:
    """Make one artifact: open its inputs, call the step's function in a staging folder, commit what it returns."""
    from shared.runtime.processes import usable_cores

    common, key, final = call.common, call.key(piece), call.final(piece)
    for artifact in key.inputs.values():
        artifact.record  # noqa: B018  # what an input lacks is said now, not after hours of work
    call.validate(piece.shard, describe(key.inputs))
    reporter.stop.listen()  # from here on there is work to save: until now Ctrl-C ends the process at once
    started = time.monotonic()
    previous = readable(final, key)
    lines = plans(call, piece, key, previous) if is_main_process() and not common.force else []
    extends = previous if previous is not None and not common.force and call.extends(piece, key, previous) else None
    run = Run(
        key.inputs,
        common.folder,
        common.data_root / "sources",
        common.device,
        reporter,
        piece.shard,
        threads=common.threads or usable_cores(),
        replicate=piece.replicate or 0,
        first_seed=call.config.seed,
        previous=previous,
        extends=extends,
        forced=common.force,
        among=piece.among,
    )
    before = call.command.before
    if before is not None:
        _say(reporter, lines)
        lines = []
        if not before(replace(run, shard=common.shard), call.config):
            _say_part(call, piece, reporter)
            return
    result = _build(call.seeded(piece), piece, key, run, started, lines)
    if result is not None:
        summary, seconds = result.summary and f"\n{result.summary}", time.monotonic() - started
        reporter.info(
            f"complete in {seconds:.1f} s: {final}{summary}", event="complete", seconds=round(seconds, 1), path=final
        )


def _build(call: Call, piece: Piece, key: "BuildKey", run: Run, started: float, lines: list[str]) -> Result | None:
    """Call the step's function in a staging folder, commit what it returns and return that; None without a commit.

    `started` is when the work began, by the monotonic clock. `lines` are said once nobody else is at the work.
    """
    from shared.store.locks import locked
    from shared.store.staging import stage

    step, common, final = call.step(piece.row), call.common, call.final(piece)
    # several processes may have the same artifact to make: the first one makes it, the others wait and find it there
    shared_work = call.command.before is not None or (piece.replicate is None and len(call.command.steps) > 1)
    shard = piece.shard if piece.shard.count > 1 else None
    is_main = is_main_process()
    with ExitStack() as held:
        options = {"resumable": step.how.resumes, "fresh": common.force, "is_main": is_main, "wait": shared_work}
        work = _entered(held, run.reporter.stop, stage(final, key, shard=shard, **options))
        # another process may have committed while this one waited for the lock
        if shared_work and not common.force and is_complete(call, piece, key, run.reporter):
            return None
        _say(run.reporter, lines)
        run = replace(run, folder=work.folder)
        if is_main:
            run.reporter.note_in = note_file(work.folder, piece.shard.index)
        if shard and is_main:
            run = replace(run, exclusive=lambda: _entered(held, run.reporter.stop, locked(final, wait=True)))
        diary = Diary(work.folder, started)
        alone = step.how.resumes and is_main and shard is None
        with diary.keeping() if alone else nullcontext():
            result = step.body(replace(run, keep_time=diary.keep) if alone else run, call.config)
        if not is_main:
            return None
        for values, at in result.record.tracked() if result is not None else ():
            track(values, at)
        if result is None:
            if not is_complete(call, piece, key, run.reporter):
                _say_part(call, piece, run.reporter)
            return None
        processes = {"threads": run.threads, "processes": process_count()}
        diary.finish(common.recipe, processes | data_wait())
        work.commit(record=result.record, dataset=result.dataset, extends=run.extends)
        return result


def _entered(held: ExitStack, stop: StopFlag, context: AbstractContextManager[Entered]) -> Entered:
    """Enter a context that begins with a lock; a signal ends the wait for it at once."""
    with stop.at_once():
        return held.enter_context(context)


def _say_part(call: Call, piece: Piece, reporter: Reporter) -> None:
    shard = piece.shard if piece.shard.count > 1 else call.common.shard
    reporter.info(f"part {shard.index} of {shard.count} is done; others are not yet: {call.final(piece)}")


def _say(reporter: Reporter, lines: list[str]) -> None:
    for line in lines:
        reporter.info(line)


def is_complete(call: Call, piece: Piece, key: "BuildKey", reporter: Reporter) -> bool:
    """Whether the artifact is there as `key` has it, and has all that it could have; say so if it is."""
    from shared.store.staging import finished

    final = call.final(piece)
    artifact = finished(final, key)
    there = existing(call, piece, key, artifact)
    if not there.complete or (artifact and call.addable(piece, artifact)):
        return False
    reporter.info(f"already complete: {final}", event="already_complete", path=final)
    _say(reporter, [f"{piece.place}: {line}" for line in there.others])
    return True
