"""The figures of the page: what the gallery composes for each artifact, as HTML."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from jobs.report.inputs import Artifacts
from shared.cli.progress import Reporter
from shared.data.examples import load_examples
from shared.plots import figures, gallery
from shared.plots.gallery import Picture, Pictures
from shared.plots.mixed_gallery import mixed_pictures
from shared.plots.training.panels import Progress, animation, draw_progress
from shared.plots.trial_charts import tune_pictures
from shared.store.checkpoints import load
from shared.store.records.scores import ScoresRecord

GRID = "grid.safetensors"
"""The file of `tune` with its image grid."""


@dataclass(frozen=True)
class Embedded:
    """A figure as HTML: inline SVG for charts, an inline PNG for images; `alt` is its text for screen readers."""

    html: Markup
    alt: str


def embed(picture: Picture) -> Embedded:
    """Return a figure as HTML for the page."""
    if picture.photo:
        # inline, so that the page is one file that can be sent
        data = b64encode(figures.to_png(picture.figure)).decode()
        html = Markup('<img src="data:image/png;base64,{}" alt="{}">').format(data, picture.alt)
    else:
        opening = Markup('<svg role="img" aria-label="{}" ').format(picture.alt)
        html = opening + Markup(figures.to_svg(picture.figure).removeprefix("<svg "))
    return Embedded(html, picture.alt)


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
    return drawn | {"moving": _moving(progress) if progress else {}}


def _scores(made: Artifacts, others: Sequence[ScoresRecord]) -> Pictures:
    shown = made.shown
    if shown.gan is None:
        return gallery.imported_scores_pictures(shown.scores.record, made.real, shown.synthetic, others)
    return gallery.scores_pictures(shown.scores.record, made.real, shown.gan, others)


def _moving(progress: Progress) -> dict[str, Embedded]:
    """Return the animation of the progress, if there is more than one epoch to show."""
    if len(progress.epochs) < 2:
        return {}
    alt = f"The same images, one epoch after another up to {progress.last}."
    data = b64encode(animation(progress)).decode()
    html = Markup('<img src="data:image/webp;base64,{}" alt="{}">').format(data, alt)
    return {"progress": Embedded(html, alt)}


def _tune(made: Artifacts) -> Pictures:
    if made.tune is None:
        return {}
    tensors, header = load(made.tune.read(GRID), str(made.tune.folder / GRID))
    # grids of earlier versions do not say it
    conditional = header.get("conditional", made.shown.gan is not None and made.shown.gan.record.conditional)
    # it names its rows where these are some of many classes
    classes = header.get("classes", made.real.dataset.classes)
    return tune_pictures(made.tune.record, tensors["sheet"], classes, conditional, header.get("chosen", ""))
