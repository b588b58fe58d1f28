"""More parts than replicates: fits and snapshots of one replicate are shared, and every byte is that of one process."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

import jobs.evaluate.selection
import jobs.train_mixed.fits
from shared.format.manifest import MANIFEST
from shared.store.artifacts import Artifact
from tests.jobs.conftest import SMALL

ORDERS = [[1, 0], [0, 2, 1], [3, 6, 5, 4, 0, 1, 2]]
"""Orders in which parts run one after the other; seven are more than there are fits, or snapshots."""

ROOT = Path(__file__).resolve().parents[2]

RunJob = Callable[..., Result]


@pytest.fixture
def fits(volume: Path, tmp_path: Path) -> Path:
    """Return a volume on which train_mixed is to be done."""
    return without(volume, tmp_path, "real", "classifier", "gan", "scores", "synthetic")


@pytest.fixture
def scores(volume: Path, tmp_path: Path) -> Path:
    """Return a volume on which evaluate is to be done."""
    return without(volume, tmp_path, "real", "classifier", "gan")


def without(volume: Path, root: Path, *names: str) -> Path:
    """Return a volume with these artifacts of the small experiment alone."""
    (root / "small").mkdir(parents=True)
    for name in names:
        (root / "small" / name).symlink_to(volume / "small" / name)
    return root


def words_of(job: str, recipe: Path) -> list[object]:
    """Return the options with which the small experiment was made."""
    return ["--recipe", recipe, *SMALL[job]]


def manifest(folder: Path) -> bytes:
    """Return the manifest of an artifact, which has the hashes of all other files."""
    return (folder / MANIFEST).read_bytes()


def without_attack(folder: Path) -> dict[str, Any]:
    """Return a manifest but for the attack on members, which has few steps in the process of the tests alone."""
    read: dict[str, Any] = json.loads(manifest(folder))
    read["facts"].pop("membership", None)
    return read


def part(run_job: RunJob, job: str, root: Path, count: int, index: int, *words: object) -> str:
    """Run a part, which must succeed; return what it says."""
    result = run_job(job, root, *words, "--parts", count, "--index", index)
    assert result.exit_code == 0, result.output
    return result.stderr


@pytest.mark.slow
@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_fits_in_parts_are_the_same(
    order: list[int], fits: Path, volume: Path, run_job: RunJob, plain_recipe: Path
) -> None:
    """The last part of any order writes the fits and the verdict of one process; the others end well and say so."""
    words = words_of("train_mixed", plain_recipe)
    said = [part(run_job, "train_mixed", fits, len(order), index, *words) for index in order]
    waiting = [
        f"part {index} of {len(order)} is done; others are not yet" in text
        for index, text in zip(order, said, strict=True)
    ]
    assert waiting == [True] * (len(order) - 1) + [False]
    for name in ("fits/r00", "mixed"):
        assert manifest(fits / "small" / name) == manifest(volume / "small" / name), name
    assert not list((fits / "small" / "fits").glob(".r00-*/"))


@pytest.mark.slow
def test_own_annotators_in_parts_are_the_same(fits: Path, volume: Path, run_job: RunJob, plain_recipe: Path) -> None:
    """An arm with an annotator of its own trains that one in whichever part has its fit."""
    words = [*words_of("train_mixed", plain_recipe), "--arms", "original,synthetic_70_real_30_own", "--fits", 2]
    for index in (2, 0, 1):
        part(run_job, "train_mixed", fits, 3, index, *words)
    one = without(volume, fits / "one", "real", "classifier", "gan", "scores", "synthetic")
    alone = run_job("train_mixed", one, *words)
    assert alone.exit_code == 0
    assert "train_mixed: images: " in alone.stderr
    for name in ("fits/r00", "mixed"):
        assert manifest(fits / "small" / name) == manifest(one / "small" / name), name


def noted_fits(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the list in which the file of each fit is noted that is made from now on."""
    fitted: list[str] = []
    fit = jobs.train_mixed.fits._fit

    def counted(planned: jobs.train_mixed.fits.Fit, *rest: object) -> object:
        fitted.append(planned.file)
        return fit(planned, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(jobs.train_mixed.fits, "_fit", counted)
    return fitted


@pytest.mark.slow
def test_each_fit_is_made_once(
    fits: Path, run_job: RunJob, plain_recipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of three parts makes its own fits, none of them twice, and none again where it is started again."""
    fitted = noted_fits(monkeypatch)
    words = words_of("train_mixed", plain_recipe)
    after = []
    for index in (0, 0, 1, 1, 2):
        part(run_job, "train_mixed", fits, 3, index, *words)
        after.append(len(fitted))
    names = [path.name for path in (fits / "small" / "fits" / "r00").glob("*.safetensors")]
    assert sorted(fitted) == sorted(names)
    first, second = (len(names[index::3]) for index in range(2))
    assert after == [first, first, first + second, first + second, len(names)]


KILLED = """
import os, signal, sys
import jobs.train_mixed.fits as fits
from jobs.train_mixed.__main__ import main
fit, made = fits._fit, []
def fit_one(*words):
    if made:
        os.kill(os.getpid(), signal.SIGKILL)
    made.append(words[0].file)
    return fit(*words)
fits._fit = fit_one
main(sys.argv[1:])
"""


@pytest.mark.slow
def test_a_killed_part_keeps_its_fits(
    fits: Path,
    made: dict[str, Artifact],
    run_job: RunJob,
    plain_recipe: Path,
    python: Callable[..., subprocess.CompletedProcess[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A part that is killed goes on behind its last fit; a file of it that broke costs one fit."""
    words = words_of("train_mixed", plain_recipe)
    place = ["--data-root", fits, "--experiment", "small", "--device", "cpu", "--parts", 2, "--index", 0]
    killed = python(KILLED, *words, *place)
    assert killed.returncode == -9, killed.stderr
    assert "others are not yet" in part(run_job, "train_mixed", fits, 2, 1, *words)
    fitted = noted_fits(monkeypatch)
    (staged,) = (fits / "small" / "fits").glob(".r00-*/")
    assert len(list(staged.glob("*.safetensors"))) == 3  # two of the other part, and one before the kill
    assert "complete in" in part(run_job, "train_mixed", fits, 2, 0, *words)
    assert len(fitted) == 2
    assert manifest(fits / "small" / "mixed") == manifest(made["mixed"].folder)


@pytest.mark.slow
def test_a_broken_fit_of_a_part_is_made_again(
    fits: Path, made: dict[str, Artifact], run_job: RunJob, plain_recipe: Path
) -> None:
    """A record says that the fit is done; its file, which the part reads first, says that it is not."""
    words = words_of("train_mixed", plain_recipe)
    part(run_job, "train_mixed", fits, 2, 0, *words)
    (staged,) = (fits / "small" / "fits").glob(".r00-*/")
    path = min(staged.glob("*.safetensors"))
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    part(run_job, "train_mixed", fits, 2, 0, *words)
    part(run_job, "train_mixed", fits, 2, 1, *words)
    assert manifest(fits / "small" / "mixed") == manifest(made["mixed"].folder)


@pytest.mark.slow
@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_scores_in_parts_are_the_same(
    order: list[int],
    scores: Path,
    made: dict[str, Artifact],
    run_job: RunJob,
    plain_recipe: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The last part of any order chooses among the scores of all; each snapshot is scored on val once."""
    scored: list[str] = []
    score = jobs.evaluate.selection.score_snapshot

    def counted(work: object, watching: object, snapshot: jobs.evaluate.selection.SnapshotImages) -> object:
        scored.append(snapshot.name)
        return score(work, watching, snapshot)  # type: ignore[arg-type]

    monkeypatch.setattr(jobs.evaluate.selection, "score_snapshot", counted)
    words = words_of("evaluate", plain_recipe)
    said = [part(run_job, "evaluate", scores, len(order), index, *words) for index in order]
    waiting = [
        f"part {index} of {len(order)} is done; others are not yet" in text
        for index, text in zip(order, said, strict=True)
    ]
    assert waiting == [True] * (len(order) - 1) + [False]
    assert manifest(scores / "small" / "scores" / "r00") == manifest(made["scores"].folder)
    snapshots = json.loads(manifest(made["gan"].folder))["facts"]["snapshots"]
    assert sorted(scored) == sorted(snapshot["file"] for snapshot in snapshots)


@pytest.mark.slow
def test_parts_of_imported_images_are_replicates(scores: Path, run_job: RunJob, plain_recipe: Path) -> None:
    """Without snapshots there is nothing in a replicate that parts could share."""
    words = [*words_of("evaluate", plain_recipe), "--scored", "synthetic"]
    result = run_job("evaluate", scores, *words, "--parts", 2, "--index", 1)
    assert (result.exit_code, "want --parts 1 at most" in result.stderr) == (2, True), result.output


def test_parts_and_ranks_share_no_snapshot(
    scores: Path, run_job: RunJob, plain_recipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The processes of a launcher share each snapshot; parts of them would write the same records."""
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "0")
    result = run_job("evaluate", scores, *words_of("evaluate", plain_recipe), "--parts", 2, "--index", 1, "--dry-run")
    assert (result.exit_code, "share each snapshot already" in result.stderr) == (2, True), result.output


@pytest.mark.long
@pytest.mark.parametrize(
    ("job", "made", "inputs"),
    [
        ("synthesize", "synthetic/r00", ("real", "classifier", "gan", "scores")),
        ("evaluate", "scores/r00", ("real", "classifier", "gan")),
        ("train_mixed", "fits/r00", ("real", "classifier", "gan", "scores", "synthetic")),
    ],
)
def test_four_processes_at_once_finish_once(
    job: str, made: str, inputs: tuple[str, ...], volume: Path, tmp_path: Path, plain_recipe: Path
) -> None:
    """Tasks of an array that begin together all end with 0; one of them commits, and the bytes are those of one."""
    root = without(volume, tmp_path, *inputs)
    words = ["--data-root", str(root), "--experiment", "small", "--device", "cpu", "--parts", "auto"]
    words += [str(word) for word in words_of(job, plain_recipe)]
    tasks = [
        subprocess.Popen(
            [sys.executable, "-m", f"jobs.{job}", *words],
            env=os.environ
            | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
            | {"AWS_BATCH_JOB_ARRAY_INDEX": str(index), "AWS_BATCH_JOB_ARRAY_SIZE": "4"},
            stderr=subprocess.PIPE,
            text=True,
        )
        for index in range(4)
    ]
    said = [task.communicate(timeout=300)[1] for task in tasks]
    assert [task.returncode for task in tasks] == [0] * 4, said
    assert sum("complete in" in text and made in text.partition("complete in")[2] for text in said) == 1, said
    assert without_attack(root / "small" / made) == without_attack(volume / "small" / made)
