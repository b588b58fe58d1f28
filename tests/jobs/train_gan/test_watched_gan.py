"""A watched GAN: how long it waits for images is in the record of its run, its log is as the page shows it."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from torch import Tensor

from jobs.train_gan import loop
from shared.runtime.observe.watching import VARIABLE
from tests.documented import blocks
from tests.jobs.conftest import LateClock


def test_the_wait_of_a_gan_is_in_its_record(
    train: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, late: LateClock
) -> None:
    """Where each of nine batches takes 1,000 s to come, nearly all of the time is waiting."""
    read = loop.batches

    def slow(*arguments: Any, **named: Any) -> Iterator[tuple[Tensor, Tensor]]:
        for batch in read(*arguments, **named):
            late.late_s += 1000
            yield batch

    monkeypatch.setattr(loop, "batches", slow)
    result = train("slow")
    assert result.exit_code == 0, result.output
    recorded = json.loads((tmp_path / "slow" / "small" / "gan" / "r00" / "run.json").read_text())
    assert 0.9 < recorded["data_wait_share"] <= 1


def test_the_steps_of_a_gan_are_no_wait(
    train: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, late: LateClock
) -> None:
    """Where each step takes 1,000 s, next to nothing is waiting."""
    step = loop.iterate

    def slow(*arguments: Any) -> Iterator[Any]:
        for losses in step(*arguments):
            late.late_s += 1000
            yield losses

    monkeypatch.setattr(loop, "iterate", slow)
    assert train("slow").exit_code == 0
    recorded = json.loads((tmp_path / "slow" / "small" / "gan" / "r00" / "run.json").read_text())
    assert 0 < recorded["data_wait_share"] < 0.1


PAGE = Path(__file__).resolve().parents[3] / "docs" / "observe.md"


def shown() -> list[dict[str, Any]]:
    """Return the objects of the log that the page shows, whose lines are broken there."""
    (block,) = [block.text for block in blocks(PAGE) if '"event"' in block.text]
    text, decoder, entries = " ".join(block.split()), json.JSONDecoder(), []
    while text:
        entry, end = decoder.raw_decode(text)
        entries.append(entry)
        text = text[end:].lstrip()
    return entries


def test_the_log_is_as_the_page_shows_it(
    train: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run of today writes the same keys in the same order, and the same fields for each event; values differ."""
    monkeypatch.setattr("shared.cli.progress.LOG_EVERY_S", 0)
    monkeypatch.setenv(VARIABLE, str(tmp_path / "metrics"))
    said = train("watched", "--log-format", "json").stderr + train("watched", "--epochs", "many").stderr
    form = {
        entry["event"]: (list(entry), list(entry["fields"]), entry["level"])
        for entry in map(json.loads, said.splitlines())
    }
    for entry in shown():
        assert form[entry["event"]] == (list(entry), list(entry["fields"]), entry["level"])
        assert type(entry["fields"].get("code")) in (int, type(None))
    assert {entry["event"] for entry in shown()} == {"progress", "complete", "error"}
