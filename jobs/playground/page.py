"""The playground's page: gradio asks and shows, `jobs.commands.drawing` computes, `cards` makes HTML."""

import random
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp

from jobs.commands.drawing import Drawing, Experiment, ExperimentIndex, SampleRequest
from jobs.playground.cards import STYLE, image_cards, nearest, refusal, said, summary
from jobs.playground.neighbours import NeighbourSearch
from shared.disk.durable import write_file
from shared.errors import BadConfig, HalfrealError

MOST_IMAGES, MOST_SEED = 100, 2**31 - 1
WHOLE = 4
"""The value of truncation that means no truncation: 63 in a million normal numbers are beyond it."""

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
                    self._show()
            self._connect()

    def _ask(self) -> None:
        self.experiment = gr.Dropdown(label="Experiment", choices=self.index.names(), value=self.first)
        self.epoch = gr.Dropdown(label="Snapshot", choices=[])
        self.label = gr.Dropdown(label="Class", choices=[], elem_id="class")
        self.count = gr.Slider(1, MOST_IMAGES, 16, step=1, label="Count", elem_id="count")
        self.seed = gr.Number(0, label="Seed")  # limits here would end in gradio's own error, not in ours
        self.truncation = gr.Slider(
            0.1,
            WHOLE,
            WHOLE,
            step=0.1,
            label="Truncation",
            info=f"Cuts latents off at this many standard deviations: lower, more typical, less diverse; {WHOLE}: off.",
        )
        self.draw = gr.Button("Draw", variant="primary")
        self.again = gr.Button("Draw with another seed")

    def _show(self) -> None:
        self.about, self.images = gr.HTML(elem_id="about"), gr.HTML()
        with gr.Row():
            self.png = gr.DownloadButton("Download as PNG grid", interactive=False)
            self.shard = gr.DownloadButton("Download as WebDataset shard", interactive=False)
        self.closest = gr.HTML()

    def _connect(self) -> None:
        choices = [self.epoch, self.label, self.draw, self.again]
        shown = [self.about, self.images, self.closest, self.png, self.shard]
        request = [self.experiment, self.epoch, self.label, self.count, self.seed, self.truncation]
        # no public endpoints; one shared queue, so that drawings run one at a time
        private: Any = {"api_visibility": "private", "concurrency_id": "page"}
        listed = self.blocks.load(self.list_experiments, self.experiment, self.experiment, **private)
        for chosen in (listed.then, self.experiment.input):
            chosen(self.choose, self.experiment, [*choices, *shown], **private)
        self.draw.click(self.answer, request, shown, **private)
        self.again.click(lambda: random.randint(0, MOST_SEED), None, self.seed, **private).then(
            self.answer, request, shown, **private
        )

    def list_experiments(self, name: str) -> Any:
        """Return the experiments that exist now; some may be newer than the page."""
        names = self.index.names()
        return gr.update(choices=names, value=name if name in names else self.first)

    def choose(self, name: str) -> list[Any]:
        """Return the choices of an experiment, or the reason why there are none; clear what was shown."""
        try:
            opened = self.index.open(name)
        except HalfrealError as error:
            nothing, off = gr.update(choices=[], value=None), gr.update(interactive=False)
            return [nothing, nothing, off, off, *self.blank(refusal(str(error)))]
        epochs = [(self.epoch_name(epoch, opened), epoch) for epoch in opened.snapshots]
        best = "" if self.index.replicate is not None else ", the best on val"
        which = f"The generator of replicate {opened.replicate}{best}."
        known = "Choose a class, then draw."
        unknown = (
            "This generator was trained without classes: the class is left to chance, and the classifier names it."
        )
        return [
            gr.update(choices=epochs, value=opened.chosen),
            gr.update(choices=opened.classes, value=opened.classes[0], visible=opened.conditional),
            *[gr.update(interactive=True)] * 2,
            *self.blank(said(f"{which} {known if opened.conditional else unknown}")),
        ]

    @staticmethod
    def epoch_name(epoch: int, opened: Experiment) -> str:
        """Return what a snapshot is called on the page."""
        return f"epoch {epoch}" + (" (chosen by evaluate)" if epoch == opened.chosen else "")

    @staticmethod
    def blank(about: str) -> list[Any]:
        """Return a page that shows nothing but these words."""
        off = gr.update(value=None, interactive=False)
        return [about, "", "", off, off]

    def answer(
        self, name: str, epoch: int, wanted: str | None, count: float | None, seed: float | None, truncation: float
    ) -> Iterator[list[Any]]:
        """Yield the drawing as text, images and files, or the reason why there is none.

        The nearest training images come later: the first time the whole train split has to be read.
        """
        try:
            opened = self.index.open(name)
            request = SampleRequest(
                label=opened.label(wanted if opened.conditional else None),
                count=whole("Count", count, 1, MOST_IMAGES),
                seed=whole("Seed", seed, 0, MOST_SEED),
                snapshot=opened.snapshot(epoch),
                truncation=truncation if truncation < WHOLE else None,
            )
            drawing = opened.draw(request)
            about = summary(drawing, len(opened.real_test(request.label)))
            # shown at once; the neighbours follow in a second update
            yield [about, image_cards(drawing, opened.classes), LOOKING, *self.files(name, drawing, opened)]
            yield [*[gr.skip()] * 2, nearest(drawing, opened, self.searched(opened)), *[gr.skip()] * 2]
        except HalfrealError as error:
            yield self.blank(refusal(str(error)))

    def searched(self, opened: Experiment) -> NeighbourSearch:
        """Return the search in an experiment; the last one is kept, with the distances of its test images."""
        if self.search is None or self.search.opened is not opened:
            self.search = NeighbourSearch(opened)
        return self.search

    def files(self, name: str, drawing: Drawing, opened: Experiment) -> list[Any]:
        """Return the buttons that download the drawing."""
        stem = f"{name}-{drawing.request.name}"
        sheet = self.scratch / f"{stem}.png"
        write_file(sheet, drawing.sheet())
        shard = drawing.write_shard(self.scratch, stem, opened.classes)
        paths = [str(sheet), str(shard)]
        self.downloads.update(paths)
        return [gr.update(value=path, interactive=True) for path in paths]


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
            block_info_text_color="*neutral_600", block_info_text_color_dark="*neutral_300"
        ),
        css=STYLE,
    )
    return app


def serve(app: ASGIApp, listener: socket.socket) -> None:
    """Serve the page on a listening socket until a signal ends it."""
    # not by gradio's launcher: it requests its own address through a proxy where one is set, and can share links
    uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1)).run(sockets=[listener])
