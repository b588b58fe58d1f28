"""Every reader of files that others made, with whole files to damage."""

import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from PIL import Image
from pyarrow import parquet

from jobs.pipeline import ARTIFACTS
from shared.cli.recipes import load_recipe
from shared.format.files import sha256
from shared.format.index import decode_index, encode_index, index_of, samples_of
from shared.format.manifest import Dataset, Manifest, parse_manifest
from shared.format.pages import PagedShards
from shared.format.records import PageInfo
from shared.format.sample import Sample, decode, encode
from shared.format.shards import read_index, read_shard, write_split
from shared.format.tar import closing, member
from shared.format.tensor_header import read_facts
from shared.sources.detect import kind_of
from shared.sources.reading import Reading, Target
from shared.sources.table import SOURCES
from shared.sources.work import Unreadable, pixels_of
from shared.store.checkpoints import load, save
from shared.store.job import record_class
from shared.store.records.base import parse_record
from tests.fuzz.damage import Damage, json_changed, lines_changed, tar_changed

GOLDEN = Path(__file__).resolve().parents[1] / "shared" / "store" / "golden_records"

Files = dict[str, bytes]


@dataclass(frozen=True)
class Reader:
    """Whole `files` by name, `read`, which reads them in a folder, and the damage that fits files of a suffix."""

    files: Callable[[], Files]
    read: Callable[[Path], object]
    damage: tuple[tuple[str, Damage], ...] = field(default=())


def picture(number: int = 0, kind: str = "PNG") -> bytes:
    """Return a picture's file."""
    buffer = io.BytesIO()
    Image.fromarray(np.full((8, 8, 3), 40 * number + 9, np.uint8)).save(buffer, kind)
    return buffer.getvalue()


def samples() -> list[Sample]:
    """Return four samples of two classes."""
    return [
        Sample(key=f"s{n}", image=np.full((8, 8, 1), 9 * n, np.uint8), label=n % 2, meta={"origin": {"file": f"{n}"}})
        for n in range(4)
    ]


@cache
def own_tar() -> bytes:
    """Return a shard of halfreal's."""
    content = b"".join(
        member(f"{sample.key}.{kind}".encode(), payload)
        for sample in samples()
        for kind, payload in encode(sample).items()
    )
    return content + closing(len(content))


@cache
def dataset_files() -> Files:
    """Return a whole dataset of halfreal's: manifest, page, shards and indexes."""
    import tempfile

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        split = write_split(folder, "train", samples(), class_count=2, shard_images=2)
        dataset = Dataset(classes=["a", "b"], size_px=8, channels=1, preparation={}, splits={"train": split})
        manifest = Manifest(
            kind="dataset", job="preprocess", halfreal="0", options={}, inputs={}, dataset=dataset.paged(folder)
        )
        return {"manifest.json": manifest.to_bytes()} | {path.name: path.read_bytes() for path in folder.iterdir()}


def read_dataset(folder: Path) -> None:
    """Read all of a dataset."""
    from shared.store.artifacts import open_artifact

    artifact = open_artifact(folder, "dataset", "preprocess")
    for split in artifact.dataset.splits:
        for path, shard in artifact.shards(split):
            read_index(path, shard)
            assert list(read_shard(path, shard))


def read_page(folder: Path) -> None:
    """Read a page of shards."""
    payload = (folder / "page.json").read_bytes()
    info = PageInfo(name="page.json", bytes=len(payload), sha256=sha256(payload), shards=2, count=4)
    assert list(PagedShards(folder, [info], 2))


def read_own_tar(folder: Path) -> None:
    """Read a shard, its sums left aside."""
    payload = (folder / "a.tar").read_bytes()
    for key, members in samples_of(payload, "a.tar"):
        decode(key, members, "a.tar")
    index_of(payload, "a.tar")


@cache
def records() -> Files:
    """Return manifests of every job, as earlier versions wrote them."""
    return {f"{path.parent.name}-{path.name}": path.read_bytes() for path in sorted(GOLDEN.glob("*/*.json"))}


def read_records(folder: Path) -> None:
    """Read what jobs recorded."""
    rows = {(row.name, row.kind): row for row in ARTIFACTS}
    for path in folder.iterdir():
        manifest = parse_manifest(path.read_bytes(), path)
        if row := rows.get((manifest.job, manifest.kind)):
            parse_record(record_class(row.record), manifest.facts, str(path))


@cache
def checkpoint() -> bytes:
    """Return a checkpoint's file."""
    import tempfile

    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "c.safetensors"
        save(path, {"a": torch.arange(6.0), "b": torch.ones(2, 2, dtype=torch.bfloat16)}, {"epoch": 3, "rows": [1]})
        return path.read_bytes()


def read_checkpoint(folder: Path) -> None:
    """Read a checkpoint, and its facts alone."""
    read_facts(folder / "c.safetensors")
    load((folder / "c.safetensors").read_bytes(), "c.safetensors")


def read_source(name: str, folder: Path, kind: str = "", label: str | None = None) -> None:
    """Read all images of a source, as preprocess does."""
    place = folder / name
    known = SOURCES[kind or kind_of(place)]
    source = known.read.get()(place, Reading(label=label, verify_md5=False))
    for item in source.items:
        found = pixels_of(Target(size_px=8, channels=3), item)
        assert isinstance(found, Unreadable) or found[1].shape == (8, 8, 3)
        assert not isinstance(found, Unreadable) or (found.reason and len(found.reason) <= 200)
        assert -1 <= item.label < len(source.classes)


PICTURES = {f"{name}{n}.png": picture(n) for n, name in enumerate("abab")}

CSV = b"file,label,split\n" + b"".join(
    b"%s,%s,%s\n" % (name.encode(), name[:1].encode(), b"train" if n % 4 < 3 else b"test")
    for n, name in enumerate(PICTURES)
)

JSON_LINES = b"\n".join(
    json.dumps({"file_name": name, "label": name[0], "n": [1, {"x": 2.5}]}).encode() for name in PICTURES
)

RECIPE = b"""about = "a"
seed = 0
needs = "n"
[train_gan]
family = "wgan_gp"
epochs = 3
[published]
fid_lowest = 1.5
"""

IDX = {
    "train-images-idx3-ubyte": bytes([0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 4]) + bytes(48),
    "train-labels-idx1-ubyte": bytes([0, 0, 8, 1, 0, 0, 0, 3, 0, 1, 2]),
    "t10k-images-idx3-ubyte.gz": gzip.compress(bytes([0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 4]) + bytes(16)),
    "t10k-labels-idx1-ubyte": bytes([0, 0, 8, 1, 0, 0, 0, 1, 3]),
}

FACES = [f"00000{n}.jpg" for n in range(4)]

CELEBA = {
    "list_attr_celeba.txt": "\n".join(
        ["4", "Male Young", *(f"{name} 1 {(-1) ** n}" for n, name in enumerate(FACES))]
    ).encode(),
    "list_eval_partition.txt": "\n".join(f"{name} {n % 3}" for n, name in enumerate(FACES)).encode(),
    **{f"img_align_celeba/{name}": picture(n, "JPEG") for n, name in enumerate(FACES)},
}


@cache
def foreign_tar() -> bytes:
    """Return a shard as other tools write it: long names, labels as text and as json."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for n in range(4):
            for kind, payload in (("png", picture(n)), ("cls", b"%d" % (n % 2)), ("json", b'{"label": "x", "n": 1}')):
                info = tarfile.TarInfo(f"{'long/' * 30 if n == 3 else ''}s{n}.{kind}")
                info.size = len(payload)
                archive.addfile(info, io.BytesIO(payload))
    return buffer.getvalue()


@cache
def packed(suffix: str) -> bytes:
    """Return a zip or a tar of class folders."""
    buffer, files = io.BytesIO(), {f"{name[0]}/{name}": payload for name, payload in PICTURES.items()}
    if suffix == "zip":
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, payload in files.items():
                archive.writestr(name, payload)
        return buffer.getvalue()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, payload in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(payload)
            tar.addfile(info, io.BytesIO(payload))
    return buffer.getvalue()


@cache
def table_file() -> bytes:
    """Return Parquet as `datasets` writes it."""
    features = {"image": {"_type": "Image"}, "label": {"names": ["a", "b"], "_type": "ClassLabel"}}
    rows = {
        "image": [{"bytes": payload, "path": name} for name, payload in PICTURES.items()],
        "label": [n % 2 for n in range(len(PICTURES))],
    }
    schema = {b"huggingface": json.dumps({"info": {"features": features}}).encode()}
    buffer = io.BytesIO()
    parquet.write_table(pa.table(rows).replace_schema_metadata(schema), buffer)
    return buffer.getvalue()


FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "TGA", "ICO", "PCX", "SGI", "QOI", "DDS", "JPEG2000")

LIST = json.dumps({"labels": [[f"0/{name}", n % 2] for n, name in enumerate(PICTURES)]}).encode()

JSON, TAR = (".json", json_changed), (".tar", tar_changed)

READERS: dict[str, Reader] = {
    "own tar": Reader(lambda: {"a.tar": own_tar()}, read_own_tar, (TAR,)),
    "index": Reader(
        lambda: {"a.idx": encode_index(index_of(own_tar(), "a"))},
        lambda folder: decode_index((folder / "a.idx").read_bytes(), "a.idx"),
    ),
    "manifest": Reader(dataset_files, read_dataset, (JSON,)),
    "page": Reader(lambda: {"page.json": dataset_files()["train-shards-00000.json"]}, read_page, (JSON,)),
    "records": Reader(records, read_records, (JSON,)),
    "checkpoint": Reader(lambda: {"c.safetensors": checkpoint()}, read_checkpoint),
    "CSV": Reader(lambda: {"t.csv": CSV, **PICTURES}, partial(read_source, "t.csv")),
    "JSON lines": Reader(
        lambda: {"t.jsonl": JSON_LINES, **PICTURES}, partial(read_source, "t.jsonl"), ((".jsonl", lines_changed),)
    ),
    "metadata.jsonl": Reader(
        lambda: {f"d/{name}": payload for name, payload in {"metadata.jsonl": JSON_LINES, **PICTURES}.items()},
        partial(read_source, "d"),
        ((".jsonl", lines_changed),),
    ),
    "recipe": Reader(
        lambda: {"r.toml": RECIPE},
        lambda folder: load_recipe(str(folder / "r.toml"), ["train_gan"]).place("train_gan", "epochs"),
    ),
    "IDX": Reader(lambda: IDX, partial(read_source, ".", kind="mnist")),
    "CelebA": Reader(lambda: CELEBA, partial(read_source, ".", kind="celeba", label="Young")),
    "Parquet": Reader(lambda: {"t.parquet": table_file()}, partial(read_source, "t.parquet")),
    "foreign tar": Reader(lambda: {"t.tar": foreign_tar()}, partial(read_source, "t.tar"), (TAR,)),
    "packed tar": Reader(lambda: {"p.tar": packed("tar")}, partial(read_source, "p.tar"), (TAR,)),
    "zip": Reader(lambda: {"p.zip": packed("zip")}, partial(read_source, "p.zip")),
    "images": Reader(
        lambda: {f"d/{kind[0]}/{kind}.png": picture(3, kind) for kind in FORMATS}, partial(read_source, "d")
    ),
    "StyleGAN's list": Reader(
        lambda: {"d/dataset.json": LIST, **{f"d/0/{name}": payload for name, payload in PICTURES.items()}},
        partial(read_source, "d"),
        (JSON,),
    ),
}
