"""What a process prints, to streams of any encoding, and to none."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from shared.cli.exit_codes import explained
from shared.errors import BadInput

PRINTS = """
import sys
from shared.visible import let_streams_print
let_streams_print()
print("\\u2212 1.0, a\\udcff, \\u00e9")
"""


def printed(shell: str, encoding: str) -> tuple[int, bytes]:
    """Return the exit code and standard output of a process that prints, by the end of a shell's line."""
    own = os.environ | {"PYTHONIOENCODING": encoding, "PYTHON": sys.executable, "PRINTS": PRINTS}
    done = subprocess.run(["sh", "-c", f'"$PYTHON" -c "$PRINTS" {shell}'], env=own, capture_output=True, check=False)
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    ("encoding", "text"),
    [("ascii", b"\\u2212 1.0, a\\udcff, \\xe9\n"), ("utf-8", "\u2212 1.0, a\\udcff, \u00e9\n".encode())],
)
def test_letters_that_a_stream_lacks_are_spelled_out(encoding: str, text: bytes) -> None:
    """A minus in a table, and a name of bytes that are no text, end no command."""
    assert printed("", encoding) == (0, text)


def test_a_stream_that_is_closed_takes_all() -> None:
    """As some daemons start their processes."""
    assert printed(">&-", "utf-8") == (0, b"")


def test_a_folder_that_was_removed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The current folder is gone: bad input that says what to do, not a fault of ours."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(FileNotFoundError) as raised:
        Path("data").absolute()
    known = explained(raised.value)
    assert isinstance(known, BadInput)
    assert "change to a folder that is there" in str(known)
