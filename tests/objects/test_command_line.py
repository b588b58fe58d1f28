"""What commands say of a volume in a store that is not as they need it, and with which exit code they end."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from jobs.__main__ import main as halfreal
from shared.cli.common_options import place_flags
from shared.store.remote.mirror import MARKER, mirror_folder
from tests.objects.conftest import Volume


def call(*words: str, **environment: str) -> Result:
    """Call `halfreal` in this process."""
    return CliRunner().invoke(halfreal, words, env=environment)


def results(volume: Volume, **environment: str) -> Result:
    """Ask for the results of an experiment that is not there, on a machine without a mirror."""
    place = {"HALFREAL_DATA_ROOT": str(volume.address), "HALFREAL_CACHE_DIR": str(volume.cache("a"))}
    return call("results", "--recipe", "digits", **place | environment)


def test_an_experiment_that_is_not_there_is_bad_input(volume: Volume) -> None:
    """As on a disk; the store was asked once."""
    done = results(volume)
    assert (done.exit_code, len(volume.proxy.seen)) == (2, 1)
    assert "run first: halfreal" in done.stderr


CASES: dict[str, tuple[dict[str, str], int, str]] = {
    "no credentials": ({"AWS_ACCESS_KEY_ID": ""}, 2, "no credentials in the environment"),
    "wrong credentials": ({"AWS_SECRET_ACCESS_KEY": "wrong"}, 2, "refuses these credentials"),
    "no bucket": ({"HALFREAL_DATA_ROOT": "s3://not-there/x"}, 2, "s3://not-there: no such bucket"),
    "no network": ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, 1, "does not answer"),
    "another kind of place": ({"HALFREAL_DATA_ROOT": "ftp://host/x"}, 2, "want a folder, or s3://BUCKET"),
    "no seconds": ({"HALFREAL_STORE_TIMEOUT_S": "soon"}, 2, "want seconds"),
}


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("case", CASES)
def test_a_store_that_cannot_be_used_is_explained(volume: Volume, case: str) -> None:
    """In at most three lines, which say where; exit code 2 for what must change, 1 for what may pass."""
    environment, code, said = CASES[case]
    done = results(volume, **environment)
    assert (done.exit_code, done.stderr.startswith("error: ")) == (code, True)
    assert said in done.stderr
    assert len(done.stderr.splitlines()) <= 3
    assert "wrong" not in done.stderr.replace("went wrong", "")


def test_parts_and_processes_of_several_machines_are_refused(volume: Volume) -> None:
    """Before anything is asked of the store: what is unfinished is in a mirror, which no two machines share."""
    place = {"HALFREAL_DATA_ROOT": str(volume.address), "HALFREAL_CACHE_DIR": str(volume.cache("a"))}
    done = call("synthesize", "--parts", "2", "--index", "0", **place)
    assert done.exit_code == 2
    assert "parts of one job need a volume that they share" in done.stderr
    several = {"WORLD_SIZE": "4", "LOCAL_WORLD_SIZE": "2", "RANK": "0", "MASTER_ADDR": "x", "MASTER_PORT": "1"}
    done = call("train_gan", **place | several)
    assert done.exit_code == 2
    assert "4 processes on several machines need a volume that they share" in done.stderr
    assert volume.proxy.seen == []


def test_a_volume_has_one_mirror_for_each_endpoint(volume: Volume, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same place is the same folder and keeps its name; another server's bucket is another volume."""
    mirror = volume.machine("a")
    name = json.loads((mirror / MARKER).read_bytes())["name"]
    assert volume.machine("a") == mirror
    assert json.loads((mirror / MARKER).read_bytes())["name"] == name
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert volume.machine("a") != mirror


def test_commands_that_are_printed_name_the_store(volume: Volume) -> None:
    """Not its mirror."""
    assert place_flags(volume.machine("a")) == f" --data-root {volume.address}"


def test_a_mirror_is_in_the_users_cache_unless_another_is_named(
    volume: Volume, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That of --cache-dir before."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "own"))
    assert mirror_folder(volume.address, None).is_relative_to(tmp_path / "own" / "halfreal" / "volumes")
    done: Any = call("results", "--data-root", str(volume.address), HALFREAL_CACHE_DIR=str(tmp_path / "named"))
    assert done.exit_code == 2
    assert [path.name for path in (tmp_path / "named").iterdir()] == ["volumes"]
