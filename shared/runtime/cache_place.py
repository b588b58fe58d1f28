"""Where what is derived from datasets is cached, where somebody chose a folder for it."""

import os
from pathlib import Path

VARIABLE = "HALFREAL_CACHE_DIR"
"""The variable that `--cache-dir` sets for this process and those that it starts."""


def chosen() -> Path | None:
    """Return the folder that `--cache-dir` names, absolute; None where nobody chose one."""
    text = os.environ.get(VARIABLE, "")
    return Path(text).absolute() if text else None
