"""What the live tests share."""

import pytest

from tests.containers.settings import hashes, in_virtual_environment


@pytest.fixture(scope="session")
def outside(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the hashes of the manifests that the short recipe has outside of any container."""
    return hashes(in_virtual_environment(tmp_path_factory.mktemp("outside")))
