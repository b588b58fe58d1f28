"""Array variables of batch systems: each documented form is read, and anything else is refused."""

import pytest

from shared.errors import BadConfig
from shared.runtime.array_jobs import ArrayTask, array_task


def slurm(number: int, first: int, last: int, step: int, count: int) -> dict[str, str]:
    """Return what Slurm sets for a task of an array."""
    values = {"ID": number, "MIN": first, "MAX": last, "STEP": step, "COUNT": count}
    return {"SLURM_ARRAY_JOB_ID": "4711"} | {f"SLURM_ARRAY_TASK_{name}": str(value) for name, value in values.items()}


AWS = {"AWS_BATCH_JOB_ARRAY_INDEX": "2", "AWS_BATCH_JOB_ARRAY_SIZE": "10"}
GOOGLE = {"BATCH_TASK_INDEX": "0", "BATCH_TASK_COUNT": "3"}


@pytest.mark.parametrize(
    ("environment", "task"),
    [
        ({}, None),
        ({"SLURM_JOB_ID": "4711", "AWS_BATCH_JOB_ID": "x"}, None),
        ({"JOB_COMPLETION_INDEX": ""}, None),
        ({"JOB_COMPLETION_INDEX": "2"}, ArrayTask(2, None)),
        (slurm(0, 0, 9, 1, 10), ArrayTask(0, 10)),
        (slurm(10, 1, 10, 1, 10), ArrayTask(9, 10)),  # --array=1-10
        (slurm(7, 3, 11, 4, 3), ArrayTask(1, 3)),  # --array=3-11:4
        (slurm(5, 5, 5, 1, 1), ArrayTask(0, 1)),  # --array=5
        (AWS, ArrayTask(2, 10)),
        ({"AWS_BATCH_JOB_ARRAY_INDEX": "2"}, ArrayTask(2, None)),
        (GOOGLE, ArrayTask(0, 3)),
        (GOOGLE | {"JOB_COMPLETION_INDEX": "0"}, ArrayTask(0, 3)),  # they agree
    ],
    ids=str,
)
def test_the_task_of_each_batch_system_is_read(environment: dict[str, str], task: ArrayTask | None) -> None:
    """Tasks are numbered from 0 in every system; Kubernetes tells no count; without an array there is no task."""
    assert array_task(environment) == task


def test_every_part_of_a_slurm_array_is_there_once() -> None:
    """The tasks of `--array=7-25:6` are the parts 0 to 3."""
    tasks = [array_task(slurm(number, 7, 25, 6, 4)) for number in (7, 13, 19, 25)]
    assert tasks == [ArrayTask(index, 4) for index in range(4)]


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"JOB_COMPLETION_INDEX": "first"}, "JOB_COMPLETION_INDEX='first', want a whole number"),
        ({"JOB_COMPLETION_INDEX": "-1"}, "JOB_COMPLETION_INDEX='-1', want a whole number"),
        ({"SLURM_ARRAY_TASK_ID": "3"}, "SLURM_ARRAY_TASK_MIN is not set"),
        (slurm(9, 1, 22, 1, 4), "SLURM_ARRAY_TASK_MAX=22, .*COUNT=4: not a range"),  # --array=1,2,9,22
        (slurm(4, 3, 11, 4, 3), "SLURM_ARRAY_TASK_ID=4, .*: not a range"),
        (slurm(15, 3, 11, 4, 3), "SLURM_ARRAY_TASK_ID=15, .*: not a range"),
        (slurm(1, 3, 11, 4, 3), "SLURM_ARRAY_TASK_ID=1, .*: not a range"),
        (slurm(3, 3, 3, 0, 1), "SLURM_ARRAY_TASK_STEP=0, .*: not a range"),
        (AWS | {"AWS_BATCH_JOB_ARRAY_SIZE": "2"}, "AWS_BATCH_JOB_ARRAY_INDEX=2 of AWS_BATCH_JOB_ARRAY_SIZE=2"),
        (AWS | {"AWS_BATCH_JOB_ARRAY_SIZE": "ten"}, "AWS_BATCH_JOB_ARRAY_SIZE='ten', want a whole number"),
        (GOOGLE | AWS, "AWS Batch says AWS_BATCH_JOB_ARRAY_INDEX=2 and Google Batch says BATCH_TASK_INDEX=0"),
        (GOOGLE | slurm(1, 1, 4, 1, 4), "Slurm says SLURM_ARRAY_TASK_ID=1 and Google Batch says"),
    ],
    ids=str,
)
def test_variables_that_say_no_task_are_refused(environment: dict[str, str], said: str) -> None:
    """The error names what came and what to do instead; a part that is guessed would be done twice, or never."""
    with pytest.raises(BadConfig, match=said) as raised:
        array_task(environment)
    assert "want less" in str(raised.value) or "--index" in str(raised.value)
