"""What `evaluate` says of membership: whether training images can be told from others by the synthetic images."""

from shared.store.records.base import Record


class MembershipTest(Record):
    """How well an attack tells members from non-members in one space; see `metrics.membership.membership_test`.

    `non_members` is the split that they are from. `confounded` where more than chance sets that split and train apart,
    as an official split by writer does: then no figure here is one of membership. `grouped` where related images are in
    one split together, so that what is told apart are their groups. `auc` is from 0 to 1, 0.5 for an
    attack that guesses, with the ends of its interval. `tpr_at` has the share of members that are found by the share of
    non-members that are taken for members, such as "0.01"; None where this is fewer than ten non-members.
    """

    n_members: int
    n_non_members: int
    n_synthetic: int
    non_members: str
    confounded: bool
    auc: float
    auc_low: float
    auc_high: float
    tpr_at: dict[str, float | None]
    grouped: bool | None = None
