"""Several generators in one: one for each class, or a mixture."""

from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn

from shared.models.networks import Generator
from shared.models.tables import Spec


class GeneratorOfMembers(Generator):
    """`count` generators, made by `build` from the spec `member`, one of which draws each image."""

    def __init__(self, build: Callable[[Spec], Generator], *, count: int, member: Spec) -> None:
        super().__init__()
        members = [build(member) for _ in range(count)]
        self.members = nn.ModuleList(members)
        self.latent = self.member_latent = members[0].latent
        # from the spec, so that the images of no latents at all have a shape too
        self.shape = cast("tuple[int, int, int]", (member["channels"], member["size_px"], member["size_px"]))

    def chosen(self, latents: Tensor, labels: Tensor) -> Tensor:
        """Return which member draws each image, int64 (N,)."""
        raise NotImplementedError

    def forward(self, latents: Tensor, labels: Tensor) -> Tensor:
        """Return images (N, channels, size, size) in [-1, 1] for latents (N, latent) from N(0, 1) and labels (N,)."""
        chosen = self.chosen(latents, labels)
        if torch.compiler.is_exporting() or torch.jit.is_tracing():  # type: ignore[attr-defined, no-untyped-call]
            # what is exported is one graph without branches: every member draws, and one drawing is picked
            drawn = torch.stack([member(latents[:, : self.member_latent], labels) for member in self.members])
            return drawn.gather(0, chosen[None, :, None, None, None].expand(1, -1, *self.shape)).squeeze(0)
        # one forward for each member that occurs, rather than all members on all latents
        images = latents.new_empty(len(latents), *self.shape)
        for member in chosen.unique().tolist():
            mine = chosen == member
            images[mine] = self.members[member](latents[mine, : self.member_latent], labels[mine])
        return images


class PerClassGenerator(GeneratorOfMembers):
    """One unconditional generator for each class: the label picks one."""

    def __init__(self, build: Callable[[Spec], Generator], *, classes: int, member: Spec) -> None:
        super().__init__(build, count=classes, member=member)

    def chosen(self, latents: Tensor, labels: Tensor) -> Tensor:
        """Return the labels."""
        return labels


class MixtureGenerator(GeneratorOfMembers):
    """Generators of the same images, each of which draws an equal part of them: the latent picks one.

    A latent ends in a number for each member, and the largest of these picks. So every member is as likely, from
    whichever distribution the numbers are drawn, and a truncated latent keeps its member.
    """

    def __init__(self, build: Callable[[Spec], Generator], *, generators: int, member: Spec) -> None:
        super().__init__(build, count=generators, member=member)
        self.latent = self.member_latent + generators

    def chosen(self, latents: Tensor, labels: Tensor) -> Tensor:
        """Return the place of the largest of the last numbers of each latent."""
        return torch.argmax(latents[:, self.member_latent :], dim=1)
