"""The options of train_gan, checked, and the family that results from them."""

from dataclasses import dataclass, replace

from jobs.train_gan.families import FAMILIES, LOSSES, NETWORKS, Family
from shared.cli.options import JobOptions, Within, listed, option, specs
from shared.data.tables import AUGMENTATIONS
from shared.errors import BadConfig
from shared.models.tables import INITS, NORMS

DECAYS = ("none", "late", "cosine")
"""How the learning rate falls: not at all, linearly to 0 over the second half, as half a cosine to 0."""

NONE = "none"
"""No augmentation: a word, since an empty environment variable counts as one that is not set."""

POSITIVE, SHARE, BETA = Within(0, above=True), Within(0, 1), Within(0, 1, below=True)


@dataclass(frozen=True, kw_only=True)
class GanOptions(JobOptions):
    """How a GAN is trained. None means the family's own value.

    An epoch is as many real images, shown to the discriminator, as the train split (for `per_class`: as the class)
    has. There is a snapshot every `snapshot_every_epochs` and one at the end. Raises BadConfig for options that
    contradict the family or each other.
    """

    family: str = option(
        "wgan_gp", "GAN variant: a loss, networks and the settings of its paper.", "GAN", choices=FAMILIES
    )
    loss: str | None = option(None, "Loss of both networks.", "GAN", owner="family", choices=LOSSES)
    conditional: bool | None = option(
        None, "Use the labels, or train without them.", "GAN", owner="family", negative="unconditional"
    )

    batch_images: int = option(64, "Real images in a step, over all processes.", "data", within=Within(2))
    augment: str = option(
        NONE, f"Differentiable augmentations, joined by commas: {', '.join(AUGMENTATIONS)}; or {NONE}.", "data"
    )
    flips: bool = option(False, "Mirror real images at random.", "data")

    networks: str | None = option(
        None, "Layers of the generator and the discriminator.", "networks", owner="family", choices=NETWORKS
    )
    latent: int = option(64, "Size of the latent vector.", "networks", within=Within(1, 16384))
    width: int = option(
        16, "Channels at the networks' full width; see each of them.", "networks", within=Within(1, 4096)
    )
    generator_norm: str | None = option(
        None, "Normalisation in the generator.", "networks", owner="family", choices=NORMS
    )
    discriminator_norm: str | None = option(
        None, "Normalisation in the discriminator.", "networks", owner="family", choices=NORMS
    )
    bn_eps: float = option(1e-5, "Term added to the variance in normalisations.", "networks", within=POSITIVE)
    init: str | None = option(None, "Initial distribution of the weights.", "networks", owner="family", choices=INITS)

    learning_rate: float | None = option(
        None, "Learning rate of both networks.", "optimizer", owner="family", within=POSITIVE
    )
    decay: str = option("none", "Decay of the learning rate.", "optimizer", choices=DECAYS)
    beta1: float | None = option(None, "First beta of Adam.", "optimizer", owner="family", within=BETA)
    beta2: float | None = option(None, "Second beta of Adam.", "optimizer", owner="family", within=BETA)
    critic_steps: int | None = option(
        None, "Steps of the discriminator for each one of the generator.", "optimizer", owner="family", within=Within(1)
    )
    accumulate: int = option(1, "Gradient-accumulation steps.", "optimizer", within=Within(1))
    ema_images: int = option(
        5000, "Half-life of the averaged generator, in real images; 0: no average.", "optimizer", within=Within(0)
    )
    ema_ramp: float = option(
        0.05, "Half-life of the averaged generator at most, as a share of the images seen.", "optimizer", within=SHARE
    )

    penalty_weight: float | None = option(
        None, "Weight of the gradient penalty.", "regularisation", owner="family", within=Within(0)
    )
    clip: float | None = option(
        None, "Largest weight of a clipped critic.", "regularisation", owner="family", within=POSITIVE
    )
    real_target: float | None = option(
        None, "Target of real images; 0.9 is one-sided label smoothing.", "regularisation", owner="family", within=SHARE
    )
    fake_target: float | None = option(
        None,
        "Target of fake images; above 0 label smoothing is two-sided.",
        "regularisation",
        owner="family",
        within=SHARE,
    )
    auxiliary_weight: float | None = option(
        None, "Weight of the class loss of an auxiliary head.", "regularisation", owner="family", within=POSITIVE
    )

    generators: int = option(
        1,
        "Generators that are trained from different first weights, each with a discriminator of its own and on all "
        "images; each of them draws an equal part of what is drawn.",
        "networks",
        within=Within(1, 100),
    )
    epochs: int = option(40, "Epochs of the train split to show the discriminator.", "run", within=Within(1))
    snapshot_every_epochs: int = option(1, "Epochs between snapshots.", "run", within=Within(1))
    checkpoint_minutes: float = option(
        10.0,
        "Minutes between two checkpoints, besides those at snapshots and on signals; 0: no others.",
        "run",
        within=Within(0),
        recorded=False,
    )
    precision: str = option(
        "float32",
        "Number format of convolutions; bf16 is meant for GPUs.",
        "run",
        choices=("float32", "bf16"),
    )
    compile: bool = option(
        False, "Compile the networks with torch.compile; with a gradient penalty only the generator.", "run"
    )
    cuda_graphs: bool = option(
        False, "Launch each step as a whole, as a CUDA graph; for one GPU.", "run", recorded=False
    )

    def __post_init__(self) -> None:
        resolve(self)
        unknown = set(self.augmentations) - set(AUGMENTATIONS)
        if unknown:
            raise BadConfig(
                f"--augment {self.augment}: unknown {min(unknown)!r}; want some of {', '.join(AUGMENTATIONS)}"
            )
        if not self.augmentations and self.augment != NONE:
            raise BadConfig(f"--augment {self.augment!r}: want {NONE}, or some of {', '.join(AUGMENTATIONS)} by comma")
        if len(set(self.augmentations)) < len(self.augmentations):
            raise BadConfig(f"--augment {self.augment}: want each one once")
        if self.generators > 1 and FAMILIES[self.family].one_per_class:
            raise BadConfig(f"--generators {self.generators}: {self.family} trains one on each class; leave it out")
        if self.batch_images % self.accumulate:
            raise BadConfig(f"--accumulate {self.accumulate}: does not divide --batch-images {self.batch_images}")

    @property
    def augmentations(self) -> tuple[str, ...]:
        """The names in `augment`, in order."""
        return () if self.augment == NONE else listed(self.augment)

    def resolved(self) -> dict[str, object]:
        """Return every option, None replaced by the family's value; None where the option has no meaning."""
        family = resolve(self)
        own = {name: None if name in meaningless(family) else getattr(family, name) for name in OWNED}
        return super().resolved() | own


OWNED = tuple(name for name, spec in specs(GanOptions).items() if spec.owner == "family")
"""The options that replace the value of the same name in the family's row."""


def resolve(options: GanOptions) -> Family:
    """Return the family's row with what the options override; BadConfig where the two contradict each other."""
    defaults = FAMILIES[options.family]
    given = {name: value for name in OWNED if (value := getattr(options, name)) is not None}
    # the family's label smoothing belongs to its own loss: with another one it would be an option that nobody gave
    unsmoothed = {"real_target": 1.0, "fake_target": 0.0} if given.get("loss", defaults.loss) != defaults.loss else {}
    family = replace(defaults, **(unsmoothed | given))
    reasons = {
        name: f"the family {options.family} has no such thing" for name in given if getattr(defaults, name) is None
    }
    for name, why in (reasons | meaningless(family)).items():
        if name in given:
            raise BadConfig(f"--{name.replace('_', '-')}: {why}; leave it out")
    check(family, options.family)
    return family


def meaningless(family: Family) -> dict[str, str]:
    """Return the options that mean nothing for a resolved family although its row has a value, each with the reason."""
    reasons = {}
    if not NETWORKS[family.networks].has_generator_norm:
        reasons["generator_norm"] = f"the networks {family.networks} have a norm of their own"
    if family.loss != "cross_entropy":
        reasons |= dict.fromkeys(
            ("real_target", "fake_target"), f"label smoothing: the loss {family.loss} has no targets"
        )
    return reasons


def check(family: Family, name: str) -> None:
    """Raise BadConfig where the resolved family called `name` contradicts its row or itself."""
    defaults, networks = FAMILIES[name], NETWORKS[family.networks]
    if defaults.conditional_is_fixed and family.conditional != defaults.conditional:
        flag, always = ("unconditional", "always") if defaults.conditional else ("conditional", "never")
        raise BadConfig(f"--{flag}: the family {name} {always} uses labels; leave it out")
    if family.penalty is not None and family.discriminator_norm == "batch":
        raise BadConfig(
            f"--discriminator-norm batch: {name} has a gradient penalty for each image, and batch norm "
            "couples the images of a batch; take instance, layer, spectral or none"
        )
    # their generators multiply or concatenate the label's map, without which their layers do not fit
    if networks.needs_labels and not family.conditional:
        raise BadConfig(f"the networks {family.networks} need labels: take --networks dcgan, or leave them conditional")
    if family.auxiliary_weight and not networks.has_auxiliary:
        raise BadConfig(f"--networks {family.networks}: no auxiliary head, which {name} needs; take dcgan")
    # equal targets have no gradient that tells real from fake, swapped ones train the discriminator to be wrong
    if family.real_target <= family.fake_target:
        raise BadConfig(
            f"--real-target {family.real_target:g}, --fake-target {family.fake_target:g}: want the target of real "
            "images above that of fakes"
        )
