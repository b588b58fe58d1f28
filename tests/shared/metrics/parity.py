"""Our scores and those of the tools that people cite, on the same images: prints a table.

    python -m tests.shared.metrics.parity SYNTHETIC REAL [--images 64]

SYNTHETIC and REAL are datasets in our format, such as data/emoji/synthetic and data/emoji/real (its test split). Ours
come from their shards, the others from the same images as PNG files in folders. Inception's published weights need a
network: one of the same architecture with generated weights replaces it, in the published file's own format.
"""

import argparse
import os
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from prdc import compute_prdc

from shared.data.images import load_split
from shared.format.files import sha256
from shared.metrics.features.frechet import frechet_distance, moments
from shared.metrics.features.inception_score import inception_score
from shared.metrics.features.kernel import _unbiased_mmd
from shared.metrics.features.prdc import prdc
from shared.models.extractor import Extractor, Features
from shared.models.pretrained.weights import UNPUBLISHED
from shared.models.tables import EXTRACTORS
from shared.store.artifacts import open_artifact
from tests.shared.models.inception import NAME, make_weights, publish

CPU = torch.device("cpu")

Row = tuple[str, str, float, float]


def export(folder: Path, images: torch.Tensor) -> Path:
    """Write the images as PNG files, in order."""
    folder.mkdir()
    for number, image in enumerate(images.permute(0, 2, 3, 1).numpy()):
        Image.fromarray(image).save(folder / f"{number:05d}.png")
    return folder


def distances(name: str, peer: str, seen: list[Features], theirs: dict[str, float]) -> list[Row]:
    """Return the end-to-end rows of one extractor."""
    sides = [side.features for side in seen]
    ours = {"FID": frechet_distance(*moments(sides[0]), *moments(sides[1])), "KID": _unbiased_mmd(*sides)}
    return [(f"{score}, {name}, shards to score", peer, ours[score], value) for score, value in theirs.items()]


def clean(extractor: Extractor, file: Path, seen: list[Features], folders: list[Path]) -> list[Row]:
    """Return clean-fid's numbers end to end, and on equal features."""
    from cleanfid import fid
    from cleanfid.inception_torchscript import InceptionV3W

    network = InceptionV3W(str(file.parent), download=False, resize_inside=False).eval()
    options: dict[str, Any] = {"mode": "clean", "device": CPU, "num_workers": 0, "verbose": False}
    looked = [fid.get_folder_features(str(folder), network, **options) for folder in folders]
    end_to_end = fid.compute_fid(*map(str, folders), custom_feat_extractor=network, use_dataparallel=False, **options)
    alone = {"num_subsets": 1, "max_subset_size": len(looked[0])}
    theirs = {"FID": end_to_end, "KID": fid.kernel_distance(*looked, **alone)}
    rows = distances("clean-fid's protocol", "cleanfid.fid", seen, theirs)
    exact = [side.astype(np.float64) for side in looked]
    lively = np.argsort(exact[0].std(axis=0))[-(len(exact[0]) // 4) :]
    few = [side[:, lively] for side in exact]  # full rank, which clean-fid's square root needs
    equal = frechet_distance(*moments(few[0]), *moments(few[1]))
    kernel = fid.kernel_distance(*exact, **alone)
    rows += [
        (f"FID, {len(lively)} equal features", "cleanfid.fid.fid_from_feats", equal, fid.fid_from_feats(*few)),
        ("KID, equal features", "cleanfid.fid.kernel_distance", _unbiased_mmd(*exact), kernel),
    ]
    return rows


def legacy(state: Path, seen: list[Features], folders: list[Path]) -> list[Row]:
    """Return torch-fidelity's numbers end to end; its KID on one subset of everything."""
    from torch_fidelity import calculate_metrics

    count = len(seen[0].features)
    found = calculate_metrics(
        input1=str(folders[0]),
        input2=str(folders[1]),
        cuda=False,
        fid=True,
        kid=True,
        isc=True,
        kid_subsets=1,
        kid_subset_size=count,
        isc_splits=1,
        feature_extractor_weights_path=str(state),
        cache=False,
        verbose=False,
    )
    theirs = {"FID": found["frechet_inception_distance"], "KID": found["kernel_inception_distance_mean"]}
    rows = distances("TensorFlow's protocol", "torch-fidelity", seen, theirs)
    ours = inception_score(seen[0].probabilities, seed=0, splits=1)[0]
    return [
        *rows,
        ("Inception Score, shards to score", "torch-fidelity", ours, found["inception_score_mean"]),
        ("Inception Score, equal probabilities", "torchmetrics", ours, torchmetrics_score(seen[0])),
    ]


def torchmetrics_score(seen: Features) -> float:
    """Return torchmetrics' Inception Score of these probabilities, as one split."""
    from torchmetrics.image.inception import InceptionScore

    metric = InceptionScore(feature=torch.nn.Identity(), splits=1)
    metric.features = [torch.from_numpy(seen.probabilities).double().log()]
    return float(metric.compute()[0])


def manifold(seen: list[Features]) -> list[Row]:
    """Return precision, recall, density and coverage by their authors' code."""
    drawn, real = (side.features.astype(np.float64) for side in seen)
    ours, theirs = prdc(drawn, real), compute_prdc(real, drawn, nearest_k=5)
    return [(f"{name}, equal features", "prdc", ours[name], float(theirs[name])) for name in ours]


def parity(synthetic: Path, real: Path, images: int, folder: Path) -> list[Row]:
    """Return the rows of the table; files are written into `folder`."""
    made = [open_artifact(synthetic, "dataset", ""), open_artifact(real, "dataset", "")]
    loaded = [load_split(made[0], "train"), load_split(made[1], "test")]
    count = min(images, *map(len, loaded))
    sets = [
        each.subset(np.linspace(0, len(each) - 1, count).astype(int)).images.expand(-1, 3, -1, -1) for each in loaded
    ]
    folders = [export(folder / side, each) for side, each in zip(("synthetic", "real"), sets, strict=True)]
    state = make_weights(folder)
    file = publish(state, folder / "weights")
    os.environ[UNPUBLISHED] = sha256(file.read_bytes())
    extractors = {
        name: EXTRACTORS[name].get()({}, file.parent, CPU) for name in ("inception_clean", "inception_legacy")
    }
    seen = {name: [extractor.extract(each) for each in sets] for name, extractor in extractors.items()}
    assert file.name == NAME
    return [
        *clean(extractors["inception_clean"], file, seen["inception_clean"], folders),
        *legacy(state, seen["inception_legacy"], folders),
        *manifold(seen["inception_clean"]),
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("synthetic", type=Path)
    parser.add_argument("real", type=Path)
    parser.add_argument("--images", type=int, default=64)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        rows = parity(given.synthetic, given.real, given.images, Path(folder))
    print("| score | peer | ours | theirs | relative difference |\n|---|---|---|---|---|")
    for score, peer, ours, theirs in rows:
        print(f"| {score} | {peer} | {ours:.9g} | {theirs:.9g} | {abs(ours - theirs) / max(abs(theirs), 1e-12):.1e} |")


if __name__ == "__main__":
    main()
