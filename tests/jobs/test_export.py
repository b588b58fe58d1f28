"""export: what torchvision, webdataset and Hugging Face datasets read is what the shards hold; nothing is lost."""

import hashlib
import io
import json
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from numpy.typing import NDArray
from PIL import Image

from jobs.__main__ import main as halfreal
from jobs.export.card import columns, quoted, render
from jobs.export.config import FORMAT_NAMES, ExportConfig
from jobs.export.formats import FORMATS, class_folders
from jobs.export.pictures import pictures
from jobs.pipeline import PIPELINE
from shared.artifacts import Artifact, open_artifact
from shared.errors import BadConfig
from shared.files import sha256
from shared.format.manifest import ShardInfo
from shared.format.sample import decode
from shared.format.shards import read_members, write_split

Seen = dict[bytes, list[int]]
"""Labels by the bytes of the pixels: two images may be equal."""

every_format = pytest.mark.parametrize("to", FORMAT_NAMES)
quiet = pytest.mark.filterwarnings(
    "ignore:unclosed file:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)  # webdataset leaves its shards open


@pytest.fixture(scope="module")
def root(volume: Path, made: dict[str, Artifact], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the small experiment, with a synthetic set that has every class and many confidences; read only."""
    copy = tmp_path_factory.mktemp("varied")
    shutil.copytree(volume, copy, dirs_exist_ok=True)
    synthetic, mixed = made["synthetic"], made["mixed"]
    samples = [decode(key, members, "") for key, members in synthetic.members("train")]
    varied = [
        replace(
            sample,
            label=(sample.meta["origin"]["asked_label"] + (index % 5 == 0)) % 3,
            meta=sample.meta | {"annotation": sample.meta["annotation"] | {"confidence": (index * 7 % 54) / 54}},
        )
        for index, sample in enumerate(samples)
    ]
    folder = copy / "small" / "synthetic"
    split = write_split(folder, "train", varied, class_count=3, shard_images=20)
    dataset = synthetic.dataset.model_copy(update={"splits": {"train": split}})
    facts = synthetic.facts | {"annotated_counts": split.class_counts}
    payload = synthetic.manifest.model_copy(update={"dataset": dataset, "facts": facts}).to_bytes()
    (folder / "manifest.json").write_bytes(payload)
    inputs = mixed.manifest.inputs | {"synthetic": sha256(payload)}
    changed = mixed.manifest.model_copy(update={"inputs": inputs})
    (copy / "small" / "mixed" / "manifest.json").write_bytes(changed.to_bytes())
    return copy


@pytest.fixture(scope="module")
def varied(root: Path) -> dict[str, Artifact]:
    """Open the artifacts of that experiment by name."""
    rows = [row for row in PIPELINE if row.name != "report"]
    return {row.writes: open_artifact(root / "small" / row.writes, row.kind, row.name) for row in rows}


def export(root: Path, out: Path, *words: object) -> Result:
    """Return the result of the command on the experiment `small`."""
    place = ["--data-root", str(root), "--experiment", "small", "--out", str(out)]
    return CliRunner().invoke(halfreal, ["export", *place, *map(str, words)])


def files(folder: Path) -> dict[str, bytes]:
    """Return every file below `folder`."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def held(synthetic: Artifact, label: Callable[[dict[str, Any], int], int], least: float = 0.0) -> Seen:
    """Return what the shards hold: of each image of at least this confidence the label that `label` takes."""
    seen: Seen = {}
    for _, members in synthetic.members("train"):
        meta = json.loads(members["json"])
        if meta["annotation"]["confidence"] >= least:
            _add(seen, Image.open(io.BytesIO(members["png"])), label(meta, int(members["cls"])))
    return seen


def annotated(meta: dict[str, Any], cls: int) -> int:
    """Return the annotator's label."""
    return cls


def asked(meta: dict[str, Any], cls: int) -> int:
    """Return the class that the generator was asked for."""
    return int(meta["origin"]["asked_label"])


def _add(seen: Seen, picture: Any, label: int) -> None:
    pixels: NDArray[np.uint8] = np.asarray(picture.convert("RGB"))
    seen.setdefault(pixels.tobytes(), []).append(label)


def by_torchvision(folder: Path, cache: Path) -> Seen:
    """Read an image folder with torchvision."""
    from torchvision.datasets import ImageFolder

    seen: Seen = {}
    for picture, label in ImageFolder(str(folder)):
        _add(seen, picture, label)
    return seen


def by_webdataset(folder: Path, cache: Path) -> Seen:
    """Read shards with webdataset."""
    import webdataset

    seen: Seen = {}
    for sample in webdataset.WebDataset(sorted(map(str, folder.glob("*.tar"))), shardshuffle=False):
        _add(seen, Image.open(io.BytesIO(sample["png"])), int(sample["cls"]))
    return seen


def load(cache: Path, *words: str, **settings: str) -> Any:
    """Return what Hugging Face datasets loads as the split train, without a network."""
    import datasets

    datasets.disable_progress_bars()
    return datasets.load_dataset(*words, split="train", cache_dir=str(cache), **settings)


def _rows(rows: Any, picture: str = "image", label: str = "label") -> Seen:
    seen: Seen = {}
    for row in rows:
        _add(seen, row[picture], row[label])
    return seen


def by_datasets_as_folder(folder: Path, cache: Path) -> Seen:
    """Read an image folder with datasets' own loader."""
    return _rows(load(cache, "imagefolder", data_dir=str(folder)))


def by_datasets_as_shards(folder: Path, cache: Path) -> Seen:
    """Read shards with datasets' own loader."""
    return _rows(load(cache, "webdataset", data_files=str(folder / "*.tar")), "png", "cls")


def by_datasets(folder: Path, cache: Path) -> Seen:
    """Read a folder of the layout hf with datasets."""
    return _rows(load(cache, str(folder)))


def by_datasets_shards_by_place(folder: Path, cache: Path) -> Seen:
    """Let datasets find out itself what lies in a folder of shards."""
    return _rows(load(cache, str(folder)), "png", "cls")


READERS = [
    ("imagefolder", by_torchvision),
    ("imagefolder", by_datasets_as_folder),
    ("imagefolder", by_datasets),
    ("webdataset", by_webdataset),
    ("webdataset", by_datasets_as_shards),
    ("webdataset", by_datasets_shards_by_place),
    ("hf", by_datasets),
]


@quiet
@pytest.mark.parametrize(("to", "read"), READERS)
@pytest.mark.parametrize("labels", [annotated, asked])
def test_other_readers_see_every_image_with_its_label(
    to: str,
    read: Callable[[Path, Path], Seen],
    labels: Callable[[dict[str, Any], int], int],
    root: Path,
    varied: dict[str, Artifact],
    tmp_path: Path,
) -> None:
    """Each image of the shards arrives once, with the label asked for: the annotator's or the class asked for."""
    words = ["--labels", labels.__name__]
    result = export(root, tmp_path / "out", "--to", to, *words)
    assert result.exit_code == 0, result.output
    seen = {pixels: sorted(found) for pixels, found in read(tmp_path / "out", tmp_path / "cache").items()}
    assert seen == {pixels: sorted(found) for pixels, found in held(varied["synthetic"], labels).items()}
    assert sum(map(len, seen.values())) == 54


def test_the_formats_that_the_command_offers_are_the_rows() -> None:
    """The names that are offered without heavy imports are the rows behind them, and all are read above."""
    assert sorted(FORMAT_NAMES) == sorted(FORMATS) == sorted({to for to, _ in READERS})


def test_hugging_face_gets_class_names(
    root: Path, varied: dict[str, Artifact], hostile_classes: tuple[str, ...], tmp_path: Path
) -> None:
    """Labels are ClassLabel features with the class names, whatever these hold; beside them stands what is known."""
    import datasets

    assert export(root, tmp_path / "out", "--to", "hf").exit_code == 0
    rows = load(tmp_path / "cache", str(tmp_path / "out"))
    for column in ("label", "annotated_label", "asked_label"):
        assert rows.features[column] == datasets.ClassLabel(names=list(hostile_classes))
    known = [json.loads(members["json"]) for _, members in varied["synthetic"].members("train")]
    assert rows["confidence"][:] == [meta["annotation"]["confidence"] for meta in known]
    assert rows["asked_label"][:] == [meta["origin"]["asked_label"] for meta in known]
    assert rows["latent_seed"][:] == [meta["origin"]["latent_seed"] for meta in known]


def test_nothing_was_asked_of_an_unconditional_generator(varied: dict[str, Artifact]) -> None:
    """Where nothing can be asked of the generator there is no such column, and --labels asked is refused."""
    config = ExportConfig(to="hf", labels="asked", min_confidence=0.0)
    synthetic = varied["synthetic"]
    manifest = synthetic.manifest.model_copy(update={"facts": synthetic.facts | {"agreement": None}})
    unconditional = Artifact(synthetic.folder, manifest, synthetic.sha256)
    with pytest.raises(BadConfig, match="take annotated"):
        next(pictures(unconditional, config))
    assert columns(synthetic, config).keys() - columns(unconditional, config).keys() == {"asked_label"}


@pytest.mark.parametrize("name", ['tab\tquote"', "\x7f\x85\u2028", "\N{GRINNING FACE}", "yes", "0x1", "- a: b #c"])
def test_any_name_stands_in_the_head_of_the_card(name: str) -> None:
    """A quoted name is YAML of the same text."""
    import yaml

    assert yaml.safe_load(f"- {quoted(name)}\n") == [name]


def test_shards_are_those_of_the_synthetic_set(root: Path, varied: dict[str, Artifact], tmp_path: Path) -> None:
    """With the annotator's labels the members of the exported shards are the synthetic set's own, byte by byte."""
    assert export(root, tmp_path / "out", "--to", "webdataset").exit_code == 0
    path = tmp_path / "out" / "train-00000.tar"
    payload = path.read_bytes()
    info = ShardInfo(name=path.name, bytes=len(payload), sha256=sha256(payload), count=54, class_counts=[54])
    assert list(read_members(path, info)) == list(varied["synthetic"].members("train"))


@every_format
def test_equal_exports_have_equal_bytes(to: str, root: Path, tmp_path: Path) -> None:
    """Written twice, in other places, an export has the same files with the same bytes."""
    for name in ("a", "b"):
        assert export(root, tmp_path / name, "--to", to).exit_code == 0
    assert files(tmp_path / "a") == files(tmp_path / "b")
    assert {"README.md", "recipe.toml", "export.json"} <= files(tmp_path / "a").keys()
    assert sorted(path.name for path in tmp_path.iterdir() if not path.name.endswith(".lock")) == ["a", "b"]


def test_little_confidence_is_left_out(root: Path, varied: dict[str, Artifact], tmp_path: Path) -> None:
    """With --min-confidence only images of at least this confidence are there, and the card says how many are not."""
    sure = sorted(json.loads(m["json"])["annotation"]["confidence"] for _, m in varied["synthetic"].members("train"))
    least = sure[27]
    assert export(root, tmp_path / "out", "--to", "hf", "--min-confidence", least).exit_code == 0
    wanted = held(varied["synthetic"], annotated, least)
    seen = by_datasets(tmp_path / "out", tmp_path / "cache")
    assert {key: sorted(found) for key, found in seen.items()} == {k: sorted(found) for k, found in wanted.items()}
    left_out = sum(value < least for value in sure)
    assert 0 < left_out <= 27
    card = (tmp_path / "out" / "README.md").read_text("utf-8")
    assert f"{left_out} of 54" in card
    assert "with other labels or images than are given here" in card


def test_the_card_is_one_that_the_hub_reads(root: Path, tmp_path: Path) -> None:
    """huggingface_hub reads the head of the card; the licence is there to be filled in, at the head and in the text."""
    from huggingface_hub import DatasetCard

    assert export(root, tmp_path / "out", "--to", "hf").exit_code == 0
    card = DatasetCard.load(tmp_path / "out" / "README.md")
    assert card.data.license is None
    assert card.data.task_categories == ["image-classification"]
    assert "license: # NOT STATED" in (tmp_path / "out" / "README.md").read_text("utf-8")
    assert "**Not stated.**" in card.text


@every_format
def test_the_card_says_what_was_found(to: str, root: Path, varied: dict[str, Artifact], tmp_path: Path) -> None:
    """Every sentence of the verdict, every arm, the test score with its protocol, both copy tests and every hash."""
    assert export(root, tmp_path / "out", "--to", to).exit_code == 0
    card = (tmp_path / "out" / "README.md").read_text("utf-8")
    mixed, scores = varied["mixed"].facts, varied["scores"].facts
    for row in mixed["comparisons"]:
        assert f"- {row['sentence']}\n" in card
    for arm in mixed["arms"]:
        assert f"{100 * arm['accuracy']['mean']:.1f} | {100 * arm['accuracy']['low']:.1f} to" in card
    assert f"{scores['test']['frechet_classifier']:.4f} | {scores['real']['frechet_classifier']:.4f} |" in card
    for value in scores["test_protocols"]["classifier"].values():
        assert str(value) in card
    for found in scores["copies"].values():
        low, high = found["copy_rate_interval"]
        assert f"{100 * found['copy_rate']:.1f} % | {100 * low:.1f} to {100 * high:.1f} |" in card
    for name, artifact in varied.items():
        assert artifact.sha256 in card, name
    assert "<script" not in card.replace("\\<script", "").split("---", 2)[2]
    assert "Warning: copies" not in card


def test_a_copier_is_warned_of(root: Path, varied: dict[str, Artifact], tmp_path: Path) -> None:
    """Where the test for copies was flagged the card opens with a warning that gives the rate and its interval."""
    scores = varied["scores"]
    found = {"copy_rate": 0.25, "copy_rate_interval": [0.2, 0.31], "flagged": True}
    copies = {"pixels": scores.facts["copies"]["pixels"] | found}
    manifest = scores.manifest.model_copy(update={"facts": scores.facts | {"copies": copies}})
    inputs = varied | {"scores": Artifact(scores.folder, manifest, scores.sha256)}
    config = ExportConfig(to="hf", labels="annotated", min_confidence=0.0)
    card = render(inputs, config, Counter({0: 54}))
    warning = card.index("> **Warning: copies of training images.** In pixels, 25.0 %")
    assert "(95 % interval 20.0 to 31.0 %)" in card[warning:]
    assert warning < card.index("## Licence")


def test_the_card_of_one_arm_and_one_seed(varied: dict[str, Artifact]) -> None:
    """Without a comparison the card speaks of no verdict's labels; one seed and one image are no plural."""
    mixed = varied["mixed"]
    alone = {
        "comparisons": [],
        "arms": mixed.facts["arms"][:1],
        "protocol": mixed.facts["protocol"] | {"seeds": [0], "n_test": 1, "optimizer_steps": 1200},
    }
    manifest = mixed.manifest.model_copy(update={"facts": mixed.facts | alone})
    inputs = varied | {"mixed": Artifact(mixed.folder, manifest, mixed.sha256)}
    for labels in ("annotated", "asked"):
        config = ExportConfig(to="hf", labels=labels, min_confidence=0.0)
        card = render(inputs, config, Counter({0: 1}))
        assert "\n1 image of 3 classes, " in card
        assert (
            "No two arms were trained that answer a question together.\n\nProtocol: 1 real test image, 1 seed, " in card
        )
        assert "1 seed, 1,200 optimizer steps for every arm" in card
        assert "The verdict was reached" not in card
    comparing = render(varied, config, Counter({0: 2}))
    assert "\n2 images of 3 classes, " in comparing
    assert "The verdict was reached" in comparing


def test_the_recipe_of_an_export_makes_it_again(root: Path, tmp_path: Path, run_job: Callable[..., Result]) -> None:
    """With the recipe that lies in an export the synthetic set is already complete."""
    assert export(root, tmp_path / "out", "--to", "imagefolder").exit_code == 0
    result = run_job("synthesize", root, "--recipe", tmp_path / "out" / "recipe.toml")
    assert (result.exit_code, "already complete" in result.stderr) == (0, True), result.output


def test_what_stands_there_is_kept(root: Path, tmp_path: Path) -> None:
    """The same export again is already complete, and an edit of the card stays; another one replaces it."""
    out = tmp_path / "out"
    assert export(root, out, "--to", "hf").exit_code == 0
    first = files(out)
    assert "already complete" in export(root, out, "--to", "hf").stderr
    assert export(root, out, "--to", "hf", "--labels", "asked").exit_code == 0
    assert files(out)["metadata.jsonl"] != first["metadata.jsonl"]
    (out / "README.md").write_text("license: mit\n", encoding="utf-8")
    assert "already complete" in export(root, out, "--to", "hf", "--labels", "asked").stderr
    refused = export(root, out, "--to", "hf")
    assert (refused.exit_code, "was edited" in refused.stderr) == (2, True)
    assert (out / "README.md").read_text("utf-8") == "license: mit\n"
    assert export(root, out, "--to", "hf", "--force").exit_code == 0
    assert files(out) == first


def _drop(path: Path) -> None:
    path.unlink()


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _alter(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1] + b"!")


def _drop_folder(path: Path) -> None:
    shutil.rmtree(path.parent)


@pytest.mark.parametrize(
    ("to", "pattern", "damage", "why"),
    [
        ("imagefolder", "*/*.png", _drop, "missing"),
        ("imagefolder", "*/*.png", _drop_folder, "missing"),
        ("imagefolder", "*/*.png", _alter, "altered"),
        ("webdataset", "*.tar", _empty, "0 bytes"),
        ("hf", "metadata.jsonl", _alter, "altered"),
        ("hf", "README.md", _drop, "missing"),
    ],
)
def test_a_broken_export_is_made_anew(
    to: str, pattern: str, damage: Callable[[Path], None], why: str, root: Path, tmp_path: Path
) -> None:
    """A file that is missing, cut short or altered is found, named, and the export is whole again."""
    assert export(root, tmp_path / "out", "--to", to).exit_code == 0
    before = files(tmp_path / "out")
    broken = min((tmp_path / "out").glob(pattern))
    damage(broken)
    result = export(root, tmp_path / "out", "--to", to)
    assert result.exit_code == 0, result.output
    assert f"making it anew because {broken}: {why}" in result.stderr
    assert files(tmp_path / "out") == before
    assert "already complete" in export(root, tmp_path / "out", "--to", to).stderr


@every_format
def test_the_record_lists_every_file(to: str, root: Path, tmp_path: Path) -> None:
    """export.json has the size and the sha256, as hashlib gives it, of every other file of the export."""
    assert export(root, tmp_path / "out", "--to", to).exit_code == 0
    held = files(tmp_path / "out")
    record = json.loads(held.pop("export.json"))
    wanted = {name: (len(payload), hashlib.sha256(payload).hexdigest()) for name, payload in held.items()}
    assert {row["name"]: (row["bytes"], row["sha256"]) for row in record["files"]} == wanted


def test_an_edited_card_stays_where_the_export_is_broken(root: Path, tmp_path: Path) -> None:
    """An export that is broken and whose card was edited is refused, with what is broken, and nothing is touched."""
    out = tmp_path / "out"
    assert export(root, out, "--to", "webdataset").exit_code == 0
    (out / "README.md").write_text("license: mit\n", encoding="utf-8")
    (out / "train-00000.tar").unlink()
    before = files(out)
    refused = export(root, out, "--to", "webdataset")
    assert (refused.exit_code, "was edited" in refused.stderr) == (2, True)
    assert "train-00000.tar: missing" in refused.stderr
    assert files(out) == before


def test_another_export_says_why_the_old_one_goes(root: Path, tmp_path: Path) -> None:
    """Where what stands answers other options, these are named with both values."""
    assert export(root, tmp_path / "out", "--to", "hf").exit_code == 0
    result = export(root, tmp_path / "out", "--to", "hf", "--labels", "asked")
    assert "making it anew because labels was 'annotated', now 'asked'" in result.stderr


def test_a_place_without_room_for_files_is_no_busy_one(root: Path) -> None:
    """Where the system lets nobody make a file the export is refused for good: exit code 2, not busy."""
    result = export(root, Path("/proc/x"), "--to", "hf")
    assert (result.exit_code, "/proc: cannot be written to" in result.stderr) == (2, True), result.output


@pytest.mark.parametrize("words", [["export", "--to", "hf", "--min-confidence"], ["sample", "--truncation"]])
def test_what_is_no_number_is_refused(words: list[str], root: Path) -> None:
    """Commands refuse NaN as jobs do, in the same words: click's ranges let it pass."""
    result = CliRunner().invoke(halfreal, [*words, "nan", "--data-root", str(root), "--experiment", "small"])
    assert (result.exit_code, f"error: {words[-1]} nan: want a finite number\n") == (2, result.stderr)


def test_a_folder_that_is_no_export_is_kept(root: Path, tmp_path: Path) -> None:
    """A folder of the user's own is refused and untouched without --force; an empty one is taken."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("all my work", encoding="utf-8")
    refused = export(root, tmp_path / "mine", "--to", "hf")
    assert (refused.exit_code, "--force replaces it" in refused.stderr) == (2, True)
    assert files(tmp_path / "mine") == {"thesis.txt": b"all my work"}
    assert export(root, tmp_path / "mine", "--to", "hf", "--force").exit_code == 0
    (tmp_path / "empty").mkdir()
    assert export(root, tmp_path / "empty", "--to", "hf").exit_code == 0


@pytest.mark.parametrize("where", [".", "small", "small/synthetic", "small/synthetic/export"])
def test_an_export_never_lies_over_an_artifact(where: str, root: Path, varied: dict[str, Artifact]) -> None:
    """Not even with --force does an export take the place of the volume, the experiment or an artifact."""
    before = files(varied["synthetic"].folder)
    result = export(root, root / where, "--to", "hf", "--force")
    assert (result.exit_code, "a place of its own" in result.stderr) == (2, True)
    assert files(varied["synthetic"].folder) == before


@every_format
def test_a_failed_export_leaves_what_was_there(
    to: str, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An export that fails at its end leaves nothing of itself, and the one that stood there as it was."""
    assert export(root, tmp_path / "out", "--to", to).exit_code == 0
    before = files(tmp_path)

    def full(*_: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("jobs.export.card.render", full)
    assert export(root, tmp_path / "out", "--to", to, "--labels", "asked").exit_code == 1
    assert files(tmp_path) == before


def test_one_killed_between_its_names_is_mended(root: Path, tmp_path: Path) -> None:
    """What an export moved aside before it was killed has its name again when the next one fails."""
    assert export(root, tmp_path / "out", "--to", "hf").exit_code == 0
    before = files(tmp_path / "out")
    (tmp_path / "out").rename(tmp_path / ".out.replaced")
    assert export(root, tmp_path / "out", "--to", "hf", "--min-confidence", 1).exit_code == 2
    assert files(tmp_path / "out") == before


def test_an_empty_class_is_refused_where_labels_would_shift(root: Path, tmp_path: Path) -> None:
    """An image folder without a class would number the others anew: exit code 2, and nothing is written."""
    result = export(root, tmp_path / "out", "--to", "imagefolder", "--min-confidence", 0.97)
    assert result.exit_code == 2
    assert "labels would shift" in result.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("classes", "folders"),
    [
        (["cat", "dog", "red owl"], ["cat", "dog", "red owl"]),
        (list("0123456789"), list("0123456789")),
        (["\N{GRINNING FACE}", "\N{SMILING FACE WITH HORNS}"], ["\N{GRINNING FACE}", "\N{SMILING FACE WITH HORNS}"]),
        (["not Smiling", "Smiling"], ["class-0", "class-1"]),  # capitals come first
        (["A", "a"], ["class-0", "class-1"]),
        (["a/b", "c"], ["class-0", "class-1"]),
        ([".a", "b"], ["class-0", "class-1"]),
        (["a", "b "], ["class-0", "class-1"]),
        (["a", "test"], ["class-0", "class-1"]),
        (["a", "val-1"], ["class-0", "class-1"]),
        (["a", "testament"], ["a", "testament"]),
        ([str(n) for n in range(11)], [f"class-{n:02d}" for n in range(11)]),  # 10 would come before 2
    ],
)
def test_folders_have_the_order_of_labels(classes: list[str], folders: list[str]) -> None:
    """Class names are folders where their order is that of the labels and every reader takes them; else numbers are."""
    assert class_folders(classes) == folders == sorted(folders)
