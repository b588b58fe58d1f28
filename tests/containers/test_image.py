"""docker/Dockerfile: what a linter and the issue's rules say of it; `live_compose.py` builds and runs it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from shared import __version__
from tests.containers.files import ROOT

TEXT = (ROOT / "docker" / "Dockerfile").read_text(encoding="utf-8")
STAGES = dict(re.findall(r"^FROM \S+ AS (\w+)\n(.*?)(?=^FROM|\Z)", TEXT, re.MULTILINE | re.DOTALL))


def test_the_linter_finds_nothing() -> None:
    """Hadolint, with every rule on, finds nothing."""
    words = [str(Path(sys.executable).parent / "hadolint"), "--no-color", str(ROOT / "docker" / "Dockerfile")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_there_are_the_targets_that_compose_names() -> None:
    """The stages are those that the code relies on, the last one the tests'."""
    assert list(STAGES) == ["locked", "base", "package", "runtime", "test"]


def test_packages_come_by_hash() -> None:
    """Every installation checks hashes, but for our own wheel and the CPU-only torch of an index of the user's."""
    installs = re.findall(r"pip install (.*?)(?: &&|;|$)", re.sub(r"\\\n", " ", TEXT), re.MULTILINE)
    assert len(installs) == 5
    for words in installs:
        assert "--require-hashes" in words or "/wheels/" in words or '--index-url "$TORCH_INDEX"' in words


@pytest.mark.fault(27)
@pytest.mark.parametrize("index", ["", "https://example.org/cpu"])
def test_a_cpu_image_gets_no_cuda(index: str, tmp_path: Path) -> None:
    """With TORCH_INDEX neither target installs what comes with torch for GPUs, and each all the rest; else all."""
    (script,) = re.findall(
        r"&& (if \[ -n \"\$TORCH_INDEX\" \]; then .*?fi)$", STAGES["locked"], re.DOTALL | re.MULTILINE
    )
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    for name in ("runtime.lock", "test.lock"):
        (tmp_path / name).write_text(lock, encoding="utf-8")
    subprocess.run(["sh", "-c", script], cwd=tmp_path, env=os.environ | {"TORCH_INDEX": index}, check=True)
    for stage, name in (("base", "runtime.lock"), ("test", "test.lock")):
        assert f"-r /locked/{name}" in STAGES[stage]
        kept = re.findall(r"^([a-z][\w-]*)==", (tmp_path / name).read_text(encoding="utf-8"), re.MULTILINE)
        left_out = set(re.findall(r"^([a-z][\w-]*)==", lock, re.MULTILINE)) - set(kept)
        assert {"accelerate", "torchmetrics", "torch-fidelity"} <= set(kept)
        assert ({"torch", "torchvision", "triton"} <= left_out) == bool(index)
        assert all(re.match(r"torch|triton|nvidia-|cuda-", each) for each in left_out)
        assert any(each.startswith("nvidia-") for each in kept) != bool(index)


def test_only_what_generates_code_is_left_out(tmp_path: Path) -> None:
    """The runtime's lock is without Triton, which needs a compiler, and has every other line of what it was."""
    (script,) = re.findall(r"&& (awk '[^']+' runtime\.lock > kept\.lock) ", STAGES["locked"])
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    (tmp_path / "runtime.lock").write_text(lock, encoding="utf-8")
    subprocess.run(["sh", "-c", script], cwd=tmp_path, check=True)
    triton = re.findall(r"^triton==.*?(?=^[a-z0-9])", lock, re.MULTILINE | re.DOTALL)
    assert len(triton) == 1
    assert (tmp_path / "kept.lock").read_text(encoding="utf-8") == lock.replace(triton[0], "")


def test_code_comes_after_the_dependencies() -> None:
    """A change of the code leaves the large layer as it is: the stage that holds it copies nothing but lock files."""
    assert re.findall(r"^COPY (.*)$", STAGES["base"], re.MULTILINE) == [
        "--from=locked /locked/runtime.lock /locked/torch.txt /locked/"
    ]


def test_the_image_runs_as_a_user_without_rights() -> None:
    """The last user of both targets is 10001, who owns the volume."""
    for stage in ("runtime", "test"):
        assert re.findall(r"^USER (.*)$", STAGES[stage], re.MULTILINE)[-1] == "10001:10001"
    assert "install -d -o 10001 -g 10001 /data" in STAGES["runtime"]


@pytest.mark.fault(14)
def test_the_image_is_strict() -> None:
    """A misspelt variable ends a job in a container, where nobody reads a warning."""
    assert "HALFREAL_STRICT=1" in STAGES["runtime"]


def test_the_image_is_called_after_the_version() -> None:
    """Image, Compose and manifests name the version that the code has."""
    assert f"ARG VERSION={__version__}" in TEXT
    for name in ("compose.yaml", ".env.example"):
        assert f"halfreal:{__version__}" in (ROOT / name).read_text(encoding="utf-8")
    assert f"newTag: {__version__}" in (ROOT / "k8s" / "components" / "defaults" / "kustomization.yaml").read_text(
        encoding="utf-8"
    )


def test_the_build_sees_code_and_tests_alone() -> None:
    """.dockerignore leaves everything out, then lets in what the stages copy."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line and not line.startswith(("#", "!"))] == ["*", "**/__pycache__"]
    let_in = {line.removeprefix("!") for line in lines if line.startswith("!")}
    assert let_in >= {"halfreal", "jobs", "shared", "pyproject.toml", "requirements.lock", "README.md", "LICENSE"}
    assert all((ROOT / name).exists() for name in let_in)
