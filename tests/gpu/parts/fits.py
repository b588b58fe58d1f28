"""Images a second that a classifier is fitted on, against PyTorch's tutorial loop with the same batches."""

from collections.abc import Iterator

from tests.bench.rows import fitting
from tests.gpu.part import Row, Task, ratios, seconds_of, spread


def measure(task: Task) -> Iterator[Row]:
    """Yield a row of whole fits, their measurement on val included."""
    sizes = task.sizes
    work = fitting.prepare(None, sizes.fit_steps, sizes.fit_batch, task.device)
    sides = {"ours": fitting.ours(work), "PyTorch's tutorial loop": fitting.tutorial(work)}
    for side in sides.values():
        side()
    taken = {name: [seconds_of(side, 1, task.device) for _ in range(sizes.rounds)] for name, side in sides.items()}
    own, images = taken.pop("ours"), sizes.fit_steps * sizes.fit_batch
    middle, low, high = spread([images / each for each in own])
    what = f"{sizes.fit_steps} steps of a classifier, {fitting.SIZE_PX} px, batch {sizes.fit_batch}"
    yield Row(what, "images/s", middle, low, high, ratios(own, taken))
