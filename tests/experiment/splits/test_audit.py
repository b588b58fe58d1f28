"""Membership: who is attacked, and that no job but evaluate reads the audit split."""

from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from jobs.evaluate import images as scored
from jobs.evaluate.membership import non_members_of
from jobs.pipeline import PIPELINE, PREPROCESS
from shared.data.images import load_split
from shared.metrics import membership as attack
from shared.metrics.membership import NonMembers
from shared.store.artifacts import Artifact, open_output
from shared.store.records.membership import MembershipTest
from tests.conftest import quicken
from tests.experiment.conftest import SEED, Tiny
from tests.experiment.tiny import EVALUATED, OPTIONS, Spy, bars, call, places, set_replicates

AUDIT_SHARE = 0.3
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Audited:
    """The real images with an audit split, the scores, the images that were scored, who was attacked, and by what."""

    real: Artifact
    scores: Artifact
    drawn: Spy
    prepared: Spy
    attacked: Spy


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory, recipe: Path) -> Audited:
    """Run every job with an audit split whose shards are there for evaluate alone."""
    root = tmp_path_factory.mktemp("audited")
    with pytest.MonkeyPatch.context() as patch:
        set_replicates(patch, 1)
        patch.setattr("shared.sources.published.sets.digits", bars)
        drawn, prepared, attacked = Spy(scored.draw_images), Spy(attack.prepare), Spy(attack.Attack.by)
        patch.setattr(scored, "draw_images", drawn)
        patch.setattr("jobs.evaluate.membership.prepare", prepared)
        patch.setattr(attack.Attack, "by", lambda *arguments: attacked(*arguments))  # a function, which is bound
        for row in [row for row in PIPELINE if row.name in OPTIONS]:
            words = ["--audit-fraction", AUDIT_SHARE] if row.name == "preprocess" else []
            kept = {} if row.name in ("preprocess", "evaluate") else hidden(root)
            result = call(row.name, root, "--recipe", recipe, *words)
            assert result.exit_code == 0, result.output
            for path, content in kept.items():
                path.write_bytes(content)
    made = {
        row.writes: open_output(row, root / "tiny", 0) for row in PIPELINE if row.name in ("preprocess", "evaluate")
    }
    return Audited(made["real"], made["scores"], drawn, prepared, attacked)


def hidden(root: Path) -> dict[Path, bytes]:
    """Spoil the audit shards; return what they held. A job that reads one fails by its hash."""
    real = open_output(PREPROCESS, root / "tiny", 0)
    kept = {shard: shard.read_bytes() for shard in sorted(real.folder.glob("audit-*.tar"))}
    assert kept
    for path, content in kept.items():
        path.write_bytes(bytes(len(content)))
    return kept


def test_audit_images_are_in_no_other_split(audited: Audited) -> None:
    """Three tenths of train, of every class; each picture is in one split."""
    splits = {name: load_split(audited.real, name) for name in ("train", "val", "test", "audit")}
    assert len(splits["audit"]) == pytest.approx(AUDIT_SHARE * (len(splits["train"]) + len(splits["audit"])), abs=2)
    assert set(splits["audit"].labels.tolist()) == {0, 1, 2}
    for name in ("train", "val", "test"):
        assert set(places(splits["audit"].images, splits[name].images)) == {-1}, name


def test_audit_images_are_the_non_members(audited: Audited) -> None:
    """The scored images attack train images by audit images, and these alone; what is recorded is what follows."""
    ((arguments, _),) = audited.prepared.calls
    train, val, others = arguments[:3]
    (((prepared, synthetic, *_), _),) = audited.attacked.calls
    assert prepared is audited.prepared.returned[0]
    assert torch.equal(synthetic, audited.drawn.returned[-1])
    wanted = {"train": train, "val": val, "audit": others.images}
    for name, images in wanted.items():
        assert torch.equal(images.images, load_split(audited.real, name).images), name
    assert (others.split, others.confounded, others.grouped) == ("audit", False, False)
    found = audited.scores.facts["membership"]
    assert set(found) == {"pixels", "classifier"}
    for space in found.values():
        assert (space["non_members"], space["confounded"], space["n_synthetic"]) == ("audit", False, EVALUATED)
        assert 10 < space["n_members"] == space["n_non_members"] <= len(others.images)
        assert space["tpr_at"] == {"0.01": None, "0.001": None}


def test_test_images_are_the_non_members_of_one_random_draw(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an audit split; the attack can be repeated from the volume."""
    quicken(monkeypatch)  # its classifier has as many steps as that of the experiment
    splits = {name: load_split(tiny.made["real"], name) for name in ("train", "val", "test")}
    synthetic = tiny.drawn.returned[-1]
    again = attack.prepare(splits["train"], splits["val"], NonMembers(splits["test"], "test"), 3, SEED, CPU)
    assert again is not None
    found = tiny.made["scores"].facts["membership"]
    assert {name: MembershipTest.model_validate(space) for name, space in found.items()} == again.by(synthetic)
    assert (found["pixels"]["non_members"], found["pixels"]["confounded"]) == ("test", False)


def test_the_classifier_of_the_attack_learns_from_half_of_train(tiny: Tiny) -> None:
    """In every replicate; val chooses its weights, and it sees no test image."""
    real = {name: load_split(tiny.made["real"], name) for name in ("train", "val", "test")}
    for replicate in tiny.replicates:
        fit = replicate.attacker
        learned = set(places(fit.train.images, real["train"].images))
        assert -1 not in learned
        assert len(learned) == pytest.approx(len(real["train"]) / 2, abs=2)
        assert torch.equal(fit.val.images, real["val"].images)
        assert set(places(fit.train.images, real["test"].images)) == {-1}


@pytest.mark.parametrize(
    ("split", "confounded"),
    [
        ("random, stratified", False),
        ("random, stratified, in whole groups", True),
        ("official", True),
        ("held-out test, val drawn from the rest", True),
        ("", True),
    ],
)
def test_a_split_that_is_no_random_draw_is_confounded(
    split: str, confounded: bool, tiny: Tiny, audited: Audited
) -> None:
    """Official splits may be by writer, as earlier ones of which nothing is known; an audit split never is."""
    for made, wanted in ((tiny.made["real"], ("test", confounded)), (audited.real, ("audit", False))):
        record = made.record.model_copy(update={"split": split})
        assert non_members_of(Described(made.dataset, record)) == wanted  # type: ignore[arg-type]


@dataclass(frozen=True)
class Described:
    """Real images by what is known of them."""

    dataset: object
    record: object
