"""Images in folders: one for each class, in folders for each split where there are such."""

import posixpath
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from shared.errors import BadInput
from shared.sources.entries import Entry, understood
from shared.sources.items import FileReader, Source, is_image, is_label, plain, some
from shared.sources.labels import split_of
from shared.sources.packed import folders_of, is_archive, open_archive
from shared.sources.reading import Reading
from shared.sources.stylegan import labelled_by_list, listed_labels
from shared.sources.trees.checks import check_classes, doubts
from shared.sources.trees.others import advice_on
from shared.sources.trees.tree import Parts, Tree, walk


@dataclass
class Listing:
    """What the files of a tree are: images with their class and split, and what is not taken."""

    images: list[tuple[Parts, str, str]] = field(default_factory=list)
    loose: list[Parts] = field(default_factory=list)
    unnamed: list[Parts] = field(default_factory=list)
    others: list[Parts] = field(default_factory=list)
    empty: list[Parts] = field(default_factory=list)
    aside: list[Parts] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)

    def warnings(self) -> list[str]:
        """Return a line for each kind of file or folder that is not taken."""
        rows = (
            (self.loose, "images outside the class folders, not taken", "move each into the folder of its class"),
            (self.unnamed, "images whose path does not fit --label-from, not taken", "correct it if they have a class"),
            (self.files, "files without the suffix of an image, not taken", "save images as PNG or JPEG"),
            (self.links, "links to folders, not followed", "copy the folder to the place of the link"),
            (self.empty, "folders without an image, which are no class", "put images there, or remove them"),
            (self.aside, "folders next to those of the splits, not taken", "move their images into the splits"),
        )
        return self.doubts + [
            f"{what}: {len(paths):,} ({some(['/'.join(parts) for parts in paths])}); {do}"
            for paths, what, do in rows
            if paths
        ]

    @property
    def links(self) -> list[Parts]:
        """Links to folders: the others that end in a slash."""
        return [parts for parts in self.others if parts[-1].endswith("/")]

    @property
    def files(self) -> list[Parts]:
        """Files that are no images: the others without the links."""
        return [parts for parts in self.others if not parts[-1].endswith("/")]

    @property
    def ignored(self) -> int:
        """How many files are not taken, those of the folders aside left out."""
        return len(self.loose) + len(self.unnamed) + len(self.others)


def folder(place: Path, reading: Reading) -> Source:
    """Return the images below `place`: a folder for each class, or for each split with such in it.

    A zip or a tar of such folders is read as it is, a table at `place`, and tables in it as Hugging Face has them, as
    the source `csv`. Files with the suffix of an image that is decoded here count, in subfolders too, hidden ones not;
    see `arrange` for the folders. Raises BadInput where fewer than two classes have images.
    """
    from shared.sources.tables import source as tables

    if place.is_file() and is_archive(place):
        archive = open_archive(place)
        tree = Tree(sorted(archive.members), list(folders_of(archive.members)))
        found = source_of(place, tree, archive.reader(place), reading)
        return replace(found, warnings=[*found.warnings, *archive.warnings()])
    if place.is_file():
        return tables.table(place, reading)
    if not place.is_dir():
        raise BadInput(f"{place}: no such folder; put a folder of images for each class there, or give --source-path")
    tree = walk(place)
    if files := tables.hugging_face(place, tree.files, reading):
        found = tables.read_tables(place, files, reading)
        return _say_unlisted(found, tree) if any(file.path.name in tables.METADATA for file in files) else found
    return source_of(place, tree, partial(FileReader, place), reading)


def _say_unlisted(source: Source, tree: Tree) -> Source:
    """Return a source of metadata with a line about the images that it does not list."""
    listed = {posixpath.normpath(str(item.origin["file"])) for item in source.items}
    others = ["/".join(parts) for parts in tree.files if is_image(parts[-1])]
    others = [name for name in others if name not in listed]
    if not others:
        return source
    line = f"images that the metadata do not list, not taken: {len(others):,} ({some(others)})"
    return replace(source, warnings=[*source.warnings, line], ignored=source.ignored + len(others))


def source_of(place: Path, tree: Tree, reader: Callable[[Parts], Callable[[], bytes]], reading: Reading) -> Source:
    """Return the source that a tree of files makes; `reader` returns the function that reads one.

    A `dataset.json` of StyleGAN says the classes where there is one, else folders do.
    """
    from shared.sources.tables import source as tables

    for option, name in (("--label", reading.label), ("--group-column", reading.group_column)):
        if name:
            there = tables.metadata_columns(place, tree.files) if place.is_dir() else ""
            raise BadInput(
                f"{place}: {option} {name}: {there or 'folders have no columns; want a table, or leave it out'}"
            )
    if reading.label_from is None and (labels := listed_labels(place, tree.files, reader)):
        return labelled_by_list(place, tree.files, *labels, reader, reading)
    listing = arrange(place, tree, reading)
    entries = (
        Entry(label, {"source": "folder", "file": "/".join(parts)}, reader(parts), split=split)
        for parts, label, split in listing.images
    )
    _check_names(place, listing, reading)
    found = understood(place, entries, reading, warnings=listing.warnings(), ignored=listing.ignored)
    return replace(found, notes=[*listing.notes, *found.notes])


def _check_names(place: Path, listing: Listing, reading: Reading) -> None:
    """Raise BadInput for folders that cannot be classes, and for too few of them."""
    names = sorted({label for _, label, _ in listing.images})
    for name in names if reading.labelled else ():
        if not is_label(name):
            raise BadInput(f"{place}: the folder {name!a} has a name that is no text of one line (UTF-8); rename it")
    if reading.labelled and reading.label_from is None:
        check_classes(place, listing.images, listing.others, reading)
        if len(names) < reading.least_classes and (advice := _advice(place, names, listing)):
            raise BadInput(
                f"{place}: {len(names)} folders with images, want one for each class and at least "
                f"{reading.least_classes}\n{advice}"
            )


def _advice(place: Path, names: Sequence[str], listing: Listing) -> str:
    """Return what to give in place of a folder without classes, empty where nothing in it looks like a source."""
    tables = [parts for parts in listing.others if parts[-1].lower().endswith((".csv", ".tsv", ".jsonl"))]
    if tables and place.is_file():
        return f"if the table {'/'.join(tables[0])} in it has the labels, unpack it and give the table"
    if tables:
        return f"if a table has the labels, give that: --source-path {place.joinpath(*tables[0])}"
    if len(names) == 1 and (inner := _classes_within(place, names[0], listing)):
        return inner
    if any(parts[-1].lower().endswith(".cls") for parts in listing.others):
        return "files .cls have the classes of shards: say --source webdataset"
    if archives := [parts for parts in listing.others if is_archive(Path(parts[-1]))]:
        shards = "" if archives[0][-1].lower().endswith(".zip") else ", or --source webdataset if these are shards"
        return f"archives in it are not opened: --source-path {place.joinpath(*archives[0])}{shards}"
    if listing.loose and not names:
        first = "/".join(listing.loose[0])
        return (
            f"images outside the class folders: {len(listing.loose):,} ({plain(first[-60:])}); "
            "if their names say the class, a pattern tells it: --label-from REGEX"
        )
    return advice_on(parts[-1] for parts in listing.others)


def _classes_within(place: Path, name: str, listing: Listing) -> str:
    """Return what to do where the only folder has several with images in it; empty where it has not."""
    # not looked into, as files next to it may be images of the set
    above = next(parts[: parts.index(name) + 1] for parts, _, _ in listing.images)
    inner = sorted({parts[len(above)] for parts, _, _ in listing.images if len(parts) > len(above) + 1})
    if len(inner) < 2:
        return ""
    do = "unpack it, and give that folder" if place.is_file() else f"say --source-path {place.joinpath(*above)}"
    return f"if the folders in {plain('/'.join(above)[-60:])} are the classes ({some(inner)}): {do}"


def arrange(place: Path, tree: Tree, reading: Reading) -> Listing:
    """Return which image is of which class and split, by the names of the folders.

    A folder that has only one folder is that one, if it has several. Folders are of splits where their names are words
    for splits (`labels.SPLIT_WORDS`): a folder of a split is never a class. With two different splits at least, a word
    at the start or end of a name counts too (seg_train, test_images), and other folders are not taken. Classes are the
    folders below. Where there are none of splits, class folders may have them inside. Raises BadInput for a folder with
    the name of a split among class folders.
    """
    images = [parts for parts in tree.files if is_image(parts[-1])]
    listing = Listing(others=[parts for parts in tree.files if not is_image(parts[-1])])
    if not reading.labelled:
        listing.images = [(parts, "", "") for parts in images]
        return listing
    if reading.label_from is not None:
        _label_by_name(place, images, reading.label_from, listing)
        return listing
    base = _base(images) if reading.least_classes > 1 else ()
    if base:
        listing.notes.append(f"read from {'/'.join(base)}, the only folder there")
    splits = _splits(place, base, images, listing)
    for parts in images:
        below = parts[len(base) :]
        if splits is None:
            # no class without images, so what is not below a class folder is loose
            listing.images += [(parts, below[0], "")] if len(below) > 1 else []
        elif below[0] in splits:
            inner = _in_split(below)
            listing.images += [(parts, inner[0], splits[below[0]])] if len(inner) > 1 else []
    taken = {parts for parts, _, _ in listing.images}
    aside = {parts for top in listing.aside for parts in images if parts[: len(top)] == top}
    listing.loose = [parts for parts in images if parts not in taken and parts not in aside]
    if splits is None:
        _look_for_splits_inside(listing, len(base))
        listing.doubts = doubts(listing.images, len(base))
    depth = len(base) + (1 if splits is None else 2)
    filled = {parts[:depth] for parts in images}
    listing.empty = [parts for parts in tree.folders if len(parts) == depth and parts not in filled]
    return listing


def _label_by_name(place: Path, images: Sequence[Parts], pattern: str, listing: Listing) -> None:
    """List the images whose path fits `pattern`, each with its one group as the class, and the others as unnamed."""
    found = {parts: re.search(pattern, "/".join(parts)) for parts in images}
    named = {parts: match[1] or "" for parts, match in found.items() if match}
    splits = _splits(place, (), list(named), listing) or {}
    aside = {top for (top,) in listing.aside}
    listing.images = [
        (parts, label, splits.get(parts[0], "")) for parts, label in named.items() if parts[0] not in aside
    ]
    listing.unnamed = [parts for parts in images if parts not in named]


def _base(images: Sequence[Parts]) -> Parts:
    """Return the folder in which the folders of classes or splits are: a lone folder that has several is that one."""
    base: Parts = ()
    while True:
        tops = {parts[len(base)] for parts in images if len(parts) > len(base) + 1}
        if len(tops) != 1 or any(len(parts) == len(base) + 1 for parts in images):
            return base
        (top,) = tops
        inner = {parts[len(base) + 1] for parts in images if len(parts) > len(base) + 2}
        if split_of(top) or not inner or (len(inner) < 2 and top not in inner):
            return base
        base = (*base, top)


def _splits(place: Path, base: Parts, images: Sequence[Parts], listing: Listing) -> dict[str, str] | None:
    """Return the folders in `base` that are of splits, with the word for each; None where there are none."""
    depth = len(base)
    tops = sorted({parts[depth] for parts in images if len(parts) > depth + 1})
    exact = {top: top for top in tops if split_of(top)}
    if len({split_of(top) for top in exact}) < 2:
        loosely = {top: word for top in tops if (word := _word_in(top))}
        below = [
            {inner[0] for parts in images if parts[depth] == top and len(inner := _in_split(parts[depth:])) > 1}
            for top in loosely
        ]
        if len({split_of(word) for word in loosely.values()}) > 1 and any(len(names) > 1 for names in below):
            listing.notes.append("; ".join(f"{top} is {split_of(word)}" for top, word in loosely.items()))
            exact = loosely
    if not exact:
        return None
    others = [top for top in tops if top not in exact]
    if others and len({split_of(word) for word in exact.values()}) < 2:
        raise BadInput(
            f"{place}: the folder {some(list(exact))} is of a split, {some(others)} are of none\n"
            "want splits with class folders in each, or classes alone: rename it if it is a class"
        )
    listing.aside = [(*base, top) for top in others]
    return exact


def _in_split(below: Parts) -> Parts:
    """Return a path in the folder of a split, given it with that folder, which may be there twice."""
    return below[2:] if len(below) > 2 and below[1] == below[0] else below[1:]


def _word_in(name: str) -> str:
    """Return the word for a split that a name begins or ends with, empty if there is none."""
    words = re.split(r"[-_. ]+", name)
    return next((word for word in (words[0], words[-1]) if split_of(word)), "")


def _look_for_splits_inside(listing: Listing, depth: int) -> None:
    """Give each image the split whose folder it is in within its class folder, where there are two of them."""
    inside = [
        (parts, label, parts[depth + 1] if len(parts) > depth + 2 and split_of(parts[depth + 1]) else "")
        for parts, label, _ in listing.images
    ]
    if len({split_of(word) for _, _, word in inside if word}) > 1:
        listing.images = inside
