"""The sets of images that `judge` is given: read by their names, checked against each other before any work."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from shared.cli.progress import Reporter
from shared.errors import BadConfig, BadInput
from shared.format.files import sha256
from shared.runtime.processes import processes, usable_cores
from shared.sources.detect import check_no_address, kind_of, there
from shared.sources.items import NO_CLASS, Source, some
from shared.sources.reading import Reading
from shared.sources.table import SOURCES
from shared.sources.work import digest, name_of

LEAST_IN_A_CLASS = 3
"""Real images of a class: one for each split at least. With held-out images one fewer."""

LEAST_SYNTHETIC = 20
"""Synthetic images below which no score and no arm says anything."""

IMAGES_PER_PROCESS = 2048
"""Files below which another process that hashes costs more than it saves."""


@dataclass(frozen=True)
class Images:
    """A set of images: how it was named, where it is, the row of SOURCES that reads it, and what is there."""

    given: str
    place: Path
    kind: str
    source: Source

    @property
    def name(self) -> str:
        """The last part of its path, without a suffix, as a part of an experiment's name."""
        # braces and dots of a pattern of shards are no name of a folder
        letters = "".join(letter if letter.isalnum() or letter in "_-" else "-" for letter in self.place.stem)
        return letters.strip("-_") or "images"

    @cached_property
    def counts(self) -> Counter[str]:
        """The number of images of each class."""
        named = (self.source.classes[item.label] for item in self.source.items if item.label != NO_CLASS)
        return Counter(dict.fromkeys(self.source.classes, 0)) + Counter(named)

    def version(self, reporter: Reporter) -> str:
        """Return a text that is another one wherever an image, its class, or the number of images is another one."""
        items = self.source.items
        count = min(usable_cores(), len(items) // IMAGES_PER_PROCESS)
        with processes(count, digest.__module__, waiting=reporter.stop.at_once, name=name_of) as spread:
            hashed = reporter.each(spread(digest, items), f"hash {self.given}", len(items), "files")
            lines = [f"{item.label} {content}" for item, content in zip(items, hashed, strict=True)]
        return sha256("\n".join([*self.source.classes, *lines]).encode())[:16]


Understand = Callable[[str, Path], Reading]
"""From the row of SOURCES that reads a path, and the path, to how its files are to be understood."""


def read_images(given: str, understand: Understand) -> Images:
    """Return the images of a path as it was typed, relative to where one is; nothing is opened but tables and tars.

    Raises BadInput for a path that is not there, for what no source reads, and for what `understand` does not allow.
    """
    check_no_address(given)
    place = Path.cwd() / Path(given).expanduser()
    if not there(place):
        raise BadInput(f"{given}: there is no {place}; want a folder of images in class folders, a table, or shards")
    kind = kind_of(place)
    return Images(given, place, kind, SOURCES[kind].read.get()(place, understand(kind, place)))


READING_OPTION = re.compile(r"--(label|label-from|file-column|split-column|group-column|group-by|unlabelled) (?=\S)")
"""An option of a job about how files are read, with its value, in what the job says."""


@contextmanager
def in_words_of_judge(role: str, given: str, job: str, labelled: bool = False) -> Iterator[None]:
    """Add to a BadInput about a set which argument is meant, and name the options of its `job` as `judge` takes them.

    With `labelled` the annotator may label the images in place of what they say themselves.
    """
    try:
        yield
    except BadConfig:  # about an option or the recipe
        raise
    except BadInput as error:
        said = READING_OPTION.sub(lambda found: f"--set {job}.{found[1].replace('-', '_')}=", str(error))
        way_out = "; or say --labels annotator, which needs no labels" if labelled and "label" in said else ""
        raise type(error)(f"{role} {given}: {said.removeprefix(f'{given}: ')}{way_out}") from error


def check_apart(sets: Sequence[tuple[str, str]]) -> None:
    """Raise BadInput where two paths, each (what it is, as typed), are one place, or one is within the other."""
    real = [(role, given, Path(given).expanduser().resolve()) for role, given in sets]
    for number, (role, given, place) in enumerate(real):
        for other_role, other, other_place in real[:number]:
            if place == other_place:
                raise BadInput(f"{other_role} {other} and {role} {given} are one place; want different images")
            if place in other_place.parents or other_place in place.parents:
                raise BadInput(
                    f"{other_role} {other} and {role} {given}: one lies within the other, so that its images are in "
                    "both\nmove it out"
                )


def check(real: Images, synthetic: Sequence[Images], held_out: Images | None, labelled: bool) -> None:
    """Raise BadInput for sets that cannot be judged together: other classes, or too few images.

    With `labelled` the synthetic images have labels of their own.
    """
    least = LEAST_IN_A_CLASS - (held_out is not None)
    few = [f"{name} {count}" for name, count in real.counts.items() if count < least]
    if few:
        raise BadInput(
            f"REAL {real.given}: too few images of {len(few)} classes ({some(few)}); want at least {least} of each, "
            "and many more for a useful answer"
        )
    for images in [*(synthetic if labelled else ()), *([held_out] if held_out else [])]:
        _check_classes(real, images, "--held-out" if images is held_out else "SYNTHETIC")
    for images in synthetic:
        if len(images.source.items) < LEAST_SYNTHETIC:
            raise BadInput(
                f"SYNTHETIC {images.given}: {len(images.source.items)} images; want at least {LEAST_SYNTHETIC}"
            )
    if held_out is not None and len(held_out.source.items) < len(real.source.classes):
        raise BadInput(
            f"--held-out {held_out.given}: {len(held_out.source.items)} images of {len(real.source.classes)} classes; "
            "want at least one of each, and hundreds for a narrow interval"
        )


def lacking(real: Images, held_out: Images) -> list[str]:
    """Return a line that says which classes of the real images the held-out ones lack; none where they have all."""
    absent = [name for name in real.source.classes if not held_out.counts[name]]
    if not absent:
        return []
    return [
        f"--held-out {held_out.given}: no image of {len(absent)} of {len(real.source.classes)} classes "
        f"({some(absent)}): nothing is tested on them"
    ]


def _check_classes(real: Images, images: Images, role: str) -> None:
    """Raise BadInput where a set has classes that the real images lack."""
    unknown = [name for name in images.source.classes if name not in real.source.classes]
    if unknown:
        advice = "" if role == "--held-out" else ", or say --labels annotator, which labels them by the real ones"
        raise BadInput(
            f"{role} {images.given}: classes that REAL lacks: {some(unknown)}; it has {some(real.source.classes)}\n"
            f"name the same classes alike in both{advice}"
        )
