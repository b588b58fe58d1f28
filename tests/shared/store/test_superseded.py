"""A commit to an object store that the store has, or has another one of, when its process is gone."""

import os
import shutil
from pathlib import Path

import pytest

from shared.format.manifest import MANIFEST
from shared.objects.fetching import REMOTE
from shared.store.staging import BuildKey, finished, stage, staging_folder

KEY = BuildKey("train", "model", {"epochs": 2})


@pytest.mark.parametrize("same", [True, False])
def test_a_commit_that_the_store_has_leaves_nothing(tmp_path: Path, same: bool) -> None:
    """Killed when the manifest was put: the artifact came back from the store, and the staging folder is of no use.

    Of another machine's artifact the work of this one stays, without its manifest.
    """
    final = tmp_path / "gan"
    with stage(final, KEY, resumable=True) as work:
        (work.folder / "weights").write_text("w")
        work.commit()
    folder = staging_folder(final, KEY)
    shutil.copytree(final, folder)
    if not same:
        (folder / MANIFEST).write_bytes((folder / MANIFEST).read_bytes() + b"\n")
    os.utime(folder / MANIFEST, ns=(1, 1))
    (final / REMOTE).write_text("{}")
    assert finished(final, KEY) is not None
    assert sorted(path.name for path in folder.glob("*")) == ([] if same else ["weights"])
    assert folder.exists() == (not same)
