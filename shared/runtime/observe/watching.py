"""Watch work from its beginning to its end: keep its file of metrics, and say in it how the work ended."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from shared.disk.durable import make_folder, unwritable
from shared.runtime.observe.identity import Identity, identified
from shared.runtime.observe.log import say
from shared.runtime.observe.observation import ACTIVE, Observation

VARIABLE = "HALFREAL_METRICS_DIR"

WRITE_EVERY_S = 10.0
"""Seconds between two writings of the file."""


@contextmanager
def observing(identity: Identity, code_of: Callable[[BaseException], int]) -> Iterator[Observation]:
    """Observe the work of `identity`. Where a folder is asked for, its file is written now, often, and at the end.

    `code_of(error)` is the exit code that an error leads to. Raises BadInput where the file cannot be written now.
    """
    folder = os.environ.get(VARIABLE)
    watched = Observation(identity, Path(folder) if folder else None)
    with identified(identity):
        _write_first(watched)
        ended = threading.Event()
        writer = threading.Thread(target=_write_often, args=(watched, ended), daemon=True)
        if watched.path is not None:
            writer.start()
        ACTIVE.append(watched)
        code = 0
        try:
            yield watched
        except BaseException as error:
            _failures[:] = [error]
            code = code_of(error)
            raise
        finally:
            ACTIVE.pop()
            ended.set()
            if watched.path is not None:
                writer.join()
                watched.end(code)
                _try_to_write(watched)


_failures: list[BaseException] = []
"""The error that ended the last observation, if one did."""


@contextmanager
def watching_failures(
    identity: Identity, code_of: Callable[[BaseException], int], reported: tuple[type[BaseException], ...]
) -> Iterator[None]:
    """Speak as `identity`; an error outside of any observation, such as a missing input, gets a file of its own.

    Errors of the types `reported` say again what other processes have told.
    """
    with identified(identity):
        try:
            yield
        except BaseException as error:
            if error not in _failures and not isinstance(error, reported):
                with suppress(BaseException), observing(identity, code_of):
                    raise
            raise


def _write_first(watched: Observation) -> None:
    """Write the file for the first time, since a folder that cannot be written to is to be said at once."""
    if watched.path is None:
        return
    try:
        make_folder(watched.path.parent, parents=True)
        watched.write()
    except OSError as error:
        raise unwritable(watched.path, error) from error


def _write_often(watched: Observation, ended: threading.Event) -> None:
    while not ended.wait(WRITE_EVERY_S):
        if not _try_to_write(watched):
            return


def _try_to_write(watched: Observation) -> bool:
    """Write the file; where that fails, say so, and return False."""
    try:
        watched.write()
    except OSError as error:
        # hours of work must not end because nobody can watch them
        say("metrics_failed", f"{watched.path}: {error.strerror}; the work goes on unwatched", level="warning")
        return False
    return True
