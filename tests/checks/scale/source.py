"""The row about parts of `preprocess`: how often they read the source together."""

from pathlib import Path

from tests.checks.scale.row import ROOT, job
from tests.checks.scale.sets import folders

IMAGES, SIZE_PX = 2_000, 32


def reads_of_parts(folder: Path) -> float:
    """Return the opened source files of 4 parts, started one after another, over those of one process."""
    pictures = folders(folder / "pictures", IMAGES, SIZE_PX)
    log = folder / "opened"
    opened = []
    for parts in (1, 4):
        log.write_bytes(b"")
        where = ["--data-root", folder / f"of-{parts}", "--experiment", "set", "--source-path", pictures]
        size = ["--source", "folder", "--size-px", SIZE_PX, "--limit", 0, "--per-class", 0]
        rounds = 1 if parts == 1 else 2  # the first ones end before the digests of the last are there
        for part in [part for _ in range(rounds) for part in range(parts)]:
            divided = [] if parts == 1 else ["--parts", parts, "--index", part]
            job("preprocess", "--recipe", "emoji", *where, *size, *divided, HALFREAL_OPENED=str(log), **hook(folder))
        opened.append(len(log.read_bytes()))
    return opened[1] / opened[0]


def hook(folder: Path) -> dict[str, str]:
    """Return the environment in which every Python process notes each picture that it opens, by one byte."""
    place = folder / "hook"
    place.mkdir(exist_ok=True)
    (place / "sitecustomize.py").write_text(
        "import os, sys\n"
        "_log = os.environ.get('HALFREAL_OPENED')\n"
        "def _note(event, words):\n"
        "    if event == 'open' and str(words[0]).endswith('.png') and 'pictures' in str(words[0]):\n"
        "        place = os.open(_log, os.O_WRONLY | os.O_APPEND)\n"
        "        os.write(place, b'.')\n"
        "        os.close(place)\n"
        "if _log:\n"
        "    sys.addaudithook(_note)\n",
        encoding="utf-8",
    )
    return {"PYTHONPATH": f"{place}:{ROOT}"}
