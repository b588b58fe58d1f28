"""What the playground shows of a drawing, as HTML: every word escaped, every picture inline."""

import base64
import math
from html import escape

import torch
from torch import Tensor

from jobs.commands.drawing import Drawing, Experiment
from jobs.playground.neighbours import NeighbourSearch
from jobs.playground.strips import Strip
from shared.metrics.over_replicates import copies_finding
from shared.metrics.pixels import CATEGORIES
from shared.plots.image_grid import enlarged_png, tile

LIMITS = {name: limit for limit, name in CATEGORIES if math.isfinite(limit)}
"""The largest distance from 1 that a category allows for the ratios."""

CARD_PX = 128
"""The side of an image on the page, at most; small ones are enlarged by a whole factor."""

ALIGNED = "aligned"
"""The kind of cards whose columns are those of the rows above and below; their captions have two lines."""

STYLE = """
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(64px, 1fr)); gap: 10px 8px; }
.cards.pairs { grid-template-columns: repeat(auto-fill, minmax(140px, 1fr)); }
@media (min-width: 800px) { .cards { grid-template-columns: repeat(auto-fill, minmax(94px, 1fr)); } }
.cards.aligned { grid-template-columns: repeat(var(--columns), minmax(0, 1fr)); max-width: 720px; }
.cards.aligned figcaption { white-space: pre-line; }
.cards figure { margin: 0; max-width: 128px; }
.cards.pairs figure { max-width: 264px; }
.cards img { width: 100%; border: 1px solid var(--border-color-primary); border-radius: 4px; }
.cards figcaption { font-size: 13px; text-align: center; overflow-wrap: anywhere; color: var(--body-text-color); }
.cards figcaption.other { font-weight: 600; color: #b91c1c; }
.dark .cards figcaption.other { color: #f87171; }
table.qualities, table.qualities tr { border: 0; }
table.qualities { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: 8px 0; }
table.qualities th, table.qualities td { border: 0; padding: 3px 18px 3px 0; text-align: right; }
table.qualities tr + tr > * { border-top: 1px solid var(--border-color-primary); }
table.qualities th:first-child { text-align: left; font-weight: 400; }
.said { color: var(--body-text-color); margin: 0 0 6px; overflow-wrap: anywhere; }
.said.small { font-size: 13px; opacity: 0.8; }
.wrong { border-left: 4px solid var(--error-border-color); padding: 8px 12px; white-space: pre-line;
  color: var(--error-text-color); background: var(--error-background-fill); overflow-wrap: anywhere; }
[role="tab"][aria-selected="true"] { color: var(--primary-700) !important; }
.dark [role="tab"][aria-selected="true"] { color: var(--primary-400) !important; }
.min_value, .max_value { color: var(--body-text-color) !important; }
h2.heading { font-weight: 600; font-size: 16px; margin: 14px 0 6px; }
h2.heading small { font-weight: 400; font-size: 13px; margin-left: 6px; }
"""


def said(words: str, kind: str = "") -> str:
    """Return a paragraph of plain words."""
    # escaped: class names are the user's
    return f'<p class="said {kind}">{escape(words)}</p>'


def percent(share: float) -> str:
    """Return a share in whole percent."""
    return f"{100 * share:.0f} %"


def number(value: float | None, decimals: int) -> str:
    """Return a number as a table has it, a dash in place of none."""
    return "\u2013" if value is None else f"{value:.{decimals}f}"


def refusal(message: str) -> str:
    """Return why there is nothing to show."""
    return f'<div class="wrong" role="alert">{escape(message)}</div>'


def card(images: Tensor, alt: str, caption: str, kind: str = "") -> str:
    """Return uint8 images (N, channels, size, size) side by side as one inline picture over a caption."""
    count = len(images)
    encoded = base64.b64encode(enlarged_png(tile(images, count), count * (CARD_PX + 1))).decode()
    shown = f'<img alt="{escape(alt)}" src="data:image/png;base64,{encoded}">'
    return f'<figure>{shown}<figcaption class="{kind}">{escape(caption)}</figcaption></figure>'


def image_cards(strip: Strip, classes: list[str], kind: str = "") -> str:
    """Return every image with what the classifier takes it for and how sure it is."""
    cards: list[str] = []
    between = "\n" if kind == ALIGNED else " · "
    for image, label, confidence in zip(strip.images, strip.given.tolist(), strip.confidence.tolist(), strict=True):
        alt = f"generated image {len(cards) + 1}, predicted {classes[label]}, confidence {percent(confidence)}"
        caption = f"{classes[label]}{between}{percent(confidence)}"
        cards.append(card(image[None], alt, caption, "" if strip.asked in (None, label) else "other"))
    return f'<div class="cards {kind}" style="--columns: {len(cards)}">{"".join(cards)}</div>'


def strip_row(strip: Strip, classes: list[str]) -> str:
    """Return images from the latents of all rows, under what they have in common and what the classifier says."""
    sure = f"mean confidence {percent(float(strip.confidence.mean()))}"
    right = int((strip.given == strip.asked).sum()) if strip.asked is not None else None
    told = sure if right is None else f"{right} of {len(strip.given)} as asked, {sure}"
    heading = f'<h2 class="heading">{escape(strip.name)} <small>{told}</small></h2>'
    return heading + image_cards(strip, classes, ALIGNED)


def summary(drawing: Drawing, real_images: int) -> str:
    """Return what the classifier says of all of them, and the table of qualities next to those of real images."""
    figures, count = drawing.figures, drawing.request.count
    named = ", ".join(f"{times} as {name}" for name, times in figures.predicted.items())
    whose = "" if figures.class_name is None else f" of class {figures.class_name}"
    sure = percent(figures.mean_confidence)
    lines = [said(f"{count} images{whose}. The classifier takes {named}; its mean confidence is {sure}.")]
    rows = "".join(
        f'<tr><th scope="row">{name}</th><td>{number(value, 3)}</td>'
        f"<td>{number(figures.real_qualities[name], 3)}</td><td>{number(figures.ratios[name], 2)}</td></tr>"
        for name, value in figures.qualities.items()
    )
    heads = "".join(f'<th scope="col">{head}</th>' for head in ("quality", "generated", "real", "ratio"))
    limits = ", ".join(f"{name} within {percent(limit)}" for name, limit in LIMITS.items())
    about = f"Real: {real_images:,} test images. {limits} of the real value in every quality."
    why = "".join(said(f"No {name.replace('_', ' ')}: {reason}.", "small") for name, reason in figures.reasons.items())
    said_category = said(f"Category: {figures.category or 'none'}")
    return "".join(
        [*lines, said_category, f'<table class="qualities"><tr>{heads}</tr>{rows}</table>', why, said(about, "small")]
    )


def nearest(drawing: Drawing, opened: Experiment, search: NeighbourSearch) -> str:
    """Return every image next to its nearest training image, the closest pairs first, and what a distance means."""
    label = drawing.request.label
    tests = len(search.usual(label))
    cards = []
    for near in search.nearest(drawing.drawn.images, label):
        name = ", ".join([f"train {near.class_name or 'unlabelled'}", *filter(None, [near.transform])])
        away = f"{near.distance:.2f}" + (f", nearer than {near.nearer_than} of {tests}" if tests else "")
        alt = f"generated image {near.place + 1} next to its nearest training image, {name}, distance {away}"
        pair = torch.stack([drawing.drawn.images[near.place], near.image])
        cards.append(card(pair, alt, f"{away} \u00b7 {name}"))
    heading = '<h2 class="heading">Nearest training images</h2>'
    about = "".join(said(line, "small") for line in neighbour_lines(tests, label is not None, opened))
    return f'{heading}{about}<div class="cards pairs" id="nearest">{"".join(cards)}</div>'


def neighbour_lines(tests: int, of_class: bool, opened: Experiment) -> list[str]:
    """Return what the distances are, and that none of them shows copying or its absence by itself."""
    which = "of the class " if of_class else ""
    scale = (
        f"Real test images {which}have near training images, too, although the generator never saw them: of {tests} "
        f"of these, the number that a pair is nearer than is next to its distance. "
        if tests
        else ""
    )
    lines = [
        "Left generated, right the training image that is nearest to it, the closest pairs first. Distances are those "
        "of the copy test, from 0 (the same picture) to 2; small shifts, mirror images, brightness and contrast make "
        "no difference.",
        f"{scale}One near pair is no proof of a copy, and without one there may be copies all the same.",
    ]
    tested = opened.scores.record.on_test
    if tested is not None and "pixels" in tested.copies:
        found = tested.copies["pixels"]
        finding = copies_finding(found.flagged, found.flagged_for or (), {}, spared=found.spared)
        lines.append(
            f"The copy test of {found.n_synthetic:,} images of the chosen snapshot (epoch {opened.chosen}): {finding}."
        )
    return lines
