"""The command line as a user meets it: options, resume, commit. Its errors are in test_exit_codes.py."""

import json
import os
import signal
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from shared.cli.run import Diary, Run
from shared.store.artifacts import Artifact
from shared.store.volume.progress_notes import read_notes

ROUTES = {
    "default": ({}, 1),
    "recipe": ({"recipe": 2}, 2),
    "environment": ({"environment": 3}, 3),
    "environment over recipe": ({"recipe": 2, "environment": 3}, 3),
    "flag": ({"flag": 4}, 4),
    "flag over recipe": ({"recipe": 2, "flag": 4}, 4),
    "flag over all": ({"recipe": 2, "environment": 3, "flag": 4}, 4),
}


@pytest.mark.parametrize("route", ROUTES)
def test_a_flag_beats_the_environment_the_recipe_and_the_default(laboratory: Any, route: str) -> None:
    """Precedence is flag, HALFREAL_<JOB>_<OPTION>, recipe, default."""
    given, expected = ROUTES[route]
    if "recipe" in given:
        laboratory.recipe(f"[tiny]\nsteps = {given['recipe']}")
    environment = {"HALFREAL_TINY_STEPS": str(given["environment"])} if "environment" in given else {}
    outcome = laboratory.call(*(["--steps", str(given["flag"])] if "flag" in given else []), **environment)
    assert outcome.exit_code == 0
    assert laboratory.options == {"steps": expected, "word": "plain", "seed": 0}


@pytest.mark.parametrize(
    ("recipe", "environment", "words", "seed"),
    [
        ("seed = 7", {}, [], 7),
        ("seed = 7\n[tiny]\nseed = 8", {}, [], 8),
        ("seed = 7", {"HALFREAL_SEED": "9"}, [], 9),
        ("seed = 7", {"HALFREAL_SEED": "9"}, ["--seed", "10"], 10),
    ],
)
def test_the_seed_follows_the_same_order(
    laboratory: Any, recipe: str, environment: dict[str, str], words: list[str], seed: int
) -> None:
    """A recipe has one seed for all jobs, a job's table may have its own, HALFREAL_SEED and --seed beat both."""
    laboratory.recipe(recipe)
    assert laboratory.call(*words, **environment).exit_code == 0
    assert laboratory.options["seed"] == seed


def test_paths_can_be_set_by_the_environment(
    laboratory: Any, tmp_path: Path, make_dataset: Callable[..., Artifact]
) -> None:
    """HALFREAL_RECIPE, _EXPERIMENT, _DATA_ROOT and _DEVICE are what containers set."""
    make_dataset(tmp_path / "other" / "mine" / "real", train=1)
    laboratory.recipe("[tiny]\nsteps = 5", "long")
    environment = {"RECIPE": "long", "EXPERIMENT": "mine", "DATA_ROOT": str(tmp_path / "other"), "DEVICE": "cpu"}
    outcome = laboratory.call(**{f"HALFREAL_{name}": value for name, value in environment.items()})
    assert outcome.exit_code == 0
    manifest = json.loads((tmp_path / "other" / "mine" / "toy" / "manifest.json").read_bytes())
    assert manifest["options"]["steps"] == 5
    assert laboratory.runs[0].device == "cpu"


def test_an_experiment_is_named_after_its_recipe(
    laboratory: Any, tmp_path: Path, make_dataset: Callable[..., Artifact]
) -> None:
    """Without --experiment the folder has the recipe's name, also for the user's own recipe file."""
    make_dataset(laboratory.volume / "mine" / "real", train=1)
    own = tmp_path / "mine.toml"
    own.write_text("[tiny]\nword = 'own'")
    assert laboratory.call("--recipe", str(own)).exit_code == 0
    assert (laboratory.volume / "mine" / "toy" / "manifest.json").exists()


def test_a_job_gets_its_inputs_and_leaves_an_artifact(laboratory: Any) -> None:
    """Inputs come opened by name; the manifest has options, input hashes, facts and files."""
    outcome = laboratory.call("--steps", "3", "--word", "x")
    assert outcome.exit_code == 0
    real = laboratory.runs[0].inputs["real"]
    manifest = json.loads((laboratory.final / "manifest.json").read_bytes())
    assert manifest["inputs"] == {"real": real.sha256}
    assert (manifest["job"], manifest["kind"], manifest["facts"]) == ("tiny", "model", {"steps": 3})
    assert [info["name"] for info in manifest["files"]] == ["toy.json"]
    assert json.loads((laboratory.final / "toy.json").read_text()) == {"steps": 3, "word": "x", "seed": 0}
    assert "tiny: complete in " in outcome.stderr
    assert outcome.stderr.endswith("a fine toy\n")


def test_a_job_notes_its_progress_where_its_work_is(laboratory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever looks at the volume sees how far it is; nothing of it is in the finished artifact."""
    monkeypatch.setattr("shared.cli.progress.EVERY_S", 0.0)
    seen = []

    def body(run: Any, config: Any) -> None:
        with run.reporter.bar("work", 4, "steps") as bar:
            bar.advance(3)
        seen.extend(read_notes(run.folder))

    laboratory.body = body
    assert laboratory.call().exit_code == 0
    assert [note.words for note in seen] == ["work: 3 of 4 steps (75 %)"]
    assert sorted(path.name for path in laboratory.final.iterdir()) == ["manifest.json", "run.json", "toy.json"]


def test_run_json_is_not_part_of_the_manifest(laboratory: Any) -> None:
    """run.json records time, memory, threads, processes and the recipe; equal work still gives an equal manifest."""
    manifests = []
    for threads in ("1", "2"):
        assert laboratory.call("--force", "--threads", threads, gpu=True).exit_code == 0
        manifests.append((laboratory.final / "manifest.json").read_bytes())
    assert manifests[0] == manifests[1]
    diary = json.loads((laboratory.final / "run.json").read_text())
    assert sorted(diary) == ["finished", "peak_bytes", "processes", "published", "recipe", "seconds", "threads"]
    assert (diary["recipe"], diary["published"]) == ("digits", None)
    assert (diary["threads"], diary["processes"]) == (2, 1)
    assert diary["peak_bytes"] > 1_000_000


@pytest.mark.fault(28)
@pytest.mark.parametrize("stopped_by", [signal.SIGTERM, None])
def test_run_json_has_the_time_of_every_run(laboratory: Any, stopped_by: signal.Signals | None) -> None:
    """Stopped by a signal, or killed after its work was saved: the time and the memory of that run still count."""

    class Killed(BaseException):
        """The end of a process that can do nothing more."""

    def body(run: Run, config: Any) -> None:
        if stopped_by:
            _stop_after_half(run, config)
        elif len(laboratory.runs) == 1:
            run.keep_time()
            raise Killed

    laboratory.body = body
    if stopped_by:
        assert laboratory.call(resumes=True).exit_code == 75
    else:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Diary, "keeping", lambda diary: nullcontext())
            with pytest.raises(Killed):
                laboratory.call(resumes=True)
    (left,) = laboratory.final.parent.glob(f".{laboratory.final.name}-*/run.json")
    taken = json.loads(left.read_text())
    assert sorted(taken) == ["peak_bytes", "seconds"]
    assert 0 <= taken["seconds"] < 100
    left.write_text(json.dumps({"seconds": 1000.0, "peak_bytes": 10**15}))
    assert laboratory.call(resumes=True).exit_code == 0
    diary = json.loads((laboratory.final / "run.json").read_text())
    assert 1000 <= diary["seconds"] < 1100
    assert diary["peak_bytes"] == 10**15


@pytest.mark.parametrize("seconds", ["NaN", "1e400", '"long"'])
def test_an_edited_run_record_of_stopped_work_counts_nothing(seconds: str, laboratory: Any) -> None:
    """It is for people, and no reason to fail after the work."""
    laboratory.body = _stop_after_half
    assert laboratory.call(resumes=True).exit_code == 75
    (left,) = laboratory.final.parent.glob(f".{laboratory.final.name}-*/run.json")
    left.write_text(f'{{"seconds": {seconds}, "peak_bytes": 1}}')
    assert laboratory.call(resumes=True).exit_code == 0
    assert 0 <= json.loads((laboratory.final / "run.json").read_text())["seconds"] < 100


def test_figures_have_a_folder_of_their_own(laboratory: Any) -> None:
    """`run.figures` is made when it is asked for, and the manifest does not list its files."""
    laboratory.body = lambda run, config: (run.figures / "a.png").write_bytes(b"")
    assert laboratory.call().exit_code == 0
    assert (laboratory.final / "figures" / "a.png").exists()
    assert "a.png" not in (laboratory.final / "manifest.json").read_text()


def test_the_same_command_again_says_already_complete(laboratory: Any) -> None:
    """A finished artifact of the same build key is left alone: exit 0, one line, the body is not called."""
    laboratory.call()
    before = (laboratory.final / "run.json").stat().st_mtime_ns
    again = laboratory.call()
    assert (again.exit_code, len(laboratory.runs)) == (0, 1)
    assert again.stderr == f"tiny: already complete: {laboratory.final}\n"
    assert (laboratory.final / "run.json").stat().st_mtime_ns == before


def test_force_rebuilds_a_complete_artifact(laboratory: Any) -> None:
    """--force calls the body again although nothing changed."""
    laboratory.call()
    assert laboratory.call("--force").exit_code == 0
    assert len(laboratory.runs) == 2


def test_another_number_of_threads_is_no_change(laboratory: Any) -> None:
    """What is finished is complete under any number of threads, also where an older manifest recorded theirs."""
    assert laboratory.call("--threads", "1", gpu=True).exit_code == 0
    assert laboratory.options == {"steps": 1, "word": "plain", "seed": 0}
    assert "already complete" in laboratory.call("--threads", "2", gpu=True).stderr
    path = laboratory.final / "manifest.json"
    manifest = json.loads(path.read_bytes())
    manifest["options"]["threads"] = 4
    path.write_text(json.dumps(manifest))
    again = laboratory.call("--threads", "2", gpu=True)
    assert "already complete" in again.stderr
    assert len(laboratory.runs) == 1


def test_stopped_work_goes_on_with_another_number_of_threads(laboratory: Any) -> None:
    """The staging folder is the same for any number of threads."""
    laboratory.body = _stop_after_half
    assert laboratory.call("--threads", "1", resumes=True, gpu=True).exit_code == 75
    assert laboratory.call("--threads", "2", resumes=True, gpu=True).exit_code == 0


def test_a_changed_option_rebuilds_and_says_why(laboratory: Any) -> None:
    """The old artifact is replaced, and the log names the option with both values."""
    laboratory.call()
    again = laboratory.call(HALFREAL_TINY_STEPS="2")
    assert again.exit_code == 0
    assert "rebuilding because steps was 1, now 2" in again.stderr
    assert laboratory.options["steps"] == 2


def test_a_changed_input_rebuilds_and_says_why(laboratory: Any, make_dataset: Callable[..., Artifact]) -> None:
    """An input rebuilt with other content makes dependent artifacts out of date."""
    laboratory.call()
    make_dataset(laboratory.volume / "digits" / "real", train=4, seed=1)
    again = laboratory.call()
    assert again.exit_code == 0
    assert "rebuilding because its input 'real' changed" in again.stderr
    assert len(laboratory.runs) == 2


def test_the_old_artifact_stays_when_the_new_run_fails(laboratory: Any) -> None:
    """A failing run with another option leaves the complete artifact."""
    laboratory.call()
    laboratory.body = _fail
    assert laboratory.call(HALFREAL_TINY_STEPS="2").exit_code == 1
    assert laboratory.options["steps"] == 1


def _fail(run: Run, config: Any) -> None:
    raise RuntimeError("no")


def test_a_dry_run_writes_nothing_and_shows_the_options(laboratory: Any) -> None:
    """--dry-run prints the artifact, the resolved options and what would be done; no file changes."""
    before = sorted(laboratory.volume.rglob("*"))
    outcome = laboratory.call("--dry-run", "--steps", "3")
    assert (outcome.exit_code, laboratory.runs) == (0, [])
    assert outcome.stdout.splitlines() == [
        f"tiny would write {laboratory.final}",
        "  steps = 3",
        "  word = 'plain'",
        "  seed = 0",
        "  would be made",
    ]
    assert sorted(laboratory.volume.rglob("*")) == before


def test_a_dry_run_without_inputs_says_what_is_missing(laboratory: Any, tmp_path: Path) -> None:
    """A dry run works on an experiment that does not exist yet, and does not create its folder."""
    outcome = laboratory.call("--dry-run", "--experiment", "later")
    assert outcome.exit_code == 0
    assert "later/real: does not exist; run first: halfreal preprocess" in outcome.stdout
    assert not (laboratory.volume / "later").exists()


def _stop_after_half(run: Run, config: Any) -> None:
    if (run.folder / "half").exists():
        return
    (run.folder / "half").touch()
    with run.reporter.bar("work", 2, "pieces") as bar:
        os.kill(os.getpid(), signal.SIGTERM)
        bar.advance()


@pytest.mark.parametrize("resumes", [True, False])
def test_a_signal_ends_with_75_and_the_next_run_resumes(laboratory: Any, resumes: bool) -> None:
    """SIGTERM ends the job at its next step with exit code 75; a resumed job finds its work again."""
    laboratory.body = _stop_after_half
    outcome = laboratory.call(resumes=resumes)
    assert outcome.exit_code == 75
    assert "error: stopped by SIGTERM; run the same command again" in outcome.stderr
    assert not laboratory.final.exists()
    assert laboratory.call(resumes=resumes).exit_code == (0 if resumes else 75)


def test_a_signal_between_replicates_stops_the_next(laboratory: Any) -> None:
    """SIGTERM after the last step of a replicate, which is then committed, stops the one that follows it."""

    def body(run: Run, config: Any) -> None:
        list(run.reporter.each([1], "work", 1, "pieces"))
        if run.replicate == 0:
            os.kill(os.getpid(), signal.SIGTERM)

    laboratory.body = body
    outcome = laboratory.call("--replicates", "3", "--processes", "1", replicated=True)
    assert outcome.exit_code == 75
    assert [run.replicate for run in laboratory.runs] == [0]
    assert [path.name for path in laboratory.final.glob("r*")] == ["r00"]


def test_force_drops_unfinished_work(laboratory: Any) -> None:
    """After an interrupted run --force starts from an empty staging folder; without it the work is resumed."""
    laboratory.body = _stop_after_half
    assert [laboratory.call(*words, resumes=True).exit_code for words in ([], ["--force"], [])] == [75, 75, 0]


def test_of_several_processes_only_the_first_commits(laboratory: Any) -> None:
    """With RANK=1 of 2 the body runs, but lock, run.json and commit are left to rank 0."""
    laboratory.body = lambda run, config: run.folder.mkdir()
    outcome = laboratory.call(RANK="1", WORLD_SIZE="2")
    assert (outcome.exit_code, len(laboratory.runs)) == (0, 1)
    assert not laboratory.final.exists()
    assert "complete" not in outcome.stderr


def test_a_stray_rank_means_nothing(laboratory: Any) -> None:
    """RANK without WORLD_SIZE, as cluster containers set it, is no launcher's: the job does all of its work."""
    outcome = laboratory.call(RANK="1")
    assert outcome.exit_code == 0
    assert laboratory.final.exists()


def test_a_non_numeric_rank_is_refused(laboratory: Any) -> None:
    """A RANK that is no number ends with 2 and its name."""
    outcome = laboratory.call(RANK="abc", WORLD_SIZE="2")
    assert outcome.exit_code == 2
    assert "RANK" in outcome.stderr


HELP = """
import sys
from shared.store.job import Job
from shared.cli.job import job
from shared.cli.options import JobOptions
main = job(Job("tiny", "toy", "model", ""), JobOptions)(lambda run, config: None)
try:
    main(sys.argv[1:])
finally:
    print("torch" in sys.modules, file=sys.stderr)
"""


THREADS = """
import sys
from shared.store.job import Job
from shared.cli.job import job
from shared.cli.options import JobOptions
from shared.cli.run import Result

def body(run, config):
    import scipy.linalg, threadpoolctl
    print({each["user_api"]: each["num_threads"] for each in threadpoolctl.threadpool_info()})
    from shared.store.records.base import Record
    return Result(Record())

job(Job("tiny", "toy", "model", "", gpu=True), JobOptions)(body).main(["--threads", "1", "--data-root", sys.argv[1]])
"""


def test_threads_bind_the_linear_algebra(python: Callable[..., Any], tmp_path: Path) -> None:
    """--threads holds for numpy's and scipy's libraries too, in any environment: their sums depend on it."""
    done = python(THREADS, tmp_path, OMP_NUM_THREADS="2", OPENBLAS_NUM_THREADS="2")
    assert done.stdout.strip() == "{'blas': 1}", done.stderr


@pytest.mark.parametrize(("word", "code"), [("--help", 0), ("--stepz", 2)])
def test_help_and_wrong_options_answer_at_once(python: Callable[..., Any], word: str, code: int) -> None:
    """Neither needs torch, whose import takes seconds."""
    done = python(HELP, word)
    assert done.returncode == code
    assert done.stderr.endswith("False\n")


def test_the_jobs_own_options_come_first_in_help(laboratory: Any) -> None:
    """Help lists the job's own options with their defaults before those that every job has."""
    text = laboratory.call("--help").output
    places = [text.index(name) for name in ("--steps", "--word", "--seed", "--data-root")]
    assert places[1] > places[0]
    assert min(places[2:]) > places[1]
    assert "[default: 1]" in text
