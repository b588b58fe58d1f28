"""Which task of an array this process is, by the variables that batch systems set: Kubernetes, Slurm, AWS, Google.

Read only where a command is to do one part of its work: an array may as well be a sweep of unrelated experiments.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from shared.errors import BadConfig

Environment = Mapping[str, str]


@dataclass(frozen=True)
class ArrayTask:
    """Task number `index`, from 0, of an array of `count` tasks; None where the batch system does not say how many."""

    index: int
    count: int | None


@dataclass(frozen=True)
class BatchSystem:
    """A batch system: the variable by which a task of its arrays is known, and how the task is read."""

    variable: str
    read: Callable[[Environment], ArrayTask]


def array_task(environment: Environment) -> ArrayTask | None:
    """Return which task of an array this process is; None outside of one.

    Raises BadConfig for variables that are no numbers, contradict each other, or are those of two arrays.
    """
    found = {name: row.read(environment) for name, row in BATCH_SYSTEMS.items() if environment.get(row.variable)}
    counts = {task.count for task in found.values()} - {None}
    if len({task.index for task in found.values()}) > 1 or len(counts) > 1:
        said = " and ".join(f"{name} says {_shown(BATCH_SYSTEMS[name], environment)}" for name in found)
        raise BadConfig(f"{said}: tasks of two arrays\nsay by --parts and --index which part of the work this is")
    if not found:
        return None
    (index,) = {task.index for task in found.values()}
    return ArrayTask(index, counts.pop() if counts else None)


def _shown(system: BatchSystem, environment: Environment) -> str:
    return f"{system.variable}={environment[system.variable]}"


def _number(environment: Environment, name: str) -> int:
    """Return the value of a variable; BadConfig where there is none, or where it is no whole number from 0."""
    value = environment.get(name, "")
    if not (value.isascii() and value.isdigit()):
        what = f"{name}={value!r}, want a whole number" if value else f"{name} is not set, and others of the array are"
        raise BadConfig(f"{what}\nsay by --parts and --index which part of the work this is")
    return int(value)


def _counted(index: str, count: str | None = None) -> Callable[[Environment], ArrayTask]:
    """Return how a task is read where tasks are numbered from 0, and `count` says how many there are, or nothing."""

    def read(environment: Environment) -> ArrayTask:
        tasks = None if count is None or not environment.get(count) else _number(environment, count)
        task = ArrayTask(_number(environment, index), tasks)
        if tasks is not None and task.index >= tasks:
            raise BadConfig(f"{index}={task.index} of {count}={tasks}: want less; tasks are counted from 0")
        return task

    return read


def _slurm(environment: Environment) -> ArrayTask:
    """Return the task of a Slurm array, whose numbers begin anywhere and have a step: `--array=3-11:4` has three."""
    names = {name: f"SLURM_ARRAY_TASK_{name}" for name in ("ID", "MIN", "MAX", "STEP", "COUNT")}
    number, first, last, step, count = (_number(environment, name) for name in names.values())
    # of a list such as 1,2,9,22 only its ends are told: nobody knows the place of task 9
    if not step or last != first + step * (count - 1) or (number - first) % step or not first <= number <= last:
        came = ", ".join(f"{name}={environment[name]}" for name in names.values())
        raise BadConfig(
            f"{came}: not a range of numbers\n"
            "submit a range, such as --array=0-9 or --array=1-19:2; a task that is run again alone needs --index"
        )
    return ArrayTask((number - first) // step, count)


BATCH_SYSTEMS = {
    # an Indexed Job tells its pods their index, and not `completions`
    "Kubernetes": BatchSystem("JOB_COMPLETION_INDEX", _counted("JOB_COMPLETION_INDEX")),
    "Slurm": BatchSystem("SLURM_ARRAY_TASK_ID", _slurm),
    "AWS Batch": BatchSystem(
        "AWS_BATCH_JOB_ARRAY_INDEX", _counted("AWS_BATCH_JOB_ARRAY_INDEX", "AWS_BATCH_JOB_ARRAY_SIZE")
    ),
    "Google Batch": BatchSystem("BATCH_TASK_INDEX", _counted("BATCH_TASK_INDEX", "BATCH_TASK_COUNT")),
}
"""The batch systems whose arrays are known, by name."""
