"""Which part a call does: what --parts and --index say, and the array of a batch system where --parts asks for it."""

import click
import pytest

from shared.cli.calls.part import shard_of
from shared.cli.common_options import PARTS
from shared.errors import BadConfig
from shared.store.work_shards import WHOLE, Shard

INDEXED = {"JOB_COMPLETION_INDEX": "2"}
SLURM = {
    f"SLURM_ARRAY_TASK_{name}": value
    for name, value in zip(("ID", "MIN", "MAX", "STEP", "COUNT"), "31925", strict=True)
}
"""Task 3 of --array=1-9:2, the second of five."""
AWS = {"AWS_BATCH_JOB_ARRAY_INDEX": "3", "AWS_BATCH_JOB_ARRAY_SIZE": "4"}


@click.command()
@PARTS[0]
@PARTS[1]
@click.option("--force", is_flag=True)
def command(**options: object) -> None:
    """Have the options that parts of the work are said by."""


def part(words: str, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Shard:
    """Return the part that a call does in this environment."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with command.make_context("command", words.split()) as context:
        return shard_of(context, environment)


@pytest.mark.parametrize("environment", [INDEXED, SLURM, AWS, {"HALFREAL_INDEX": "3"}, {"JOB_COMPLETION_INDEX": "?"}])
@pytest.mark.parametrize("words", ["", "--force", "--parts 1"])
def test_an_array_alone_divides_nothing(
    words: str, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sweep of experiments is an array too: each of its tasks does all of its own work."""
    assert part(words, environment, monkeypatch) == WHOLE


@pytest.mark.parametrize(
    ("words", "environment", "shard"),
    [
        ("--parts 4 --index 1", {}, Shard(1, 4)),
        ("--parts 4 --index 1", AWS | SLURM, Shard(1, 4)),  # what is said beats any array
        ("--parts 4", {"HALFREAL_INDEX": "0"} | AWS, Shard(0, 4)),
        ("--parts 4", INDEXED, Shard(2, 4)),
        ("", INDEXED | {"HALFREAL_PARTS": "3"}, Shard(2, 3)),
        ("", SLURM | {"HALFREAL_PARTS": "auto"}, Shard(1, 5)),
        ("--parts auto", SLURM, Shard(1, 5)),
        ("--parts 5", SLURM, Shard(1, 5)),
        ("--parts auto", AWS, Shard(3, 4)),
        ("--parts auto", {"BATCH_TASK_INDEX": "0", "BATCH_TASK_COUNT": "1"}, WHOLE),
    ],
)
def test_a_part_is_said_or_that_of_the_task(
    words: str, environment: dict[str, str], shard: Shard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The number of parts is given or, with auto, that of the tasks; the index is given or that of the task."""
    assert part(words, environment, monkeypatch) == shard


@pytest.mark.parametrize(
    ("words", "environment", "said"),
    [
        ("--index 1", {}, "say by --parts into how many"),
        ("--parts 2 --index 2", {}, "--index 2: want less than --parts 2"),
        ("--parts 2", INDEXED, "--index 2: want less than --parts 2"),
        ("--parts auto", INDEXED, "tells its task, 2, and not how many there are\nsay it by --parts"),
        ("--parts auto", {}, "--parts auto: no array .*SLURM_ARRAY_TASK_ID"),
        ("--parts 3", {}, "--parts 3: no array .*\nsay it by --index, from 0"),
        ("--parts 4", SLURM, "--parts 4: the array has 5 tasks; want as many as parts"),
        ("--parts auto --index 1", SLURM, "--index 1 with --parts auto: say both as numbers"),
        ("--parts 4 --force", AWS, "would drop the other parts' work"),
    ],
)
def test_what_says_no_part_is_refused(
    words: str, environment: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Contradictions and gaps are errors, never all of the work or none of it."""
    with pytest.raises(BadConfig, match=said) as raised:
        part(words, environment, monkeypatch)
    assert len(str(raised.value).splitlines()) <= 3


@pytest.mark.parametrize("words", ["--parts 0", "--parts all", "--parts 1.5"])
def test_parts_are_a_number_or_auto(words: str) -> None:
    """Anything else is a usage error of click."""
    with pytest.raises(click.BadParameter):
        command.make_context("command", words.split())
