"""What `train_gan` says of its artifact."""

from typing import ClassVar

from pydantic import ConfigDict, Field

from shared.store.records.base import FlatRecord, Record


class Snapshot(Record):
    """A snapshot of the averaged generator: its file, the epochs and the real images that it has seen."""

    file: str
    epoch: int
    images_seen: int


class SnapshotHeader(Record):
    """What the file of a snapshot says: the spec that rebuilds the network, the epochs that it was trained for.

    `members` has the file of each class, with its hash, where each class has a generator of its own.
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


class CheckpointHeader(Record):
    """What the file of a checkpoint says: how its tensors are put together, iterations done, the rows so far.

    `history` has a row for each snapshot, `losses` one for each epoch; checkpoints of earlier versions have none.
    """

    state: dict[str, object]
    steps: int
    history: list[HistoryRow]
    losses: list[HistoryRow] | None = None


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

    A history has a row for each snapshot. `losses` and `class_losses` have one for each epoch; they are left out where
    every epoch has a snapshot, and by earlier versions.
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
