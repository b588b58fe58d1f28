"""The section on tuning, where the artifact `tune` stands: before and after, trials, the tuned recipe."""

from typing import Any

from jobs.report.figures import chart, photo
from shared.plots.figures import named_rows
from shared.plots.trial_charts import GRID_TITLE, trial_charts
from shared.store.artifacts import Artifact
from shared.store.checkpoints import load

GRID = "grid.safetensors"


def tuning_section(inputs: dict[str, Artifact]) -> dict[str, Any] | None:
    """Return what the template `tuning.html` shows; None where nothing was tuned."""
    if "tune" not in inputs:
        return None
    artifact = inputs["tune"]
    facts = artifact.facts
    pictures = {name: chart(figure, alt) for name, (figure, alt) in trial_charts(facts).items()}
    sheet = load(artifact.read(GRID), str(artifact.folder / GRID))[0]["sheet"]
    classes = inputs["real"].dataset.classes
    alt = "Real test images, generated ones before tuning and after, side by side, by class."
    pictures["grid"] = photo(named_rows(sheet, classes, GRID_TITLE), alt)
    return {
        "facts": facts,
        "pictures": pictures,
        "options": {name: (facts["own"][name], value) for name, value in facts["best"]["params"].items()},
        "recipe": artifact.read("tuned.toml").decode(),
        "states": {
            state: sum(trial["state"] == state for trial in facts["trials"])
            for state in ("finished", "stopped", "refused")
        },
    }
