"""StyleGAN's sets: `dataset.json` next to the images says the class of each, as its dataset_tool.py writes it."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from shared.errors import BadInput
from shared.format.outside import parse_json
from shared.sources.entries import Entry, understood
from shared.sources.items import Source, is_image, is_label, plain, some
from shared.sources.labels import whole_value
from shared.sources.reading import Reading

Parts = tuple[str, ...]

NAME = "dataset.json"


def listed_labels(
    place: Path, files: Sequence[Parts], reader: Callable[[Parts], Callable[[], bytes]]
) -> tuple[Parts, dict[Parts, str]] | None:
    """Return the path of such a list, in the source or in its only folder, and the label of each file that it names.

    None where there is none, or one of another tool. Labels are empty where it has none. It holds
    {"labels": [["00000/img00000000.png", 6], ...]}, or null in place of the list. Raises BadInput for labels that are
    no whole numbers or names, such as vectors, and for a file with two.
    """
    lists = [parts for parts in files if parts[-1] == NAME and len(parts) < 3]
    if len(lists) != 1:
        return None
    try:
        fields: Any = parse_json(reader(lists[0])())
    except (OSError, ValueError):
        return None
    if not isinstance(fields, dict) or not isinstance(fields.get("labels", 0), list | dict | None):
        return None
    rows = fields["labels"]
    rows = list(rows.items()) if isinstance(rows, dict) else rows or []
    labels: dict[Parts, str] = {}
    for row in rows:
        parts, label = _row(place, lists[0][:-1], row)
        if labels.setdefault(parts, label) != label:
            name, both = plain("/".join(parts)[-80:]), f"{labels[parts] or 'none'} and {label or 'none'}"
            raise BadInput(f"{place}: {NAME} lists {name} twice, with the labels {both}; want one label for each image")
    return lists[0], labels


def _row(place: Path, folder: Parts, row: Any) -> tuple[Parts, str]:
    """Return the path and the label in a row of the list."""
    if not (isinstance(row, list | tuple) and len(row) == 2 and isinstance(row[0], str)):
        raise BadInput(f"{place}: {NAME}: {str(row)[:60]!a} is no [file, class]; want StyleGAN's list of labels")
    name, label = row[0], whole_value(row[1])
    text = "" if label is None else str(label).strip()
    if type(label) not in (int, str, type(None)) or (text and not is_label(text)):
        raise BadInput(f"{place}: {NAME}: the label of {name[:80]!a} is {text[:40]}; want a whole number for its class")
    parts = (part for part in name.replace("\\", "/").split("/") if part not in ("", "."))
    return (*folder, *parts), text


def labelled_by_list(
    place: Path,
    files: Sequence[Parts],
    name: Parts,
    labels: dict[Parts, str],
    reader: Callable[[Parts], Callable[[], bytes]],
    reading: Reading,
) -> Source:
    """Return the images whose classes such a list says, in alphabetical order; folders (00000, 00001) say nothing.

    Images that it does not name have no label; what it names and is not there is put aside. Raises BadInput where
    labels are wanted and it has none.
    """
    images = [parts for parts in files if is_image(parts[-1])]
    if reading.labelled and images and not any(labels.values()):
        raise BadInput(
            f'{place}: {NAME} has no labels ("labels": null), and its folders are no classes\n'
            "make it again with labels (dataset_tool.py takes them from a dataset.json in its source), or remove it"
        )
    missing = sorted(labels.keys() - set(images))
    entries = [Entry(labels.get(parts, ""), _origin(parts), reader(parts)) for parts in images]
    entries += [Entry("", _origin(parts), bytes, why=f"not there, {NAME} names it") for parts in missing]
    others = ["/".join(parts) for parts in sorted({*files} - {*images, name})]
    what = "files without the suffix of an image, not taken"
    warnings = [f"{what}: {len(others):,} ({some(others)})"] if others else []
    return understood(place, entries, reading, warnings=warnings, ignored=len(others))


def _origin(parts: Parts) -> dict[str, object]:
    return {"source": "folder", "file": "/".join(parts)}
