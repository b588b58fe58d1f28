"""What a call of a job is to make: one artifact, or one for each replicate, each with its place and its build key."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.cli.common_options import experiment_name
from shared.cli.options import JobOptions, one_each, specs
from shared.cli.recipes import Recipe
from shared.cli.resolve import CommandWithOptions
from shared.cli.run import Step
from shared.data.specs import Specs
from shared.errors import BadConfig
from shared.runtime.observe.identity import Identity, rank_of
from shared.runtime.observe.trackers import FOLDER, TrackedRun
from shared.runtime.seeding import replicate_seed
from shared.store.job import Job
from shared.store.lineage import open_inputs, watched_label
from shared.store.replicates import place
from shared.store.work_shards import WHOLE, Shard

if TYPE_CHECKING:
    from shared.store.artifacts import Artifact
    from shared.store.staging import BuildKey


@dataclass(frozen=True)
class Common:
    """The values of the options that every job has, and of those that jobs with replicates or parts have.

    `shard` is the part of the work that is to be done; all of it unless --parts says otherwise. `typed` are the job's
    own options that were given as flags.
    """

    recipe: Recipe
    experiment: str | None
    data_root: Path
    device: str
    force: bool
    dry_run: bool
    debug: bool
    threads: int = 0
    memory: str | None = None
    cache_dir: Path | None = None
    replicates: int = 1
    processes: int = 0
    shard: Shard = WHOLE
    typed: frozenset[str] = frozenset()
    folder: Path = field(init=False)

    def __post_init__(self) -> None:
        name = experiment_name(self.experiment, self.recipe)
        object.__setattr__(self, "folder", self.data_root / name)  # the class is frozen


@dataclass(frozen=True)
class Piece:
    """An artifact that a step makes, of one replicate if the job has replicates.

    `shard` is this process's share of the work on it. It is one of `among` artifacts that the call makes.
    """

    row: Job
    replicate: int | None = None
    shard: Shard = WHOLE
    among: int = 1

    @property
    def place(self) -> str:
        """Where the artifact is below the experiment's folder."""
        return place(self.row, self.replicate)


@dataclass(frozen=True)
class Call:
    """A call of `command` with the checked options `config`; `recorded` is what of them the result depends on."""

    command: CommandWithOptions
    config: JobOptions
    recorded: dict[str, object]
    common: Common

    @property
    def row(self) -> Job:
        """The job's row in the table, or its other one that these options want."""
        return self.command.row(self.config)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps of the command, in order; what the last one reads may depend on the options."""
        *before, last = self.command.steps
        return (*before, replace(last, row=self.row))

    def step(self, row: Job) -> Step:
        """Return the step of the command that makes the artifacts of `row`."""
        return next(step for step in self.steps if step.row.writes == row.writes)

    def pieces(self, row: Job) -> list[Piece]:
        """Return the artifacts of `row` that this process works on: one, or some of the replicates.

        Raises BadConfig for more parts than replicates where one replicate cannot be shared.
        """
        common = self.common
        if not row.replicated:
            # what is made of all replicates is made whole, by the part that finds them complete; so is what is made of
            # work that is shared before
            divided = row.parts and self.command.before is None
            return [Piece(row, None, common.shard if divided else WHOLE)]
        self._check_each()
        pieces = [Piece(row, number, shard) for number, shard in common.shard.over_replicates(common.replicates)]
        if not row.parts and any(piece.shard.count > 1 for piece in pieces):
            raise BadConfig(
                f"--parts {common.shard.count}: parts of {row.name} are whole replicates, and there are "
                f"{common.replicates}; want --parts {common.replicates} at most"
            )
        return pieces

    def _each(self) -> dict[str, list[str]]:
        """Return the values of the options that have one for each replicate, by name."""
        names = [name for name, spec in specs(type(self.config)).items() if spec.each]
        given = {name: getattr(self.config, name) for name in names}
        return {name: one_each(value) for name, value in given.items() if value is not None}

    def _check_each(self) -> None:
        """Raise BadConfig unless there are as many replicates as values of an option that has one for each."""
        replicates = self.common.replicates
        for name, values in self._each().items():
            if len(values) != replicates:
                raise BadConfig(
                    f"--{name.replace('_', '-')} has {len(values)} value{'' if len(values) == 1 else 's'}, "
                    f"--replicates is {replicates}: want one for each replicate\n"
                    f"say --replicates {len(values)}, or give {replicates} of them as a list"
                )

    def identity(self, piece: Piece) -> Identity:
        """Return whose lines and numbers those of the work on an artifact are."""
        rank = rank_of(piece.shard.index, piece.shard.count)
        return Identity(self.row.name, watched_label(self.common.folder), piece.replicate, rank)

    def tracked(self, piece: Piece) -> TrackedRun:
        """Return what the work on an artifact is in a tracker; its inputs are opened."""
        key, common = self.key(piece), self.common
        return TrackedRun(
            watched_label(common.folder), piece.place, key.fingerprint, key.plain_options, common.data_root / FOLDER
        )

    def every_piece(self, row: Job) -> list[Piece]:
        """Return the artifacts of `row` that all processes together make."""
        return [Piece(row, number) for number in range(self.common.replicates)] if row.replicated else [Piece(row)]

    def seeded(self, piece: Piece) -> "Call":
        """Return the call with the seed of the piece's replicate, and with its own values of options that list them."""
        if piece.replicate is None:
            return self
        own: dict[str, Any] = {name: values[piece.replicate] for name, values in self._each().items()}
        seed = self.recorded.get("seed")
        if piece.replicate and isinstance(seed, int):
            own["seed"] = replicate_seed(seed, piece.replicate)
        return replace(self, config=replace(self.config, **own), recorded=self.recorded | own)

    def key(self, piece: Piece, *, open_them: bool = True) -> "BuildKey":
        """Return what identifies the artifact; its inputs are opened. Raises BadInput where one is not there.

        Without `open_them` it has no inputs: they are not made yet.
        """
        from shared.store.staging import BuildKey

        gathers = piece.replicate is None and len(self.command.steps) > 1
        replicates = self.common.replicates if gathers else None
        inputs = open_inputs(piece.row, self.common.folder, piece.replicate, replicates) if open_them else {}
        row, extends = piece.row, self.step(piece.row).how.extends
        recorded = self.seeded(piece).recorded
        if piece.replicate is not None:
            recorded = {name: value for name, value in recorded.items() if name not in self._gathering()}
        return BuildKey(row.name, row.kind, recorded, inputs, row.additions, extends)

    def _gathering(self) -> set[str]:
        """Return the names of the options that are about what is made of all replicates alone."""
        return {name for name, spec in specs(type(self.config)).items() if spec.gathers}

    def lacking(self) -> list[str]:
        """Return what the artifacts will go without for want of files, a line each."""
        return [
            line
            for step in self.steps
            if step.how.additions is not None
            for line in step.how.additions.lacking(self.config, self.common.data_root)
        ]

    def addable(self, piece: Piece, artifact: "Artifact") -> list[str]:
        """Return what a finished artifact lacks and could have now."""
        from shared.store.artifacts import as_output

        additions = self.step(piece.row).how.additions
        if additions is None:
            return []
        return additions.addable(as_output(piece.row, artifact).record, self.common.data_root)

    def extends(self, piece: Piece, key: "BuildKey", artifact: "Artifact") -> bool:
        """Whether making the artifact means to add to this one what it lacks, rather than to replace it."""
        return not key.differences(artifact.manifest) and bool(self.addable(piece, artifact))

    def final(self, piece: Piece) -> Path:
        """Return the folder of an artifact."""
        return self.common.folder / piece.place

    def validate(self, shard: Shard, specs: Specs) -> None:
        """Raise BadInput for options that do not fit the shard of the work or the data."""
        self.command.validate(self.config, shard, specs)
