"""The options of train_gan, checked."""

from dataclasses import asdict, dataclass, replace
from typing import Any

from jobs.train_gan.families import FAMILIES, NETWORKS, Family
from shared.cli.common_options import listed
from shared.data.tables import AUGMENTATIONS
from shared.errors import BadConfig

DECAYS = ("none", "late", "cosine")
"""How the learning rate falls: not at all, linearly to 0 over the second half, as half a cosine to 0."""

NONE = "none"
"""No augmentation: a word, since an empty environment variable stands for one that is not set."""


@dataclass(frozen=True, kw_only=True)
class GanConfig:
    """How a GAN is trained. None stands for the family's own value.

    An epoch is as many real images, shown to the discriminator, as the train split (for `per_class`: as the class)
    has. There is a snapshot every `snapshot_every_epochs` and one at the end. Raises BadConfig for options that
    contradict the family or each other.
    """

    family: str
    networks: str | None = None
    loss: str | None = None
    conditional: bool | None = None
    epochs: int
    snapshot_every_epochs: int
    batch_images: int
    accumulate: int = 1
    latent: int
    width: int
    learning_rate: float | None = None
    critic_steps: int | None = None
    penalty_weight: float | None = None
    clip: float | None = None
    beta1: float | None = None
    beta2: float | None = None
    real_target: float | None = None
    fake_target: float | None = None
    auxiliary_weight: float | None = None
    generator_norm: str | None = None
    discriminator_norm: str | None = None
    bn_eps: float = 1e-5
    init: str | None = None
    augment: str = NONE
    flips: bool = False
    precision: str = "float32"
    compile: bool = False
    decay: str
    ema_images: int
    ema_ramp: float = 0.05
    seed: int

    def __post_init__(self) -> None:
        resolve(self)
        unknown = set(self.augmentations) - set(AUGMENTATIONS)
        if unknown:
            raise BadConfig(f"--augment {self.augment}: {min(unknown)!r} is none of {', '.join(AUGMENTATIONS)}")
        if not self.augmentations and self.augment != NONE:
            raise BadConfig(f"--augment {self.augment!r}: want {NONE}, or some of {', '.join(AUGMENTATIONS)} by comma")
        if len(set(self.augmentations)) < len(self.augmentations):
            raise BadConfig(f"--augment {self.augment}: want each one once")
        if self.batch_images % self.accumulate:
            raise BadConfig(f"--accumulate {self.accumulate}: does not divide --batch-images {self.batch_images}")

    @property
    def augmentations(self) -> tuple[str, ...]:
        """The names in `augment`, in order."""
        return () if self.augment == NONE else listed(self.augment)

    def resolved(self) -> dict[str, Any]:
        """Return every option with what None stands for; None where the family has no such thing."""
        family = resolve(self)
        beta1, beta2 = family.betas if family.optimizer == "adam" else (None, None)
        own = {name: getattr(family, name) for name in OVERRIDES}
        own |= {"beta1": beta1, "beta2": beta2, "penalty_weight": family.penalty.weight if family.penalty else None}
        if not NETWORKS[family.networks].has_generator_norm:
            own["generator_norm"] = None
        if family.loss != "cross_entropy":
            own |= {"real_target": None, "fake_target": None}
        return asdict(self) | own | {"auxiliary_weight": family.auxiliary_weight or None}


OVERRIDES = (
    *("networks", "loss", "conditional", "learning_rate", "critic_steps", "real_target", "fake_target"),
    *("auxiliary_weight", "generator_norm", "discriminator_norm", "init", "clip"),
)
"""Options that replace the value of the same name in the family's row."""


def resolve(config: GanConfig) -> Family:
    """Return the family's row with what the config overrides; BadConfig where the two contradict each other."""
    row = FAMILIES[config.family]
    given: dict[str, Any] = {name: getattr(config, name) for name in OVERRIDES if getattr(config, name) is not None}
    _refuse(row, given, config)
    if row.penalty is not None and config.penalty_weight is not None:
        given["penalty"] = replace(row.penalty, weight=config.penalty_weight)
    betas = zip((config.beta1, config.beta2), row.betas, strict=True)
    given["betas"] = tuple(own if asked is None else asked for asked, own in betas)
    if given.get("loss", row.loss) != "cross_entropy":  # the row's own label smoothing goes with its own loss
        given = {"real_target": 1.0, "fake_target": 0.0} | given
    family = replace(row, **given)
    _check(family, config)
    return family


def _refuse(row: Family, given: dict[str, Any], config: GanConfig) -> None:
    """Raise BadConfig for an option that the family does not have."""
    have = {
        "conditional": not row.only or given.get("conditional") == row.conditional,
        "clip": row.clip is not None,
        "auxiliary_weight": row.auxiliary_weight > 0,
    }
    missing = [name for name, has in have.items() if name in given and not has]
    if config.penalty_weight is not None and row.penalty is None:
        missing.append("penalty_weight")
    if (config.beta1, config.beta2) != (None, None) and row.optimizer != "adam":
        missing.append("beta1" if config.beta1 is not None else "beta2")
    if missing:
        name = missing[0]
        always = "always uses labels" if row.conditional else "never uses labels"
        why = always if name == "conditional" else "has no such thing"
        said = "unconditional" if given.get(name) is False else name.replace("_", "-")
        raise BadConfig(f"--{said}: the family {config.family} {why}; leave it out")


def _check(family: Family, config: GanConfig) -> None:
    """Raise BadConfig where the resolved row contradicts itself."""
    networks = NETWORKS[family.networks]
    if family.penalty is not None and family.discriminator_norm == "batch":
        raise BadConfig(
            f"--discriminator-norm batch: {config.family} has a gradient penalty for each image, and batch norm "
            "couples the images of a batch; take instance, layer, spectral or none"
        )
    if config.generator_norm is not None and not networks.has_generator_norm:
        raise BadConfig(f"--generator-norm: the networks {family.networks} have a norm of their own; leave it out")
    if networks.needs_labels and not family.conditional:
        raise BadConfig(f"the networks {family.networks} need labels: take --networks dcgan, or leave them conditional")
    if family.auxiliary_weight and not networks.has_auxiliary:
        raise BadConfig(f"--networks {family.networks}: no auxiliary head, which {config.family} needs; take dcgan")
    if family.loss != "cross_entropy" and (family.real_target, family.fake_target) != (1.0, 0.0):
        raise BadConfig(
            f"label smoothing: the loss {family.loss} has no targets; leave --real-target, --fake-target out"
        )
    if family.real_target <= family.fake_target:
        raise BadConfig(
            f"--real-target {family.real_target:g}, --fake-target {family.fake_target:g}: want the target of real "
            "images above that of fakes"
        )
