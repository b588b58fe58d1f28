"""The real images that a job has, or will have: what checks of options can go by before anything is made."""

from dataclasses import dataclass
from typing import Any

import click

from jobs.commands.calls import command_of
from jobs.pipeline import PREPROCESS
from shared.cli.resolve import asked


@dataclass(frozen=True)
class Images:
    """Square images of `size_px`, in 1 or 3 channels; `mirrors` says whether one is of the same class in a mirror."""

    size_px: int
    channels: int
    source: str
    mirrors: bool


def expected_images(inputs: dict[str, Any]) -> Images:
    """Return what is known of the real images in `inputs`; where they are not, of those that preprocess would make."""
    real = inputs.get(PREPROCESS.writes)
    if real is None:
        config = asked_config(PREPROCESS.name)
        return Images(config.size_px, config.channels, config.source, config.mirrors)
    info, facts = real.dataset, real.facts
    return Images(info.size_px, info.channels, facts["source"], facts.get("mirrors", True))


def asked_config(job: str) -> Any:
    """Return the config that `job` would have by the recipe of the command that is running and by the environment."""
    return asked(command_of(job), ["--recipe", click.get_current_context().meta["recipe"]]).config
