"""What is disturbed: each job of a small experiment, alone, in parts, of two replicates, and on a store."""

from dataclasses import dataclass

RECIPE = """
about = "120 small pictures in three classes: every job in a second."
seed = 3
threads = 1

[preprocess]
source = "digits"
size_px = 16
channels = 1
val_fraction = 0.2
test_fraction = 0.25
shard_images = 32

[train_classifier]
steps = 4
measure_every = 2
width = 4

[train_gan]
family = "dcgan"
epochs = 2
batch_images = 16
latent = 8
width = 4

[evaluate]
images = 24

[synthesize]
share = 1.0
shard_images = 40

[train_mixed]
steps = 2
measure_every = 1
batch_images = 16
width = 2

[tune]
trials = 2
seeds = 1
epochs = 2

[tune.space]
train_gan.batch_images = [16, 24]
"""

Call = tuple[str, ...]
"""The words after `halfreal`, without those that name recipe, volume and experiment."""


@dataclass(frozen=True)
class Stage:
    """Calls that are disturbed, after calls that are not; in `replicates`, on a volume in a folder or in a store."""

    name: str
    before: tuple[Call, ...]
    calls: tuple[Call, ...]
    replicates: int = 1
    in_store: bool = False


def _jobs(*names: str) -> tuple[Call, ...]:
    return tuple((name,) for name in names)


def _parts(job: str, rounds: int) -> tuple[Call, ...]:
    """Return the calls of both parts in turn: a part that waits for what the other one makes is called again."""
    return tuple((job, "--parts", "2", "--index", str(index)) for _ in range(rounds) for index in (0, 1))


CHAIN = ("preprocess", "train_classifier", "train_gan", "evaluate", "synthesize", "train_mixed")

STAGES = (
    *(Stage(job, _jobs(*CHAIN[:place]), _jobs(job)) for place, job in enumerate(CHAIN)),
    Stage("report", _jobs(*CHAIN), _jobs("report")),
    Stage("preprocess, 2 parts", (), _parts("preprocess", 4)),
    Stage("train_gan, 2 parts", _jobs(*CHAIN[:2]), _parts("train_gan", 1), replicates=2),
    Stage("evaluate, 2 parts", _jobs(*CHAIN[:3]), _parts("evaluate", 2)),
    Stage("synthesize, 2 parts", _jobs(*CHAIN[:4]), _parts("synthesize", 2)),
    Stage("train_mixed, 2 parts", _jobs(*CHAIN[:5]), _parts("train_mixed", 2)),
    Stage("train_classifier, 2 replicates", _jobs(*CHAIN[:1]), _jobs("train_classifier"), replicates=2),
    Stage("train_mixed, 2 replicates", _jobs(*CHAIN[:5]), _jobs("train_mixed"), replicates=2),
    Stage("in a store", (), _jobs(*CHAIN[:2]), in_store=True),
    Stage("tune", _jobs(*CHAIN[:2]), _jobs("tune")),
)
