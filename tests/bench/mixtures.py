"""Score what several generators draw together, with and without images that the annotator calls otherwise.

    python -m tests.bench.mixtures --out DIR --generators tuned_0_5,tuned_1_5 [--only-agreeing] [--latent-scale 1.2]

DIR is that of `tests.bench.time_to_quality`, whose generators are named NAME_SEED_MINUTES; `--generators real` takes
the real train images in their place. As many images are drawn as train has, an equal part by each generator, classes
in train's proportions. Printed, and kept as a line of `mixtures.jsonl`, are their Fréchet distance to real images and
the accuracy on these of `--fits` classifiers that learn from the drawn images alone.

Real images are those of val, on which a search may look as often as it likes. `--split test` is for the end.
"""

import argparse
import json
import os
import statistics
import time
from pathlib import Path
from typing import Any

BATCH_IMAGES = 2000


def generator_of(out: Path, names: list[str]) -> Any:
    """Return the generator of these names, or the mixture of them."""
    from shared.models.gans.build import build_generator
    from shared.store.checkpoints import load

    files = [out / f"{name}.safetensors" for name in names]
    found = [load(file.read_bytes(), str(file)) for file in files]
    specs = [facts["spec"] for _, facts in found]
    if len(found) == 1:
        network = build_generator(specs[0])
        network.load_state_dict(found[0][0])
        return network.eval()
    if any(spec != specs[0] for spec in specs):
        raise SystemExit(f"{', '.join(names)}: want generators of the same networks")
    network = build_generator({"name": "mixture", "generators": len(names), "member": specs[0]})
    for member, (weights, _) in zip(network.members, found, strict=True):
        member.load_state_dict(weights)
    return network.eval()


class Source:
    """A generator and an annotator without artifacts, for what `synthesize` does with them."""

    def __init__(self, network: Any, annotator: Any, scale: float) -> None:
        self.network, self.annotator, self.scale = network, annotator, scale

    def draw(self, seeds: list[int], asked: Any) -> Any:
        """Return an image for each seed, annotated."""
        from shared.models.fitting import probabilities_of
        from shared.models.labelled_generator import Synthetic
        from shared.models.snapshots import draw_images, latents_of

        images = draw_images(self.network, self.scale * latents_of(seeds, self.network.latent), asked)
        confidence, given = probabilities_of(self.annotator, images).max(dim=1)
        return Synthetic(images, seeds, None, asked, given, confidence)


def drawn_by(source: Source, counts: list[int], only_agreeing: bool) -> tuple[Any, Any, int]:
    """Return images in the proportions of `counts`, the labels asked for, and how many were dropped."""
    import torch

    from jobs.synthesize.annotations import Tally
    from jobs.synthesize.writer import agreeing
    from shared.data.sampling import spread
    from shared.runtime.seeding import Stream, derive_seed

    asked, tally, parts = torch.from_numpy(spread(counts)), Tally(len(counts)), []
    for start in range(0, len(asked), BATCH_IMAGES):
        places = range(start, min(start + BATCH_IMAGES, len(asked)))

        def seeds(chosen: list[int], *again: int, first: int = start) -> list[int]:
            return [derive_seed(0, Stream.SYNTHETIC_LATENTS, first + place, *again) for place in chosen]

        drawn = source.draw(seeds(list(range(len(places)))), asked[places.start : places.stop])
        parts.append(agreeing(source.draw, drawn, seeds, tally) if only_agreeing else drawn)
    return torch.cat([part.images for part in parts]), asked, int(tally.dropped.sum())


def score(out: Path, given: argparse.Namespace) -> dict[str, Any]:
    """Return the distance of the images to those of the split, and the accuracy after each fit, in percent."""
    import torch

    from shared.data.images import Images, load_split
    from shared.metrics.features.frechet import frechet_distance, moments
    from shared.models.fit_options import FitConfig
    from shared.models.fitting import features_of, fit, load_classifier, logits_of
    from shared.store.artifacts import open_artifact

    cpu, started, names = torch.device("cpu"), time.process_time(), given.generators.split(",")
    real = open_artifact(out / "mnist16" / "real", "dataset", "preprocess")
    annotator = load_classifier(open_artifact(out / "mnist16" / "classifier" / "r00", "model", ""), cpu)
    val, judge, dropped = load_split(real, "val"), load_split(real, given.split), 0
    if names == ["real"]:
        train = load_split(real, "train")
    else:
        counts = real.dataset.splits["train"].class_counts
        source = Source(generator_of(out, names), annotator, given.latent_scale)
        images, labels, dropped = drawn_by(source, counts, given.only_agreeing)
        train = Images(images, labels)
    distance = frechet_distance(
        *moments(features_of(annotator, train.pixels)), *moments(features_of(annotator, judge.pixels))
    )
    accuracy = []
    for seed in range(1, given.fits + 1):
        fitted = fit(train, val, 10, FitConfig(steps=2000, measure_every=200), seed=seed, device=cpu)
        right = logits_of(fitted.network, judge.pixels).argmax(dim=1) == judge.labels
        accuracy.append(100 * float(right.double().mean()))
    return {
        "generators": names,
        "only_agreeing": given.only_agreeing,
        "latent_scale": given.latent_scale,
        "split": given.split,
        "images": len(train),
        "dropped": dropped,
        "frechet_classifier": distance,
        "accuracy": accuracy,
        "mean_accuracy": statistics.mean(accuracy),
        "processor_s": time.process_time() - started,
    }


def main() -> None:
    """Score what is named, print it and keep it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--generators", required=True, help="names, joined by commas, or real")
    parser.add_argument("--only-agreeing", action="store_true")
    parser.add_argument("--latent-scale", type=float, default=1.0)
    parser.add_argument("--split", choices=("val", "test"), default="val")
    parser.add_argument("--fits", type=int, default=3)
    given = parser.parse_args()
    os.environ |= {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
    row = json.dumps(score(given.out, given))
    with (given.out / "mixtures.jsonl").open("a", encoding="utf-8") as stream:
        stream.write(row + "\n")
    print(row)


if __name__ == "__main__":
    main()
