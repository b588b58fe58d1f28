"""What the live tests share: the image, and what the short recipe gives outside of it."""

import os
import subprocess

import pytest

from tests.containers.files import ROOT, compose, missing
from tests.containers.settings import in_virtual_environment, manifests


@pytest.fixture(scope="session")
def image() -> str:
    """Return the image that Compose names, built from the real Dockerfile; skip, or fail in CI, without an engine."""
    for words in (["docker", "version"], ["docker", "compose", "version"]):
        try:
            subprocess.run(words, capture_output=True, check=True, timeout=60)
        except (OSError, subprocess.SubprocessError) as error:
            missing(f"no Docker Engine with Compose to run this on: {' '.join(words)}: {error}")
    name: str = compose()["services"]["report"]["image"]
    words = ["docker", "build", "--quiet", "--target", "runtime", "--file", "docker/Dockerfile", "--tag", name, "."]
    subprocess.run(words, cwd=ROOT, check=True, env=os.environ | {"DOCKER_BUILDKIT": "1"})
    return name


@pytest.fixture(scope="session")
def outside(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the manifests, as text, that the short recipe makes outside of any container."""
    return manifests(in_virtual_environment(tmp_path_factory.mktemp("outside")))
