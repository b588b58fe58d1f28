"""Where training stops, which weights are kept, and the control with equal steps, against fits of that many steps."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

import shared.models.fitting
from shared.errors import BadInput
from shared.models.fit_options import FitConfig
from shared.models.fitting import FitExtras, Fitted, fit, logits_of
from tests.shared.models.fits import Script, same_weights, shades

CPU = torch.device("cpu")
EVERY = 3
CONFIG = FitConfig(steps=4 * EVERY, measure_every=EVERY, batch_images=8, width=4)

Rows = list[tuple[float, float]]


def fitted_by(rows: Rows, patch: pytest.MonkeyPatch, extras: FitExtras, config: FitConfig = CONFIG) -> Fitted:
    """Return a fit whose measurements on val, (F1, loss), are `rows`; one more measurement is an error."""
    patch.setattr(shared.models.fitting, "_val_metrics", Script(*rows))
    return fit(shades(24), shades(12), 3, config, seed=0, device=CPU, extras=extras)


def darkened(images: Tensor, labels: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    """Change images by a draw from the step's seed; the targets are probabilities."""
    shade = torch.rand(len(images), 1, 1, 1, generator=torch.Generator().manual_seed(seed))
    return images.float() / 127.5 - 1 - shade, torch.nn.functional.one_hot(labels, 3) * 0.9 + 0.1 / 3


@pytest.mark.parametrize("augment", [None, darkened], ids=["plain", "augmented"])
@pytest.mark.parametrize(
    ("steps", "most_steps", "patience", "stops"),
    [(6, 60, 1, "later"), (24, 240, 1, "earlier"), (7, 30, 0, "at the cap"), (12, None, 0, "with the control")],
)
def test_the_control_is_a_fit_of_that_many_steps(
    monkeypatch: pytest.MonkeyPatch,
    augment: shared.models.fitting.Augment | None,
    steps: int,
    most_steps: int | None,
    patience: int,
    stops: str,
) -> None:
    """Bit for bit the weights of a fit that takes `steps` and never stops early, wherever early stopping ends."""
    config = replace(CONFIG, steps=steps)
    given = shades(48), shades(12, seed=1), 3, config
    alone = fit(*given, seed=5, device=CPU, extras=FitExtras(augment=augment))
    # val losses of these shades fall for long: a gain that counts ends patience where the test wants it
    extras = FitExtras(
        patience,
        least_gain=math.inf if stops == "earlier" else 0.0,
        most_steps=most_steps,
        equal_steps=True,
        augment=augment,
    )
    fitted = fit(*given, seed=5, device=CPU, extras=extras)
    ends = {"later": fitted.stopped_at > steps, "earlier": fitted.stopped_at < steps}
    assert ends.get(stops, fitted.stopped_at == (most_steps or steps))
    assert fitted.equal_steps is not None
    assert same_weights(fitted.equal_steps, alone.network)
    assert not fitted.equal_steps.training
    assert same_weights(fitted.network, alone.network) == (stops == "with the control")
    assert alone.equal_steps is None


@pytest.mark.parametrize("equal_steps", [True, False])
def test_what_is_kept_does_not_depend_on_the_control(equal_steps: bool) -> None:
    """Asking for the control changes neither weights nor curve; an earlier stop keeps what a plain fit would."""
    given = shades(48), shades(12, seed=1), 3, replace(CONFIG, steps=30)
    plain = fit(*given, seed=5, device=CPU, extras=FitExtras(2, least_gain=math.inf))
    fitted = fit(*given, seed=5, device=CPU, extras=FitExtras(2, least_gain=math.inf, equal_steps=equal_steps))
    assert fitted.curve == plain.curve
    assert (fitted.best_step, fitted.stopped_at) == (plain.best_step, plain.stopped_at)
    assert fitted.stopped_at < 30
    assert same_weights(fitted.network, plain.network)


def test_weights_are_not_chosen_after_the_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Training goes on to `steps` for the control: the best of all measurements is the control's, not the kept one."""
    rows: Rows = [(0.5, 1), (0.4, 1), (0.4, 1), (0.9, 1)]
    fitted = fitted_by(rows, monkeypatch, FitExtras(2, most_steps=40 * EVERY, equal_steps=True))
    assert (fitted.best_step, fitted.stopped_at) == (EVERY, 3 * EVERY)
    assert [row.val_f1 for row in fitted.curve] == [0.5, 0.4, 0.4]
    assert fitted.equal_steps is not None
    seen = shared.models.fitting._val_metrics.weights  # type: ignore[attr-defined]
    for network, place in ((fitted.network, 0), (fitted.equal_steps, 3)):
        assert all(torch.equal(tensor, seen[place][name]) for name, tensor in network.state_dict().items())


def test_the_control_chooses_within_its_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """A better measurement after `steps` is kept, and is not the control's."""
    rows: Rows = [(0.5, 1), (0.7, 1), (0.6, 1), (0.6, 1), (0.9, 1), (0.8, 1), (0.8, 1)]
    fitted = fitted_by(rows, monkeypatch, FitExtras(3, most_steps=7 * EVERY, equal_steps=True))
    assert (fitted.best_step, fitted.stopped_at) == (5 * EVERY, 7 * EVERY)
    assert fitted.equal_steps is not None
    seen = shared.models.fitting._val_metrics.weights  # type: ignore[attr-defined]
    assert all(torch.equal(tensor, seen[1][name]) for name, tensor in fitted.equal_steps.state_dict().items())


@pytest.mark.parametrize(
    ("most_steps", "stops"),
    [(7 * EVERY, 7 * EVERY), (7 * EVERY + 1, 7 * EVERY + 1), (None, 4 * EVERY), (EVERY, 4 * EVERY)],
    ids=["above", "between measurements", "none", "below"],
)
def test_training_ends_at_the_cap(monkeypatch: pytest.MonkeyPatch, most_steps: int | None, stops: int) -> None:
    """Measurements that get better for ever end at the cap, which is measured too, and is `steps` at least."""
    counted: list[int] = []
    rows: Rows = [(place / 100, 1) for place in range(math.ceil(stops / EVERY))]
    extras = FitExtras(2, most_steps=most_steps, on_step=lambda count, note: counted.append(count))
    fitted = fitted_by(rows, monkeypatch, extras)
    assert fitted.stopped_at == fitted.best_step == stops == sum(counted)


@pytest.mark.parametrize("f1", [0.0, 0.5, 1.0])
def test_small_gains_of_the_loss_do_not_train_for_ever(monkeypatch: pytest.MonkeyPatch, f1: float) -> None:
    """With a loss that falls as 1 / step and a constant F1, training ends where gains no longer reach 0.01 nats."""
    rows: Rows = [(f1, 0.21 / place) for place in range(1, 200)]
    fitted = fitted_by(rows, monkeypatch, FitExtras(3, least_gain=0.01, most_steps=600))
    # what counts are measurements 1 to 5 (0.042) and 7 (0.03): 0.02 is not reached in the three after it
    assert fitted.stopped_at == 10 * EVERY
    assert fitted.best_step == 10 * EVERY  # still the best of all measurements until the stop


@pytest.mark.parametrize(
    ("rows", "stops"),
    [
        ([(0.5, 1), (0.5, 0.996), (0.5, 0.992), (0.5, 0.989), (0.5, 0.989), (0.5, 0.989), (0.5, 0.989)], 7),
        ([(0.5, 1), (0.5, 0.5), (0.6, 2), (0.6, 2), (0.6, 2), (0.6, 2)], 6),
        ([(0.5, 1), (0.4, 0.5), (0.4, 0.2), (0.4, 0.1)], 4),
    ],
    ids=["small gains add up", "a higher F1 counts at any loss", "a lower loss does not count at a lower F1"],
)
def test_what_counts_as_better(monkeypatch: pytest.MonkeyPatch, rows: Rows, stops: int) -> None:
    """Compared with the last measurement that counted: a higher F1, or the same and 0.01 nats less."""
    fitted = fitted_by([*rows, *[rows[-1]] * 9], monkeypatch, FitExtras(3, least_gain=0.01, most_steps=90))
    assert fitted.stopped_at == stops * EVERY


@pytest.mark.parametrize("every", [2, 5])
def test_patience_counts_measurements(monkeypatch: pytest.MonkeyPatch, every: int) -> None:
    """The same patience is the same number of measurements, however many steps are between them."""
    config = FitConfig(steps=20 * every, measure_every=every, batch_images=8, width=4)
    rows: Rows = [(0.5, 1), (0.9, 1), *[(0.1, 1)] * 18]
    fitted = fitted_by(rows, monkeypatch, FitExtras(4), config)
    assert fitted.stopped_at == 6 * every


def test_every_step_has_an_augmentation_of_its_own() -> None:
    """The seed of a step's draws differs from step to step and from fit to fit, and is the same for equal fits."""
    drawn: list[list[int]] = []

    def spy(images: Tensor, labels: Tensor, seed: int) -> tuple[Tensor, Tensor]:
        drawn[-1].append(seed)
        return darkened(images, labels, seed)

    for seed in (1, 1, 2):
        drawn.append([])
        fit(shades(24), shades(12), 3, CONFIG, seed=seed, device=CPU, extras=FitExtras(augment=spy))
    first, again, other = drawn
    assert first == again
    assert len({*first, *other}) == 2 * CONFIG.steps


def test_training_is_on_what_the_augmentation_returns() -> None:
    """Probabilities that speak of the next class, for images with their shades reversed, are what is learnt."""

    def turned(images: Tensor, labels: Tensor, seed: int) -> tuple[Tensor, Tensor]:
        return -(images.float() / 127.5 - 1), torch.nn.functional.one_hot((labels + 1) % 3, 3).float()

    config = FitConfig(steps=40, measure_every=40)
    fitted = fit(shades(96), shades(30, seed=1), 3, config, seed=0, device=CPU, extras=FitExtras(augment=turned))
    unseen = shades(60, seed=2)
    assert torch.equal(logits_of(fitted.network, 255 - unseen.images).argmax(dim=1), (unseen.labels + 1) % 3)


def test_a_loss_that_is_not_finite_is_refused() -> None:
    """A fit that diverges says so, with the step."""
    config = FitConfig(steps=6, measure_every=2, batch_images=8, width=4)

    def broken(images: Tensor, labels: Tensor, seed: int) -> tuple[Tensor, Tensor]:
        return images.float() * math.nan, labels

    with pytest.raises(BadInput, match="not finite by step 2; lower --learning-rate"):
        fit(shades(24), shades(12), 3, config, seed=0, device=CPU, extras=FitExtras(augment=broken))
