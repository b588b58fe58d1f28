"""Which real images are non-members, and whether a membership test against them says anything."""

from jobs.evaluate.evaluation import Evaluation
from shared.data.images import Images, load_split
from shared.metrics.membership import NonMembers, prepare
from shared.store.artifacts import Artifact
from shared.store.records.datasets import AUDIT, RANDOM_SPLIT, RealRecord
from shared.store.records.membership import MembershipTest

TEST = "test"


def membership_of(work: Evaluation, drawn: Images) -> dict[str, MembershipTest] | None:
    """Return the membership test of the synthetic images `drawn`, by space; None for too few images to attack."""
    split, confounded = non_members_of(work.real)
    # val is no source of non-members: it chooses snapshots and weights
    images = work.splits[TEST] if split == TEST else load_split(work.real, split).at(work.size, work.filter)
    others = NonMembers(images, split, confounded, grouped=work.real.record.groups is not None)
    attack = prepare(
        work.splits[work.learned],  # all that the generator saw, with labels or without
        work.splits["val"],
        others,
        len(work.classes),
        work.plan.seed,
        work.group.device,
    )
    return None if attack is None else attack.by(drawn.images, work.run.reporter.bar)


def non_members_of(real: Artifact[RealRecord]) -> tuple[str, bool]:
    """Return the split that non-members are from, and whether more than chance sets it and train apart.

    The audit split where there is one, since it is drawn from train at random, in whole groups where there are such.
    Test is of the same draw only where all splits are one random draw of single images: official splits are often of
    other people, writers or cameras.
    """
    if AUDIT in real.dataset.splits:
        return AUDIT, False
    return TEST, real.record.split != RANDOM_SPLIT
