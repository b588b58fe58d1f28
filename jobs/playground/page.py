"""The playground's page: gradio asks and shows, `drawing` and `strips` compute, `cards` makes HTML."""

import random
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp

from jobs.commands.drawing import Drawing, Experiment, SampleRequest
from jobs.playground.cards import STYLE, image_cards, nearest, refusal, said, strip_row, summary
from jobs.playground.index import ExperimentIndex
from jobs.playground.neighbours import NeighbourSearch
from jobs.playground.strips import COLUMNS, COMPARED, Strip, interpolated
from shared.disk.durable import write_file
from shared.errors import BadConfig, HalfrealError
from shared.store.records.datasets import drawn_words
from shared.store.replicates import replicate_name

MOST_IMAGES, MOST_STEPS, MOST_SEED = 100, 16, 2**31 - 1
WHOLE = 4
"""The value of truncation that means no truncation: 63 in a million normal numbers are beyond it."""

SCALE = "Standard deviation of latents: above 1, more varied, less typical; at first that of the synthetic images."

SELECT_ALL = "() => { const field = document.activeElement; setTimeout(() => field.select?.(), 100); }"
"""Selects the text of a list that is entered, after the click has set the cursor: what is typed then is a search."""

LOOKING = said("Looking for the nearest training images ...", "small")
SANS, MONO = ("system-ui", "sans-serif"), ("ui-monospace", "monospace")


class Page:
    """The page over the experiments of an index; what can be downloaded is written into `scratch`.

    `downloads` are the paths of these files, and of no others in that folder.
    """

    def __init__(self, index: ExperimentIndex, first: str, scratch: Path) -> None:
        self.index, self.first, self.scratch = index, first, scratch
        self.downloads: set[str] = set()
        self.search: NeighbourSearch | None = None
        with gr.Blocks(title="halfreal playground", analytics_enabled=False, delete_cache=(600, 3600)) as self.blocks:
            gr.HTML(f"<h1>halfreal playground</h1>{said('Draw images from a trained generator and look at them.')}")
            with gr.Row():
                with gr.Column(scale=1, min_width=260):
                    self._ask()
                with gr.Column(scale=3, min_width=300):
                    self.status = gr.HTML(elem_id="status")
                    with gr.Tab("Images"):
                        self._show_images()
                    with gr.Tab("Side by side"):
                        self._show_compared()
                    with gr.Tab("Interpolation"):
                        self._show_interpolated()
            self._connect()

    def _ask(self) -> None:
        self.experiment = gr.Dropdown(label="Experiment", choices=self.index.names(), value=self.first)
        # two in a row on a phone, whose width has room for them
        with gr.Row():
            self.replicate = gr.Dropdown(label="Replicate", choices=[], min_width=150)
            self.epoch = gr.Dropdown(label="Snapshot (epoch)", choices=[], min_width=150)
        with gr.Row():
            self.label = gr.Dropdown(label="Class", choices=[], min_width=150)
            self.seed = gr.Number(0, label="Seed", min_width=150)  # limits here would end in gradio's own error
        self.truncation = gr.Slider(
            0.1,
            WHOLE,
            WHOLE,
            step=0.1,
            label="Truncation",
            info=f"Cuts latents off at this many standard deviations: lower, more typical, less diverse; {WHOLE}: off.",
        )
        self.scale = gr.Number(1, label="Latent scale", info=SCALE)

    def _show_images(self) -> None:
        self.count = gr.Slider(1, MOST_IMAGES, 16, step=1, label="Count")
        with gr.Row():
            self.draw = gr.Button("Draw", variant="primary", min_width=150)
            self.again = gr.Button("Draw with another seed", min_width=150)
        self.about, self.images = gr.HTML(elem_id="about"), gr.HTML(elem_id="drawn")
        with gr.Row():
            self.png = gr.DownloadButton("Download as PNG grid", interactive=False)
            self.shard = gr.DownloadButton("Download as WebDataset shard", interactive=False)
        self.closest = gr.HTML()

    def _show_compared(self) -> None:
        self.what = gr.Radio(list(COMPARED), value="Snapshots", label="What differs, from the same latents")
        self.compare = gr.Button("Compare", variant="primary")
        self.compared = gr.HTML(elem_id="compared")

    def _show_interpolated(self) -> None:
        with gr.Row():
            self.last_label = gr.Dropdown(label="To class", choices=[], min_width=150)
            self.last_seed = gr.Number(1, label="To seed", min_width=150)
        self.steps = gr.Slider(3, MOST_STEPS, 8, step=1, label="Steps")
        self.interpolate = gr.Button("Interpolate", variant="primary")
        self.strip = gr.HTML(elem_id="strip")

    def _connect(self) -> None:
        drawn = [self.about, self.images, self.closest, self.png, self.shard]
        asked = [self.experiment, self.replicate, self.epoch, self.label, self.seed, self.truncation, self.scale]
        choices = [self.status, self.replicate, self.epoch, self.label, self.last_label, self.scale]
        choices += [self.draw, self.again, self.compare, self.interpolate, *drawn, self.compared, self.strip]
        # no public endpoints; one shared queue, so that drawings run one at a time
        private: Any = {"api_visibility": "private", "concurrency_id": "page"}
        listed = self.blocks.load(self.list_experiments, self.experiment, self.experiment, **private)
        for chosen in (listed.then, self.experiment.input):
            chosen(self.choose, self.experiment, choices, **private)
        self.replicate.input(self.choose, [self.experiment, self.replicate], choices, **private)
        for choice in (self.experiment, self.replicate, self.epoch, self.label, self.last_label):
            choice.focus(None, js=SELECT_ALL, api_visibility="private")
        self.draw.click(self.answer, [self.count, *asked], drawn, **private)
        self.again.click(lambda: random.randint(0, MOST_SEED), None, self.seed, **private).then(
            self.answer, [self.count, *asked], drawn, **private
        )
        self.compare.click(self.answer_compared, [self.what, *asked], self.compared, **private)
        ends = [self.last_label, self.last_seed, self.steps]
        self.interpolate.click(self.answer_interpolated, [*ends, *asked], self.strip, **private)

    def list_experiments(self, name: str) -> Any:
        """Return the experiments that exist now; some may be newer than the page."""
        names = self.index.names()
        return gr.update(choices=names, value=name if name in names else self.first)

    def choose(self, name: str, replicate: int | None = None) -> list[Any]:
        """Return the choices of a replicate, or the reason why there are none; clear what was shown.

        Without a replicate it is the one that the command named, or the one of the experiment that is shown.
        """
        try:
            opened = self.index.open(name, replicate)
            synthetic, scale = opened.synthetic, opened.latent_scale
        except HalfrealError as error:
            nothing, off = gr.update(choices=[], value=None), gr.update(interactive=False)
            return [refusal(str(error)), *[nothing] * 4, gr.skip(), *[off] * 4, *self.blank(), "", ""]
        why = "" if replicate is not None or self.index.replicate is not None else f", {opened.why_chosen}"
        which = f"The generator of replicate {opened.replicate}{why}."
        known = "Choose a class, then draw."
        unknown = (
            "This generator was trained without classes: the class is left to chance, and the classifier names it."
        )
        classes = gr.update(choices=opened.classes, value=opened.classes[0], visible=opened.conditional)
        return [
            said(f"{which} {known if opened.conditional else unknown} {drawn_words([synthetic] if synthetic else [])}"),
            gr.update(choices=opened.replicates, value=opened.replicate),
            gr.update(choices=[(self.epoch_name(at, opened), at) for at in opened.snapshots], value=opened.chosen),
            *[classes] * 2,
            scale,
            *[gr.update(interactive=True)] * 4,
            *self.blank(),
            "",
            "",
        ]

    @staticmethod
    def epoch_name(epoch: int, opened: Experiment) -> str:
        """Return what a snapshot is called on the page."""
        return f"{epoch} (chosen)" if epoch == opened.chosen else str(epoch)

    @staticmethod
    def blank(about: str = "") -> list[Any]:
        """Return drawn images that show nothing but these words."""
        off = gr.update(value=None, interactive=False)
        return [about, "", "", off, off]

    def read(self, count: int, *asked: Any) -> tuple[Experiment, SampleRequest]:
        """Return the replicate and the drawing that the fields of the page ask for, of `count` images."""
        name, replicate, epoch, wanted, seed, truncation, scale = asked
        opened = self.index.open(name, replicate)
        request = SampleRequest(
            label=opened.label(wanted if opened.conditional else None),
            count=count,
            seed=whole("Seed", seed, 0, MOST_SEED),
            snapshot=opened.snapshot(epoch),
            truncation=truncation if truncation < WHOLE else None,
            latent_scale=number("Latent scale", scale),
        )
        return opened, request

    def answer(self, count: float | None, *asked: Any) -> Iterator[list[Any]]:
        """Yield the drawing as text, images and files, or the reason why there is none.

        The nearest training images come later: the first time the whole train split has to be read.
        """
        try:
            opened, request = self.read(whole("Count", count, 1, MOST_IMAGES), *asked)
            drawing = opened.draw(request)
            about = summary(drawing, len(opened.real_test(request.label)))
            drawn = drawing.drawn
            shown = image_cards(Strip("", drawn.images, drawn.given, drawn.confidence, request.label), opened.classes)
            # shown at once; the neighbours follow in a second update
            yield [about, shown, LOOKING, *self.files(drawing, opened)]
            yield [*[gr.skip()] * 2, nearest(drawing, opened, self.searched(opened)), *[gr.skip()] * 2]
        except HalfrealError as error:
            yield self.blank(refusal(str(error)))

    def answer_compared(self, what: str, *asked: Any) -> Iterator[str]:
        """Yield the strips of a comparison below each other, one more each time, or the reason why there are none."""
        try:
            opened, request = self.read(COLUMNS, *asked)
            shown = said(COMPARED[what].about)
            for strip in COMPARED[what].strips(opened, request):
                shown += strip_row(strip, opened.classes)
                yield shown
        except HalfrealError as error:
            yield refusal(str(error))

    def answer_interpolated(
        self, last_label: str | None, last_seed: float | None, steps: float | None, *asked: Any
    ) -> str:
        """Return the strip between two images, or the reason why there is none."""
        try:
            opened, first = self.read(1, *asked)
            label = opened.label(last_label if opened.conditional else None)
            last = replace(first, label=label, seed=whole("To seed", last_seed, 0, MOST_SEED))
            strip = interpolated(opened, first, last, whole("Steps", steps, 3, MOST_STEPS))
        except HalfrealError as error:
            return refusal(str(error))
        return said(strip.name) + image_cards(strip, opened.classes)

    def searched(self, opened: Experiment) -> NeighbourSearch:
        """Return the search in an experiment; the last one is kept, with the distances of its test images."""
        if self.search is None or self.search.opened is not opened:
            self.search = NeighbourSearch(opened)
        return self.search

    def files(self, drawing: Drawing, opened: Experiment) -> list[Any]:
        """Return the buttons that download the drawing."""
        place = opened.folder.relative_to(self.index.data_root).parts
        stem = "-".join([*place, replicate_name(opened.replicate), drawing.request.name])
        sheet = self.scratch / f"{stem}.png"
        write_file(sheet, drawing.sheet())
        shard = drawing.write_shard(self.scratch, stem, opened.classes)
        paths = [str(sheet), str(shard)]
        self.downloads.update(paths)
        return [gr.update(value=path, interactive=True) for path in paths]


def number(field: str, value: float | None) -> float:
    """Return the number in a field; BadConfig where that is empty."""
    if value is None:
        raise BadConfig(f"{field} is empty: want a number")
    return value


def whole(field: str, value: float | None, least: int, most: int) -> int:
    """Return the whole number in a field; BadConfig where that is empty or holds none from `least` to `most`."""
    # gradio's number fields give None, fractions and any size
    if value is None or not least <= value <= most or value % 1:
        raise BadConfig(f"{field} {'is empty' if value is None else value}: want a whole number from {least} to {most}")
    return int(value)


def make_app(page: Page) -> FastAPI:
    """Return the page as an application."""
    bare: Any = {"docs_url": None, "redoc_url": None, "openapi_url": None}  # their pages load scripts from elsewhere
    app: FastAPI = gr.mount_gradio_app(
        FastAPI(**bare),
        page.blocks,
        path="/",
        app_kwargs=bare,
        footer_links=[],
        run_history=False,
        ssr_mode=False,
        pwa=False,
        mcp_server=False,
        enable_monitoring=False,
        # gradio's default fonts are loaded from a server, and the page must work without a network
        theme=gr.themes.Default(font=SANS, font_mono=MONO).set(
            block_info_text_color="*neutral_600",
            block_info_text_color_dark="*neutral_300",
            # the default's orange is too light for white text
            button_primary_background_fill="*primary_700",
            button_primary_background_fill_dark="*primary_700",
            button_primary_background_fill_hover="*primary_800",
            button_primary_background_fill_hover_dark="*primary_800",
        ),
        css=STYLE,
    )
    return app


def serve(app: ASGIApp, listener: socket.socket) -> None:
    """Serve the page on a listening socket until a signal ends it."""
    # not by gradio's launcher: it requests its own address through a proxy where one is set, and can share links
    uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1)).run(sockets=[listener])
