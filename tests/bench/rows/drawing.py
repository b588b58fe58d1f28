"""Generate, annotate and write images with the same networks: synthesize against the glue of the usual tools."""

import io
import shutil
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from tests.bench.row import Row, Work

COUNT, LATENT, SIZE_PX, CLASSES, BATCH = 512, 100, 64, 2, 64

Pictures = dict[int, tuple[NDArray[np.uint8], int]]
"""Pixels and label by the number of the image."""


@dataclass(frozen=True)
class Made:
    """Artifacts as synthesize reads them, the latents of all images, and where results go."""

    inputs: dict[str, Any]
    out: Path

    def fresh(self, name: str) -> Path:
        """Return an empty folder."""
        shutil.rmtree(self.out / name, ignore_errors=True)
        (self.out / name).mkdir(parents=True)
        return self.out / name


def _prepare(folder: Path) -> Made:
    """Write an untrained DCGAN of 64 channels and a small classifier."""
    from shared.models.classifiers import build_classifier
    from shared.models.fitting import CLASSIFIER_FILE, save_classifier
    from shared.models.gans.build import build_generator
    from shared.store.checkpoints import save

    torch.manual_seed(0)
    size = {"size_px": SIZE_PX, "channels": 3, "classes": CLASSES}
    drawn = {"name": "dcgan", "latent": LATENT, "width": 64, "init": "dcgan", "norm": "batch", "bn_eps": 1e-5, **size}
    seen = {"name": "small_cnn", "width": 16, **size}
    generator, annotator = build_generator(drawn), build_classifier(seen)
    with torch.no_grad():
        generator(torch.randn(256, LATENT), torch.arange(256) % CLASSES)  # statistics of the norms
    save(folder / "g.safetensors", generator.state_dict(), {"spec": drawn})
    save_classifier(folder, annotator, seen, "bicubic")

    def artifact(**parts: Any) -> Any:
        return SimpleNamespace(folder=folder, read=lambda name: (folder / name).read_bytes(), **parts)

    train = SimpleNamespace(class_counts=[COUNT // CLASSES] * CLASSES, count=COUNT)
    info = SimpleNamespace(classes=["a", "b"], size_px=SIZE_PX, channels=3, splits={"train": train})
    inputs = {
        "real": artifact(dataset=info),
        "gan": artifact(facts={"latent": LATENT, "conditional": True, "family": "dcgan"}),
        "scores": artifact(facts={"chosen": {"file": "g.safetensors"}}),
        "classifier": artifact(facts={"size_px": SIZE_PX, "resize_filter": "bicubic"}),
    }
    assert (folder / CLASSIFIER_FILE).is_file()
    return Made(inputs, folder / "out")


def _ours(made: Made) -> Work:
    from jobs.synthesize.writer import write_synthetic
    from shared.cli.progress import Reporter
    from shared.cli.run import Run

    def work() -> Callable[[], Pictures]:
        out = made.fresh("ours")
        write_synthetic(Run(made.inputs, out, out, "cpu", Reporter("bench")), COUNT, 1000, 0)
        return partial(_read, out)

    return work


def _glue(made: Made) -> Work:
    """Return torchvision's save_image, ImageFolder and a DataLoader for the classifier, webdataset's writer."""
    import webdataset
    from torch.utils.data import DataLoader
    from torchvision.datasets import ImageFolder
    from torchvision.transforms import v2
    from torchvision.utils import save_image

    from shared.data.sampling import apportion, spread
    from shared.models.fitting import load_classifier
    from shared.models.snapshots import latents_of, load_snapshot
    from shared.runtime.seeding import Stream, derive_seed

    asked = torch.from_numpy(spread(apportion([COUNT // CLASSES] * CLASSES, COUNT)))
    latents = latents_of([derive_seed(0, Stream.SYNTHETIC_LATENTS, place) for place in range(COUNT)], LATENT)

    @torch.no_grad()
    def work() -> Callable[[], Pictures]:
        out, cpu = made.fresh("glue"), torch.device("cpu")
        network = load_snapshot(made.inputs["gan"], "g.safetensors", cpu).to(memory_format=torch.contiguous_format)
        annotator = load_classifier(made.inputs["classifier"], cpu).to(memory_format=torch.contiguous_format)
        (out / "files" / "all").mkdir(parents=True)
        for start in range(0, COUNT, BATCH):
            images = network(latents[start : start + BATCH], asked[start : start + BATCH])
            for offset, image in enumerate(images):
                save_image(
                    image, out / "files" / "all" / f"{start + offset:06d}.png", normalize=True, value_range=(-1, 1)
                )
        change = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True), v2.Normalize([0.5] * 3, [0.5] * 3)])
        data = ImageFolder(str(out / "files"), transform=change)
        given = torch.cat([annotator(images).argmax(dim=1) for images, _ in DataLoader(data, batch_size=BATCH)])
        with (out / "00000.tar").open("wb") as stream, webdataset.TarWriter(stream) as sink:
            for number, (path, _) in enumerate(data.samples):
                label = int(given[number])
                sink.write({"__key__": f"s-{number:08d}", "png": Path(path).read_bytes(), "cls": label, "json": {}})
        return partial(_read, out)

    return work


def _read(out: Path) -> Pictures:
    found: dict[str, dict[str, bytes]] = {}
    for path in sorted(out.glob("*.tar")):
        with tarfile.open(path) as tar:
            for member in tar:
                key, _, kind = member.name.partition(".")
                found.setdefault(key, {})[kind] = tar.extractfile(member).read()
    return {
        int(key.rpartition("-")[2]): (np.asarray(Image.open(io.BytesIO(parts["png"]))), int(parts["cls"]))
        for key, parts in found.items()
    }


def _alike(ours: Any, theirs: Any) -> None:
    """Compare pictures and labels: save_image rounds ties up, so one level may differ, and rarely a label."""
    first, second = ours(), theirs()
    assert first.keys() == second.keys() == set(range(COUNT))
    assert all(np.abs(first[key][0].astype(int) - second[key][0]).max() <= 1 for key in first)
    assert sum(first[key][1] != second[key][1] for key in first) <= COUNT // 100


ROWS = {
    "synthesize": Row(
        "generate 64x64 px (DCGAN, 64 channels), annotate, write shards", COUNT, "images", _prepare, _ours,
        {"save_image + ImageFolder + TarWriter": _glue}, _alike,
    ),
}  # fmt: skip
