"""The state of a training run: what a checkpoint holds and a resumed run goes on from."""

import time
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from jobs.train_gan.families import NETWORKS, Family
from jobs.train_gan.gpu.graphs import CudaRecorder, Graphs, set_learning_rate, settle
from jobs.train_gan.options import GanOptions
from jobs.train_gan.plan import CHECKPOINT, all_damaged
from jobs.train_gan.steps import Models
from shared.disk.durable import make_folder, writing_whole
from shared.errors import FormatError
from shared.format.manifest import Dataset
from shared.format.versions import drop_newest, newest_first, write_next
from shared.models.gans.build import build_discriminator, build_generator
from shared.models.tables import Spec
from shared.runtime.devices import layout
from shared.runtime.process_group import ProcessGroup
from shared.runtime.seeding import Stream, seed_everything
from shared.store.checkpoints import flatten, load, unflatten
from shared.store.records.base import parse_record
from shared.store.records.gan import CheckpointHeader, Extension, HistoryRow
from shared.store.tensor_file import TensorFile


class RunningMean:
    """Means of losses by name, kept as (sum, count) on the device, so that no step waits to read a number."""

    def __init__(self) -> None:
        self.sums: dict[str, Tensor] = {}

    def add(self, losses: dict[str, Tensor]) -> None:
        """Add the losses of one step by name."""
        for name, value in losses.items():
            pair = torch.stack([value, torch.ones_like(value)])
            self.sums[name] = self.sums[name] + pair if name in self.sums else pair

    def read(self, group: ProcessGroup) -> dict[str, float]:
        """Return the means over steps and processes, by name in order; every process must call it."""
        return {name: float(group.mean(total / count)) for name, (total, count) in sorted(self.sums.items())}

    def move_to(self, other: "RunningMean") -> None:
        """Add what was gathered here to `other`, and begin again."""
        for name, pair in self.sums.items():
            other.sums[name] = other.sums[name] + pair if name in other.sums else pair
        self.sums = {}


class Stateful(Protocol):
    """A network or an optimizer: what it holds goes into a checkpoint and comes back."""

    def state_dict(self) -> dict[str, Any]:
        """Return what it holds."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> object:
        """Take over what another one held."""


class State:
    """Models, the moving average of the generator's weights, steps done, losses of every epoch, history of snapshots.

    `running_mean` has the losses since the last row of `losses`, `since_snapshot` those between the last row of
    `history` and that row. `planned` are the epochs of the plan that it follows, or followed where it was stopped;
    `extended` says where a longer plan took over. `snapshots` has the sha256 of each snapshot that was written, by
    file.
    """

    def __init__(self, group: ProcessGroup, family: Family, config: GanOptions, specs: tuple[Spec, Spec]):
        # layers initialise themselves from torch's global generator
        seed_everything(config.seed, Stream.GAN_WEIGHTS)
        # weights are made on the CPU, whose random numbers are the same on every machine, and moved afterwards
        make = OPTIMIZERS[family.optimizer]
        generator, discriminator = build_generator(specs[0]), build_discriminator(specs[1])
        self.spec = specs[0]
        # before it is wrapped or compiled, so that the average is a plain network
        self.average = deepcopy(generator).to(group.device).to(memory_format=layout(group.device))
        # eval: samples come from the running statistics of batch norm, not from those of a batch of samples
        self.average.eval().requires_grad_(False)
        if config.compile:
            generator.compile()
        if config.compile and family.penalty is None:  # torch.compile cannot differentiate a gradient
            discriminator.compile()
        self.models = Models(
            group,
            group.wrap(generator),
            group.wrap(discriminator),
            make(generator.parameters(), family),
            make(discriminator.parameters(), family),
        )
        self.family, self.group = family, group
        self.graphs = Graphs(CudaRecorder()) if config.cuda_graphs else None
        self._settle_optimizers()
        self.planned: int | None = config.epochs
        self.batch_images, self.extended = config.batch_images, list[Extension]()
        self.steps = 0
        self.losses: list[HistoryRow] = []
        self.history: list[HistoryRow] = []
        self.snapshots: dict[str, str] = {}
        self.running_mean, self.since_snapshot = RunningMean(), RunningMean()
        self._saved_at = time.monotonic()

    def update_average(self, config: GanOptions, seen_images: int) -> None:
        """Move the average towards the generator by one step of a batch.

        Its half-life is `ema_images`, but at most a share `ema_ramp` of the images seen, so that early snapshots are
        not stale.
        """
        # Karras et al. 2018: the average in images, not in steps, so that it does not depend on the batch; the ramp is
        # StyleGAN2-ADA's
        half_life = max(min(config.ema_images, config.ema_ramp * seen_images), 1e-8)
        keep = 0.5 ** (config.batch_images / half_life)
        now = self.models.group.unwrap(self.models.generator).state_dict()
        old = self.average.state_dict()
        # counters of batch norm are whole numbers, which cannot be averaged
        # the whole state, not only parameters: an average of weights with the latest batch statistics would not fit
        # together
        floating = [name for name, tensor in now.items() if tensor.is_floating_point()]
        # one fused call over all tensors in place of one call for each
        torch._foreach_lerp_([old[name] for name in floating], [now[name] for name in floating], 1 - keep)

    def scale_learning_rate(self, factor: float) -> None:
        """Set both optimizers to the family's learning rate times `factor`."""
        for optimizer in self._optimizers:
            set_learning_rate(optimizer, self.family.learning_rate * factor)

    def lost(self) -> str | None:
        """Return the first weight that is NaN or infinite on any process, as "weight of the network"; None if none is.

        Every process must call it and gets the same answer.
        """
        plain, models = self.group.unwrap, self.models
        networks = {"generator": plain(models.generator), "discriminator": plain(models.discriminator)}
        networks["average generator"] = self.average
        parts = ((name, *item) for name, network in networks.items() for item in network.state_dict().items())
        named = {f"{key} of the {name}": value for name, key, value in parts}
        finite = torch.stack([value.isfinite().all() for value in named.values()]).float()
        # agreed on by all processes: one that failed alone would leave the others waiting for it
        everywhere = self.group.gather(finite[None], self.group.world).amin(0).tolist()
        return next((name for name, whole in zip(named, everywhere, strict=True) if not whole), None)

    def is_unsaved_for(self, minutes: float) -> bool:
        """Whether the last checkpoint is that old; never for 0."""
        return 0 < minutes * 60 <= time.monotonic() - self._saved_at

    def save(self, folder: Path) -> None:
        """Write the checkpoint; the one before it stays, and no longer the one before that."""
        # safetensors holds tensors alone; numbers and nesting of the optimizers go into its header
        tensors, structure = flatten(self._tree())
        header = CheckpointHeader(
            state=structure,
            steps=self.steps,
            history=self.history,
            losses=self.losses,
            epochs=self.planned,
            batch_images=self.batch_images,
            extended=self.extended or None,
            snapshots=self.snapshots or None,
        )
        write_next(folder / CHECKPOINT, TensorFile(tensors, header.facts()))
        self._saved_at = time.monotonic()

    def save_snapshot(self, folder: Path, name: str, header: Mapping[str, object]) -> None:
        """Write the averaged generator, with what rebuilds it, to the file `name` of `folder`; keep its sha256."""
        content = TensorFile(self.average.state_dict(), header)
        make_folder((folder / name).parent)
        with writing_whole(folder / name) as stream:
            content.write(stream)
        self.snapshots[name] = content.sha256()

    def resume(self, folder: Path) -> tuple[bool, bool]:
        """Go on from the newest whole checkpoint in `folder`; return whether there was one, and a damaged newer one.

        Every process must call it, and reads what the main one found. FormatError where there are some and none is
        whole.
        """
        path = folder / CHECKPOINT
        checkpoint, faults = newest_whole(path) if self.group.is_main else (None, [])
        there, is_damaged = self.group.from_main([checkpoint is not None, bool(faults)])
        if there:
            self._take(*(checkpoint or _read(path)), path)
        elif is_damaged:
            raise FormatError(all_damaged(path))
        return there, is_damaged

    def _take(self, tensors: dict[str, Tensor], header: CheckpointHeader, path: Path) -> None:
        """Go on from what was read from the checkpoint `path`."""
        try:
            tree = unflatten(tensors, header.state)
            for name, part in self._parts().items():
                part.load_state_dict(tree[name])
            for optimizer in self._optimizers:
                _match_memory_format(optimizer)
            self._settle_optimizers()
        except (KeyError, RuntimeError, ValueError) as error:
            raise FormatError(f"{path}: not a checkpoint of this training; start over with --force") from error
        # losses since the last epoch are part of the state, or the first row after a resume would miss some steps
        for mean, key in ((self.running_mean, "tally"), (self.since_snapshot, "since_snapshot")):
            mean.sums = {name: tensor.to(self.group.device) for name, tensor in tree.get(key, {}).items()}
        self.steps, self.history = header.steps, header.history
        # a checkpoint of an earlier version has rows of snapshots alone, and its "tally" goes back to the last of them
        self.losses = list(header.history) if header.losses is None else header.losses
        self.planned, self.extended = header.planned, list(header.extended or [])
        self.snapshots = dict(header.snapshots or {})

    @property
    def _optimizers(self) -> tuple[torch.optim.Optimizer, torch.optim.Optimizer]:
        return self.models.generator_optimizer, self.models.discriminator_optimizer

    def _settle_optimizers(self) -> None:
        for optimizer in self._optimizers:
            settle(optimizer, recorded=self.graphs is not None)

    def _parts(self) -> dict[str, Stateful]:
        plain = self.group.unwrap
        return {
            "generator": plain(self.models.generator),
            "discriminator": plain(self.models.discriminator),
            "average": self.average,
            "generator_optimizer": self.models.generator_optimizer,
            "discriminator_optimizer": self.models.discriminator_optimizer,
        }

    def _tree(self) -> dict[str, Mapping[str, object]]:
        parts: dict[str, Mapping[str, object]] = {name: part.state_dict() for name, part in self._parts().items()}
        # "tally" is the key of the running means in every checkpoint written so far
        return parts | {"tally": self.running_mean.sums, "since_snapshot": self.since_snapshot.sums}


def _adam(parameters: Iterable[Tensor], family: Family) -> torch.optim.Optimizer:
    """Return Adam (Kingma and Ba 2015), all weights in one fused step."""
    return torch.optim.Adam(parameters, lr=family.learning_rate, betas=family.betas, fused=True)


def _rmsprop(parameters: Iterable[Tensor], family: Family) -> torch.optim.Optimizer:
    """Return RMSprop (Tieleman and Hinton 2012) with torch's own decay of 0.99, as the authors of WGAN did."""
    # torch has no fused RMSprop
    return torch.optim.RMSprop(parameters, lr=family.learning_rate, foreach=True)


Optimize = Callable[[Iterable[Tensor], Family], torch.optim.Optimizer]

OPTIMIZERS: dict[str, Optimize] = {"adam": _adam, "rmsprop": _rmsprop}


def _match_memory_format(optimizer: torch.optim.Optimizer) -> None:
    """Give an optimizer's moments the memory format of their weight, which a checkpoint does not keep."""
    # fused steps expect weights and moments to have the same layout in memory
    for weight, memory in optimizer.state.items():
        alike = {name: value for name, value in memory.items() if value.shape == weight.shape}
        memory |= {name: torch.empty_like(weight).copy_(value) for name, value in alike.items()}


def specs(family: Family, config: GanOptions, info: Dataset) -> tuple[Spec, Spec]:
    """Return what builds generator and discriminator for images as in `info`; see `build_generator`."""
    networks = NETWORKS[family.networks]
    # 0 classes builds the same network without its label inputs
    classes = len(info.classes) if family.conditional else 0
    shape = {"size_px": info.size_px, "channels": info.channels, "classes": classes, "width": config.width}
    if info.attributes and family.conditional:
        shape["attributes"] = len(info.attributes)
    generator: dict[str, object] = {"name": networks.generator, "latent": config.latent, **shape, "init": family.init}
    if networks.has_generator_norm:
        generator |= {"norm": family.generator_norm, "bn_eps": config.bn_eps}
    discriminator: dict[str, object] = {"name": networks.discriminator, **shape, "init": family.init}
    discriminator |= {"norm": family.discriminator_norm, "bn_eps": config.bn_eps}
    return generator, discriminator | ({"auxiliary": True} if family.auxiliary_weight else {})


def newest_whole(path: Path) -> tuple[tuple[dict[str, Tensor], CheckpointHeader] | None, list[str]]:
    """Return the newest whole one of the checkpoints at `path`, which becomes the newest, and what others lack.

    None where none is whole.
    """
    faults = list[str]()
    for version in newest_first(path):
        try:
            found = _read(version)
        except FormatError as error:
            faults.append(str(error))
            continue
        if version != path:
            drop_newest(path)
        return found, faults
    return None, faults


def _read(path: Path) -> tuple[dict[str, Tensor], CheckpointHeader]:
    """Return the tensors and the header of a checkpoint; FormatError unless it is whole."""
    tensors, facts = load(path.read_bytes(), str(path))
    return tensors, parse_record(CheckpointHeader, facts, f"{path}: its header")
