"""`halfreal run`: the options passed to jobs, and the handling of failures."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from jobs.__main__ import main
from jobs.pipeline import JOBS, PIPELINE
from shared.cli.recipes import RECIPES_FOLDER

ROOT = Path(__file__).resolve().parent.parent


Ended = subprocess.CompletedProcess[str]


def said(*words: object, **environment: str) -> Ended:
    """Return what `halfreal words...`, which begins no job, says in this process: a tenth of the time of another."""
    done = CliRunner().invoke(main, [*map(str, words)], env=environment, prog_name="halfreal")
    return subprocess.CompletedProcess(words, done.exit_code, done.stdout, done.stderr)


def halfreal(*words: object, **environment: str) -> Ended:
    """Run `halfreal words...` in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "jobs", *map(str, words)],
        env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"} | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def seeds(done: Ended) -> dict[str, int]:
    """Return the seed of each job from what a dry run printed."""
    found, job = {}, ""
    for line in done.stdout.splitlines():
        if " would write " in line:
            job = line.split()[0]
        if line.startswith("  seed = "):
            found[job] = int(line.removeprefix("  seed = "))
    return found


def test_a_dry_run_walks_the_table_and_writes_nothing(tmp_path: Path) -> None:
    """`run --dry-run` shows every job in the order of the table, on the given volume, and writes nothing."""
    done = halfreal("run", "--dry-run", "--data-root", tmp_path / "volume", "--experiment", "mine")
    assert done.returncode == 0, done.stderr
    shown = [line for line in done.stdout.splitlines() if " would write " in line]
    assert shown == [f"{row.name} would write {tmp_path / 'volume' / 'mine' / row.writes}" for row in PIPELINE]
    assert not (tmp_path / "volume").exists()


def test_tuning_runs_only_on_request(tmp_path: Path) -> None:
    """`run --with-tuning` runs the whole table, with `tune` before the report that shows it."""
    done = said("run", "--dry-run", "--with-tuning", "--data-root", tmp_path / "volume", "--set", "tune.trials=5")
    assert done.returncode == 0, done.stderr
    shown = [line.split()[0] for line in done.stdout.splitlines() if " would write " in line]
    assert shown == [row.name for row in JOBS]
    assert "  trials = 5\n" in done.stdout
    assert {row.name for row in JOBS} - {row.name for row in PIPELINE} == {"tune"}


def test_a_flag_sets_the_seed_of_every_job() -> None:
    """`run --seed` reaches every job."""
    assert seeds(said("run", "--dry-run", "--seed", 11)) == {row.name: 11 for row in PIPELINE}


def test_the_environment_sets_the_seed_of_every_job() -> None:
    """HALFREAL_SEED beats the recipe's seed through `run` as it does for a job alone."""
    assert seeds(said("run", "--dry-run", HALFREAL_SEED="11")) == {row.name: 11 for row in PIPELINE}


def test_a_misspelt_variable_is_named_once() -> None:
    """`run` warns of a variable that no job reads, once for all jobs; in a strict environment it ends with 2."""
    done = said("run", "--dry-run", HALFREAL_TRAIN_GAN_EPOCH="3")
    assert done.returncode == 0
    assert done.stderr == "HALFREAL_TRAIN_GAN_EPOCH: unknown; did you mean HALFREAL_TRAIN_GAN_EPOCHS?\n"
    strict = said("run", "--dry-run", HALFREAL_TRAIN_GAN_EPOCH="3", HALFREAL_STRICT="1")
    assert (strict.returncode, strict.stdout) == (2, "")
    assert "did you mean HALFREAL_TRAIN_GAN_EPOCHS?" in strict.stderr


def test_a_setting_reaches_its_job_alone() -> None:
    """`run --set job.option=value` sets the option of that job and of no other."""
    done = said("run", "--dry-run", "--set", "train_mixed.steps=77", "--set", "train_mixed.measure-every=7")
    assert done.stdout.count("  steps = 77\n") == 1
    assert done.stdout.count("  measure_every = 7\n") == 1
    assert done.stdout.count("  steps = 1000\n") == 1  # train_classifier, as the recipe has it


def test_a_setting_of_the_seed_reaches_its_job() -> None:
    """`run --set train_gan.seed=5` sets the seed of that job alone."""
    assert seeds(said("run", "--dry-run", "--set", "train_gan.seed=5"))["train_gan"] == 5


def test_a_recipe_means_the_same_to_run_and_to_the_job(tmp_path: Path) -> None:
    """A recipe that gives one job a seed of its own gives that job the same seed through `run` as alone."""
    recipe = tmp_path / "mine.toml"
    recipe.write_text("seed = 1\n[train_gan]\nseed = 5\n", encoding="utf-8")
    alone = seeds(said("train_gan", "--dry-run", "--recipe", recipe))
    through = seeds(said("run", "--dry-run", "--recipe", recipe))
    assert alone == {"train_gan": 5}
    assert through["train_gan"] == 5


def test_missing_weights_are_said_before_the_first_job(tmp_path: Path) -> None:
    """`run` begins with what is missing, the command that brings it, and what chooses in its place."""
    words = ["--data-root", tmp_path, "--set", "evaluate.per_snapshot=inception_clean", "--device", "cpu"]
    words += ["--set", "preprocess.source=folder"]  # ends at once: there is no such folder
    first, second, third = halfreal("run", *words).stderr.splitlines()[:3]
    assert first.startswith("FID: weights missing (inception_clean). Bring them with: halfreal weights fetch inception")
    assert f" --data-root {tmp_path}. " in first
    assert "classifier chooses the snapshots in place of inception_clean" in second
    assert third.endswith("run: [1/7] preprocess  (0 s so far)")
    assert "FID: weights missing" in halfreal("run", "--dry-run", *words).stdout


@pytest.mark.parametrize("recipe", sorted(path.stem for path in RECIPES_FOLDER.glob("*.toml")))
def test_the_published_systems_ask_for_fid(recipe: str, tmp_path: Path) -> None:
    """Those whose text asks for FID have it on; where it is not asked for, nothing is said of weights."""
    told = said("evaluate", "--dry-run", "--recipe", recipe, "--data-root", tmp_path).stdout
    asks = recipe.startswith(("celeba", "cifar10", "rps"))
    assert ("FID: weights missing (inception_clean)" in told) is asks
    assert ("per_snapshot = 'inception_clean'" in told) is recipe.startswith("cifar10")


def test_altered_weights_cost_no_hours(tmp_path: Path) -> None:
    """A broken download is refused before the first job."""
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "inception-2015-12-05.pt").write_bytes(b"a page that says: quota exceeded")
    done = said("run", "--data-root", tmp_path, "--set", "evaluate.extractors=inception_clean")
    assert done.returncode == 2
    assert "the file was altered" in done.stderr
    assert "[1/7]" not in done.stderr


def test_a_failing_job_passes_its_exit_code_through(tmp_path: Path) -> None:
    """Where a job fails `run` ends with that job's exit code, names the job and starts no further one."""
    done = halfreal("run", "--data-root", tmp_path, "--set", "preprocess.source=folder", "--device", "cpu")
    assert done.returncode == 2
    assert "preprocess failed (exit code 2)" in done.stderr
    assert "[2/7]" not in done.stderr
    assert "Traceback" not in done.stderr


REFUSED = {
    "preprocess.split=official": "--split official",
    "preprocess.limit=3": "cannot draw 1 of 3 images",
    "preprocess.val_fraction=0.0006": "cannot draw 2 of 1437 images",
    "preprocess.label=Young": "--label Young",
    "preprocess.size_px=24": "images are 24 px wide",
    "train_gan.flips=true": "--flips",
    "train_mixed.arms=all": "run synthesize with --share 3.0 or more",
    "synthesize.share=0.99": "run synthesize with --share 1.0 or more",
    "train_mixed.steps=zero": "zero",
    "train_mixed.measure_every=601": "--measure-every 601",
    "evaluate.images=1000000000000": "this machine's memory",
    "synthesize.share=1e9": "--share",
    "train_mixed.batch_images=1000000000000": "2<=x<=65536",
}


@pytest.mark.parametrize("words", [["--dry-run"], []], ids=["dry", "real"])
@pytest.mark.parametrize(("pair", "mention"), REFUSED.items())
def test_a_mistake_in_a_job_stops_before_the_first(pair: str, mention: str, words: list[str], tmp_path: Path) -> None:
    """Wrong options are refused in a dry run, and by a run before its first job, so that they cost no hours."""
    done = said("run", "--data-root", tmp_path / "volume", "--set", pair, *words)
    assert done.returncode == 2
    assert mention in done.stderr
    assert len(done.stderr.splitlines()) <= 3
    assert not (tmp_path / "volume").exists()


def test_a_job_that_waits_for_another_ends_with_75(tmp_path: Path) -> None:
    """Where another process holds an artifact's lock `run` ends with 75: the same command works later."""
    from shared.store.locks import locked

    with locked(tmp_path / "digits" / "real"):
        done = halfreal("run", "--data-root", tmp_path, "--device", "cpu")
    assert done.returncode == 75
    assert "another process" in done.stderr


def test_a_signal_ends_the_wait_for_a_lock(tmp_path: Path) -> None:
    """One that waits to hear whether the holder of another machine still runs ends at once, with 75."""
    from shared.store.locking.owner import new_owner

    (tmp_path / "digits").mkdir()
    lock = replace(new_owner(), host="elsewhere").to_line() + b"%010d\n" % 0
    (tmp_path / "digits" / ".real.lock").write_bytes(lock)
    words = [sys.executable, "-m", "jobs", "preprocess", "--source", "digits", "--data-root", str(tmp_path)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(words, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        told = next(line for line in process.stderr if "it is taken over if nothing is heard of it" in line)
        assert "on host elsewhere" in told
        process.terminate()
        try:
            assert process.wait(20) == 75
        finally:
            process.kill()
        assert "stopped by SIGTERM" in process.stderr.read()
    assert (tmp_path / "digits" / ".real.lock").read_bytes() == lock
