"""Artifacts of earlier versions are not rebuilt for the sake of options that these did not have."""

import json
from importlib import import_module
from pathlib import Path

import pytest

from jobs.pipeline import ARTIFACTS
from shared.cli.options import JobOptions, defaults, specs
from shared.store.identity import ADDED_OPTIONS, NOT_IDENTIFYING
from shared.store.job import Job

GOLDEN = Path(__file__).resolve().parents[1] / "shared" / "store" / "golden_records"


@pytest.mark.parametrize("row", ARTIFACTS, ids=lambda row: row.writes)
def test_an_option_that_was_added_goes_by_its_default(row: Job) -> None:
    """Each recorded option that a kept manifest lacks is None where it is not given, or known with its default."""
    options: type[JobOptions] = import_module(f"jobs.{row.name}.__main__").main.options
    own = {name: value for name, value in defaults(options).items() if specs(options)[name].recorded}
    manifests = [json.loads(path.read_bytes()) for path in sorted(GOLDEN.glob(f"*/{row.writes}.json"))]
    assert manifests
    for manifest in manifests:
        known = {**ADDED_OPTIONS.get(row.name, {}), **manifest["options"]}
        new = own.keys() - known.keys() - NOT_IDENTIFYING
        assert {name: own[name] for name in new if own[name] is not None} == {}
    added = ADDED_OPTIONS.get(row.name, {})
    assert {name: own[name] for name in added} == added
