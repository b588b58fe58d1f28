"""The demo as glue code of common tools, in one script: `python -m tests.bench.glue FOLDER PLAN`, where PLAN is JSON.

Image folders, ImageFolder and DataLoader, the tutorials' loops, a folder of generated PNGs for every snapshot that is
scored, clean-fid's distance, webdataset's ShardWriter. Networks, batches, optimizers and the numbers of steps, images
and seeds are those of the recipe `digits` under the same plan. It prints the accuracy of each arm as JSON.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torchvision
import webdataset
from cleanfid.fid import frechet_distance
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor, nn
from torch.utils.data import ConcatDataset, DataLoader, Subset
from torchvision.datasets import ImageFolder
from torchvision.utils import save_image

from shared.models.classifiers import SmallCnn
from shared.models.gans.conditional import ClassGenerator, ProjectionDiscriminator

SIZE_PX, CLASSES, LATENT, BATCH = 16, 10, 64, 64
PREPARE = torchvision.transforms.Compose(
    [
        torchvision.transforms.Grayscale(),
        torchvision.transforms.ToTensor(),
        torchvision.transforms.Normalize(0.5, 0.5),
    ]
)


def write_folders(root: Path) -> None:
    """Write the digits as PNGs, a folder for each split and class."""
    digits = load_digits()
    rest, test = train_test_split(range(len(digits.target)), test_size=360, stratify=digits.target, random_state=0)
    train, val = train_test_split(rest, test_size=180, stratify=digits.target[rest], random_state=0)
    for split, chosen in (("train", train), ("val", val), ("test", test)):
        for number in chosen:
            image = torchvision.transforms.functional.to_pil_image(np.uint8(digits.images[number] * 15.9375))
            place = root / split / str(digits.target[number])
            place.mkdir(parents=True, exist_ok=True)
            image.resize((SIZE_PX, SIZE_PX), 3).save(place / f"{number}.png")


def forever(data: Any, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield shuffled batches endlessly."""
    torch.manual_seed(seed)
    while True:
        yield from DataLoader(data, batch_size=BATCH, shuffle=True, drop_last=len(data) > BATCH)


def outputs(function: Any, data: Any) -> tuple[Tensor, Tensor]:
    """Return `function` of all images, and their labels."""
    with torch.no_grad():
        batches = [(function(images), labels) for images, labels in DataLoader(data, batch_size=BATCH)]
    return torch.cat([row[0] for row in batches]), torch.cat([row[1] for row in batches])


def accuracy(network: nn.Module, data: Any) -> float:
    """Return the accuracy of the network."""
    network.eval()
    logits, labels = outputs(network, data)
    return float((logits.argmax(dim=1) == labels).float().mean())


def train_classifier(train: Any, val: Any, steps: int, seed: int) -> SmallCnn:
    """Return the classifier that did best on val, measured every 50 steps."""
    torch.manual_seed(seed)
    network = SmallCnn(size_px=SIZE_PX, channels=1, classes=CLASSES)
    optimizer, criterion = torch.optim.Adam(network.parameters(), lr=1e-3), nn.CrossEntropyLoss()
    best, weights = -1.0, {}
    for step, (images, labels) in zip(range(1, steps + 1), forever(train, seed), strict=False):
        network.train()
        optimizer.zero_grad()
        loss = criterion(network(images), labels)
        loss.backward()
        optimizer.step()
        loss.item()
        if step % 50 == 0:
            found = accuracy(network, val)
            if found > best:
                best, weights = found, {name: value.clone() for name, value in network.state_dict().items()}
    network.load_state_dict(weights)
    return network.eval()


def train_gan(train: Any, steps: int, every: int, out: Path) -> list[Path]:
    """Train a conditional WGAN-GP as tutorials do; return the snapshots, each saved with a grid of images."""
    torch.manual_seed(0)
    generator = ClassGenerator(size_px=SIZE_PX, channels=1, classes=CLASSES, latent=LATENT)
    critic = ProjectionDiscriminator(size_px=SIZE_PX, channels=1, classes=CLASSES)
    optimizers = [torch.optim.Adam(net.parameters(), lr=3e-3, betas=(0.0, 0.99)) for net in (generator, critic)]
    saved = []
    for step, (real, labels) in zip(range(1, steps + 1), forever(train, 0), strict=False):
        fake = generator(torch.randn(len(real), LATENT), labels)
        epsilon = torch.rand(len(real), 1, 1, 1)
        mixed = real * epsilon + fake * (1 - epsilon)
        value = critic(mixed, labels)
        (gradient,) = torch.autograd.grad(value, mixed, torch.ones_like(value), create_graph=True, retain_graph=True)
        penalty = ((gradient.view(len(real), -1).norm(2, dim=1) - 1) ** 2).mean()
        loss = critic(fake, labels).mean() - critic(real, labels).mean() + 10 * penalty
        critic.zero_grad()
        loss.backward(retain_graph=True)
        optimizers[1].step()
        fake = generator(torch.randn(len(real), LATENT), labels)
        generator_loss = -critic(fake, labels).mean()
        generator.zero_grad()
        generator_loss.backward()
        optimizers[0].step()
        loss.item(), generator_loss.item()
        if step % every == 0 or step == steps:
            saved.append(out / f"{step}.pt")
            torch.save(generator.state_dict(), saved[-1])
            save_image(fake, saved[-1].with_suffix(".png"), normalize=True)
    return saved


def draw(path: Path, count: int, out: Path) -> ImageFolder:
    """Write images of a snapshot as PNGs, a folder for each class asked for."""
    generator = ClassGenerator(size_px=SIZE_PX, channels=1, classes=CLASSES, latent=LATENT)
    generator.load_state_dict(torch.load(path, weights_only=True))
    generator.eval()
    torch.manual_seed(1)
    for start in range(0, count, BATCH):
        labels = torch.arange(start, min(start + BATCH, count)) % CLASSES
        with torch.no_grad():
            images = generator(torch.randn(len(labels), LATENT), labels)
        for place, (image, label) in enumerate(zip(images, labels.tolist(), strict=True), start):
            (out / str(label)).mkdir(parents=True, exist_ok=True)
            save_image(image, out / str(label) / f"{place}.png", normalize=True, value_range=(-1, 1))
    return ImageFolder(str(out), PREPARE)


def distance(classifier: SmallCnn, one: Any, other: Any) -> float:
    """Return clean-fid's Fréchet distance of the classifier's features of two sets of images."""
    features = [outputs(classifier.features, data)[0].double().numpy() for data in (one, other)]
    moments = [(values.mean(axis=0), np.cov(values, rowvar=False)) for values in features]
    return float(frechet_distance(*moments[0], *moments[1]))


def annotate(classifier: SmallCnn, data: ImageFolder, out: Path) -> Any:
    """Write the images with the labels that the classifier gives as shards; return them as a dataset."""
    given = outputs(classifier, data)[0].argmax(dim=1).tolist()
    with webdataset.ShardWriter(str(out / "%05d.tar"), maxcount=1000, verbose=0) as sink:
        for (path, _), label in zip(data.samples, given, strict=True):
            sink.write({"__key__": Path(path).stem, "png": Path(path).read_bytes(), "cls": label})
    shards = sorted(map(str, out.glob("*.tar")))
    read = webdataset.WebDataset(shards, shardshuffle=False).decode("pil").to_tuple("png", "cls")
    return [(PREPARE(image), int(label)) for image, label in read]


def main() -> None:
    """Run the whole demo."""
    root, plan = Path(sys.argv[1]), json.loads(sys.argv[2])
    for name in ("gan", "shards"):
        (root / name).mkdir(parents=True)
    write_folders(root)
    train, val, test = (ImageFolder(str(root / split), PREPARE) for split in ("train", "val", "test"))
    classifier = train_classifier(train, val, plan["classifier_steps"], 0)
    saved = train_gan(train, plan["gan_steps"], plan["every_steps"], root / "gan")
    scored = {path: distance(classifier, draw(path, plan["images"], root / path.stem), val) for path in saved}
    best = min(scored, key=scored.__getitem__)
    distance(classifier, draw(best, plan["images"], root / "again"), test)
    share = int(0.7 * len(train))
    synthetic = annotate(classifier, draw(best, share, root / "synthetic"), root / "shards")
    order = np.random.default_rng(0).permutation(len(train))
    few = Subset(train, order[: len(train) - share].tolist())
    arms = {
        "real_100": train,
        "real_30": few,
        "synthetic_70_real_30": ConcatDataset([few, synthetic]),
        "synthetic_only": synthetic,
    }
    found = {
        name: [accuracy(train_classifier(data, val, plan["mixed_steps"], seed), test) for seed in range(plan["fits"])]
        for name, data in arms.items()
    }
    print(json.dumps({name: sum(values) / len(values) for name, values in found.items()}))


if __name__ == "__main__":
    main()
