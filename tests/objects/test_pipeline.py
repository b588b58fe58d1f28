"""The whole pipeline on a volume in a store, against the same on a disk."""

import re
from pathlib import Path
from typing import Any

import pytest

from jobs.pipeline import PIPELINE
from shared.format.manifest import MANIFEST
from tests.conftest import quicken
from tests.jobs.conftest import SMALL, call, hostile_source
from tests.objects.conftest import Volume
from tests.test_end_to_end import manifests

pytestmark = pytest.mark.slow

SHARDS = r"/real/[0-9a-f]{12}/.*\.tar"


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write a recipe of defaults; the source is 120 small pictures, and jobs are quickened."""
    quicken(monkeypatch)
    monkeypatch.setattr("shared.sources.published.sets.digits", hostile_source)
    path = tmp_path / "plain.toml"
    path.write_text('about = "every default"\nseed = 3\n', encoding="utf-8")
    return path


def make_all(place: Any, recipe: Path) -> str:
    """Run every job on a volume; return what they said."""
    said = ""
    for row in PIPELINE:
        done = call(row.name, place, "--recipe", recipe, *SMALL[row.name])
        assert done.exit_code == 0, done.output
        said += done.output
    return said


def test_the_pipeline_makes_what_it_makes_on_a_disk(
    volume: Volume, tmp_path: Path, recipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Manifests are equal byte by byte.

    Another machine has them, makes nothing again and fetches no shard for that. Then it goes on by itself, and reads
    the shards of the real images that it needs, each once, though it has none of them on its disk.
    """
    make_all(tmp_path / "disk", recipe)
    expected = manifests(tmp_path / "disk" / "small")
    assert {row.writes for row in PIPELINE} <= {place.partition("/")[0] for place in expected}

    monkeypatch.setenv("HALFREAL_CACHE_DIR", str(volume.cache("a")))
    make_all(volume.address, recipe)
    assert manifests(volume.machine("a") / "small") == expected
    stored = [key for key in volume.stored("small") if key.endswith(f"/{MANIFEST}")]
    assert stored == sorted(f"small/{place}/{MANIFEST}" for place in expected)

    monkeypatch.setenv("HALFREAL_CACHE_DIR", str(volume.cache("b")))
    said = make_all(volume.address, recipe)
    assert len(re.findall("already complete", said)) >= len(PIPELINE)
    other = volume.machine("b") / "small"
    assert manifests(other) == expected
    assert volume.proxy.count("GET", r"\.tar|\.idx") == 0
    assert (other / "report" / "index.html").read_bytes() == (
        tmp_path / "disk" / "small" / "report" / "index.html"
    ).read_bytes()

    done = call("train_classifier", volume.address, "--recipe", recipe, *SMALL["train_classifier"], "--force")
    assert done.exit_code == 0, done.output
    shards = list((volume.machine("a") / "small" / "real").glob("*.tar"))
    assert 0 < volume.proxy.received(SHARDS) <= sum(path.stat().st_size for path in shards)
    assert not list(other.rglob("*.tar"))
    # it was committed as it was: the same images by the same seed
    assert manifests(other)["classifier/r00"] == expected["classifier/r00"]
