"""Figures as HTML: inline SVG whose colours follow the page's, light or dark, and whose labels stay legible."""

import base64
import io
import math
import re

from markupsafe import Markup
from PIL import Image

from shared.plots import figures
from shared.plots.gallery import Picture
from shared.plots.line_values import mark_lines, with_values

LEAST_LABEL_PX = 11
"""No label of a figure is shown smaller; a narrower screen scrolls it sideways."""

LOSSLESS_BYTES = 40_000
"""Pixels that take more than this are kept as a photo is: nearly."""

SHADES = {"#000000": "ink", "#ffffff": "paper", "#e0e0e0": "soft", "#b0b0b0": "grid", "#808080": "grey"} | {
    colour.lower(): f"c{place}" for place, colour in enumerate(figures.COLOURS) if colour != "#000000"
}
"""The colours of figures by the name of the page's variable, which has another one on dark paper."""

LARGEST_PX_EACH_POINT = 1.75
"""How wide a figure is shown, at most, in pixels for each of its points: its text is then 16 px."""


def embed_svg(picture: Picture) -> Markup:
    """Return a figure as an `<svg>` element; its text for screen readers is a label of it."""
    lines = mark_lines(picture.figure)
    svg = re.sub(r"<!--.*?-->\s*|<metadata>.*?</metadata>\s*", "", figures.to_svg(picture.figure), flags=re.DOTALL)
    svg = re.sub(r"font-family: 'DejaVu Sans'[^;\"]*; ", "", svg)  # the page's own
    # tags alone, since text may be a class called like a colour
    svg = re.sub(r"<[^>]*>", lambda tag: _with_variables(tag[0]), svg)
    svg = re.sub(r"data:image/png;base64,([^\"]+)", lambda found: _webp(found[1]), svg)
    svg = with_values(svg, lines)
    least, most = widths(svg)
    opening = Markup('<svg role="img" aria-label="{}" style="min-width: {}px; width: {}px" ')
    return opening.format(picture.alt, least, most) + Markup(svg.removeprefix("<svg "))


def widths(svg: str) -> tuple[int, int]:
    """Return how many pixels wide an SVG of matplotlib must be for its smallest label, and how wide it may be."""
    box = re.search(r'viewBox="[\d.]+ [\d.]+ ([\d.]+) [\d.]+"', svg)
    assert box is not None  # matplotlib writes it
    width = float(box[1])
    labels = [float(size) for size in re.findall(r"<text[^>]*?font(?:-size)?: [^;\"]*?([\d.]+)px", svg)]
    least = math.ceil(LEAST_LABEL_PX * width / min(labels)) if labels else 0
    return least, max(least, round(LARGEST_PX_EACH_POINT * width))


def webp(image: Image.Image) -> bytes:
    """Return an image as WebP, without loss unless that is large."""
    for options in ({"lossless": True, "quality": 100}, {"quality": 80}):
        buffer = io.BytesIO()
        image.save(buffer, "WEBP", method=4, **options)
        if buffer.tell() <= LOSSLESS_BYTES:
            break
    return buffer.getvalue()


def webp_address(image: Image.Image) -> str:
    """Return an image as an address with the image itself in it, so that the page is one file."""
    return f"data:image/webp;base64,{base64.b64encode(webp(image)).decode()}"


def _with_variables(tag: str) -> str:
    return re.sub(
        r"(: )(#[0-9a-f]{6})(?=[;\"])",
        lambda found: f"{found[1]}var(--fig-{SHADES[found[2]]})" if found[2] in SHADES else found[0],
        tag,
    )


def _webp(png: str) -> str:
    image = Image.open(io.BytesIO(base64.b64decode(png)))
    return webp_address(image if image.mode == "RGBA" else image.convert("RGB"))
