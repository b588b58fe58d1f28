"""Fits that were killed and begun again."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from jobs.train_mixed import fits
from shared.cli.progress import Reporter
from shared.cli.run import Run
from shared.disk.steps import FAIL_AT
from shared.format.files import json_bytes
from shared.metrics.classification import score_table
from shared.store.records.mixed import FitRow, FitsRecord
from tests.checks.crash_points.forked import attempt

PLANNED = [fits.Fit(arm, replicate=0, number=0, seed=3) for arm in ("real_only", "mixed_1x")]

CLASSES = ["zebra", "ant", "Owl"]
"""Neither sorted nor equal in sorted order of any kind."""


def fitted(planned: fits.Fit, *_: object) -> tuple[FitRow, dict[str, torch.Tensor]]:
    """Return what a fit gives, without one: answers to six images, and the row that says how right they are."""
    table = score_table(np.array([0, 1, 2, 0, 1, 2]), np.array([0, 1, 2, 2, 1, planned.arm == "mixed_1x"]), CLASSES)
    counts = {"n_real": 60, "n_synthetic": 0, "best_step": 2, "stopped_at": 4}
    row = FitRow(arm=planned.arm, replicate=0, fit=0, seed=planned.seed, equal_steps_accuracy=0.5, test=table, **counts)
    return row, {fits.PROBABILITIES: torch.eye(6, 3)}


def made(folder: Path) -> int:
    """Make the fits of PLANNED that are not there, and write what the manifest would say of all."""
    nothing: Any = None  # what `fitted` does not look at
    run = Run({}, folder, folder, "cpu", Reporter("train_mixed", bars=False))
    rows = fits.fit_in_parts(run, PLANNED, lambda fit: fits.read_or_fit(folder, fit, nothing, nothing, nothing))
    assert rows is not None
    facts = FitsRecord(rows=rows, n_val=6, n_synthetic_usable=6).facts()
    (folder / "facts.json").write_bytes(json_bytes(facts))
    return 0


@pytest.mark.fault(2)
def test_fits_that_were_killed_give_the_same_manifest_byte_by_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row is the same whether its fit was made just now or read again: in the order of its keys too."""
    monkeypatch.setattr(fits, "_fit", fitted)
    folder, undisturbed, number = tmp_path / "undisturbed", b"", 0
    while True:
        folder.mkdir()
        killed = attempt(lambda at=folder: made(at), {FAIL_AT: str(number)}, tmp_path / "log")  # type: ignore[misc]
        assert killed in (0, -9), (tmp_path / "log").read_text()
        if number and not killed:
            break
        made(folder)
        undisturbed = undisturbed or (folder / "facts.json").read_bytes()
        assert (folder / "facts.json").read_bytes() == undisturbed, f"killed at step {number}"
        number += 3  # each fit takes a dozen steps
        folder = tmp_path / str(number)
    assert number > 2 * 10  # two fits, each a file and a record
