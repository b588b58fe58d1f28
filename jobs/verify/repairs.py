"""The commands that make broken artifacts again as they were: with their recipe, options, seed and threads."""

import json
import re
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from jobs.commands.calls import command_of
from jobs.export.staging import RECORD
from jobs.pipeline import ARTIFACTS, JOB_NAMES
from jobs.verify.opened import Opened, Problem
from jobs.verify.places import EXPORT, RUN_RECORD, experiment_of
from shared.cli.common_options import check_name, place_flags
from shared.cli.job import JobCommand
from shared.cli.options import one_each, specs
from shared.cli.recipes import DEFAULT_RECIPE
from shared.cli.resolve import config_of
from shared.errors import BadInput, HalfrealError
from shared.format.manifest import MANIFEST, Manifest, parse_manifest
from shared.format.outside import parse_json, read_regular
from shared.limits import MANIFEST_BYTES
from shared.objects.fetching import is_remote
from shared.store.lineage import experiment_label, volume_of
from shared.store.staging import BuildKey

AS_BEFORE = " ... with the options that it had: no flags are known that give all of them again"
"""How a line ends that is a comment: pasted as it is, it would make something else."""

ORDER = (*JOB_NAMES, EXPORT)
"""In which the commands are to be called."""


def repairs(problems: Iterable[Problem], found: Iterable[Opened], there: Iterable[Path], data_root: Path) -> list[str]:
    """Return a command line for each job of each experiment that has something to make again, in their order.

    `found` are the artifacts that could be opened, `there` the folders of all. What no command makes has none.
    """
    by_folder, folders = {each.folder: each for each in found}, set(there)
    broken: dict[tuple[Path, str], list[Path]] = {}
    for problem in problems:
        folder = next((each for each in (problem.path, *problem.path.parents) if each in folders), None)
        if folder is None or problem.job not in ORDER:
            continue
        names = broken.setdefault((experiment_of(folder.absolute(), problem.job), problem.job), [])
        names += [] if folder in names else [folder]
        for other in _made_from(folder, by_folder) if problem.spreads else ():
            broken.setdefault((experiment_of(other.absolute(), by_folder[other].job), by_folder[other].job), [])
    lines = []
    for experiment, job in sorted(broken, key=lambda each: (str(each[0]), ORDER.index(each[1]))):
        try:
            check_name(experiment_label(experiment), "the experiment")
        except BadInput:  # a trial of `tune`, or a set of `selfcheck`: these make it by themselves
            continue
        repaired = broken[experiment, job]
        if job == EXPORT:
            lines += _exports(experiment, repaired, data_root)
        else:
            lines.append(_again(job, experiment, repaired, data_root))
    return lines


def _made_from(folder: Path, by_folder: Mapping[Path, Opened]) -> list[Path]:
    """Return what was made from the artifact in a folder, and what was made from that."""
    made, pending = list[Path](), [folder]
    while pending:
        source = pending.pop()
        for other, each in by_folder.items():
            if each.manifest is None or other in made or other == folder:
                continue
            experiment = experiment_of(other, each.job)
            if any(experiment / place == source for place in each.manifest.inputs):
                made.append(other)
                pending.append(other)
    return made


def _place(experiment: Path, data_root: Path) -> tuple[str, str]:
    """Return the name of the experiment in a folder, and the flag that names its volume, as a shell takes them."""
    volume = volume_of(experiment)
    flag = place_flags(data_root if data_root.absolute() == volume else volume)
    return shlex.quote(experiment_label(experiment)), flag


def _again(job: str, experiment: Path, broken: list[Path], data_root: Path) -> str:
    """Return what removes broken artifacts of a job and calls it as it was called; other replicates of it stay."""
    label, flag = _place(experiment, data_root)
    options = _options(command_of(job), experiment)
    flags = "" if options is None else f" {shlex.join(options)}"
    # nothing is removed from a store
    in_store = any(is_remote(folder) for folder in broken)
    again = f"halfreal {job} --experiment {label}{flag}{' --force' if in_store else ''}{flags}"
    if broken and not in_store:
        names = " ".join(f"{label}/{folder.absolute().relative_to(experiment).as_posix()}" for folder in broken)
        again = f"halfreal clean {names}{flag} --yes && {again}"
    return f"# {again}{AS_BEFORE}" if options is None else again


def _exports(experiment: Path, broken: list[Path], data_root: Path) -> list[str]:
    """Return what writes broken exports of an experiment again; an edited card stays, or is named."""
    lines = []
    for folder in broken:
        manifest = _manifest(folder / RECORD)
        if manifest is None or folder.absolute().parent != experiment / EXPORT:
            continue
        known = ("to", "labels", "min_confidence", "epoch")
        given = {name: manifest.options[name] for name in known if name in manifest.options}
        if not all(str(value).isprintable() for value in given.values()):
            continue
        words = [word for name, value in given.items() for word in _flag(name, value)]
        found = re.search(r"/r([0-9]{2})", " ".join(manifest.inputs))
        words += ["--replicate", str(int(found[1]))] if found else []
        label, flag = _place(experiment, data_root)
        lines.append(f"halfreal {EXPORT} --experiment {label}{flag} {shlex.join(words)}")
    return lines


def _flag(name: str, value: object) -> list[str]:
    return [f"--{name.replace('_', '-')}", value if isinstance(value, str) else json.dumps(value)]


def _options(command: JobCommand, experiment: Path) -> list[str] | None:
    """Return the flags by which a job makes again what it has made in an experiment; None where some are not known."""
    made = _manifests(command, experiment)
    folders = [folder for folder, _ in made]
    numbers = [number for folder in folders if (number := _number(folder)) is not None]
    words = ["--replicates", str(max(numbers) + 1)] if numbers else []
    diary = next((found for folder in folders if (found := _diary(folder))), {})
    if command.job.gpu and isinstance(diary.get("threads"), int):
        words += ["--threads", str(diary["threads"])]
    readable = [(folder, each) for folder, each in made if each is not None and each.job == command.job.name]
    for recipe in dict.fromkeys([str(diary.get("recipe", DEFAULT_RECIPE)), DEFAULT_RECIPE]):
        with_recipe = ["--recipe", recipe, *words]
        try:
            flags = _flags(command, with_recipe, readable)
        except HalfrealError:  # a recipe that was a file, or options of an earlier version
            continue
        if flags is not None:
            return [*with_recipe, *flags]
    return None


def _manifests(command: JobCommand, experiment: Path) -> list[tuple[Path, Manifest | None]]:
    """Return the folders of what a job has made in an experiment, its own artifact first, then replicates in order."""
    rows = [row for row in reversed(ARTIFACTS) if row.name == command.job.name]
    folders = [folder for row in rows for folder in (experiment / row.writes, *_replicates(experiment / row.writes))]
    return [
        (folder, _manifest(folder / MANIFEST)) for folder in folders if (folder / MANIFEST).exists() or _diary(folder)
    ]


def _replicates(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("r[0-9][0-9]") if path.is_dir())


def _number(folder: Path) -> int | None:
    """Return which replicate's artifact is in a folder; None for that of all of them."""
    found = re.fullmatch(r"r([0-9]{2})", folder.name)
    return None if found is None else int(found[1])


def _manifest(path: Path) -> Manifest | None:
    try:
        return parse_manifest(read_regular(path, MANIFEST_BYTES), path)
    except (OSError, BadInput):
        return None


def _diary(folder: Path) -> dict[str, Any]:
    try:
        return dict(parse_json(read_regular(folder / RUN_RECORD, MANIFEST_BYTES)))
    except (OSError, ValueError, TypeError):
        return {}


def _flags(command: JobCommand, words: list[str], made: list[tuple[Path, Manifest]]) -> list[str] | None:
    """Return the flags to add to `words` so that a job makes what it has `made`; None where no flags do that."""
    if not made:
        return None
    (folder, manifest), *_ = made
    number = _number(folder) or 0
    changed = _changed(command, words, manifest, number)
    flags = list[str]()
    for name in dict.fromkeys(name.partition(".")[0] for name in changed):
        value = _value(command, name, made)
        param = next((param for param in command.params if param.name == name), None)
        # a text that acts on a terminal is not shown there, so that it cannot be pasted either
        if value is None or param is None or not str(value).isprintable():
            return None
        if isinstance(value, bool):
            flags.append((param.opts if value else param.secondary_opts)[0])
        else:
            flags += _flag(name, value)
    return None if _changed(command, [*words, *flags], manifest, number) else flags


def _value(command: JobCommand, name: str, made: list[tuple[Path, Manifest]]) -> object:
    """Return the value of an option; a list where each replicate was given one of its own."""
    values = [manifest.options.get(name) for folder, manifest in made if _number(folder) is not None]
    spec = specs(command.options).get(name)
    if spec is not None and spec.each and any(value != values[0] for value in values):
        return values
    return made[0][1].options.get(name)


def _changed(command: JobCommand, words: list[str], manifest: Manifest, number: int) -> list[str]:
    """Return the options by which replicate `number` of a job called with `words` would not be what a manifest has."""
    known, recorded = specs(command.options), command.recorded(config_of(command, words))
    for name in [name for name, spec in known.items() if spec.each and isinstance(recorded.get(name), str)]:
        values = one_each(str(recorded[name]))
        recorded[name] = values[min(number, len(values) - 1)]
    # the seeds of other replicates follow from that of the first
    lacks = {name for name, spec in known.items() if spec.gathers and name not in manifest.options}
    lacks |= {"seed"} if number else set()
    key = BuildKey(command.job.name, manifest.kind, {name: recorded[name] for name in recorded if name not in lacks})
    return [name for name in key.changed(manifest) if name not in lacks]
