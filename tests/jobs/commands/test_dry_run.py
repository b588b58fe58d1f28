"""Dry runs report what the run itself would do, and refuse what it would refuse."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from jobs.__main__ import main as halfreal
from jobs.pipeline import ARTIFACTS, PIPELINE
from shared.store.artifacts import Artifact
from shared.store.replicates import place
from tests.jobs.conftest import SMALL

SAYS = re.compile(r"  (?:(\w+) (r\d\d(?:, r\d\d)*): )?(already complete|would .*|cannot run yet.*)")
"""A line on one artifact, or on some replicates of one."""


def recipe_of(folder: Path, **changes: str) -> Path:
    """Write the recipe of the experiment `small`, with lines for a job's table in place of its own."""
    lines = ["seed = 3"]
    for job, words in SMALL.items():
        options = zip(words[::2], words[1::2], strict=True)
        lines += [f"[{job}]", *(f"{name[2:].replace('-', '_')} = {value}" for name, value in options)]
        lines += [changes[job]] if job in changes else []
    path = folder / "small.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def would(volume: Path, *words: object) -> dict[str, str]:
    """Return the report of `run --dry-run` on each artifact, by its place."""
    place = ["--data-root", volume, "--experiment", "small"]
    result = CliRunner().invoke(halfreal, ["run", "--dry-run", *map(str, [*place, *words])])
    assert result.exit_code == 0, result.output
    lines = [found for found in map(SAYS.fullmatch, result.stdout.splitlines()) if found]
    single = iter([row.writes for row in PIPELINE if not row.replicated])
    said = {}
    for line in lines:
        places = [f"{line[1]}/{replicate}" for replicate in line[2].split(", ")] if line[1] else [next(single)]
        said |= dict.fromkeys(places, line[3])
    assert next(single, None) is None
    return said


def places(replicates: int) -> set[str]:
    """Return the places of all artifacts of a run with that many replicates."""
    rows = [row for row in ARTIFACTS if not row.optional]
    return {place(row, number) for row in rows for number in range(replicates)}


@pytest.mark.slow
def test_all_is_complete_under_the_same_options(volume: Path, tmp_path: Path) -> None:
    """With unchanged options every job is already complete."""
    assert would(volume, "--recipe", recipe_of(tmp_path)) == dict.fromkeys(places(1), "already complete")


@pytest.mark.slow
def test_a_replicate_that_is_added_leaves_the_others(volume: Path, tmp_path: Path) -> None:
    """All of replicate 1 would be made, nothing of replicate 0; what is made of both would be made again."""
    said = would(volume, "--recipe", recipe_of(tmp_path), "--replicates", 2)
    assert said.keys() == places(2)
    assert {name for name, words in said.items() if words == "would be made"} == places(2) - places(1)
    changed = {name: words for name, words in said.items() if words.startswith("would be rebuilt")}
    assert changed == {
        "mixed": "would be rebuilt because its input 'scores' would be; its input 'synthetic' would be; "
        "its input 'fits' would be",
        "report": "would be rebuilt because its input 'classifier' would be; its input 'gan' would be; "
        "its input 'scores' would be; its input 'synthetic' would be; its input 'mixed' would be",
    }


@pytest.mark.slow
def test_what_reads_what_would_change_would_be_made_anew(volume: Path, tmp_path: Path) -> None:
    """An option of one job affects its artifact and all that depend on it, and nothing else."""
    said = would(volume, "--recipe", recipe_of(tmp_path, synthesize="share = 1.5"))
    complete = {name for name, words in said.items() if words == "already complete"}
    assert complete == {"real", "classifier/r00", "gan/r00", "scores/r00"}
    assert said["synthetic/r00"] == (
        "would be rebuilt because share was 1.0, now 1.5; what is there (complete) is replaced at the end; "
        "keep it: --experiment NAME"
    )
    assert said["fits/r00"] == "would be rebuilt because its input 'synthetic' would be"
    assert said["mixed"] == "would be rebuilt because its input 'synthetic' would be; its input 'fits' would be"
    assert said["report"] == ("would be rebuilt because its input 'synthetic' would be; its input 'mixed' would be")


@pytest.mark.slow
def test_own_options_are_named_beside_the_inputs(volume: Path, tmp_path: Path) -> None:
    """A job whose options and inputs change reports both."""
    recipe = recipe_of(tmp_path, preprocess="shard_images = 50", train_gan="flips = false\nema_images = 9")
    said = would(volume, "--recipe", recipe)["gan/r00"]
    assert said == "would be rebuilt because ema_images was 5000, now 9; its input 'real' would be"


@pytest.mark.slow
def test_force_makes_everything(volume: Path, tmp_path: Path) -> None:
    """With --force no job is complete."""
    said = would(volume, "--recipe", recipe_of(tmp_path), "--force")
    assert said.keys() == places(1)
    assert all(line.startswith("would be ") for line in said.values())


def test_on_an_empty_volume_all_would_be_made(tmp_path: Path) -> None:
    """Earlier jobs of a run make the inputs of later ones: nothing needs to be run first."""
    assert would(tmp_path / "none", "--replicates", 3) == dict.fromkeys(places(3), "would be made")


REFUSED = [
    (["train_gan", "--parts", "3", "--index", "0"], "the family wgan_gp trains one generator in each"),
    (["train_gan", "--family", "cgan", "--discriminator-norm", "instance"], "one pixel for images of 16 px"),
    (["train_classifier", "--network", "rps_cnn", "--size-px", "10"], "images are 10 px wide"),
]

NEED_IMAGES = ("one pixel for images of 16 px",)
"""Options that can only be checked against the images."""


@pytest.mark.parametrize("there", [True, False], ids=["with the images", "before there are images"])
@pytest.mark.parametrize("dry", [True, False], ids=["dry", "real"])
@pytest.mark.parametrize(("words", "mention"), REFUSED)
def test_a_dry_run_refuses_what_the_run_refuses(
    words: list[str],
    mention: str,
    dry: bool,
    there: bool,
    tmp_path: Path,
    make_dataset: Callable[..., Artifact],
    run_job: Callable[..., Result],
) -> None:
    """Exit code and reason are the same; without images a job refuses to run, and its dry run skips checks.

    It says so, and still refuses what can be checked without images.
    """
    if there:
        make_dataset(tmp_path / "small" / "real", train=8, val=6, test=6)
    result = run_job(words[0], tmp_path, *words[1:], *(["--dry-run"] if dry else []))
    if dry and not there and mention in NEED_IMAGES:
        assert result.exit_code == 0, result.output
        assert "  options not checked against real: not there yet" in result.stdout
        return
    assert result.exit_code == 2
    assert (mention if there or dry else "does not exist") in result.stderr


def test_images_that_stand_there_count_before_the_recipes(
    tmp_path: Path, make_dataset: Callable[..., Artifact], run_job: Callable[..., Result]
) -> None:
    """A single job takes the existing images, 32 px wide, though its recipe would make them 16 px wide."""
    make_dataset(tmp_path / "small" / "real", size_px=32, train=8, val=6, test=6)
    words = ["--family", "cgan", "--discriminator-norm", "instance", "--dry-run"]
    assert run_job("train_gan", tmp_path, *words).exit_code == 0


def test_in_a_chain_images_that_would_be_made_anew_do_not_count(
    tmp_path: Path, make_dataset: Callable[..., Artifact], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Existing images of an unsupported size do not stop a run that would rebuild them."""
    make_dataset(tmp_path / "small" / "real", size_px=24, train=8, val=6, test=6)
    assert would(tmp_path)["gan/r00"] == "would be made"
    monkeypatch.setenv("HALFREAL_PREPROCESS_SIZE_PX", "24")
    words = ["run", "--dry-run", "--data-root", str(tmp_path), "--experiment", "small"]
    assert "images are 24 px wide" in CliRunner().invoke(halfreal, words).stderr


@pytest.mark.slow
def test_more_images_than_memory_are_refused(volume: Path, run_job: Callable[..., Result], plain_recipe: Path) -> None:
    """A trillion images are a mistake: exit code 2 and the limit, also in a dry run and for one snapshot."""
    given = ["--recipe", plain_recipe, "--images", 10**12]
    snapshot = ["evaluate", "snapshot", volume / "small" / "gan" / "r00" / "snapshots" / "epoch-00003.safetensors"]
    place = ["--data-root", volume, "--experiment", "small", "--device", "cpu"]
    results = [run_job("evaluate", volume, *given, *words) for words in (["--dry-run"], [])]
    results += [CliRunner().invoke(halfreal, list(map(str, [*snapshot, *place, *given])))]
    for result in results:
        assert result.exit_code == 2, result.output
        assert "--images 1,000,000,000,000" in result.stderr
        assert "want at most" in result.stderr
