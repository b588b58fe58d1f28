"""Where the user's own network is: `module:function` on a command line. No torch in here."""

import importlib
import sys
from importlib.util import find_spec
from pathlib import Path

from shared.errors import BadConfig
from shared.format.files import sha256


def is_own(network: str) -> bool:
    """Whether the name of a network says a function of the user's, as entry points do, rather than a row."""
    return ":" in network


def source_file(network: str) -> Path:
    """Return the source file of the module in `module:function`, without importing it.

    It is searched for on PYTHONPATH and among the installed packages, then in the current folder, which is added to
    `sys.path` for that. BadConfig where there is none.
    """
    module, _, function = network.partition(":")
    if not all(part.isidentifier() for part in (*module.split("."), function)):
        raise BadConfig(f"--network {network}: want module:function, such as my_networks:build")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)  # last, so that no file in there hides a module that halfreal itself imports
    importlib.invalidate_caches()
    try:
        found = find_spec(module)
    except (ImportError, ValueError, AttributeError) as error:
        raise BadConfig(f"--network {network}: {error}; {_searched()}") from error
    if found is None:
        raise BadConfig(f"--network {network}: there is no module {module}; {_searched()}")
    if not found.has_location or found.origin is None:
        raise BadConfig(f"--network {network}: the module {module} has no source file; want one of your own")
    return Path(found.origin)


def source_sha256(network: str) -> str:
    """Return the sha256 of the source file of the module in `module:function`; BadConfig where there is none."""
    return sha256(source_file(network).read_bytes())


def _searched() -> str:
    return f"want it on PYTHONPATH or in the current folder, {Path.cwd()}"
