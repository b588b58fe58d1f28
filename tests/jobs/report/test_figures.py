"""Figures are composed once: what a job draws next to its artifact is what the page shows."""

from io import BytesIO
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from jobs.report.figures import draw_all
from jobs.report.inputs import Artifacts
from shared.cli.progress import Reporter
from shared.data.examples import load_examples
from shared.plots import gallery
from shared.plots.figures import closest_pairs, shorten
from shared.plots.formatting import pair_title
from shared.plots.gallery import real_pictures, save_all
from shared.plots.mixed_gallery import mixed_pictures
from shared.store.artifacts import Artifact
from shared.store.records.copies import ClosestPair
from tests.jobs.report.pages import with_facts
from tests.jobs.report.records import mixed_record

pytestmark = pytest.mark.drawn

ONLY_WHILE_TRAINING = {"gan": "real-and-generated-epoch-"}
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


@pytest.mark.parametrize("conditional", [True, False])
def test_sheets_name_classes_that_were_asked_for(conditional: bool, made: dict[str, Artifact]) -> None:
    """Rows of generated images have class names only where the generator is asked for a class.

    Where it is not, charts by class say that the class is the annotator's.
    """
    gan = with_facts(made["gan"], made["gan"].facts | {"conditional": conditional})
    drawn = gallery.scores_pictures(made["scores"].record, made["real"], gan)
    names = [shorten(name, 20) for name in made["real"].dataset.classes]
    for sheet in {"real_and_generated", "grid_chosen", "grid_worst"} & set(drawn):
        (axes,) = drawn[sheet].figure.axes
        labels = [label.get_text() for label in axes.get_yticklabels()] if axes.axison else []
        assert labels == (names if conditional else [])
        assert ("class" in drawn[sheet].alt) == conditional
    for chart in ("qualities", "categories", "class_scores"):
        assert ("annotator's class" in drawn[chart].figure.axes[0].get_title()) == (not conditional)


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


def test_a_chart_of_nothing_is_left_out() -> None:
    """Where the variance comes from is drawn only where some of it is known."""
    nothing = {"generator": None, "fit": None, "images": None}
    for variance, drawn in ((nothing, False), (None, False), (nothing | {"images": 1.0}, True)):
        assert ("variance" in mixed_pictures(mixed_record(variance=variance), ["a", "b", "c"])) == drawn


def without_distances(scores: Artifact, few: int) -> Artifact:
    """Return scores of which the first `few` classes have no distance, for want of images."""
    facts = dict(scores.facts)
    name = f"{facts['chosen_score']}_by_class"
    kept = dict(list(facts["test"][name].items())[few:])
    return with_facts(scores, facts | {"test": facts["test"] | {name: kept}})


def test_classes_without_a_distance_are_counted(made: dict[str, Artifact]) -> None:
    """The chart of classes has a bar for each distance, and says how many have none; of none there is no chart."""
    titles = []
    for few in (0, 2):
        scores = without_distances(made["scores"], few).record
        (axes,) = gallery.scores_pictures(scores, made["real"], made["gan"])["class_scores"].figure.axes
        assert len(axes.containers[0]) == 3 - few
        titles.append(axes.get_title())
    assert titles[1] == f"{titles[0]}\ntoo few images for a distance: 2 of them"
    none = without_distances(made["scores"], 3).record
    assert "class_scores" not in gallery.scores_pictures(none, made["real"], made["gan"])


def test_titles_of_pairs_are_as_narrow_as_their_pictures() -> None:
    """Ten pairs next to each other, each with the longest words there are: no title reaches into the next."""
    pair = ClosestPair(synthetic=0, train=0, distance=0.125, transform="mirrored, shifted 16 px down and 16 px right")
    assert pair_title(pair).splitlines() == ["0.12", "mirrored", "shifted 16 px down", "and 16 px right"]
    pictures = np.zeros((10, 1, 8, 8), np.uint8)
    figure = closest_pairs(pictures, pictures, [pair_title(pair)] * 10, "ten pairs")
    figure.savefig(BytesIO())
    boxes = [axes.title.get_window_extent() for axes in figure.axes[:10]]
    assert all(left.x1 <= right.x0 for left, right in pairwise(boxes))
