"""What is searched: a row for each GAN and each classifier. A setting is a GAN, a classifier and an arm."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

Options = Mapping[str, object]
"""Options by `job.option`, as `halfreal run --set` takes them."""


@dataclass(frozen=True, kw_only=True)
class Gan:
    """A generator: the set and the images of a class that it is trained on, and its options.

    `per_class` images of each class are train, `val_per_class` more are val. With `per_class` 0 these are all images
    of the half, as unequal as their classes are, of which a fifth is val. `share` times as many synthetic images as
    there are train images are made.
    """

    name: str
    images: str
    per_class: int
    val_per_class: int = 0
    share: float = 10.0
    options: Options = field(default_factory=dict)

    @property
    def drawn(self) -> int:
        """How many images of a class are for train and val; 0: all."""
        return self.per_class + self.val_per_class

    @property
    def val_fraction(self) -> float:
        """The share of these that is val."""
        return self.val_per_class / self.drawn if self.drawn else 0.2

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms that are compared with all real images."""
        more = (PLUS_ALL,) if self.share > MOST_SHARE else ()
        return (PLUS_100, PLUS_300, *more)


BASELINE = "real_100"
PLUS_100, PLUS_300, PLUS_ALL = (f"real_100_plus_synthetic_{amount}" for amount in ("100", "300", "all"))
MOST_SHARE = 3.0
"""How many times as many synthetic images `PLUS_300` has; `PLUS_ALL` has every one that there is."""

AUGMENTED = ("real_100_augmented", "real_100_plus_synthetic_100_augmented")
COPIED = "real_100_copied"
CONTROLS = (*AUGMENTED, COPIED)
"""Arms that only the confirmation trains."""

SMALL: Options = {"train_gan.width": 8, "train_gan.latent": 32, "train_gan.augment": "translation,cutout"}
"""The demo's WGAN-GP, narrower, with differentiable augmentation."""

PLAIN: Options = {**SMALL, "train_gan.augment": "none"}

HINGE: Options = {
    **SMALL,
    "train_gan.family": "dcgan",
    "train_gan.networks": "class",
    "train_gan.loss": "hinge",
    "train_gan.discriminator_norm": "spectral",
    "train_gan.init": "torch",
    "train_gan.beta1": 0.0,
    "train_gan.beta2": 0.99,
    "train_gan.learning_rate": 2e-3,
}

RELATIVISTIC: Options = {
    **SMALL,
    "train_gan.family": "r3gan",
    "train_gan.beta2": 0.99,
    "train_gan.learning_rate": 2e-3,
}

COLOUR: Options = {
    **RELATIVISTIC,
    "preprocess.channels": 3,
    "preprocess.resize_filter": "lanczos",
    "preprocess.background": "white",
    "train_gan.augment": "colour,translation,cutout",
}


def length(epochs: int) -> Options:
    """Return the options of a GAN's length, with two snapshots, of which val chooses."""
    return {"train_gan.epochs": epochs, "train_gan.snapshot_every_epochs": max(epochs // 2, 1)}


GANS = (
    Gan(name="mnist-10", images="mnist", per_class=10, val_per_class=5, options={**SMALL, **length(320)}),
    Gan(name="mnist-10-plain", images="mnist", per_class=10, val_per_class=5, options={**PLAIN, **length(320)}),
    Gan(name="digits-10", images="digits", per_class=10, val_per_class=5, options={**SMALL, **length(320)}),
    Gan(name="mnist-30", images="mnist", per_class=30, val_per_class=10, options={**SMALL, **length(120)}),
    Gan(name="mnist-30-hinge", images="mnist", per_class=30, val_per_class=10, options={**HINGE, **length(120)}),
    Gan(name="mnist-30-r3gan", images="mnist", per_class=30, val_per_class=10, options={**RELATIVISTIC, **length(120)}),
    Gan(name="mnist-100", images="mnist", per_class=100, val_per_class=30, options={**SMALL, **length(40)}),
    Gan(name="mnist-30-long", images="mnist", per_class=30, val_per_class=10, options={**SMALL, **length(480)}),
    Gan(name="mnist-100-long", images="mnist", per_class=100, val_per_class=30, options={**SMALL, **length(160)}),
    Gan(name="digits-30", images="digits", per_class=30, val_per_class=15, options={**SMALL, **length(120)}),
    Gan(name="emoji", images="emoji", per_class=0, share=3.0, options={**COLOUR, **length(40)}),
    Gan(
        name="mnist-1000",
        images="mnist",
        per_class=1000,
        val_per_class=100,
        share=3.0,
        options={**PLAIN, **length(6)},
    ),
)

CLASSIFIERS: Mapping[str, Options] = MappingProxyType(
    {
        "cnn": {"train_mixed.network": "small_cnn", "train_mixed.width": 8},
        "mlp": {"train_mixed.network": "tests.checks.helps.networks:mlp"},
    }
)
"""The demo's classifier, narrower, and one without convolutions, which has to learn from images what those know."""

ALWAYS: Options = {
    "preprocess.near_duplicates_bits": 0,
    "evaluate.images": 500,
    "train_classifier.steps": 600,
    "train_mixed.steps": 300,
    "train_mixed.measure_every": 50,
    "train_mixed.patience": 6,
}
