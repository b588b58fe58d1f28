"""The work of the controls in pieces: one replicate of one planted generator, through the product's own code.

A piece goes to a process of its own. It leaves its fits and its record in a folder, so that a stopped check goes on.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from zlib import crc32

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from jobs.evaluate.on_test import collapse
from jobs.selfcheck import planted
from jobs.selfcheck.controls import CONTROLS, REAL_ARMS
from jobs.selfcheck.planted import Planting
from jobs.selfcheck.sets import RealSets, Source
from jobs.train_mixed.fits import Fit, Splits, read_or_fit
from jobs.train_mixed.mixing import Synthetic
from jobs.train_mixed.options import MixedOptions
from shared.data.images import Images
from shared.data.pixels import Pixels
from shared.data.sampling import stratified
from shared.disk.durable import make_folder
from shared.errors import FormatError
from shared.format.files import write_json
from shared.metrics.copies import copy_test, pixel_copies
from shared.metrics.features.prdc import NEAREST, prdc
from shared.metrics.membership import Attack, NonMembers, prepare
from shared.metrics.pixels import class_qualities, compared
from shared.models.fitting import features_of, fit
from shared.models.networks import Classifier
from shared.runtime.devices import pick_device
from shared.runtime.seeding import Stream, derive_seed, fit_seed, make_generator, replicate_seed
from shared.store.records.base import Record, parse_record
from shared.store.records.copies import CopyTest
from shared.store.records.membership import MembershipTest
from shared.store.records.mixed import FitRow
from shared.store.records.scores import SampleScores, Scores
from shared.store.replicates import replicate_name

REAL = "real"
"""The pieces of the arms without synthetic images, which every control is compared with."""

RECORD = "piece.json"

PIXELS, CLASSIFIER = "pixels", "classifier"
"""The spaces in which images are compared with train images."""


class PieceRecord(Record):
    """What a piece found: its fits, and of the synthetic images, by space, the copy test and the attack by membership.

    `counts` are the images by class, `collapsed` the signs of collapse. All but `rows` is empty for real images.
    """

    rows: list[FitRow]
    counts: list[int] = Field(default_factory=list)
    copies: dict[str, CopyTest] = Field(default_factory=dict)
    membership: dict[str, MembershipTest] = Field(default_factory=dict)
    collapsed: list[str] = Field(default_factory=list)


@dataclass(frozen=True)
class Plan:
    """What a check is about: real images, how classifiers are fitted, the seed, where its pieces are kept."""

    source: Source
    config: MixedOptions
    seed: int
    device: str
    threads: int
    folder: Path


@dataclass(frozen=True)
class Piece:
    """One replicate of the arms of real images (`REAL`) or of one control."""

    name: str
    replicate: int

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms that are fitted."""
        return REAL_ARMS if self.name == REAL else tuple(CONTROLS[self.name].arms)

    def folder(self, plan: Plan) -> Path:
        """Return where the piece is kept."""
        return plan.folder / self.name / replicate_name(self.replicate)

    def is_finished(self, plan: Plan) -> bool:
        """Whether an earlier call did it."""
        return finished(self.folder(plan)) is not None


@dataclass(frozen=True)
class Setting:
    """What all pieces of a process share: the real images, and an annotator's features of train and test, float64."""

    sets: RealSets
    annotator: Classifier
    train_features: Tensor
    test_features: Tensor
    real_recall: float


@cache
def setting(plan: Plan) -> Setting:
    """Return the setting of a plan; every process makes it once, from the same seed."""
    torch.set_num_threads(plan.threads)
    sets = plan.source.load(plan.seed)
    annotator = fit(
        sets.train,
        sets.val,
        len(sets.classes),
        plan.config,
        seed=derive_seed(plan.seed, Stream.CONTROL_FIT),
        device=pick_device(plan.device),
    ).network
    train, test = (points(annotator, part.pixels) for part in (sets.train, sets.test))
    return Setting(sets, annotator, train, test, recall(train, test))


def points(annotator: Classifier, images: Tensor | Pixels) -> Tensor:
    """Return the annotator's features of uint8 images, float64 (N, features)."""
    return torch.from_numpy(features_of(annotator, images)).double()


def recall(synthetic: Tensor, real: Tensor) -> float:
    """Return the share of real features that lie among the synthetic ones."""
    return prdc(synthetic.numpy(), real.numpy(), min(NEAREST, len(synthetic) - 1, len(real) - 1))["recall"]


def do_piece(plan: Plan, piece: Piece) -> PieceRecord:
    """Fit the arms of a piece and test its images; a finished one is read."""
    folder = piece.folder(plan)
    if (found := finished(folder)) is not None:
        return found
    make_folder(folder, parents=True)
    shared = setting(plan)
    if piece.name == REAL:
        record = PieceRecord(rows=list(fitted(plan, piece, shared.sets, None)))
    else:
        synthetic = plant(shared.sets, piece.name, piece.replicate, plan.seed)
        attack = attack_of(plan, piece.replicate)
        record = PieceRecord(
            rows=list(fitted(plan, piece, shared.sets, synthetic)),
            counts=torch.bincount(synthetic.labels, minlength=len(shared.sets.classes)).tolist(),
            copies=copies_of(shared, synthetic),
            membership={} if attack is None else attack.by(synthetic.images),
            collapsed=collapse_of(shared, synthetic),
        )
    write_json(folder / RECORD, record.facts())
    return record


def finished(folder: Path) -> PieceRecord | None:
    """Return the record of a finished piece; None for one that is not, or that cannot be read."""
    import json

    path = folder / RECORD
    try:
        return parse_record(PieceRecord, json.loads(path.read_text(encoding="utf-8")), str(path))
    except (FileNotFoundError, ValueError, FormatError):
        return None


def plant(sets: RealSets, name: str, replicate: int, seed: int) -> Images:
    """Return the synthetic set of a replicate of a control."""
    # the place in the table is no part of the seed: a new row must not change the others
    place = crc32(name.encode())
    own = replicate_seed(seed, replicate)
    chosen = chosen_of_pool(sets, own)
    generator = make_generator(own, Stream.CONTROL_IMAGES, place)
    drawn = sets.pool.subset(chosen[torch.randperm(len(chosen), generator=generator)])
    maker = getattr(planted, CONTROLS[name].maker)
    made: Images = maker(Planting(sets.train, drawn, len(sets.classes), replicate, own, generator))
    return made


def chosen_of_pool(sets: RealSets, seed: int) -> NDArray[np.int64]:
    """Return the places of the images of the pool that a replicate's generators have; the others are kept from them."""
    # the same for every control of a replicate: they differ in what is done to the images alone
    return stratified(sets.pool.labels.numpy(), len(sets.train), derive_seed(seed, Stream.CONTROL_IMAGES))


@cache
def attack_of(plan: Plan, replicate: int) -> Attack | None:
    """Return the attack of a replicate, by the images of the pool that its generators do not have."""
    sets, seed = setting(plan).sets, replicate_seed(plan.seed, replicate)
    kept = np.setdiff1d(np.arange(len(sets.pool)), chosen_of_pool(sets, seed))
    others = NonMembers(sets.pool.subset(kept), "other real images", grouped=sets.grouped)
    return prepare(sets.train, sets.val, others, len(sets.classes), seed, pick_device(plan.device))


def fitted(plan: Plan, piece: Piece, sets: RealSets, synthetic: Images | None) -> Iterator[FitRow]:
    """Yield the row of each fit of a piece, as `train_mixed` makes them."""
    drawn = sets.train.subset([]) if synthetic is None else synthetic
    splits = Splits(
        sets.train,
        sets.val,
        sets.test,
        Synthetic(drawn, drawn.labels, torch.ones(len(drawn)), len(drawn)),
        sets.classes,
        sets.mirrors,
    )
    device = pick_device(plan.device)
    seeds = [fit_seed(replicate_seed(plan.seed, piece.replicate), number) for number in range(plan.config.fits)]
    for arm in piece.arms:
        for number, seed in enumerate(seeds):
            planned = Fit(arm, piece.replicate, number, seed)
            yield read_or_fit(piece.folder(plan), planned, splits, plan.config, device)[0]


def copies_of(shared: Setting, synthetic: Images) -> dict[str, CopyTest]:
    """Return the copy test of a synthetic set by space, as `evaluate` makes it."""
    features = points(shared.annotator, synthetic.images)
    return {
        PIXELS: pixel_copies(synthetic.images, shared.sets.test, shared.sets.train),
        CLASSIFIER: copy_test(features, shared.test_features, shared.train_features),
    }


def collapse_of(shared: Setting, synthetic: Images) -> list[str]:
    """Return the signs of collapse of a synthetic set, as `evaluate` finds them."""
    classes = shared.sets.classes
    drawn, real = (class_qualities(part.pixels, part.labels, len(classes)) for part in (synthetic, shared.sets.test))
    name = f"recall_{CLASSIFIER}"
    found = recall(points(shared.annotator, synthetic.images), shared.test_features)
    scores = SampleScores(scores={name: found}, agreement=None, classes=compared(drawn, real, classes))
    return collapse(scores, Scores(scores={name: shared.real_recall}), CLASSIFIER, len(synthetic))
