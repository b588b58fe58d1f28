"""The figures of the page: what the gallery composes for each artifact, as HTML."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from jobs.report.embedding import embed_svg
from jobs.report.inputs import Artifacts
from jobs.report.interactive.epochs import epoch_slider
from jobs.report.interactive.neighbours import gallery as gallery_of_neighbours
from shared.cli.progress import Reporter
from shared.data.examples import load_examples
from shared.plots import gallery
from shared.plots.gallery import Picture, Pictures
from shared.plots.mixed_gallery import mixed_pictures
from shared.plots.training.panels import Progress, draw_progress
from shared.plots.training.trial_charts import tune_pictures
from shared.store.checkpoints import load
from shared.store.records.scores import ScoresRecord

GRID = "grid.safetensors"
"""The file of `tune` with its image grid."""


@dataclass(frozen=True)
class Embedded:
    """A figure as HTML; `alt` is its text for screen readers."""

    html: Markup
    alt: str


def embed(picture: Picture) -> Embedded:
    """Return a figure as HTML for the page."""
    return Embedded(embed_svg(picture), picture.alt)


def draw_all(made: Artifacts, reporter: Reporter) -> dict[str, dict[str, Embedded]]:
    """Return every picture of the page by artifact and name; a signal stops it between two artifacts."""
    shown = made.shown
    progress = draw_progress(shown.gan.record, shown.gan, made.real.dataset.classes) if shown.gan else None
    others = [replicate.scores.record for replicate in made.replicates if replicate is not shown]
    # functions, so that no figure is drawn before its turn and a signal can stop between two
    sections = {
        "mixed": lambda: mixed_pictures(made.mixed.record, made.real.dataset.classes),
        "synthetic": lambda: gallery.synthetic_pictures(
            shown.synthetic.folder, shown.synthetic.dataset, shown.synthetic.record
        ),
        "scores": lambda: _scores(made, others),
        "gan": lambda: gallery.gan_pictures(shown.gan.record, progress) if shown.gan and progress else {},
        "tune": lambda: _tune(made),
        "classifier": lambda: gallery.classifier_pictures(shown.classifier.record),
        "real": lambda: gallery.real_pictures(made.real.folder, made.real.dataset, load_examples(made.real)),
    }
    drawn = {
        name: {figure: embed(picture) for figure, picture in sections[name]().items()}
        for name in reporter.each(sections, "draw", len(sections), "sections")
    }
    near = gallery_of_neighbours(made.real, shown.synthetic)
    return drawn | {"moving": _moving(progress), "near": {"gallery": Embedded(near, "A gallery.")}}


def _scores(made: Artifacts, others: Sequence[ScoresRecord]) -> Pictures:
    shown = made.shown
    if shown.gan is None:
        return gallery.imported_scores_pictures(shown.scores.record, made.real, shown.synthetic, others)
    return gallery.scores_pictures(shown.scores.record, made.real, shown.gan, others)


def _moving(progress: Progress | None) -> dict[str, Embedded]:
    """Return the images of each epoch below each other, for the slider, if there is more than one to show."""
    if progress is None or len(progress.epochs) < 2:
        return {}
    alt = f"Images from the same latents, of {len(progress.epochs)} epochs up to {progress.last}, one at a time."
    return {"progress": Embedded(epoch_slider(progress, alt), alt)}


def _tune(made: Artifacts) -> Pictures:
    if made.tune is None:
        return {}
    tensors, header = load(made.tune.read(GRID), str(made.tune.folder / GRID))
    # grids of earlier versions do not say it
    conditional = header.get("conditional", made.shown.gan is not None and made.shown.gan.record.conditional)
    # it names its rows where these are some of many classes
    classes = header.get("classes", made.real.dataset.classes)
    return tune_pictures(made.tune.record, tensors["sheet"], classes, conditional, header.get("chosen", ""))
