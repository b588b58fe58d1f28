"""A replicate is the whole procedure again: what it has of its own, and what all replicates share."""

import numpy as np
import pytest
import torch

from jobs.pipeline import ARTIFACTS, FITS, PIPELINE
from shared.data.images import load_split
from shared.format.files import sha256
from shared.format.sample import Sample, decode
from shared.metrics.features.frechet import frechet_distance, moments
from shared.models.fitting import features_of, load_classifier
from shared.runtime.seeding import replicate_seed
from shared.store.artifacts import Artifact
from tests.experiment.conftest import REPLICATES, SEED, Mixed, Tiny
from tests.experiment.tiny import EVALUATED, TRAIN, enlarged

CPU = torch.device("cpu")

REPLICATED = [row for row in ARTIFACTS if row.replicated]

every_replicate = pytest.mark.parametrize("replicate", range(REPLICATES))


def samples(synthetic: Artifact) -> list[Sample]:
    """Return every synthetic sample, in reading order."""
    return [decode(key, members, "synthetic") for key, members in synthetic.members("train")]


def hashes(artifact: Artifact) -> set[str]:
    """Return the sha256 of every file and shard of an artifact."""
    dataset = artifact.manifest.dataset
    shards = [shard.sha256 for split in dataset.splits.values() for shard in split.shards] if dataset else []
    return {*shards, *(info.sha256 for info in artifact.manifest.files)}


def artifacts(tiny: Tiny, mixed: Mixed, replicate: int) -> dict[str, Artifact]:
    """Return the artifacts of a replicate by name, and the real images."""
    return tiny.replicates[replicate].made | {"fits": mixed.fits[replicate]}


@every_replicate
def test_every_job_of_a_replicate_has_its_seed(replicate: int, tiny: Tiny, mixed: Mixed) -> None:
    """The first has the experiment's own; what all share has that one too."""
    made = artifacts(tiny, mixed, replicate)
    seeds = {row.writes: made[row.writes].manifest.options["seed"] for row in REPLICATED}
    assert seeds == dict.fromkeys(seeds, replicate_seed(SEED, replicate))
    assert len(seeds) == 5
    assert replicate_seed(SEED, 0) == SEED != replicate_seed(SEED, 1)
    assert {made["real"].manifest.options["seed"], mixed.artifact.manifest.options["seed"]} == {SEED}


@every_replicate
def test_a_replicate_is_made_from_its_own_artifacts(replicate: int, tiny: Tiny, mixed: Mixed) -> None:
    """But the features of all scores are those of the first classifier, so that they compare."""
    own = f"r{replicate:02d}"
    made = artifacts(tiny, mixed, replicate)
    wanted = {
        "classifier": {"real": "real"},
        "gan": {"real": "real"},
        "scores": {"real": "real", f"gan/{own}": "gan", "classifier/r00": ""},
        "synthetic": {
            "real": "real",
            f"classifier/{own}": "classifier",
            f"gan/{own}": "gan",
            f"scores/{own}": "scores",
        },
        "fits": {"real": "real", f"synthetic/{own}": "synthetic"},
    }
    for name, inputs in wanted.items():
        hashes = {
            place: made[source].sha256 if source else tiny.made["classifier"].sha256 for place, source in inputs.items()
        }
        assert made[name].manifest.inputs == hashes, name


def test_the_results_are_made_from_all_replicates(tiny: Tiny, mixed: Mixed) -> None:
    """Scores, synthetic images and fits of each, by their places."""
    wanted = {"real": tiny.made["real"].sha256}
    for number in range(REPLICATES):
        made = artifacts(tiny, mixed, number)
        wanted |= {f"{name}/r{number:02d}": made[name].sha256 for name in ("scores", "synthetic", "fits")}
    assert mixed.artifact.manifest.inputs == wanted
    protocol = mixed.artifact.facts["protocol"]
    assert (protocol["replicates"], protocol["planned"], protocol["added"]) == (REPLICATES, REPLICATES, 0)


@pytest.mark.parametrize("name", [row.writes for row in REPLICATED if row is not FITS])
def test_replicates_have_networks_images_and_scores_of_their_own(name: str, tiny: Tiny) -> None:
    """No snapshot, classifier, shard or score of one replicate is in another."""
    first, second = (hashes(each.made[name]) for each in tiny.replicates)
    assert not first & second
    assert first or name == "scores"
    facts = [each.made[name].facts for each in tiny.replicates]
    assert facts[0] != facts[1]


def test_replicates_share_no_fit(mixed: Mixed) -> None:
    """Every arm's answers differ between replicates, those of real images alone too."""
    first, second = ({info.name: info.sha256 for info in artifact.manifest.files} for artifact in mixed.fits)
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] == second[name]] == []


def test_replicates_share_no_latent(tiny: Tiny) -> None:
    """Latents that choose a snapshot, score it or make training images are drawn for each replicate."""
    drawn = []
    for each in tiny.replicates:
        scored = {seed for arguments, _ in each.latents.calls for seed in arguments[0]}
        made = {sample.meta["origin"]["latent_seed"] for sample in samples(each.made["synthetic"])}
        assert len(scored) == 2 * EVALUATED  # the snapshots on val share theirs
        assert len(made) == 3 * TRAIN
        assert not scored & made
        drawn.append(scored | made)
    assert not drawn[0] & drawn[1]


@every_replicate
def test_synthetic_images_are_annotated_by_the_replicates_own_annotator(replicate: int, tiny: Tiny) -> None:
    """Generator and annotator of each sample are its replicate's; the other annotator says something else."""
    made = tiny.replicates[replicate].made
    found = samples(made["synthetic"])
    weights = sha256(made["classifier"].read("classifier.safetensors"))
    snapshot = sha256(made["gan"].read(made["scores"].facts["chosen"]["file"]))
    assert {sample.meta["annotation"]["classifier_sha256"] for sample in found} == {weights}
    assert {sample.meta["origin"]["generator_sha256"] for sample in found} == {snapshot}
    images = load_split(made["synthetic"], "train").images
    confidence = torch.tensor([sample.meta["annotation"]["confidence"] for sample in found])
    for number, each in enumerate(tiny.replicates):
        with torch.no_grad():
            network = load_classifier(each.made["classifier"], CPU)
            given = network(images.float() / 127.5 - 1).softmax(dim=1).max(dim=1).values
        assert torch.allclose(given, confidence, atol=1e-4) == (number == replicate)


@every_replicate
def test_scores_of_all_replicates_have_the_features_of_the_first_classifier(replicate: int, tiny: Tiny) -> None:
    """Its Fréchet distances on test, of the replicate's own images; other features would give other distances."""
    each = tiny.replicates[replicate]
    test, drawn = load_split(tiny.made["real"], "test").images, each.drawn.returned[-1]
    found = each.made["scores"].facts
    weights = tiny.made["classifier"].read("classifier.safetensors")
    for protocol in (found["protocol"], found["test_protocols"]["classifier"]):
        assert protocol["extractor_sha256"] == sha256(weights)
    for number, other in enumerate(tiny.replicates):
        network = load_classifier(other.made["classifier"], CPU)
        distance = frechet_distance(
            *(value for images in (drawn, test) for value in moments(features_of(network, enlarged(images))))
        )
        assert np.isclose(found["test"]["frechet_classifier"], distance, rtol=1e-3) == (number == 0)


def test_real_images_are_shared(tiny: Tiny) -> None:
    """One split into train, val and test for all: replicates differ in what is made, not in what is asked."""
    assert {each.made["real"].sha256 for each in tiny.replicates} == {tiny.made["real"].sha256}
    assert [row.writes for row in PIPELINE if not row.replicated] == ["real", "mixed", "report"]
