"""Images a second whose Inception features are taken, at 299 px, against a loop over torchvision's network.

The weights are random ones: the time does not depend on them.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import torch

from tests.gpu.part import Iteration, Row, Task, ratios, rounds_of, spread


def measure(task: Task) -> Iterator[Row]:
    """Yield a row of features of images that lie in memory."""
    from torchvision.models.inception import inception_v3

    from shared.models.inference import in_batches
    from shared.models.pretrained.inception import CLASSES, from_state_dict

    torch.manual_seed(0)
    network = inception_v3(weights=None, num_classes=CLASSES, aux_logits=False, init_weights=False).eval()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "weights.pth")
        torch.save(network.state_dict(), path)
        layers, _ = from_state_dict(path, task.device)
    network.fc = torch.nn.Identity()
    network.to(task.device)
    images = torch.randint(0, 256, (task.sizes.features, 3, 299, 299), dtype=torch.uint8)

    def scaled(part: torch.Tensor) -> torch.Tensor:
        return (part.to(task.device).float() - 128) / 128

    def apply(part: torch.Tensor) -> torch.Tensor:
        return layers(scaled(part).contiguous(memory_format=torch.channels_last)).flatten(1)

    @torch.no_grad()
    def usual() -> torch.Tensor:
        return torch.cat([network(scaled(part)).cpu() for part in images.split(32)])

    sides: dict[str, Iteration] = {"ours": lambda: in_batches(apply, images).cpu(), "torchvision's network": usual}
    taken = rounds_of(sides, task)
    own = taken.pop("ours")
    middle, low, high = spread([len(images) / each for each in own])
    yield Row("Inception features, 299 px, no resizing", "images/s", middle, low, high, ratios(own, taken))
