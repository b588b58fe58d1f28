import errno
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from shared.disk import durable, steps
from shared.errors import BadConfig
from tests.checks.crash_points import forked


def attempt(work: Callable[[], object], **environment: object) -> int:
    """Do `work` in a forked process with these variables; return its exit code, or minus the signal that ended it."""
    variables = {f"HALFREAL_{name}": str(value) for name, value in environment.items()}
    return forked.attempt(lambda: int(work() or 0), variables, Path(os.devnull))


@pytest.fixture
def work(tmp_path: Path) -> Callable[[], None]:
    """Return what writes two files, one below a folder, and gives that folder its name."""

    def write() -> None:
        durable.remove_tree(tmp_path / "draft")
        durable.make_folder(tmp_path / "draft")
        durable.write_whole(tmp_path / "draft" / "file", b"content")
        durable.rename(tmp_path / "draft", tmp_path / "final")
        durable.write_file(tmp_path / "other", b"content")

    return write


def kinds(file: Path) -> list[str]:
    """Return the kind of each step in a file of steps."""
    return [line.split()[1] for line in file.read_text(encoding="utf-8").splitlines()]


WRITTEN = ["open", "write", "fsync", "rename", "fsync"]
"""The steps of one whole file."""


def test_every_change_is_a_step(tmp_path: Path, work: Callable[[], None]) -> None:
    """The file of steps has each change in its order, with the process and the path."""
    file = tmp_path / "steps"
    assert attempt(work, STEPS=file) == 0
    assert kinds(file) == ["unlink", "mkdir", *WRITTEN, "rename", "open", "write"]
    first, *_, last = file.read_text(encoding="utf-8").splitlines()
    assert first.split()[2:] == [str(tmp_path / "draft")]
    assert last.split()[2:] == [str(tmp_path / "other")]
    assert int(first.split()[0]) not in (0, os.getpid())


def test_the_process_ends_before_the_step_and_the_same_work_again_ends_equal(
    tmp_path: Path, work: Callable[[], None]
) -> None:
    """At each n the process is killed before that change, and nothing but a whole file ever has a final name."""
    for number in range(1, 11):
        assert attempt(work, FAIL_AT=number) == -signal.SIGKILL, number
        assert (tmp_path / "final").exists() == (number > 8), number
        durable.remove_tree(tmp_path / "final")
        assert attempt(work, FAIL_AT=99) == 0
        assert (tmp_path / "final" / "file").read_bytes() == (tmp_path / "other").read_bytes() == b"content"
        for path in list(tmp_path.iterdir()):
            durable.remove_tree(path)
    assert attempt(work, FAIL_AT=11) == 0


@pytest.mark.parametrize("name", ["ENOSPC", "EIO"])
def test_an_error_is_raised_instead_once_and_names_the_path(tmp_path: Path, name: str) -> None:
    """With HALFREAL_FAIL_WITH the step raises that error of the system; the step after it is made."""
    said = []

    def work() -> int:
        for each in "ab":
            try:
                durable.write_file(tmp_path / each, b"content")
            except OSError as error:
                said.append((error.errno, error.filename))
        return 40 + int(said == [(getattr(errno, name), str(tmp_path / "a"))])

    assert attempt(work, FAIL_AT=2, FAIL_WITH=name) == 41
    assert (tmp_path / "b").read_bytes() == b"content"


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"FAIL_AT": "abc"}, "HALFREAL_FAIL_AT=abc: want the number of a step"),
        ({"FAIL_AT": ""}, "HALFREAL_FAIL_AT=: want the number of a step"),
        ({"FAIL_AT": "1", "FAIL_WITH": ""}, "HALFREAL_FAIL_WITH=: want an error's name"),
        ({"FAIL_AT": "1", "FAIL_WITH": "errorcode"}, "HALFREAL_FAIL_WITH=errorcode: want an error's name"),
    ],
)
def test_a_wrong_value_is_refused_before_the_first_change(tmp_path: Path, variables: dict[str, str], said: str) -> None:
    """The variable and what is wanted are said as a bad option is, and nothing is written."""

    def work() -> int:
        with pytest.raises(BadConfig, match=f"^{said}"):
            durable.write_file(tmp_path / "file", b"content")
        return 40

    assert attempt(work, **variables) == 40
    assert list(tmp_path.iterdir()) == []


def test_processes_that_share_a_file_are_one_count(tmp_path: Path) -> None:
    """A child's steps count on from its parent's: so a whole job with its processes is one sequence."""
    codes = []

    def work() -> bool:
        durable.write_file(tmp_path / "a", b"content")
        codes.append(attempt(lambda: durable.write_file(tmp_path / "b", b"content")))
        durable.write_file(tmp_path / "c", b"content")
        return codes != [-signal.SIGKILL]

    assert attempt(work, STEPS=tmp_path / "steps", FAIL_AT=4) == 0
    assert (tmp_path / "b").read_bytes() == b""
    assert (tmp_path / "c").read_bytes() == b"content"
    assert kinds(tmp_path / "steps") == ["open", "write"] * 3


def test_nothing_is_counted_unless_it_is_asked_for(tmp_path: Path) -> None:
    """Without the variables a step is one comparison."""
    assert steps._reached is None
    durable.write_file(tmp_path / "file", b"content")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_long_path_is_cut_at_its_beginning(tmp_path: Path) -> None:
    """Each line has one length, since the place in the file is the number of the step; names matter at their end."""
    folder = tmp_path.joinpath(*["a" * 100] * 3)
    assert attempt(lambda: durable.make_folder(folder, parents=True), STEPS=tmp_path / "steps") == 0
    line = (tmp_path / "steps").read_bytes()
    assert len(line) == steps.LINE_BYTES
    assert line.endswith(b"a" * 99 + b"\n")
