"""How many images a job may ask for on this machine."""

import os

import pytest

from shared.errors import BadConfig
from shared.runtime.memory import check_images_fit


def test_what_fills_half_of_the_memory_is_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine of 16 MiB, images of 16x16 px with features of 8 KiB: 8 MiB hold 992 of 8,448 bytes, and no more."""
    monkeypatch.setattr(os, "sysconf", {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 4096}.__getitem__)
    check_images_fit("--images", 992, 16, 1)
    with pytest.raises(BadConfig, match=r"--images 993: .* want at most 992"):
        check_images_fit("--images", 993, 16, 1)
