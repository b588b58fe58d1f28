"""The whole pipeline on a volume in a store, as a user runs it, against the same on a disk."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from jobs.pipeline import PIPELINE
from shared.format.manifest import MANIFEST
from shared.store.remote.mirror import mirror_folder
from tests.objects.conftest import Volume
from tests.test_end_to_end import FEW, ROOT, manifests, surroundings

pytestmark = pytest.mark.slow

TINY = FEW | {"preprocess.limit": 200, "train_classifier.steps": 20, "train_gan.epochs": 2, "train_mixed.steps": 4}


@dataclass(frozen=True)
class Machine:
    """A machine that has its own mirror of a volume."""

    volume: Volume
    name: str

    def halfreal(self, *words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        """Run a command there; the volume is in its environment."""
        place = {
            "HALFREAL_DATA_ROOT": str(self.volume.address),
            "HALFREAL_CACHE_DIR": str(self.volume.cache(self.name)),
        }
        own = surroundings(**place | self.volume.environment() | environment)
        called = [sys.executable, "-m", "jobs", *words]
        return subprocess.run(called, env=own, capture_output=True, text=True, timeout=600, check=False, cwd=ROOT)

    @property
    def mirror(self) -> Path:
        """Its mirror."""
        return mirror_folder(self.volume.address, self.volume.cache(self.name))


def pipeline_words() -> list[str]:
    """Return the command that makes everything, with few images and steps."""
    pairs = [word for name, value in TINY.items() for word in ("--set", f"{name}={value}")]
    return ["run", "--device", "cpu", "--replicates", "1", "--processes", "1", *pairs]


def test_the_pipeline_makes_what_it_makes_on_a_disk(volume: Volume, tmp_path: Path) -> None:
    """Manifests are equal byte by byte; another machine has them, makes nothing again, and fetches no shard for that.

    Then that machine goes on by itself, and reads no more of the real images than all of them once for each job.
    """
    local = subprocess.run(
        [sys.executable, "-m", "jobs", *pipeline_words(), "--data-root", str(tmp_path / "disk")],
        env=surroundings(), capture_output=True, text=True, timeout=600, check=False, cwd=ROOT,
    )  # fmt: skip
    assert local.returncode == 0, local.stderr
    one, two = Machine(volume, "one"), Machine(volume, "two")
    done = one.halfreal(*pipeline_words())
    assert done.returncode == 0, done.stderr
    expected = manifests(tmp_path / "disk" / "digits")
    assert manifests(one.mirror / "digits") == expected
    assert {row.writes for row in PIPELINE} <= {place.partition("/")[0] for place in expected}
    stored = [key for key in volume.stored("digits") if key.endswith(f"/{MANIFEST}")]
    assert stored == sorted(f"digits/{place}/{MANIFEST}" for place in expected)

    before = len(volume.proxy.seen)
    again = two.halfreal(*pipeline_words())
    assert again.returncode == 0, again.stderr
    assert again.stderr.count("already complete") >= len(PIPELINE)
    assert manifests(two.mirror / "digits") == expected
    assert not [each for each in volume.proxy.seen[before:] if each.path.endswith((".tar", ".idx"))]
    assert not list((two.mirror / "digits").rglob("*.tar"))
    assert again.stdout.splitlines()[:3] == done.stdout.splitlines()[:3]

    before = volume.proxy.received(r"/real/[0-9a-f]{12}/.*\.tar")
    more = two.halfreal("synthesize", "--recipe", "digits", "--device", "cpu", "--replicates", "1", "--seed", "5")
    assert more.returncode == 0, more.stderr
    assert "rebuilding because seed was" in more.stderr
    size_bytes = sum(path.stat().st_size for path in (one.mirror / "digits" / "real").glob("*.tar"))
    assert 0 <= volume.proxy.received(r"/real/[0-9a-f]{12}/.*\.tar") - before <= size_bytes
    lines = one.halfreal("results", "--json")
    assert json.loads(lines.stdout)
