"""What tests of fits share: images that are plain to tell apart, measurements by script, weights compared."""

from collections.abc import Callable
from copy import deepcopy

import torch
from torch import Tensor, nn

from shared.data.images import Images


def shades(count: int, classes: int = 3, seed: int = 0, size_px: int = 16) -> Images:
    """Return images whose class is their brightness: 40, 120 or 200, and noise of +-30."""
    chance = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % classes
    noise = torch.randint(-30, 31, (count, 1, size_px, size_px), generator=chance)
    return Images((noise + 40 + 80 * labels[:, None, None, None]).to(torch.uint8), labels)


def same_weights(left: nn.Module, right: nn.Module) -> bool:
    """Whether both networks have the same tensors, to the last bit."""
    pairs = zip(left.state_dict().items(), right.state_dict().items(), strict=True)
    return all(one[0] == two[0] and torch.equal(one[1], two[1]) for one, two in pairs)


class Script:
    """Val measurements that go as written; keeps the weights that the network had at each."""

    def __init__(self, *rows: tuple[float, float]) -> None:
        self.rows, self.weights = rows, list[dict[str, Tensor]]()

    def __call__(self, classes: int, device: torch.device) -> Callable[[nn.Module, Images], dict[str, float]]:
        """Replace the function that prepares the measurement."""
        return self._measure

    def _measure(self, network: nn.Module, val: Images) -> dict[str, float]:
        f1, loss = self.rows[len(self.weights)]
        self.weights.append(deepcopy(network.state_dict()))
        network.eval()  # as every real measurement leaves it
        return {"val_f1": f1, "val_loss": loss} | dict.fromkeys(("val_accuracy", "val_precision", "val_recall"), f1)
