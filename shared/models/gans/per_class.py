"""One unconditional generator for each class."""

from collections.abc import Callable
from typing import cast

from torch import Tensor, nn

from shared.models.networks import Generator
from shared.models.tables import Spec


class PerClassGenerator(Generator):
    """One unconditional generator, made by `build` from the spec `member`, for each class: the label picks one."""

    def __init__(self, build: Callable[[Spec], Generator], *, classes: int, member: Spec) -> None:
        super().__init__()
        members = [build(member) for _ in range(classes)]
        self.latent = members[0].latent
        self.members = nn.ModuleList(members)
        # from the spec, so that the images of no latents at all have a shape too
        self.shape = cast("tuple[int, int, int]", (member["channels"], member["size_px"], member["size_px"]))

    def forward(self, latents: Tensor, labels: Tensor) -> Tensor:
        """Return images (N, channels, size, size) in [-1, 1] for latents (N, latent) from N(0, 1) and labels (N,)."""
        # one forward for each class that occurs, rather than all members on all latents
        images = latents.new_empty(len(latents), *self.shape)
        for label in labels.unique().tolist():
            mine = labels == label
            images[mine] = self.members[label](latents[mine], labels[mine])
        return images
