"""`verify`, `status` and `clean` on a volume in a store: what is there is brought, shards are fetched when read."""

import json
from collections.abc import Callable

from click.testing import CliRunner, Result

from jobs.__main__ import main as halfreal
from jobs.verify.repairs import AS_BEFORE
from shared.objects.client import Store
from shared.store.artifacts import Artifact
from tests.objects.conftest import Volume


def call(volume: Volume, *words: str) -> Result:
    """Call `halfreal` in this process, on a machine that has seen nothing of the volume."""
    place = {"HALFREAL_DATA_ROOT": str(volume.address), "HALFREAL_CACHE_DIR": str(volume.cache("b"))}
    return CliRunner().invoke(halfreal, words, env=place)


def test_a_volume_in_a_store_is_looked_after(volume: Volume, make_dataset: Callable[..., Artifact]) -> None:
    """Every experiment is found; a shard that was altered in the store is named; nothing there is removed from here."""
    made = make_dataset(volume.machine("a") / "one" / "real", train=6)
    make_dataset(volume.machine("a") / "two" / "real", train=3)
    whole = call(volume, "verify", "--json")
    assert whole.exit_code == 0, whole.output
    assert json.loads(whole.stdout)["pictures"] == 9
    assert not list(volume.machine("b").rglob("*.tar"))
    said = json.loads(call(volume, "status", "--json").stdout)
    assert [(each["name"], each["state"]) for each in said["experiments"]] == [("one", "complete"), ("two", "complete")]
    (key,) = [key for key in volume.stored(".files/one") if key.endswith("train-00001.tar")]
    altered = bytearray((made.folder / "train-00001.tar").read_bytes())
    altered[600] ^= 1
    (volume.folder / "altered").write_bytes(altered)
    Store(volume.address).put_file(key, volume.folder / "altered")
    damaged = call(volume, "verify", "--json")
    assert damaged.exit_code == 2
    ((path, what),) = [(each["file"], each["what"]) for each in json.loads(damaged.stdout)["problems"]]
    assert path.endswith("one/real/train-00001.tar")
    assert "altered" in what
    again = f"# halfreal preprocess --experiment one --data-root {volume.address} --force{AS_BEFORE}"
    assert json.loads(damaged.stdout)["repairs"] == [again]
    refused = call(volume, "clean", "one/real", "--yes")
    assert refused.exit_code == 2
    assert "is in an object store" in refused.stderr
