"""What `train_gan` says of its artifact."""

from typing import ClassVar

from pydantic import ConfigDict, Field

from shared.errors import BadConfig
from shared.store.records.base import FlatRecord, Record


class Snapshot(Record):
    """A snapshot of the averaged generator: its file, the epochs and the real images that it has seen."""

    file: str
    epoch: int
    images_seen: int


class SnapshotHeader(Record):
    """What the file of a snapshot says: the spec that rebuilds the network, the epochs that it was trained for.

    `members` has the file of each generator, with its hash, where there are several.
    """

    spec: dict[str, object]
    epoch: int
    members: dict[str, str] | None = None


class HistoryRow(FlatRecord):
    """The losses by name, as means since the row before, and what was seen by then."""

    flat: ClassVar[str] = "losses"

    epoch: int
    step: int
    images_seen: int
    losses: dict[str, float]


class Extension(Record):
    """Where training went on beyond the end that had been planned: after `epoch` epochs, to `epochs`.

    `decay` is the schedule of the learning rate that from there on follows the longer plan; None where there is none.
    `classes` are those that were extended there, or the names of the generators; None if there is one pair of networks,
    or all were.
    """

    epoch: int
    from_epochs: int
    epochs: int
    decay: str | None = None
    classes: list[str] | None = None

    @property
    def words(self) -> str:
        """What happened there, in words."""
        where = f"at epoch {self.epoch}" + (f" ({', '.join(self.classes)})" if self.classes else "")
        decay = f"; the decay `{self.decay}` follows the plan of {self.epochs} epochs from there on"
        return f"extended {where} from {self.from_epochs} to {self.epochs} epochs{decay if self.decay else ''}"


class CheckpointHeader(Record):
    """What the file of a checkpoint says: how its tensors are put together, iterations done, the rows so far.

    `history` has a row for each snapshot, `losses` one for each epoch. `epochs` are those that were planned,
    `batch_images` the real images of a batch, which may be fewer than were asked for; `snapshots` has the sha256 of
    each snapshot, by file. Checkpoints of earlier versions have none of the four.
    """

    state: dict[str, object]
    steps: int
    history: list[HistoryRow]
    losses: list[HistoryRow] | None = None
    epochs: int | None = None
    batch_images: int | None = None
    extended: list[Extension] | None = None
    snapshots: dict[str, str] | None = None

    @property
    def epoch(self) -> int:
        """The whole epochs that were seen."""
        rows = self.losses or self.history
        return rows[-1].epoch if rows else 0

    @property
    def planned(self) -> int | None:
        """The epochs that were planned; earlier versions leave checkpoints that can be extended at the end alone."""
        return self.epochs or (self.history[-1].epoch if self.history else None)


class Resolved(Record):
    """The family's row with every override, as it was used; of the rest nothing but the loss is read again."""

    model_config = ConfigDict(extra="allow")

    loss: str


class GeneratorRecord(Record):
    """What a generator needs to be drawn from; `conditional` says whether it can be asked for a class."""

    latent: int
    conditional: bool


class GanRecord(GeneratorRecord):
    """A finished GAN. `generator` is the spec that rebuilds it; histories by class where each has its own networks.

    An epoch has `epoch_images` real images, `unlabelled_images` of them from the unlabelled split; None without it.
    A history has a row for each snapshot. `losses` and `class_losses` have one for each epoch; they are left out where
    every epoch has a snapshot, and by earlier versions. `extended` says where training went on beyond its first end.
    """

    family: str
    resolved: Resolved
    epoch_images: int
    checkpoint: str
    generator_parameters: int
    discriminator_parameters: int
    generator: dict[str, object]
    history: list[HistoryRow] = Field(min_length=1)
    class_histories: dict[str, list[HistoryRow]] | None = None
    losses: list[HistoryRow] | None = None
    class_losses: dict[str, list[HistoryRow]] | None = None
    snapshots: list[Snapshot] = Field(min_length=1)
    extended: list[Extension] | None = None
    unlabelled_images: int | None = None

    def snapshot_after(self, epoch: int) -> Snapshot:
        """Return the snapshot after `epoch` epochs; BadConfig where there is none."""
        for snapshot in self.snapshots:
            if snapshot.epoch == epoch:
                return snapshot
        there = ", ".join(str(snapshot.epoch) for snapshot in self.snapshots)
        raise BadConfig(f"--epoch {epoch}: no such snapshot; there are {there}")

    @property
    def histories(self) -> dict[str, list[HistoryRow]]:
        """The history of every pair of networks: by class, or of "all" where there is one pair."""
        return self.class_histories or {"all": self.history}

    @property
    def epoch_losses(self) -> list[HistoryRow]:
        """The losses of every epoch, or of every snapshot where no more is known; means over classes."""
        return self.losses or self.history

    @property
    def class_epoch_losses(self) -> dict[str, list[HistoryRow]]:
        """The losses of every epoch by class where each has its own networks, else those of "all"."""
        return self.class_losses or self.class_histories or {"all": self.epoch_losses}
