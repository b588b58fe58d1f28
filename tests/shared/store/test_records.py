"""Records: manifests of an earlier build are read and written back as they were; what lacks a field is named."""

import json
from pathlib import Path
from typing import Any

import pytest

from jobs import pipeline
from jobs.pipeline import ARTIFACTS
from shared.errors import FormatError
from shared.format.manifest import parse_manifest
from shared.store.artifacts import Artifact, as_output
from shared.store.job import record_class
from shared.store.records.base import parse_record
from shared.store.records.datasets import Origin, SampleMeta, SyntheticRecord
from shared.store.records.gan import GanRecord, HistoryRow
from shared.store.records.scores import OnTest, Scores, ScoresRecord

GOLDEN = Path(__file__).parent / "golden_records"
"""Manifests that earlier builds made, by experiment: conditional (tuned), unconditional, one generator for each class,
a GAN that was scored on val alone, one with losses of more epochs than snapshots, one that was extended, the fits and
the verdict of an experiment with replicates, a verdict with metrics of each class, one of them undefined, real images
in groups with splits of their own, imported images with their scores, scores whose copy test knows transforms, scores
with a membership test and the real images with an audit split that it needs, random splits in whole groups, a verdict
whose replicates were made until its interval was narrow enough, and a point of a study with few labels."""

MANIFESTS = sorted(path.relative_to(GOLDEN).as_posix() for path in GOLDEN.glob("*/*.json"))
ROWS = {row.writes: row for row in ARTIFACTS}

ON_TEST = set(OnTest.model_fields)

MAY_BE_ABSENT = {
    "real": {"mirrors", "split", "rejected", "ignored"}
    | {"duplicates", "duplicates_with_other_label", "moved_to_the_split_of_their_copy"}
    | {"held_out", "held_out_also_real", "groups"}
    | {"near_duplicates", "resplit", "audit_fraction", "train_val_fraction", "labelled_fraction"},
    "gan": {"class_histories", "losses", "class_losses", "extended", "unlabelled_images"},
    "synthetic": {"pseudo_counts", "dropped_counts", "latent_scale"},
    "fits": {"n_unlabelled"},
    "scores": {"synthetic_only", "test", "fallback", "train_reference", "membership"},
}
"""Keys that an older or another artifact of the kind does without."""


def golden(name: str) -> Artifact:
    """Return the artifact whose manifest was kept under `name`."""
    path = GOLDEN / name
    manifest = parse_manifest(path.read_bytes(), path)
    return as_output(ROWS[path.stem], Artifact(path.parent, manifest, ""))


def test_every_kind_is_kept() -> None:
    """There is a manifest of each job's artifact."""
    assert {Path(name).stem for name in MANIFESTS} == set(ROWS)


@pytest.mark.parametrize("name", MANIFESTS)
def test_an_earlier_manifest_is_read_and_written_back(name: str) -> None:
    """The facts become a record, and that record gives the same facts again."""
    artifact = golden(name)
    # the one score that has another name today
    facts = json.loads(
        json.dumps(artifact.manifest.facts).replace("inception_score_classifier", "class_score_classifier")
    )
    assert artifact.record.facts() == facts


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_missing_field_is_named(name: str) -> None:
    """Without any one of its keys the facts are refused, unless the kind can do without it."""
    artifact = golden(name)
    row = record_class(artifact.record_name)
    for key in artifact.manifest.facts.keys() - MAY_BE_ABSENT.get(Path(name).stem, set()):
        facts = {other: value for other, value in artifact.manifest.facts.items() if other != key}
        # what an imported set does without is missed by name all the same
        with pytest.raises(FormatError, match=f"^here has no field '{key}'$|^here is incomplete: .*{key}"):
            parse_record(row, facts, "here")


def test_a_verdict_of_an_earlier_build_has_no_classes() -> None:
    """It is read without them; a later one has each class of each arm, and names the positive one of two."""
    older, newer = (golden(name).record for name in ("replicates/mixed.json", "classes/mixed.json"))
    assert [(arm.classes, arm.positive_class) for arm in older.arms] == [(None, None)] * len(older.arms)
    assert [[row.class_name for row in arm.classes] for arm in newer.arms] == [["cat", "dog"]] * len(newer.arms)
    assert {arm.positive_class for arm in newer.arms} == {"dog"}
    undefined = newer.arm("synthetic_100").classes[1].precision
    assert (undefined.values.count(None), undefined.low) == (2, None)
    assert (older.headline.freedom, newer.headline.freedom > 2) == (None, True)


def test_random_splits_of_an_earlier_build_are_read() -> None:
    """The record of a split says what was drawn, that of the verdict how many images the splits have."""
    real, mixed = golden("splits/real.json").record, golden("splits/mixed.json").record
    assert (real.resplit, real.audit_fraction, real.labelled_fraction) == ("all", 0.1, 1.0)
    assert 0.5 < mixed.protocol.test_over_train < 0.7
    assert mixed.arm("real_100").n_real_most > mixed.arm("real_100").n_real
    assert golden("groups/real.json").record.resplit is None
    assert golden("classes/mixed.json").record.protocol.resplit is None


def test_a_copy_test_of_an_earlier_build_has_no_transforms() -> None:
    """It is read without what it is flagged for; a later one has that, and names the transforms of pixels alone."""
    older, newer = (golden(f"{name}/scores.json").record.on_test.copies for name in ("conditional", "copies"))
    later = ("transforms", "flagged_for", "p_value", "nearer_limit", "least_share")
    for space in ("pixels", "classifier"):
        assert [getattr(older[space], name) for name in later] == [None] * len(later)
        assert None not in [getattr(newer[space], name) for name in later if name != "transforms"]
    assert newer["pixels"].transforms == ["shifts of up to 2 px", "mirror images", "gain and offset"]
    assert newer["classifier"].transforms is None
    assert {pair.transform for pair in newer["classifier"].closest} == {None}
    assert "mirrored" in {pair.transform for pair in newer["pixels"].closest}


def test_the_table_of_jobs_names_the_records_that_it_is_annotated_with() -> None:
    """The type argument of Job[GanRecord] is the record that the table names, so that mypy and the reader agree."""
    for name, annotation in vars(pipeline)["__annotations__"].items():
        row = getattr(pipeline, name)
        if not isinstance(row, tuple):
            assert annotation == f"Job[{row.record.partition('.')[2]}]"
            assert record_class(row.record).__name__ in annotation


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda facts: facts["losses"][1].update(epoch="2"), "losses.1.epoch"),
        (lambda facts: facts["history"][0].pop("step"), "history.0.step"),
    ],
)
def test_a_wrong_row_of_losses_is_named(change: Any, place: str) -> None:
    """The list `losses` is named as it is in JSON, and so is a field next to losses by name."""
    facts: dict[str, Any] = json.loads(json.dumps(golden("rare_snapshots/gan.json").manifest.facts))
    change(facts)
    with pytest.raises(FormatError, match=f"'{place}'"):
        parse_record(GanRecord, facts, "here")


def test_an_artifact_says_where_what_and_what_to_do() -> None:
    """The error names the manifest, the field within its row, and the command that makes the artifact again."""
    artifact = golden("conditional/scores.json")
    facts: dict[str, Any] = json.loads(json.dumps(artifact.manifest.facts))
    del facts["rows"][1]["classes"][0]["category"]
    broken = as_output(
        ROWS["scores"], Artifact(GOLDEN, artifact.manifest.model_copy(update={"facts": facts}), "", "evaluate")
    )
    with pytest.raises(FormatError) as caught:
        _ = broken.record
    assert str(caught.value).splitlines() == [
        f"{GOLDEN / 'manifest.json'}: what evaluate recorded (`facts`) has no field 'rows.1.classes.0.category'",
        "make it again: halfreal evaluate --force (with the same options, --recipe, --experiment and --data-root)",
    ]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda facts: facts["rows"][0].pop("frechet_classifier"), "is incomplete: rows.0 has no frechet_classifier"),
        (lambda facts: facts["test"].pop("frechet_classifier_by_class"), "test has no frechet_classifier_by_class"),
        (lambda facts: facts["test"].pop("recall_classifier"), "test has no recall_classifier, which real has"),
        (lambda facts: facts["test_protocols"].pop("classifier"), "test_protocols has no classifier"),
        (lambda facts: facts.pop("real"), "has no field 'real'"),
        (lambda facts: facts["chosen"].update(epoch="2"), "has '2' in the field 'chosen.epoch'"),
        (lambda facts: facts.update(rows=[]), "want rows with a chosen and a worst snapshot"),
    ],
)
def test_scores_that_contradict_themselves_are_refused(change: Any, says: str) -> None:
    """What a reader of the chosen score relies on is there, or it is said what is not."""
    facts = json.loads(json.dumps(golden("conditional/scores.json").manifest.facts))
    change(facts)
    with pytest.raises(FormatError) as caught:
        parse_record(ScoresRecord, facts, "facts")
    assert says in str(caught.value)


def test_keys_that_are_not_known_are_ignored() -> None:
    """A newer build may record more: a field, a row's key that is no number."""
    facts = golden("conditional/gan.json").manifest.facts
    newer = facts | {"later": 1, "history": [row | {"note": "new"} for row in facts["history"]]}
    assert parse_record(GanRecord, newer, "").facts() == facts


def test_losses_and_scores_are_stored_next_to_the_other_keys() -> None:
    """A row made in code and the same row read from JSON are equal; what is stored is flat."""
    row = HistoryRow(epoch=1, step=2, images_seen=3, losses={"penalty": 0.5})
    stored = {"epoch": 1, "step": 2, "images_seen": 3, "penalty": 0.5}
    assert row.facts() == stored
    assert HistoryRow.model_validate(stored) == row
    scores = Scores(scores={"fid_inception_clean": 3.0}, by_class={"fid_inception_clean": {"a": 1.0}})
    flat = {"fid_inception_clean": 3.0, "fid_inception_clean_by_class": {"a": 1.0}}
    assert scores.facts() == flat
    assert Scores.model_validate(flat) == scores


def test_what_was_not_asked_for_is_left_out_of_a_sample() -> None:
    """Nothing is asked of an unconditional generator, and its samples say nothing of it."""
    origin = {"generator_sha256": "0", "snapshot": "s", "latent_seed": 7}
    meta = {"origin": origin, "annotation": {"classifier_sha256": "1", "confidence": 0.5}}
    assert SampleMeta.model_validate(meta).facts() == meta
    assert SampleMeta.model_validate(meta).origin.asked_label is None
    asked = meta | {"origin": origin | {"asked_label": 2}}
    assert SampleMeta.model_validate(asked).facts() == asked


def imported_scores() -> dict[str, Any]:
    """Return what scores of imported images say: those of a GAN without what is of its snapshots."""
    facts = json.loads(json.dumps(golden("conditional/scores.json").record.facts()))
    return {name: value for name, value in facts.items() if name not in ("chosen", "worst")} | {"rows": []}


def test_scores_of_imported_images_have_no_snapshot() -> None:
    """They are read and written back without rows, a chosen snapshot and a worst one; without test they say nothing."""
    facts = imported_scores()
    record = parse_record(ScoresRecord, facts, "here")
    assert (record.imported, record.curve, record.other_fid) == (True, [], None)
    assert json.loads(json.dumps(record.facts())) == facts
    assert not golden("conditional/scores.json").record.imported
    with pytest.raises(ValueError, match="imported images have no snapshot"):
        record.chosen_snapshot  # noqa: B018
    with pytest.raises(FormatError, match="imported images have scores on test alone"):
        parse_record(ScoresRecord, {name: facts[name] for name in facts if name not in ON_TEST}, "here")


IMPORTED_SET = {"name": "fakes", "source": "folder", "images": 3, "sha256": "ab", "labels": "given"}


def test_synthetic_images_are_drawn_or_imported() -> None:
    """A record has a snapshot or an imported set; an origin a latent's seed, or the hash of an imported file."""
    drawn = golden("conditional/synthetic.json").manifest.facts
    imported = {name: value for name, value in drawn.items() if name != "snapshot"} | {"family": "imported"}
    imported["imported"] = IMPORTED_SET | {"rejected": 0, "ignored": 0, "left_out": {}, "equal_to_real": {"test": 1}}
    record = parse_record(SyntheticRecord, imported, "here")
    assert json.loads(json.dumps(record.facts())) == imported
    for both in (drawn | {"imported": IMPORTED_SET}, {k: v for k, v in imported.items() if k != "imported"}):
        with pytest.raises(FormatError, match="either a snapshot or an imported set"):
            parse_record(SyntheticRecord, both, "here")
    file = {"generator_sha256": "imported", "file": "cat/1.png", "sha256": "ab", "asked_label": 0}
    assert parse_record(Origin, file, "here").facts() == file
    for origin, lacks in (({**file, "sha256": None}, "sha256"), ({"generator_sha256": "ab"}, "snapshot")):
        with pytest.raises(FormatError, match=f"no {lacks}"):
            parse_record(Origin, origin, "here")
