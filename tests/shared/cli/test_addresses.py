"""An address of a store where a place on this machine is wanted: refused, as it was typed."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from jobs.__main__ import main as halfreal

ADDRESS = "s3://nope/x"

CALLS = {
    "verify": [ADDRESS],
    "status": [ADDRESS],
    "clean": [ADDRESS],
    "results": ["--experiment", ADDRESS],
    "export": ["--to", "imagefolder", "--out", ADDRESS],
    "sample": ["--class", "1", "--out", ADDRESS],
    "compare": ["a", "b", "--out", ADDRESS],
    "judge": ["--out", ADDRESS],
    "study": ["--json", ADDRESS],
    "preprocess": ["--cache-dir", ADDRESS],
    "train_gan": ["--metrics-dir", ADDRESS],
}
"""The words of calls, by command."""


@pytest.mark.parametrize("name", CALLS)
def test_an_address_is_refused_as_it_was_typed(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path would lose one of its slashes; nothing is made in a folder `s3:`."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    refused = CliRunner().invoke(halfreal, [name, *CALLS[name]])
    assert refused.exit_code == 2
    assert ADDRESS in refused.stderr
    assert refused.stderr.count("s3:/") == refused.stderr.count("s3://")
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
