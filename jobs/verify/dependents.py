"""What artifacts say of the manifests of those that they were made from: nothing else tells whether one was edited."""

from collections.abc import Iterable
from pathlib import Path

from jobs.verify.opened import Opened, Problem
from jobs.verify.places import experiment_of


def compare_inputs(found: Iterable[Opened]) -> tuple[int, list[Problem]]:
    """Return how many manifests are as something that was made from them says, and a problem for each other one.

    An input that is not among what was `found` is left out, and so is a manifest of which nothing was made.
    """
    by_folder = {each.folder: each for each in found if each.manifest is not None}
    confirmed: set[Path] = set()
    others: dict[Path, list[str]] = {}
    for folder, each in by_folder.items():
        assert each.manifest is not None
        experiment = experiment_of(folder, each.job)
        for place, digest in each.manifest.inputs.items():
            source = by_folder.get(experiment / place)
            if source is None or source.manifest is None:
                continue
            # what was extended since, such as a GAN that was trained further, is the same one
            if digest in (source.sha256, source.manifest.extends):
                confirmed.add(source.folder)
            else:
                others.setdefault(source.folder, []).append(folder.relative_to(experiment).as_posix())
    problems = []
    for folder, dependents in others.items():
        source = by_folder[folder]
        what = f"another one than {', '.join(dependents)} was made from: edited, or made again since"
        problems.append(Problem(folder / source.place.manifest, what, source.job, spreads=True))
    return len(confirmed - others.keys()), problems
