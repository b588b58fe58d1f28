"""Figures are composed once: what a job draws next to its artifact is what the page shows."""

from pathlib import Path

import pytest

from jobs.report.figures import draw_all
from jobs.report.inputs import Artifacts
from shared.cli.progress import Reporter
from shared.data.examples import load_examples
from shared.plots.gallery import real_pictures, save_all
from shared.plots.mixed_gallery import mixed_pictures
from shared.store.artifacts import Artifact

ONLY_WHILE_TRAINING = {"gan": "samples-epoch-"}
"""What the names of a job's own pictures of its course begin with."""


@pytest.fixture(scope="module")
def shown(made: dict[str, Artifact]) -> dict[str, set[str]]:
    """Return the names of the figures on the page of the experiment `small`, by artifact."""
    drawn = draw_all(Artifacts.of(made), Reporter("report"))
    return {artifact: set(pictures) for artifact, pictures in drawn.items()}


@pytest.mark.parametrize("artifact", ["real", "classifier", "gan", "scores", "synthetic", "mixed"])
def test_the_page_shows_what_the_job_drew(made: dict[str, Artifact], shown: dict[str, set[str]], artifact: str) -> None:
    """The PNG files of an artifact and the figures on the page have the same names."""
    files = {path.stem for path in (made[artifact].folder / "figures").glob("*.png")}
    course = ONLY_WHILE_TRAINING.get(artifact, "?")
    assert {name for name in files if not name.startswith(course)} == shown[artifact]
    assert shown[artifact]


def test_what_was_not_tuned_has_no_figures(shown: dict[str, set[str]]) -> None:
    """Without the artifact `tune` there is nothing to show of it."""
    assert shown["tune"] == set()


def test_a_figure_on_disk_is_the_composed_one(made: dict[str, Artifact], tmp_path: Path) -> None:
    """Composed again from the artifact, a figure has the bytes that the job wrote."""
    real, mixed = made["real"], Artifacts.of(made).mixed
    save_all(real_pictures(real.folder, real.dataset, load_examples(real)), tmp_path)
    save_all(mixed_pictures(mixed.record, real.dataset.classes), tmp_path)
    names = ("before_and_after", "samples", "class_balance")
    for name, folder in (*((name, real.folder) for name in names), ("arms", mixed.folder)):
        assert (tmp_path / f"{name}.png").read_bytes() == (folder / "figures" / f"{name}.png").read_bytes()
