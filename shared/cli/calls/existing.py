"""What is there of an artifact that a call is to make, in words: complete, unfinished, to be extended or replaced."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.cli.calls.call import Call, Piece
from shared.errors import BadConfig, FormatError
from shared.store.job import Job
from shared.store.lineage import is_point

if TYPE_CHECKING:
    from shared.store.artifacts import Artifact
    from shared.store.identity import Progress
    from shared.store.staging import BuildKey
    from shared.store.unfinished import Work


@dataclass(frozen=True)
class Existing:
    """What a call finds of an artifact.

    `goes_on` says where work goes on, `rebuilt` why what is there is replaced; `others` are lines on unfinished work
    with other options.
    """

    complete: bool
    goes_on: str
    rebuilt: str
    others: list[str]


def existing(call: Call, piece: Piece, key: "BuildKey", present: "Artifact | None") -> Existing:
    """Return what is there of an artifact, given what has its name; `key` has its inputs.

    Raises BadConfig where it is more of what is asked for, such as more epochs: the rest would be lost; also where a
    flag would replace what is finished.
    """
    final = call.final(piece)
    differences = key.differences(present.manifest) if present else []
    if not call.step(piece.row).how.resumes:
        check_typed(call, piece, key, present)
        return Existing(present is not None and not differences, "", replacement(key, present, differences), [])
    from shared.store.unfinished import unfinished

    works = unfinished(final)
    others = [other(key, work) for work in works if key.differences(work) and not key.is_extension_of(work)]
    if present and not differences:
        return Existing(True, "", "", others)
    extends = present is not None and key.is_extension_of(present.manifest)
    if present and is_shorter(key, present) and not call.common.force:
        raise BadConfig(too_much(call, piece, key, present))
    progress = None if call.common.force else reached(call, piece, key)
    reasons = "; ".join(differences) if extends else replacement(key, present, differences)
    if progress is None:
        check_typed(call, piece, key, present)
        return Existing(False, "", replacement(key, present, differences), others)
    return Existing(False, f"from {progress.words}{f' ({reasons})' if reasons else ''}", "", others)


def plans(call: Call, piece: Piece, key: "BuildKey", present: "Artifact | None") -> list[str]:
    """Return what is about to be done with what is there of an artifact, and what else is there, a line each."""
    there = existing(call, piece, key, present)
    lines = [f"{piece.place}: {line}" for line in there.others]
    if present and there.complete:
        added = ", ".join(call.addable(piece, present))
        return [f"{call.final(piece)}: adding {added}; all that is there stays", *lines] if added else lines
    if there.goes_on:
        return [f"{piece.place}: going on {there.goes_on}", *lines]
    return [f"{piece.place}: rebuilding because {there.rebuilt}", *lines] if there.rebuilt else lines


def reached(call: Call, piece: Piece, key: "BuildKey") -> "Progress | None":
    """Return how far the work is that a call would go on with: its own, or what it extends."""
    from shared.store.staging import staging_folder
    from shared.store.unfinished import Work, source

    final = call.final(piece)
    folder = staging_folder(final, key)
    own = Work(folder, key.plain_options, key.input_hashes).progress(key) if folder.exists() else None
    if own is not None:
        return own
    earlier = source(final, key)
    return None if earlier is None else earlier.progress(key)


def replacement(key: "BuildKey", present: "Artifact | None", differences: list[str]) -> str:
    """Return why what is there is replaced, what that is, and how to keep it where an option has changed."""
    reasons = "; ".join(differences)
    if present is None or not key.other_options(present.manifest):
        return reasons
    extends = () if key.extends is None else key.extends.options
    size = [f"{present.manifest.options.get(name)} {name}" for name in extends]
    there = f"what is there ({', '.join([*size, 'complete'])}) is replaced at the end; keep it: --experiment NAME"
    return f"{reasons}; {there}"


def too_much(call: Call, piece: Piece, key: "BuildKey", present: "Artifact") -> str:
    """Return that more is there than is asked for, and how to say which of the two is meant."""
    changed = key.changed(present.manifest)
    there = " and ".join(f"{old} {name}" for name, (old, _) in changed.items())
    asked = " and ".join(f"{new} {name}" for name, (_, new) in changed.items())
    if is_point(call.common.folder):
        # a study multiplies the epochs that it is given
        keep = "keep them: give the study the options that it was made with"
        return f"{piece.place}: {there} are there, {asked} asked for; the others would be lost\n{keep}, or --force"
    flags = " ".join(f"--{name.replace('_', '-')} {old}" for name, (old, _) in changed.items())
    pairs = " ".join(f"--set {call.row.name}.{name}={old}" for name, (old, _) in changed.items())
    return (
        f"{piece.place}: {there} are there, {asked} asked for; the others would be lost\n"
        f"keep them: {flags} (halfreal run: {pairs}); train again: --force, or another --experiment"
    )


def check_typed(call: Call, piece: Piece, key: "BuildKey", present: "Artifact | None") -> None:
    """Raise BadConfig where a flag, without --force, would replace a finished artifact whose inputs are as they were.

    A flag is typed for one run, often to try something; a recipe and the environment say what an experiment is.
    """
    if present is None or call.common.force or key.changed_inputs(present.manifest):
        return
    changed = key.changed(present.manifest)
    typed = [name for name in changed if name.partition(".")[0] in call.common.typed]
    if typed:
        before = ", ".join(f"{name} {changed[name][0]}" for name in typed)
        flags = " ".join(f"--{name.replace('_', '-')} {changed[name][1]}" for name in typed)
        raise BadConfig(
            f"{piece.place}: complete, with {before}; {flags} would replace it, and leave the rest out of step\n"
            "keep it: leave the flag out, or take another --experiment; replace it: --force"
        )


def is_shorter(key: "BuildKey", present: "Artifact") -> bool:
    """Whether what is there is what is asked for and more of it, such as epochs."""
    if key.extends is None or key.is_extension_of(present.manifest):
        return False
    changed = key.changed(present.manifest)
    return bool(changed) and changed.keys() <= {*key.extends.options} and not key.changed_inputs(present.manifest)


def other(key: "BuildKey", work: "Work") -> str:
    """Return a line on unfinished work of another build key: what it is, how far, and what to do with it."""
    if not work.options:
        return f"unfinished work of an earlier version is in {work.folder}, where nothing goes on; remove that folder"
    options = [(name, old) for name, (old, _) in key.changed(work).items()]
    changed = [f"{name} {old}" if old is not None else f"{name} left out" for name, old in options]
    progress = work.progress(key)
    far = f"is at {progress.words}" if progress else "is there"
    inputs = [f"another {name!r}" for name in key.changed_inputs(work)]
    what = " and ".join(part for part in (", ".join(changed), ", ".join(inputs)) if part)
    given = "that option" if len(options) == 1 else "those options"
    again = "it is of use with these inputs alone" if inputs else f"give {given} again to go on with it"
    return f"unfinished work with {what} {far}; {again}, or remove {work.folder}"


def check_form(row: Job[Any], folder: Path) -> None:
    """Raise where an artifact in the experiment's `folder` is one and should be several, or the other way round.

    FormatError where an earlier version wrote it, which had one generator; BadConfig where other options did.
    """
    from shared.format.manifest import MANIFEST  # here, since it imports pydantic

    place = folder / row.writes
    single = (place / MANIFEST).exists()
    if row.splits:
        there = "one split of the images" if single else "splits of the images, one for each replicate"
        if single if row.replicated else any(place.glob(f"r[0-9][0-9]/{MANIFEST}")):
            raise BadConfig(
                f"{place}: holds {there}; want {'one for each replicate' if row.replicated else 'a single one'}\n"
                f"take another --experiment, {'leave --resplit out' if row.replicated else 'give --resplit again'}, "
                "or remove that folder"
            )
    elif row.replicated and single:
        raise FormatError(
            f"{place}: an artifact of an earlier version, which had one generator; want a folder for each replicate\n"
            "take another --experiment, or move it away"
        )


def is_there(call: Call, piece: Piece) -> bool:
    """Whether the artifact is complete, without a word."""
    from shared.store.staging import finished

    key = call.key(piece)
    artifact = finished(call.final(piece), key)
    return artifact is not None and not key.differences(artifact.manifest)


def readable(final: Path, key: "BuildKey") -> "Artifact | None":
    """Return the artifact that is to be replaced; None where there is none that can be read."""
    from shared.store.staging import finished

    try:
        return finished(final, key)
    except FormatError:  # it is to be replaced, broken or not
        return None
