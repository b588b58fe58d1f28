"""An export of a generator: a snapshot for other tools, with a loader that was tried on it."""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from jobs.export.plan import Asked, Plan
from jobs.export.privacy import warn_of_privacy
from jobs.export.staging import CARD
from jobs.pipeline import EVALUATE, PIPELINE, PREPROCESS, REPORT, TRAIN_GAN
from shared import __version__
from shared.cli.progress import Reporter
from shared.disk.durable import write_whole
from shared.errors import BadConfig, BadInput, HalfrealError
from shared.format.files import json_bytes, sha256
from shared.lazy import Lazy
from shared.store.job import Job
from shared.store.lineage import experiment_folder, experiment_label, open_inputs, recipe_text
from shared.store.replicates import existing
from shared.store.staging import BuildKey

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from shared.models.networks import Generator
    from shared.store.artifacts import Artifact
    from shared.store.records.gan import Snapshot

LOADER, CONFIG = "loader.py", "config.json"
LOADERS = Path(__file__).parent / "loaders"

CHECKED_IMAGES = 64
"""Images that the loader draws before an export is whole; more where there are more classes."""

MOST_LEVELS = 1
"""Grey levels by which a pixel of these may differ from our own: other libraries round elsewhere."""


@dataclass(frozen=True, kw_only=True)
class GeneratorFormat:
    """How a generator is written, what that is, the loader of `loaders` for it, and the libraries that writing needs.

    With a `card` it is a folder for Hugging Face's hub.
    """

    write: "Lazy[Callable[[Path, Generator], None]]"
    about: str
    loader: str
    needs: tuple[str, ...] = ()
    card: bool = False


GENERATOR_FORMATS: dict[str, GeneratorFormat] = {
    "torchscript": GeneratorFormat(
        write=Lazy("jobs.export.networks:write_torchscript"),
        about="the generator, for torch alone",
        loader="torchscript.py",
    ),
    "onnx": GeneratorFormat(
        write=Lazy("jobs.export.networks:write_onnx"),
        about="the generator, for onnxruntime",
        loader="onnx.py",
        needs=("onnx", "onnxruntime", "onnxscript"),
    ),
    "safetensors": GeneratorFormat(
        write=Lazy("jobs.export.networks:write_safetensors"),
        about="the generator's weights and its calls of torch",
        loader="safetensors.py",
    ),
    "hub": GeneratorFormat(
        write=Lazy("jobs.export.networks:write_safetensors"),
        about="the same with a model card, for Hugging Face's hub",
        loader="safetensors.py",
        card=True,
    ),
}

ROW: Job = Job("export", "", "export", "", (PREPROCESS, TRAIN_GAN, EVALUATE), replicated=True)
CARD_ROW: Job = Job("export", "", "export", "", tuple(job for job in PIPELINE if job is not REPORT), replicated=True)
"""What is read: a card has the verdict, too."""


def plan(asked: Asked) -> Plan:
    """Return what the export of a generator depends on and how it is written; nothing is drawn yet."""
    from shared.store.artifacts import input_of

    row = GENERATOR_FORMATS[asked.to]
    for library in row.needs:
        if find_spec(library) is None:
            raise ModuleNotFoundError(name=library)
    check_asked(asked)
    inputs = open_inputs(CARD_ROW if row.card else ROW, asked.folder, asked.replicate)
    chosen = input_of(inputs, EVALUATE).record.chosen_snapshot.epoch
    snapshot = input_of(inputs, TRAIN_GAN).record.snapshot_after(chosen if asked.epoch is None else asked.epoch)
    key = BuildKey(ROW.name, ROW.kind, {"to": asked.to, "epoch": snapshot.epoch, "halfreal": __version__}, inputs)

    def write(staging: Path, reporter: Reporter) -> None:
        import torch

        from shared.models.snapshots import load_snapshot

        network = load_snapshot(input_of(inputs, TRAIN_GAN), snapshot.file, torch.device("cpu"))
        write_generator(staging, row, network, facts_of(inputs, snapshot))
        if row.card:
            from jobs.export.card import RECIPE
            from jobs.export.model_card import render

            write_whole(staging / RECIPE, f"{recipe_text(PIPELINE, open_inputs(CARD_ROW, asked.folder))}\n".encode())
            write_whole(staging / CARD, render(inputs, snapshot, asked.replicate).encode())

    def say(out: Path, reporter: Reporter) -> None:
        warn_of_privacy(input_of(inputs, EVALUATE), "card" if row.card else "report", reporter)
        reporter.info(f"the generator of epoch {snapshot.epoch}: {out}")
        if row.card:
            name = f"YOUR_NAME/{experiment_label(asked.folder).replace('/', '-')}"
            reporter.info(f"fill in the licence: {out / CARD}\nthen: hf upload {name} {quote(str(out))} .")

    return Plan(key, write, say)


def check_asked(asked: Asked) -> None:
    """Raise BadConfig for options of images, and BadInput where there is no generator."""
    from shared.store.artifacts import open_output

    given = {"--labels": asked.labels, "--min-confidence": asked.min_confidence}
    for flag, value in given.items():
        if value is not None:
            raise BadConfig(f"{flag} {value}: is of images, and --to {asked.to} writes the generator; leave it out")
    scored = asked.replicate in existing(asked.folder, EVALUATE)
    if scored and open_output(EVALUATE, asked.folder, asked.replicate).record.imported:
        raise BadInput(f"{asked.folder}: its synthetic images were imported; there is no generator to export")


def facts_of(inputs: "Mapping[str, Artifact]", snapshot: "Snapshot") -> dict[str, Any]:
    """Return what config.json says of a generator: what it takes and draws, and where it comes from."""
    from shared.store.artifacts import input_of

    real, gan = input_of(inputs, PREPROCESS).dataset, input_of(inputs, TRAIN_GAN)
    return {
        "made_by": f"halfreal {__version__}",
        "experiment": experiment_label(experiment_folder(inputs)),
        "family": gan.record.family,
        "epoch": snapshot.epoch,
        "snapshot_sha256": sha256(gan.read(snapshot.file)),
        "latent": gan.record.latent,
        "conditional": gan.record.conditional,
        "classes": real.classes,
        "size_px": real.size_px,
        "channels": real.channels,
    }


def write_generator(folder: Path, row: GeneratorFormat, network: "Generator", facts: dict[str, Any]) -> None:
    """Write a generator with its loader into `folder` and try that; HalfrealError where it draws other images.

    `facts` are those of config.json.
    """
    import torch

    from jobs.export.networks import standalone
    from shared.models.snapshots import draw_images, latents_of

    classes = len(facts["classes"])
    labels = torch.arange(max(CHECKED_IMAGES, classes)) % classes
    latents = latents_of(list(range(len(labels))), network.latent)
    wanted = draw_images(network, latents, labels).permute(0, 2, 3, 1)
    row.write.get()(folder, standalone(network))
    write_whole(folder / CONFIG, json_bytes(facts))
    write_whole(folder / LOADER, (LOADERS / row.loader).read_bytes())
    check_drawn(draw_by_loader(folder, latents, labels), wanted.numpy())


def draw_by_loader(folder: Path, latents: "Tensor", labels: "Tensor") -> "NDArray[np.uint8]":
    """Return the images (N, size, size, channels) that the loader in `folder` draws, as its users would call it."""
    import numpy as np

    loader: dict[str, Any] = {"__name__": "loader", "__file__": str(folder / LOADER)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # torch.jit.load is deprecated
        # not imported: that would leave its bytecode in the folder
        exec(compile((folder / LOADER).read_bytes(), LOADER, "exec"), loader)
        return np.asarray(loader["draw"](latents, labels))


def check_drawn(drawn: "NDArray[np.uint8]", wanted: "NDArray[np.uint8]") -> None:
    """Raise HalfrealError unless images are equal, to MOST_LEVELS."""
    apart = abs(drawn.astype(int) - wanted).max() if drawn.shape == wanted.shape else 255
    if apart > MOST_LEVELS:
        raise HalfrealError(
            f"the exported generator draws other images than halfreal, up to {apart} grey levels apart; nothing is "
            "written\ntake another --to; a report of this as a bug is welcome"
        )
