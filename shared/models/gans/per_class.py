"""One unconditional generator for each class."""

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn


class PerClassGenerator(nn.Module):
    """One unconditional generator, made by `build` from the spec `member`, for each class: the label picks one."""

    def __init__(self, build: Callable[[dict[str, Any]], nn.Module], *, classes: int, member: dict[str, Any]) -> None:
        super().__init__()
        self.latent = member["latent"]
        self.members = nn.ModuleList(build(member) for _ in range(classes))
        self.shape = (member["channels"], member["size_px"], member["size_px"])

    def forward(self, latents: Tensor, labels: Tensor) -> Tensor:
        """Return images (N, channels, size, size) in [-1, 1] for latents (N, latent) from N(0, 1) and labels (N,)."""
        images = latents.new_empty(len(latents), *self.shape)
        for label in labels.unique().tolist():
            mine = labels == label
            images[mine] = self.members[label](latents[mine], labels[mine])
        return images
